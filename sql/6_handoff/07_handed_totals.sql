-- title: What is handed over and what is kept back, counted
-- grain: one row per part_order, also of parts that are empty

with counted_findings as (
    select
        case when change = 'withdrawn' then change else change || ' ' || determination || 's' end as part,
        count(*) as findings,
        sum(amount_at_risk) as amount_at_risk,
    from handed_findings
    group by part
    union all
    select
        review_states.held_back_for as part,
        count(*) as findings,
        sum(findings.amount_at_risk) as amount_at_risk,
    from review_states
    inner join findings on review_states.finding_id = findings.finding_id
    where review_states.held_back_for is not null and findings.status <> 'withdrawn'
    group by review_states.held_back_for
),

parts as (
    select
        unnest(['new violations', 'changed violations', 'new reviews', 'changed reviews', 'withdrawn', 'suppressed', 'overturned']) as part,
        generate_subscripts(
            ['new violations', 'changed violations', 'new reviews', 'changed reviews', 'withdrawn', 'suppressed', 'overturned'], 1
        ) as part_order,
)

select
    parts.part_order,
    parts.part,
    coalesce(counted_findings.findings, 0) as findings,
    coalesce(counted_findings.amount_at_risk, 0)::decimal(14, 2) as amount_at_risk,
from parts
left join counted_findings on parts.part = counted_findings.part
order by parts.part_order
