-- title: Findings, one row a claim line

create view finding_lines as
with cited_lines as (
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
from cited_lines
order by policy_id, person_id, service_date, rule_id, finding_id, line.claim_id, line.claim_line_number;

comment on view finding_lines is
'Cited lines, one row a claim line of a finding: amount_at_risk sums to that of the findings, paid_amount repeats in each finding of a line';

comment on column finding_lines.finding_id is 'the finding, see the report findings';
comment on column finding_lines.status is 'the finding''s: new, open, changed or withdrawn, against the run before';
comment on column finding_lines.policy_id is 'the clinical policy';
comment on column finding_lines.policy_section is 'section of the policy with which the billing does not comply';
comment on column finding_lines.rule_id is 'the rule that found it, see the report rules';
comment on column finding_lines.determination is
'violation: claims show the criterion unmet, given the presumptions; review: it looks unmet, and a doubt decides';
comment on column finding_lines.person_id is 'the person';
comment on column finding_lines.service_date is 'date of service';
comment on column finding_lines.site is 'left, right, bilateral or unspecified, as far as it is certain';
comment on column finding_lines.claim_id is 'claim number of the cited line';
comment on column finding_lines.claim_line_number is 'line within the claim';
comment on column finding_lines.hcpcs_code is 'procedure code';
comment on column finding_lines.claim_type is 'as billed';
comment on column finding_lines.billing_npi is 'who billed it';
comment on column finding_lines.paid_amount is 'US dollars paid for the line; repeats in each finding of it';
comment on column finding_lines.amount_at_risk is
'the part of paid_amount that this finding has claimed: the column sums to distinct dollars';
