-- title: Injections
-- grain: policy_id: a policy with an injection

select
    policy_id,
    count(*) as injections,
    list(distinct person_id order by person_id) as members,
from injections
group by policy_id
order by policy_id
