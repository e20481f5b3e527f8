-- title: What claims leave open
-- grain: one row per policy_id and doubt of a finding that holds; a finding counts under each of its doubts

with doubtful_findings as (
    select
        policy_id,
        person_id,
        amount_at_risk,
        unnest(doubts) as doubt_id,
    from findings
    where status <> 'withdrawn'
)

select
    policy_id,
    doubt_id,
    count(*) as findings,
    sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
    list(distinct person_id order by person_id) as members,
from doubtful_findings
group by policy_id, doubt_id
order by policy_id, doubt_id
