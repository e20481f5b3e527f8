-- title: Payees
-- grain: finding_id, billing_npi, claim_type: an empty one is a group of its own
-- column: policy_id: the policy of the finding
-- column: finding_id: the finding
-- column: billing_npi: who would pay back
-- column: claim_type: as billed
-- column: line_count: cited lines
-- column: paid_amount: US dollars paid for them
-- column: amount_at_risk: US dollars at risk in this finding

with finding_lines as (
    select
        policy_id,
        finding_id,
        unnest(claim_lines, max_depth := 2),
    from (select policy_id, finding_id, claim_lines from compared_findings)
)

select
    policy_id,
    finding_id,
    billing_npi,
    claim_type,
    count(*) as line_count,
    coalesce(sum(paid_amount), 0)::decimal(14, 2) as paid_amount,
    sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
from finding_lines
group by policy_id, finding_id, billing_npi, claim_type
order by finding_id, billing_npi nulls first, claim_type nulls first
