-- title: Injections continued beyond the period that the policy covers
-- section: III
-- rank: 8
-- per: injection
-- cites: sij_injection
-- param: max_months = 12
-- records: why injections went on: relief and function after each, and why a more definitive therapy was not possible
-- criterion: It is the policy of health plans affiliated with Centene Corporation that continuation of injections beyond 12 months is
--     considered not medically necessary because effectiveness and safety have not been established.
--
-- Injections that go on for more than $max_months months at one joint, or at what may be one joint, are held not medically necessary, with
-- exceptions case by case: always a review. Similar billing that complies: an injection on the day $max_months months after the first; one that
-- comes $series_months months or more after the last at that joint; one at the other joint.

with chained_injections as (
    select
        later.person_id,
        later.service_date,
        later.doubts,
        tracks.chain_start_date,
    from injections as later
    inner join tracks
        on
            later.person_id = tracks.person_id
            and later.service_date = tracks.service_date
            and tracks.track = case
                when later.is_possible_left and later.is_possible_right then 'any'
                when later.is_possible_left then 'possible_left'
                else 'possible_right'
            end
)

select
    chained_injections.person_id,
    chained_injections.service_date,
    false as is_violation,
    chained_injections.doubts || first_injections.doubts || ['exception_possible'] as doubts,
    chained_injections.chain_start_date as prior_service_date,
    first_injections.claim_ids as prior_claim_ids,
    'goes on with injections at what may be one joint that began on ' || chained_injections.chain_start_date || ', more than ' || $max_months
    || ' months before; section III leaves that to a decision case by case' as rationale,
from chained_injections
inner join injections as first_injections
    on
        chained_injections.person_id = first_injections.person_id
        and chained_injections.chain_start_date = first_injections.service_date
where chained_injections.service_date > (chained_injections.chain_start_date + to_months($max_months))::date
