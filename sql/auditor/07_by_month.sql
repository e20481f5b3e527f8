-- title: Injections and findings by month of service

create view by_month as
with months as (
    select
        policy_id,
        date_trunc('month', service_date)::date as month_start_date,
        1 as injections,
        0 as violations,
        0 as reviews,
        paid_amount as injections_paid_amount,
        0 as amount_at_risk,
    from injections
    union all
    select
        policy_id,
        date_trunc('month', service_date)::date as month_start_date,
        0 as injections,
        case when determination = 'violation' then 1 else 0 end as violations,
        case when determination = 'review' then 1 else 0 end as reviews,
        0 as injections_paid_amount,
        amount_at_risk,
    from findings
    where status <> 'withdrawn'
)

select
    policy_id,
    month_start_date,
    sum(injections)::bigint as injections,
    sum(injections_paid_amount)::decimal(14, 2) as injections_paid_amount,
    sum(violations + reviews)::bigint as findings,
    sum(violations)::bigint as violations,
    sum(reviews)::bigint as reviews,
    sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
from months
group by policy_id, month_start_date
order by policy_id, month_start_date;

comment on view by_month is
'Injections and findings (withdrawn ones aside, of all procedures) by month of service; months without either are left out';

comment on column by_month.policy_id is 'the clinical policy';
comment on column by_month.month_start_date is 'first day of the month of service';
comment on column by_month.injections is 'dates of a person with an injection into the sacroiliac joint';
comment on column by_month.injections_paid_amount is 'US dollars paid for all live lines of these injections';
comment on column by_month.findings is 'findings on services of the month, of all procedures; withdrawn ones are left out';
comment on column by_month.violations is 'of these, what claims show, given the presumptions';
comment on column by_month.reviews is 'of these, what depends on a fact that claims cannot show';
comment on column by_month.amount_at_risk is 'US dollars at risk in these findings: the column sums to distinct dollars';
