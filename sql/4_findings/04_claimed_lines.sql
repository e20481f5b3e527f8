-- title: Dollars at risk, line by line
-- grain: finding_id, line_key
--
-- Within a policy the dollars of a line count once, in the finding that ranks highest: violations first, then the rules in their order.

with ranked_lines as (
    select
        cited_lines.*,
        row_number() over (
            partition by cited_lines.policy_id, cited_lines.line_key
            order by determinations.determination = 'violation' desc, determinations.rank, determinations.finding_id
        ) as claim_rank,
    from cited_lines
    inner join determinations on cited_lines.finding_id = determinations.finding_id
)

select
    policy_id,
    finding_id,
    line_key,
    claim_id,
    claim_line_number,
    hcpcs_code,
    claim_type,
    billing_npi,
    paid_amount,
    case when claim_rank = 1 then coalesce(paid_amount, 0) else 0 end::decimal(14, 2) as amount_at_risk,
from ranked_lines
