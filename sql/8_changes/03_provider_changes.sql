-- title: What changed, by provider
-- grain: policy_id, billing_npi: an NPI of a line that a finding cites now or cited before; an empty NPI is a row of its own
--
-- As in the report providers, a finding counts for each NPI that billed a line of it, and dollars for the NPI that would pay them back.

with cited_lines as (
    select
        finding_id,
        policy_id,
        status,
        unnest(lines_before).billing_npi as billing_npi,
        unnest(lines_before).amount_at_risk as amount_before,
        0 as amount_after,
    from finding_changes
    union all
    select
        finding_id,
        policy_id,
        status,
        unnest(lines_after).billing_npi as billing_npi,
        0 as amount_before,
        unnest(lines_after).amount_at_risk as amount_after,
    from finding_changes
)

select
    policy_id,
    billing_npi,
    count(distinct case when status = 'new' then finding_id end) as new_findings,
    count(distinct case when status = 'changed' then finding_id end) as changed_findings,
    count(distinct case when status = 'withdrawn' then finding_id end) as withdrawn_findings,
    count(distinct case when status = 'open' then finding_id end) as open_findings,
    sum(amount_before)::decimal(14, 2) as amount_before,
    sum(amount_after)::decimal(14, 2) as amount_after,
from cited_lines
group by policy_id, billing_npi
order by
    policy_id,
    new_findings + changed_findings + withdrawn_findings desc,
    abs(sum(amount_after) - sum(amount_before)) desc,
    billing_npi nulls first
