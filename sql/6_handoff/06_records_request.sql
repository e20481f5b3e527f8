-- title: Records to request
-- grain: request_rank: a claim to request

select
    row_number() over (order by request_rank) as request_rank,
    billing_npi,
    data_source,
    claim_id,
    person_id,
    member_id,
    first_service_date,
    last_service_date,
    is_cited,
    determination,
    rule_ids,
    policy_sections,
    finding_ids,
    doubts,
    records,
    findings_amount,
    amount_at_risk,
from ranked_requests
where is_asked
order by request_rank
