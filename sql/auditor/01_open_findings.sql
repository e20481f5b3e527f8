-- title: Findings that hold and that no reviewer overturned, the most dollars at risk first

create view open_findings as
select
    findings.finding_id,
    findings.status,
    findings.first_reported,
    findings.policy_id,
    findings.policy_section,
    findings.rule_id,
    findings.determination,
    findings.strength,
    findings.scope,
    findings.doubts,
    findings.presumptions,
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
left join review_states on findings.finding_id = review_states.finding_id
where findings.status <> 'withdrawn' and review_states.disposition is distinct from 'overturned'
order by findings.amount_at_risk desc, findings.finding_id;

comment on view open_findings is
'Findings that hold, but for those that a reviewer overturned on this evidence, the most dollars at risk first, with the records to ask for';

comment on column open_findings.finding_id is
'stays the same from run to run: a hash of policy, rule, person, date of service and, for sections IV and V, the code';
comment on column open_findings.status is 'new, open or changed, against the run before';
comment on column open_findings.first_reported is 'as-of date of the run that first reported it, or in which it came back';
comment on column open_findings.policy_id is 'the clinical policy';
comment on column open_findings.policy_section is 'section of the policy with which the billing does not comply';
comment on column open_findings.rule_id is 'the rule that found it, see the report rules';
comment on column open_findings.determination is
'violation: claims show the criterion unmet, given the presumptions; review: it looks unmet, and a doubt decides';
comment on column open_findings.strength is
'proven or presumed (a violation without or with presumptions), likely (a review that only its doubts keep from one) or possible';
comment on column open_findings.scope is
'same_site, unspecified_site or other_site: what the earlier injections are to this one; empty where the rule has none';
comment on column open_findings.doubts is 'what claims leave open, sorted; most of them make a violation a review';
comment on column open_findings.presumptions is
'facts that the policy presumes and claims do not show, sorted; a provider may rebut them';
comment on column open_findings.person_id is 'the person';
comment on column open_findings.member_id is 'plan''s member number on the lead line (the cited line that paid most)';
comment on column open_findings.line_of_business is
'of the lead line, in lower case; where the claims have none, the run''s setting line_of_business';
comment on column open_findings.service_date is 'date of service';
comment on column open_findings.site is 'left, right, bilateral or unspecified, as far as it is certain';
comment on column open_findings.procedure_codes is 'codes of the cited lines; for section I of all invasive pain procedures of that day';
comment on column open_findings.billing_npi is 'of the lead line';
comment on column open_findings.paid_amount is 'US dollars paid for the cited lines';
comment on column open_findings.amount_at_risk is
'the part of paid_amount that no finding of higher rank has claimed: the column sums to distinct dollars';
comment on column open_findings.is_upper_bound is 'whether the amount may also cover something that complies with the rule';
comment on column open_findings.precedence_note is 'set where another payer''s rules may take precedence';
comment on column open_findings.rationale is 'what was billed, what it is measured against, and when it would have complied';
comment on column open_findings.records is 'what a reviewer asks the provider for';
