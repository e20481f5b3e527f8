-- title: Findings of this run against those of the run before
-- grain: finding_id
--
-- A finding is new, open or changed. One that was published and no longer holds is withdrawn: it keeps its last values, but with nothing at
-- risk, and is reported in this one run. A finding is not changed by another wording, another version of the policy, or another run.

with earlier_findings as (
    select *
    from previous_findings
    where status <> 'withdrawn'
),

findings_of_both_runs as (
    select * from current_findings
    union all by name
    select * from earlier_findings
),

distinct_contents as (
    select
        * exclude (run_id, status, first_reported, policy_version, precedence_note, rationale),
        count(*) as run_count,
    from findings_of_both_runs
    group by all
),

unchanged_findings as (
    select finding_id
    from distinct_contents
    where run_count = 2
),

holding_findings as (
    select
        current_findings.*,
        case
            when earlier_findings.finding_id is null then 'new'
            when unchanged_findings.finding_id is null then 'changed'
            else 'open'
        end as status,
        coalesce(earlier_findings.first_reported, $as_of) as first_reported,
    from current_findings
    left join earlier_findings on current_findings.finding_id = earlier_findings.finding_id
    left join unchanged_findings on current_findings.finding_id = unchanged_findings.finding_id
),

withdrawn_findings as (
    select
        earlier_findings.* replace (
            'withdrawn' as status,
            0::decimal(14, 2) as amount_at_risk,
            list_transform(
                earlier_findings.claim_lines,
                lambda claim_line: struct_update(claim_line, amount_at_risk := 0::decimal(14, 2)) -- noqa: RF02
            ) as claim_lines
        ),
    from earlier_findings
    anti join current_findings on earlier_findings.finding_id = current_findings.finding_id
)

select * exclude (run_id) from withdrawn_findings
union all by name
select * from holding_findings
