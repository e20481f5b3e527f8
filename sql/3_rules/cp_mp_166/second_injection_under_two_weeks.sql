-- title: Second injection too soon after the first
-- section: I.A.2
-- criterion: A second diagnostic or confirmatory sacroiliac joint injection when pain was improved by at least 75% after the first
--     diagnostic SIJ injection and at least two weeks have passed since the initial injection.
-- rank: 5
-- per: injection
-- cites: sij_injection
-- param: min_days = 14
-- records: procedure notes of both injections and the record of relief after the first
--
-- A second, confirmatory injection may follow the first after $min_days days. It is a violation where the later injection is marked
-- diagnostic and is certainly at the same site; a therapeutic one is a review here, and interval_under_two_months decides about it.
-- Similar billing that complies: a second diagnostic injection $min_days days after the first.

select
    person_id,
    service_date,
    scope = 'same_site' and is_diagnostic as is_violation,
    scope,
    doubt_bits | prior_doubt_bits as doubt_bits,
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
from neighbours
where prior_count = 1 and service_date < prior_service_date + $min_days::integer
