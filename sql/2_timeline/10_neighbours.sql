-- title: The earlier injection that is too close
-- grain: person_id, service_date: an injection that has an earlier one less than $interval_months months before
-- column: person_id: the person
-- column: service_date: date of service of the later injection
-- column: scope: same_site, unspecified_site or other_site: what the earlier injection is to the later one
-- column: prior_service_date: date of service of the earlier injection
-- column: interval_days: days between the two
-- column: interval_end_date: the first date that keeps the interval of the policy to the earlier injection
-- column: prior_count: earlier injections of the same series in this scope
-- column: clean_count: those of them that are in no doubt
-- column: doubted_bits: doubts of the others
-- column: is_diagnostic: the later injection counts as diagnostic
-- column: doubt_bits: doubts of the later injection, as bits of 0_reference/doubts.csv
-- column: is_prior_diagnostic: the earlier injection counts as diagnostic
-- column: prior_doubt_bits: doubts of the earlier injection
-- column: prior_claim_ids: claims of the earlier injection, sorted
-- column: breaks_left: the left side is certain in the later injection and was injected too shortly before
-- column: breaks_right: the right side is certain in the later injection and was injected too shortly before
-- column: has_other_side: a side is possible in the later injection that does not break the interval
--
-- Of the scopes that hold an injection less than $interval_months months before, the strictest is used; within it the latest injection that
-- is sound, or the latest one where none is.
--
-- breaks_left and breaks_right say which certain sides of the later injection were injected too shortly before.

with close_scopes as (
    select
        *,
        service_date < (latest_sound_date + to_months($interval_months))::date as is_prior_sound,
    from scope_history
    where service_date < (latest_date + to_months($interval_months))::date
    qualify row_number() over (partition by person_id, service_date order by scope_order) = 1
)

select
    close_scopes.person_id,
    close_scopes.service_date,
    close_scopes.scope,
    prior.service_date as prior_service_date,
    close_scopes.service_date - prior.service_date as interval_days,
    (prior.service_date + to_months($interval_months))::date as interval_end_date,
    close_scopes.series_count as prior_count,
    close_scopes.clean_count,
    close_scopes.doubted_bits,
    later.is_diagnostic,
    later.doubt_bits,
    prior.is_diagnostic as is_prior_diagnostic,
    prior.doubt_bits as prior_doubt_bits,
    prior.claim_ids as prior_claim_ids,
    later.is_certain_left and coalesce(
        close_scopes.service_date < (
            case when close_scopes.is_prior_sound then side_history.sound_left_date else side_history.left_date end
            + to_months($interval_months)
        )::date,
        false
    ) as breaks_left,
    later.is_certain_right and coalesce(
        close_scopes.service_date < (
            case when close_scopes.is_prior_sound then side_history.sound_right_date else side_history.right_date end
            + to_months($interval_months)
        )::date,
        false
    ) as breaks_right,
    (later.is_possible_left and not breaks_left) or (later.is_possible_right and not breaks_right) as has_other_side,
from close_scopes
inner join injections as later
    on close_scopes.person_id = later.person_id and close_scopes.service_date = later.service_date
inner join injections as prior
    on
        close_scopes.person_id = prior.person_id
        and prior.service_date = case when close_scopes.is_prior_sound then close_scopes.latest_sound_date else close_scopes.latest_date end
inner join side_history
    on close_scopes.person_id = side_history.person_id and close_scopes.service_date = side_history.service_date
