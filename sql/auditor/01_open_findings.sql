-- title: Findings that hold, the most dollars at risk first

create view open_findings as
select
    findings.finding_id,
    findings.status,
    findings.first_reported,
    findings.policy_id,
    findings.policy_section,
    findings.rule_id,
    findings.determination,
    findings.scope,
    findings.doubts,
    findings.person_id,
    findings.member_id,
    findings.line_of_business,
    findings.service_date,
    findings.site,
    findings.procedure_codes,
    findings.billing_npi,
    findings.paid_amount,
    findings.amount_at_risk,
    findings.is_upper_bound,
    findings.precedence_note,
    findings.rationale,
    rules.records,
from findings
left join rules on findings.policy_id = rules.policy_id and findings.rule_id = rules.rule_id
where findings.status <> 'withdrawn'
order by findings.amount_at_risk desc, findings.finding_id;

comment on view open_findings is
'Findings that hold (new, open or changed, not withdrawn), the most dollars at risk first, with the records that a reviewer asks for';
