-- title: Injections
-- grain: one row per policy_id with an injection

select
    policy_id,
    count(*) as injections,
    list(distinct person_id order by person_id) as members,
from injections
group by policy_id
order by policy_id
