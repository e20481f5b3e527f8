-- title: Injections continued beyond the period that the policy covers
-- section: III
-- criterion: It is the policy of health plans affiliated with Centene Corporation that continuation of injections beyond 12 months is
--     considered not medically necessary because effectiveness and safety have not been established.
-- rank: 8
-- per: injection
-- cites: sij_injection
-- param: max_months = 12
-- records: why injections went on: relief and function after each, and why a more definitive therapy was not possible
--
-- The policy considers a series that continues beyond $max_months months not medically necessary, with exceptions case by case: always a
-- review. Similar billing that complies: an injection on the day $max_months months after the first; one that starts a new series,
-- $series_months months or more after the one before.

select
    later.person_id,
    later.service_date,
    false as is_violation,
    later.doubt_bits | first_injections.doubt_bits as doubt_bits,
    later.series_start_date as prior_service_date,
    first_injections.claim_ids as prior_claim_ids,
    'goes on with a series of injections that began on ' || later.series_start_date || ', more than ' || $max_months
    || ' months before; section III leaves that to a case by case decision' as rationale,
from injections as later
inner join injections as first_injections
    on later.person_id = first_injections.person_id and later.series_start_date = first_injections.service_date
where later.service_date > (later.series_start_date + to_months($max_months))::date
