-- title: What the rules found, with the id that stays over runs
-- grain: finding_id: a candidate finding
--
-- A candidate is a finding once a line remains that it cites. The id is a hash of what the finding is about, so that it stays over runs.

select
    substr(
        sha256(concat_ws(
            chr(31), rule_findings.policy_id, rule_findings.rule_id, rule_findings.person_id,
            strftime(rule_findings.service_date, '%Y-%m-%d'), rule_findings.hcpcs_code
        )),
        1, 32
    ) as finding_id,
    rule_findings.*,
    policy_rules.section,
    policy_rules.rank,
    policy_rules.text_held_from,
    case when rule_findings.hcpcs_code is not null then 'code' else 'family' end as group_kind,
    coalesce(rule_findings.hcpcs_code, policy_rules.cites) as group_id,
from rule_findings
inner join policy_rules
    on rule_findings.policy_id = policy_rules.policy_id and rule_findings.rule_id = policy_rules.rule_id
where rule_findings.service_date >= policy_rules.effective_from
