-- title: Dollars at risk, line by line
-- grain: one row per finding_id and line_key
--
-- Within a policy every line's dollars are claimed once, by the finding that ranks highest: violations first, then the rules in their order.

select
    judged_lines.policy_id,
    judged_lines.finding_id,
    judged_lines.line_key,
    judged_lines.claim_id,
    judged_lines.claim_line_number,
    judged_lines.hcpcs_code,
    judged_lines.claim_type,
    judged_lines.billing_npi,
    judged_lines.paid_amount,
    case
        when row_number() over (
            partition by judged_lines.policy_id, judged_lines.line_key
            order by determinations.determination = 'violation' desc, determinations.rank, determinations.finding_id
        ) = 1
            then coalesce(judged_lines.paid_amount, 0)
        else 0
    end::decimal(14, 2) as amount_at_risk,
from judged_lines
inner join determinations on judged_lines.finding_id = determinations.finding_id
