-- title: Findings by month of service
-- grain: policy_id, month_start_date: a month with a finding that holds

select
    policy_id,
    date_trunc('month', service_date)::date as month_start_date,
    count(*) as findings,
    sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
    list(distinct person_id order by person_id) as members,
from findings
where status <> 'withdrawn'
group by policy_id, month_start_date
order by policy_id, month_start_date
