-- title: Review outcomes
-- grain: policy_id, rule_id, determination: also of those that nobody has reviewed
-- column: policy_id: the policy
-- column: rule_id: the rule
-- column: determination: violation or review, when it was reviewed
-- column: reviewed: findings that were reviewed, each counted with its latest disposition
-- column: upheld: those that were upheld
-- column: overturned: those that were overturned
-- column: overturn_rate: overturned in each hundred reviewed; empty where none was
-- column: recovered_amount: US dollars that came back

with determinations_of_rules as (
    select
        policy_rules.policy_id,
        policy_rules.rule_id,
        policy_rules.rank,
        unnest(['violation', 'review']) as determination,
    from policy_rules
)

select
    determinations_of_rules.policy_id,
    determinations_of_rules.rule_id,
    determinations_of_rules.determination,
    count(dispositions.finding_id) as reviewed,
    count(case when dispositions.disposition = 'upheld' then 1 end) as upheld,
    count(case when dispositions.disposition = 'overturned' then 1 end) as overturned,
    round(
        100.0 * count(case when dispositions.disposition = 'overturned' then 1 end) / nullif(count(dispositions.finding_id), 0), 2
    )::double as overturn_rate,
    coalesce(sum(dispositions.recovered_amount), 0)::decimal(14, 2) as recovered_amount,
from determinations_of_rules
left join dispositions
    on
        determinations_of_rules.policy_id = dispositions.policy_id
        and determinations_of_rules.rule_id = dispositions.rule_id
        and determinations_of_rules.determination = dispositions.determination
group by
    determinations_of_rules.policy_id, determinations_of_rules.rule_id, determinations_of_rules.rank, determinations_of_rules.determination
order by determinations_of_rules.policy_id, determinations_of_rules.rank, determinations_of_rules.determination desc
