-- title: What the rules found, with the id that stays over runs
-- grain: finding_id: a candidate finding
--
-- A candidate is a finding once a line remains that it cites. The id is a hash of what the finding is about, so that it stays over runs.

with grouped_findings as (
    select
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
)

select
    substr(
        sha256(concat_ws(
            chr(31), grouped_findings.policy_id, grouped_findings.rule_id, grouped_findings.person_id,
            strftime(grouped_findings.service_date, '%Y-%m-%d'), grouped_findings.hcpcs_code
        )),
        1, 32
    ) as finding_id,
    grouped_findings.*,
    policy_site_groups.site,
from grouped_findings
inner join policy_site_groups
    on
        grouped_findings.policy_id = policy_site_groups.policy_id
        and grouped_findings.person_id = policy_site_groups.person_id
        and grouped_findings.service_date = policy_site_groups.service_date
        and grouped_findings.group_kind = policy_site_groups.group_kind
        and grouped_findings.group_id = policy_site_groups.group_id
