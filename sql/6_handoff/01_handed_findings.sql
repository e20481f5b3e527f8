-- title: Findings that are handed to payment integrity
-- grain: finding_id: a finding that is new, changed or withdrawn since payment integrity was last served
--
-- What was served are the findings that held in the run that was handed over last, those that were kept back aside. A finding is new where it
-- was not served, changed where it says something else than what was served, whatever came and went between the two runs. Withdrawn are all
-- that held then and do not hold now, kept back or not, so that nobody recovers money for one; they keep their last values, and nothing is at
-- risk any more.

with holding_findings as (
    select *
    from findings
    where status <> 'withdrawn'
),

contents as (
    select * exclude (run_id, status, first_reported, policy_version, precedence_note, rationale)
    from holding_findings
),

served_contents as (
    select * exclude (run_id, status, first_reported, policy_version, precedence_note, rationale, was_held_back)
    from served_findings
    where not was_held_back
),

changes as (
    select
        contents.finding_id,
        case when served_contents.finding_id is null then 'new' else 'changed' end as change,
    from contents
    inner join review_states on contents.finding_id = review_states.finding_id
    left join served_contents on contents.finding_id = served_contents.finding_id
    where review_states.held_back_for is null and contents is distinct from served_contents -- noqa: RF02
),

lost_findings as (
    select * exclude (was_held_back)
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
)

select
    change,
    * exclude (change, records, earlier_disposition),
    records,
    earlier_disposition,
from recorded
order by change = 'withdrawn', determination desc, amount_at_risk desc, paid_amount desc, finding_id
