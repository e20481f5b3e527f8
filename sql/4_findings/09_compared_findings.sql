-- title: Findings of this run against those of the run before
-- grain: finding_id
--
-- A finding is new, open or changed; one that was published and no longer holds is withdrawn: it keeps its last values, nothing is at risk any
-- more, and it is reported in this one run. The wording of a finding, the policy's version and the run are no change.

with earlier_findings as (
    select *
    from previous_findings
    where status <> 'withdrawn'
),

findings_of_both_runs as (
    select
        *,
        count(*) as run_count,
    from (
        select * exclude (run_id, status, first_reported, policy_version, precedence_note, rationale) from earlier_findings
        union all by name
        select * exclude (policy_version, precedence_note, rationale) from current_findings
    )
    group by all
),

unchanged_findings as (
    select finding_id
    from findings_of_both_runs
    where run_count = 2
),

still_held as (
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

withdrawn as (
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

select * exclude (run_id) from withdrawn
union all by name
select * from still_held
