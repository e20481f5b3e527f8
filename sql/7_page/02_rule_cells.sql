-- title: Findings by rule, within each strength
-- grain: policy_id, rule_id, strength: those with a finding that holds

select
    findings.policy_id,
    findings.rule_id,
    rules.policy_section,
    rules.title,
    findings.strength,
    count(*) as findings,
    sum(findings.amount_at_risk)::decimal(14, 2) as amount_at_risk,
    list(distinct findings.person_id order by findings.person_id) as members,
from findings
inner join rules on findings.policy_id = rules.policy_id and findings.rule_id = rules.rule_id
where findings.status <> 'withdrawn'
group by findings.policy_id, findings.rule_id, rules.policy_section, rules.title, findings.strength
order by findings.policy_id, findings.rule_id, findings.strength
