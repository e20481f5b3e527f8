-- title: Rules
-- grain: policy_id, rule_id: a rule that is on, also one that found nothing
-- column: policy_id: the policy
-- column: rule_id: the rule
-- column: policy_section: section of the policy
-- column: title: what the rule finds
-- column: looked_at: injections (for rules that find one per date or code, dates of a person) to which policy and rule apply
-- column: violations: findings determined as violation
-- column: reviews: findings determined as review
-- column: proven: violations that presume nothing
-- column: presumed: violations that presume something
-- column: likely: reviews that only their doubts keep from being violations
-- column: possible: other reviews
-- column: paid_amount: US dollars paid for the lines that its findings cite
-- column: amount_at_risk: US dollars at risk that no finding of higher rank has claimed
-- column: criterion: the policy's own sentence that the rule measures billing against
-- column: records: what a reviewer asks the provider for

with looked_at_groups as (
    select
        policy_rules.policy_id,
        policy_rules.rule_id,
        count(*) as looked_at,
    from policy_rules
    inner join policy_site_groups
        on
            policy_rules.policy_id = policy_site_groups.policy_id
            and policy_site_groups.group_kind = 'family'
            and policy_rules.cites = policy_site_groups.group_id
    where policy_site_groups.is_applicable and policy_site_groups.service_date >= policy_rules.effective_from
    group by policy_rules.policy_id, policy_rules.rule_id
),

held_findings as (
    select
        policy_id,
        rule_id,
        count(case when determination = 'violation' then 1 end) as violations,
        count(case when determination = 'review' then 1 end) as reviews,
        count(case when strength = 'proven' then 1 end) as proven,
        count(case when strength = 'presumed' then 1 end) as presumed,
        count(case when strength = 'likely' then 1 end) as likely,
        count(case when strength = 'possible' then 1 end) as possible,
        sum(paid_amount) as paid_amount,
        sum(amount_at_risk) as amount_at_risk,
    from current_findings
    group by policy_id, rule_id
)

select
    policy_rules.policy_id,
    policy_rules.rule_id,
    policy_rules.section as policy_section,
    policy_rules.title,
    coalesce(looked_at_groups.looked_at, 0) as looked_at,
    coalesce(held_findings.violations, 0) as violations,
    coalesce(held_findings.reviews, 0) as reviews,
    coalesce(held_findings.proven, 0) as proven,
    coalesce(held_findings.presumed, 0) as presumed,
    coalesce(held_findings.likely, 0) as likely,
    coalesce(held_findings.possible, 0) as possible,
    coalesce(held_findings.paid_amount, 0)::decimal(14, 2) as paid_amount,
    coalesce(held_findings.amount_at_risk, 0)::decimal(14, 2) as amount_at_risk,
    policy_rules.criterion,
    policy_rules.records,
from policy_rules
left join looked_at_groups
    on policy_rules.policy_id = looked_at_groups.policy_id and policy_rules.rule_id = looked_at_groups.rule_id
left join held_findings
    on policy_rules.policy_id = held_findings.policy_id and policy_rules.rule_id = held_findings.rule_id
where policy_rules.is_enabled
order by policy_rules.policy_id, policy_rules.rank
