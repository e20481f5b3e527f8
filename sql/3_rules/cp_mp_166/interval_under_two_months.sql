-- title: Injections too close together
-- section: I.A.3.c
-- rank: 6
-- per: injection
-- cites: sij_injection
-- param: min_months = 2
-- param: min_days = second_injection_under_two_weeks.min_days
-- records: procedure notes of both injections, and what they say of side and purpose
-- criterion: SIJ injection is given at intervals at least two months apart
--
-- Therapeutic injections are covered at intervals of at least $min_months months. Claims show it where both are therapeutic and surely at the
-- same site, unless the later one may be the second diagnostic injection that I.A.2 allows after $min_days days; injections that are both
-- marked diagnostic are left to I.A.2. Where the earlier one may have been diagnostic at every side that both surely share, the finding presumes
-- that it was not: between a diagnostic injection and the first therapeutic one the policy can be read to ask for no interval. Similar billing
-- that complies: the day $min_months months later, also where it is the last day of a shorter month.

with weighed_injections as (
    select
        *,
        service_date >= prior_service_date + $min_days::integer as is_after_min_days,
        is_diagnostic or is_prior_diagnostic or (prior_count = 1 and is_after_min_days) as is_purpose_open,
        scope = 'same_site' and not is_purpose_open as is_violation,
    from nearest_injections
    where not (is_diagnostic and is_prior_diagnostic)
)

select
    person_id,
    service_date,
    is_violation,
    scope,
    doubts || prior_doubts
    || case scope when 'unspecified_site' then ['side_open'] when 'other_site' then ['other_site'] else [] end
    || case when is_purpose_open then ['purpose_open'] else [] end
    || case when clean_count = 1 and is_after_min_days then counted_doubts else [] end
    || case when is_violation and may_prior_be_diagnostic then ['purpose_unmarked'] else [] end as doubts,
    prior_service_date,
    interval_days,
    prior_count,
    interval_end_date as earliest_compliant_date,
    case when scope = 'same_site' then breaks_left end as breaks_left,
    case when scope = 'same_site' then breaks_right end as breaks_right,
    scope = 'same_site' and has_other_side as may_cover_more,
    prior_claim_ids,
    'came ' || interval_days || case when interval_days = 1 then ' day' else ' days' end || ' after the injection of '
    || prior_service_date || ' (' || replace(scope, '_', ' ') || '); therapeutic injections are covered at least ' || $min_months
    || ' months apart, from ' || interval_end_date as rationale,
from weighed_injections
