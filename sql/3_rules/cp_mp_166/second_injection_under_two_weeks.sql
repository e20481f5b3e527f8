-- title: Second injection too soon after the first
-- section: I.A.2
-- rank: 5
-- per: injection
-- cites: sij_injection
-- param: min_days = 14
-- records: procedure notes of both injections and the record of relief after the first
-- criterion: A second diagnostic or confirmatory sacroiliac joint injection when pain was improved by at least 75% after the first
--     diagnostic SIJ injection and at least two weeks have passed since the initial injection.
--
-- A second, confirmatory injection may follow the first after $min_days days. Found is an injection that is marked diagnostic and came
-- sooner; claims show it where both are surely at the same site. A therapeutic one is left to interval_under_two_months. Similar billing
-- that complies: a second diagnostic injection $min_days days after the first.

select
    person_id,
    service_date,
    scope = 'same_site' as is_violation,
    scope,
    doubts || prior_doubts
    || case scope when 'unspecified_site' then ['side_open'] when 'other_site' then ['other_site'] else [] end as doubts,
    prior_service_date,
    interval_days,
    prior_count,
    prior_service_date + $min_days::integer as earliest_compliant_date,
    case when scope = 'same_site' then breaks_left end as breaks_left,
    case when scope = 'same_site' then breaks_right end as breaks_right,
    scope = 'same_site' and has_other_side as may_cover_more,
    prior_claim_ids,
    'came ' || interval_days || case when interval_days = 1 then ' day' else ' days' end || ' after the first injection of '
    || prior_service_date || ' (' || replace(scope, '_', ' ') || '); a second one is covered after ' || $min_days
    || ' days, from ' || earliest_compliant_date as rationale,
from nearest_injections
where is_diagnostic and prior_count = 1 and service_date < prior_service_date + $min_days::integer
