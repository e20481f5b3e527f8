-- title: Amounts at risk, line by line
-- grain: finding_id, line_key
--
-- Within a policy every line's dollars are claimed once, by the finding that ranks highest: by strength, then the rules in their order. A
-- finding that a reviewer overturned on the evidence that it still has claims none.

with ranked_lines as (
    select
        cited_lines.*,
        latest_dispositions.finding_id is not null as is_overturned,
        row_number() over (
            partition by cited_lines.policy_id, cited_lines.line_key
            order by
                latest_dispositions.finding_id is not null, determinations.strength_order, determinations.rank, determinations.finding_id
        ) as claim_rank,
    from cited_lines
    inner join determinations on cited_lines.finding_id = determinations.finding_id
    left join latest_dispositions
        on
            cited_lines.finding_id = latest_dispositions.finding_id
            and latest_dispositions.is_on_present_evidence
            and latest_dispositions.disposition = 'overturned'
)

select
    policy_id,
    finding_id,
    line_key,
    data_source,
    claim_id,
    claim_line_number,
    hcpcs_code,
    claim_type,
    billing_npi,
    paid_date,
    paid_amount,
    case when claim_rank = 1 and not is_overturned then coalesce(paid_amount, 0) else 0 end::decimal(14, 2) as amount_at_risk,
from ranked_lines
