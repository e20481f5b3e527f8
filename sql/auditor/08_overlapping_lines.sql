-- title: Claim lines with more than one finding

create view overlapping_lines as
with cited_lines as (
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
    cited_lines.policy_id,
    cited_lines.person_id,
    cited_lines.service_date,
    cited_lines.claim_id,
    cited_lines.claim_line_number,
    cited_lines.hcpcs_code,
    line_modifiers.modifiers,
    cited_lines.billing_npi,
    cited_lines.paid_amount,
    cited_lines.amount_at_risk,
    cited_lines.finding_count,
    cited_lines.rules,
    cited_lines.finding_ids,
from cited_lines
left join line_modifiers
    on
        cited_lines.person_id = line_modifiers.person_id
        and cited_lines.service_date = line_modifiers.service_date
        and cited_lines.claim_id = line_modifiers.claim_id
        and cited_lines.claim_line_number = line_modifiers.claim_line_number
order by
    cited_lines.policy_id,
    cited_lines.person_id,
    cited_lines.service_date,
    cited_lines.claim_id,
    cited_lines.claim_line_number;

comment on view overlapping_lines is
'Claim lines with more than one finding of a policy. Not an error in itself: one service may break several rules, and its '
'dollars are at risk in one finding only; modifiers show where it was billed as a repeat (76, 77) or distinct (59, XE, XP) procedure';

comment on column overlapping_lines.policy_id is 'the clinical policy';
comment on column overlapping_lines.person_id is 'the person';
comment on column overlapping_lines.service_date is 'date of service';
comment on column overlapping_lines.claim_id is 'claim number';
comment on column overlapping_lines.claim_line_number is 'line within the claim';
comment on column overlapping_lines.hcpcs_code is 'procedure code';
comment on column overlapping_lines.modifiers is 'sorted';
comment on column overlapping_lines.billing_npi is 'who billed it';
comment on column overlapping_lines.paid_amount is 'US dollars paid for the line, once';
comment on column overlapping_lines.amount_at_risk is 'US dollars of the line at risk, all its findings together';
comment on column overlapping_lines.finding_count is 'findings of the policy on this line';
comment on column overlapping_lines.rules is 'their rules and determinations, the one with the most dollars of the line first';
comment on column overlapping_lines.finding_ids is 'their ids, in the same order';
