-- title: Injections of a member in a calendar year
-- grain: policy_id, injections: a number of injections in a calendar year
--
-- A member counts once for each year in which there was an injection.

with member_years as (
    select
        policy_id,
        person_id,
        year(service_date) as service_year,
        count(*) as injections,
    from injections
    group by policy_id, person_id, service_year
)

select
    policy_id,
    injections,
    count(*) as member_years,
    list(distinct person_id order by person_id) as members,
from member_years
group by policy_id, injections
order by policy_id, injections
