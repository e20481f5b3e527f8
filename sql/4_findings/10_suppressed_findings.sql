-- title: Findings that somebody else has
-- grain: finding_id: a finding of this run that is suppressed
--
-- A finding is suppressed where the latest entry for it, or for a claim that it cites, has not expired by the as-of date. Where several
-- entries apply, the latest gives the reason.

with numbered_suppressions as (
    select
        given_suppressions.*,
        row_number() over latest_first as recency,
    from given_suppressions
    window latest_first as (partition by claim_id, data_source, finding_id order by import_number desc, row_number desc)
),

current_suppressions as (
    select *
    from numbered_suppressions
    where recency = 1 and (suppressed_until is null or suppressed_until >= $as_of)
),

cited_claims as (
    select
        cited_lines.finding_id,
        cited_lines.claim_id,
        policy_lines.data_source,
    from cited_lines
    inner join policy_lines
        on cited_lines.policy_id = policy_lines.policy_id and cited_lines.line_key = policy_lines.line_key
),

suppressed as (
    select
        finding_id,
        reason,
        suppressed_until,
        import_number,
        row_number,
    from current_suppressions
    union all
    select
        cited_claims.finding_id,
        current_suppressions.reason,
        current_suppressions.suppressed_until,
        current_suppressions.import_number,
        current_suppressions.row_number,
    from current_suppressions
    inner join cited_claims
        on
            current_suppressions.claim_id = cited_claims.claim_id
            and (current_suppressions.data_source is null or current_suppressions.data_source = cited_claims.data_source)
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
