-- title: Findings that somebody else has
-- grain: finding_id: a suppressed finding of this run
--
-- A finding is suppressed where the last word on it, or on a claim that it cites, has not run out by the as-of date. Where several hold, the
-- last of them is listed. A word on a claim names no finding of its own; the last join leaves that row out.

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

suppressed as (
    select
        finding_id,
        reason,
        suppressed_until,
        import_number,
        row_number,
    from standing_suppressions
    union all
    select
        cited_lines.finding_id,
        standing_suppressions.reason,
        standing_suppressions.suppressed_until,
        standing_suppressions.import_number,
        standing_suppressions.row_number,
    from standing_suppressions
    inner join cited_lines
        on
            standing_suppressions.claim_id = cited_lines.claim_id
            and (standing_suppressions.data_source is null or standing_suppressions.data_source = cited_lines.data_source)
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
