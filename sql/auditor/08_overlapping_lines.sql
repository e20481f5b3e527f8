-- title: Claim lines with more than one finding

create view overlapping_lines as
with judged_lines as (
    select
        policy_id,
        person_id,
        service_date,
        claim_id,
        claim_line_number,
        hcpcs_code,
        billing_npi,
        paid_amount,
        count(*) as finding_count,
        list(rule_id || ' (' || determination || ')' order by amount_at_risk desc, rule_id) as rules,
        list(finding_id order by amount_at_risk desc, rule_id) as finding_ids,
        sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
    from finding_lines
    where status <> 'withdrawn'
    group by policy_id, person_id, service_date, claim_id, claim_line_number, hcpcs_code, billing_npi, paid_amount
    having count(distinct finding_id) > 1
),

line_modifiers as (
    select
        person_id,
        service_date,
        claim_id,
        claim_line_number,
        list_sort(list_distinct(flatten(list(modifiers)))) as modifiers,
    from lines
    group by person_id, service_date, claim_id, claim_line_number
)

select
    judged_lines.policy_id,
    judged_lines.person_id,
    judged_lines.service_date,
    judged_lines.claim_id,
    judged_lines.claim_line_number,
    judged_lines.hcpcs_code,
    line_modifiers.modifiers,
    judged_lines.billing_npi,
    judged_lines.paid_amount,
    judged_lines.amount_at_risk,
    judged_lines.finding_count,
    judged_lines.rules,
    judged_lines.finding_ids,
from judged_lines
left join line_modifiers
    on
        judged_lines.person_id = line_modifiers.person_id
        and judged_lines.service_date = line_modifiers.service_date
        and judged_lines.claim_id = line_modifiers.claim_id
        and judged_lines.claim_line_number = line_modifiers.claim_line_number
order by
    judged_lines.policy_id,
    judged_lines.person_id,
    judged_lines.service_date,
    judged_lines.claim_id,
    judged_lines.claim_line_number;

comment on view overlapping_lines is
'Claim lines with more than one finding of a policy. No error by itself: one service may break several rules, and its dollars are at '
'risk in one finding only; modifiers show where it was billed as a repeat (76, 77) or distinct (59, XE, XP) procedure';
