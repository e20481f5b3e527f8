-- title: Findings, one row a claim line

create view finding_lines as
with judged_lines as (
    select
        finding_id,
        status,
        policy_id,
        policy_section,
        rule_id,
        determination,
        person_id,
        service_date,
        site,
        unnest(claim_lines) as line,
    from findings
)

select
    finding_id,
    status,
    policy_id,
    policy_section,
    rule_id,
    determination,
    person_id,
    service_date,
    site,
    line.claim_id,
    line.claim_line_number,
    line.hcpcs_code,
    line.claim_type,
    line.billing_npi,
    line.paid_amount,
    line.amount_at_risk,
from judged_lines
order by policy_id, person_id, service_date, rule_id, finding_id, line.claim_id, line.claim_line_number;

comment on view finding_lines is
'Judged lines, one row a claim line of a finding: amount_at_risk sums to that of the findings, paid_amount repeats in each finding of a line';
