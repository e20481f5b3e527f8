-- title: What is handed over, and what is suppressed or overturned, counted
-- grain: policy_id, part: also of parts that are empty
--
-- Within a policy no dollar is counted twice; over policies it may be, so nothing sums them.

with counted_findings as (
    select
        policy_id,
        case when change = 'withdrawn' then change else concat_ws(' ', change, strength, determination || 's') end as part,
        count(*) as findings,
        sum(amount_at_risk) as amount_at_risk,
    from handed_findings
    group by policy_id, part
    union all
    select
        findings.policy_id,
        review_states.held_back_for as part,
        count(*) as findings,
        sum(findings.amount_at_risk) as amount_at_risk,
    from review_states
    inner join findings on review_states.finding_id = findings.finding_id
    where review_states.held_back_for is not null and findings.status <> 'withdrawn'
    group by findings.policy_id, review_states.held_back_for
),

known_policies as (
    select policy_id from rules
    union
    select policy_id from counted_findings
),

part_names as (
    select [
        'new proven violations', 'new presumed violations', 'changed proven violations', 'changed presumed violations',
        'new likely reviews', 'new possible reviews', 'changed likely reviews', 'changed possible reviews',
        'withdrawn', 'suppressed', 'overturned'
    ] as names
),

parts as (
    select
        known_policies.policy_id,
        unnest(part_names.names) as part,
        generate_subscripts(part_names.names, 1) as part_order,
    from known_policies
    cross join part_names
)

select
    parts.policy_id,
    parts.part_order,
    parts.part,
    coalesce(counted_findings.findings, 0) as findings,
    coalesce(counted_findings.amount_at_risk, 0)::decimal(14, 2) as amount_at_risk,
from parts
left join counted_findings on parts.policy_id = counted_findings.policy_id and parts.part = counted_findings.part
order by parts.policy_id, parts.part_order
