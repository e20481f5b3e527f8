-- title: Findings against the run before
-- grain: policy_id, status

select
    policy_id,
    status,
    count(*) as findings,
    sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
    list(distinct person_id order by person_id) as members,
from findings
group by policy_id, status
order by policy_id, status
