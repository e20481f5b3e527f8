-- title: What claims leave open
-- grain: policy_id, determination, doubt_id: a doubt of findings that hold and have no other; none and several stand for as many
--
-- Every finding is in one row. If it were under each of its doubts, the rows would sum to more than all findings, by as many as have several.

with described_findings as (
    select
        policy_id,
        determination,
        person_id,
        amount_at_risk,
        case len(doubts) when 0 then 'none' when 1 then doubts[1] else 'several' end as doubt_id,
    from findings
    where status <> 'withdrawn'
)

select
    policy_id,
    determination,
    doubt_id,
    count(*) as findings,
    sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
    list(distinct person_id order by person_id) as members,
from described_findings
group by policy_id, determination, doubt_id
order by policy_id, determination, doubt_id
