-- title: Findings that somebody else has
-- grain: finding_id: a finding of this run that is suppressed
--
-- A finding is suppressed where the last word on it, or on a claim that it judges, has not run out by the as-of date. Where several hold, the
-- last of them is told.

with numbered_suppressions as (
    select
        given_suppressions.*,
        row_number() over latest_first as recency,
    from given_suppressions
    window latest_first as (partition by claim_id, data_source, finding_id order by import_number desc, row_number desc)
),

standing_suppressions as (
    select *
    from numbered_suppressions
    where recency = 1 and (suppressed_until is null or suppressed_until >= $as_of)
),

judged_claims as (
    select distinct
        judged_lines.finding_id,
        judged_lines.claim_id,
        policy_lines.data_source,
    from judged_lines
    inner join policy_lines
        on judged_lines.policy_id = policy_lines.policy_id and judged_lines.line_key = policy_lines.line_key
),

suppressed as (
    select
        finding_id,
        reason,
        suppressed_until,
        import_number,
        row_number,
    from standing_suppressions
    where finding_id is not null
    union all
    select
        judged_claims.finding_id,
        standing_suppressions.reason,
        standing_suppressions.suppressed_until,
        standing_suppressions.import_number,
        standing_suppressions.row_number,
    from standing_suppressions
    inner join judged_claims
        on
            standing_suppressions.claim_id = judged_claims.claim_id
            and (standing_suppressions.data_source is null or standing_suppressions.data_source = judged_claims.data_source)
),

numbered as (
    select
        suppressed.*,
        row_number() over latest_first as recency,
    from suppressed
    window latest_first as (partition by finding_id order by import_number desc, row_number desc)
)

select
    numbered.finding_id,
    numbered.reason as suppression_reason,
    numbered.suppressed_until,
from numbered
inner join current_findings on numbered.finding_id = current_findings.finding_id
where numbered.recency = 1
