-- title: Trend
-- grain: run_id, policy_id, rule_id: this published run and all before it
-- column: run_order: 1 is the first published run
-- column: run_id: the run
-- column: as_of: services up to this date were audited
-- column: policy_id: the policy
-- column: rule_id: the rule
-- column: violations: findings of that run determined as violation
-- column: reviews: findings of that run determined as review
-- column: new_findings: those of them that were new
-- column: changed_findings: those of them that had changed
-- column: withdrawn_findings: findings of the run before that no longer held
-- column: paid_amount: US dollars paid for the lines that its findings cite
-- column: amount_at_risk: US dollars at risk

with counted_statuses as (
    select
        policy_id,
        rule_id,
        count(case when status = 'new' then 1 end) as new_findings,
        count(case when status = 'changed' then 1 end) as changed_findings,
        count(case when status = 'withdrawn' then 1 end) as withdrawn_findings,
    from compared_findings
    group by policy_id, rule_id
)

select
    run_order,
    run_id,
    as_of,
    policy_id,
    rule_id,
    violations,
    reviews,
    new_findings,
    changed_findings,
    withdrawn_findings,
    paid_amount,
    amount_at_risk,
from previous_trend
union all
select
    1 + coalesce((select max(previous_trend.run_order) from previous_trend), 0) as run_order,
    $run_id::varchar as run_id,
    $as_of::date as as_of,
    rules.policy_id,
    rules.rule_id,
    rules.violations,
    rules.reviews,
    coalesce(counted_statuses.new_findings, 0) as new_findings,
    coalesce(counted_statuses.changed_findings, 0) as changed_findings,
    coalesce(counted_statuses.withdrawn_findings, 0) as withdrawn_findings,
    rules.paid_amount,
    rules.amount_at_risk,
from rules
left join counted_statuses on rules.policy_id = counted_statuses.policy_id and rules.rule_id = counted_statuses.rule_id
order by run_order, policy_id, rule_id
