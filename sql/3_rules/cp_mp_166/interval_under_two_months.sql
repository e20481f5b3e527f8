-- title: Injections too close together
-- section: I.A.3.c
-- criterion: SIJ injection is given at intervals at least two months apart
-- rank: 6
-- per: injection
-- cites: sij_injection
-- param: min_months = 2
-- param: min_days = second_injection_under_two_weeks.min_days
-- records: procedure notes of both injections, and what they say of side and purpose
--
-- Therapeutic injections are covered at intervals of at least $min_months months. It is a violation where both are therapeutic and certainly
-- at the same site, unless the later one may be the second diagnostic injection that I.A.2 allows after $min_days days. Two diagnostic
-- injections are left to second_injection_under_two_weeks. Similar billing that complies: the day $min_months months later, also where it
-- is the last day of a shorter month.

with weighed_neighbours as (
    select
        *,
        service_date >= prior_service_date + $min_days::integer as is_after_two_weeks,
        clean_count = 1 and prior_count > 1 and is_after_two_weeks as depends_on_doubt,
    from neighbours
    where not (is_diagnostic and is_prior_diagnostic)
)

select
    person_id,
    service_date,
    scope = 'same_site'
    and not (is_diagnostic or is_prior_diagnostic)
    and not (prior_count = 1 and is_after_two_weeks)
    and not depends_on_doubt as is_violation,
    scope,
    doubt_bits | prior_doubt_bits | case when depends_on_doubt then doubted_bits else 0 end as doubt_bits,
    prior_service_date,
    interval_days,
    prior_count,
    interval_end_date as earliest_compliant_date,
    case when scope = 'same_site' then breaks_left end as breaks_left,
    case when scope = 'same_site' then breaks_right end as breaks_right,
    scope = 'same_site' and has_other_side as may_cover_more,
    prior_claim_ids,
    'came ' || interval_days || case when interval_days = 1 then ' day' else ' days' end || ' after the injection of '
    || prior_service_date || ' (' || replace(scope, '_', ' ') || '); injections are covered at least ' || $min_months
    || ' months apart, from ' || interval_end_date as rationale,
from weighed_neighbours
