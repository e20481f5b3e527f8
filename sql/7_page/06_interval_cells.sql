-- title: Days between an injection and the one before it
-- grain: policy_id, days_since_previous: a number of days that was seen

select
    policy_id,
    days_since_previous,
    count(*) as intervals,
    list(distinct person_id order by person_id) as members,
from timelines
where track = 'any' and days_since_previous is not null
group by policy_id, days_since_previous
order by policy_id, days_since_previous
