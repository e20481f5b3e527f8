-- title: Review states
-- grain: one row per finding_id of the report findings
-- column: finding_id: the finding
-- column: evidence_id: what it rests on, as one value: a review holds as long as this stays
-- column: disposition: upheld or overturned, where it was reviewed on this evidence
-- column: earlier_disposition: upheld or overturned, where it was last reviewed on other evidence
-- column: held_back_for: suppressed or overturned: why it is not handed to payment integrity; empty where it is
-- column: suppression_reason: who else has it, where it is suppressed
-- column: suppressed_until: the last day of that; empty where it has no end
--
-- A finding is suppressed where the last word on it, or on a claim that it judges, has not run out by the as-of date.

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

unnested_lines as (
    select
        finding_id,
        person_id,
        service_date,
        unnest(claim_lines) as claim_line,
    from compared_findings
),

judged_lines as (
    select
        finding_id,
        person_id,
        service_date,
        claim_line.claim_id,
        claim_line.claim_line_number,
    from unnested_lines
),

judged_claims as (
    select distinct
        judged_lines.finding_id,
        judged_lines.claim_id,
        lines.data_source,
    from judged_lines
    left join lines
        on
            judged_lines.claim_id = lines.claim_id
            and judged_lines.claim_line_number = lines.claim_line_number
            and judged_lines.person_id = lines.person_id
            and judged_lines.service_date = lines.service_date
),

suppressed_findings as (
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

last_suppressions as (
    select
        finding_id,
        reason,
        suppressed_until,
        row_number() over latest_first as recency,
    from suppressed_findings
    window latest_first as (partition by finding_id order by import_number desc, row_number desc)
)

select
    compared_findings.finding_id,
    finding_evidence.evidence_id,
    case when dispositions.is_on_present_evidence then dispositions.disposition end as disposition,
    case when not dispositions.is_on_present_evidence then dispositions.disposition end as earlier_disposition,
    case
        when last_suppressions.finding_id is not null then 'suppressed'
        when dispositions.is_on_present_evidence and dispositions.disposition = 'overturned' then 'overturned'
    end as held_back_for,
    last_suppressions.reason as suppression_reason,
    last_suppressions.suppressed_until,
from compared_findings
inner join finding_evidence on compared_findings.finding_id = finding_evidence.finding_id
left join dispositions on compared_findings.finding_id = dispositions.finding_id
left join last_suppressions on compared_findings.finding_id = last_suppressions.finding_id and last_suppressions.recency = 1
order by compared_findings.finding_id
