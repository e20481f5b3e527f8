-- title: Findings that are handed to payment integrity
-- grain: finding_id: a finding that is new, changed or withdrawn since the last hand-off
--
-- compared_findings has the findings that hold against what was handed over: those that held in the run that was handed over last, without
-- those that were suppressed or overturned. What came and went between the two runs does not matter. All that held then and do not hold now
-- are withdrawn, handed over or not, so that nobody recovers money for one; they keep their last values, but with nothing at risk.

with holding_findings as (
    select *
    from findings
    where status <> 'withdrawn'
),

changes as (
    select
        compared_findings.finding_id,
        compared_findings.status as change,
    from compared_findings
    inner join review_states on compared_findings.finding_id = review_states.finding_id
    where review_states.held_back_for is null and compared_findings.status in ('new', 'changed')
),

lost_findings as (
    select * exclude (was_handed_over)
    from served_findings
    where finding_id not in (select holding_findings.finding_id from holding_findings)
),

handed as (
    select
        changes.change,
        holding_findings.*,
        review_states.earlier_disposition,
    from changes
    inner join holding_findings on changes.finding_id = holding_findings.finding_id
    inner join review_states on changes.finding_id = review_states.finding_id
    union all by name
    select
        'withdrawn' as change,
        * replace (
            'withdrawn' as status,
            0::decimal(14, 2) as amount_at_risk,
            list_transform(
                claim_lines,
                lambda claim_line: struct_update(claim_line, amount_at_risk := 0::decimal(14, 2))
            ) as claim_lines
        ),
    from lost_findings
),

recorded as (
    select
        handed.*,
        rules.records,
    from handed
    left join rules on handed.policy_id = rules.policy_id and handed.rule_id = rules.rule_id
),

adjusted_findings as (
    select
        unnest(finding_ids) as finding_id,
        concat(kind, ' ', claim_id, '/', claim_line_number) as open_adjustment,
    from open_adjustments
),

adjustments as (
    select
        finding_id,
        list_sort(list_distinct(list(open_adjustment))) as open_adjustments,
    from adjusted_findings
    group by finding_id
)

select
    recorded.change,
    recorded.* exclude (change, records, earlier_disposition), -- noqa: RF02
    recorded.records,
    recorded.earlier_disposition,
    case when recorded.change <> 'withdrawn' then coalesce(adjustments.open_adjustments, []) else [] end as open_adjustments,
from recorded
left join adjustments on recorded.finding_id = adjustments.finding_id
order by
    recorded.change = 'withdrawn', recorded.determination desc, recorded.amount_at_risk desc, recorded.paid_amount desc, recorded.finding_id
