-- title: Findings by strength
-- grain: policy_id, strength: those with a finding that holds
--
-- `members` are the distinct persons of a row, here and in all queries of this folder: the page suppresses rows of few members before it
-- shows any, and shows none of the persons.

select
    policy_id,
    strength,
    count(*) as findings,
    sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
    list(distinct person_id order by person_id) as members,
from findings
where status <> 'withdrawn'
group by policy_id, strength
order by policy_id, strength
