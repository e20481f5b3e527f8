-- title: Lines of injections, those that count
-- grain: no key: a line of an injection of a policy

with injection_claims as (
    select
        policy_id,
        person_id,
        service_date,
        unnest(claim_ids) as claim_id,
    from injections
)

select
    injection_claims.policy_id,
    injection_claims.person_id,
    injection_claims.service_date,
    lines.billing_npi,
from injection_claims
inner join lines
    on
        injection_claims.claim_id = lines.claim_id
        and injection_claims.person_id = lines.person_id
        and injection_claims.service_date = lines.service_date
where lines.line_status in ('live', 'recovered')
