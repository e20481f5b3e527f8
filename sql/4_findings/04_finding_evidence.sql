-- title: What each finding rests on, as one value
-- grain: finding_id: a finding of this run, or of the run before where it no longer holds
--
-- A review of a finding holds as long as the finding rests on the same evidence: what was billed and paid, what it is measured against, and
-- what is open. Who insures the person, and which finding claims a dollar, is no evidence.

with ordered_lines as (
    select
        finding_id,
        list({
            'data_source': data_source,
            'claim_id': claim_id,
            'claim_line_number': claim_line_number,
            'hcpcs_code': hcpcs_code,
            'claim_type': claim_type,
            'billing_npi': billing_npi,
            'paid_amount': paid_amount
        } order by data_source nulls first, claim_id, claim_line_number) as claim_lines,
    from cited_lines
    group by finding_id
),

evident_findings as (
    select
        determinations.finding_id,
        determinations.determination,
        determinations.scope,
        determinations.doubts,
        determinations.presumptions,
        determinations.site,
        determinations.procedure_codes,
        determinations.prior_service_date,
        determinations.interval_days,
        determinations.prior_count,
        determinations.earliest_compliant_date,
        ordered_lines.claim_lines,
        determinations.prior_claim_ids,
    from determinations
    inner join ordered_lines on determinations.finding_id = ordered_lines.finding_id
    union all by name
    select
        previous_findings.finding_id,
        previous_findings.determination,
        previous_findings.scope,
        previous_findings.doubts,
        previous_findings.presumptions,
        previous_findings.site,
        previous_findings.procedure_codes,
        previous_findings.prior_service_date,
        previous_findings.interval_days,
        previous_findings.prior_count,
        previous_findings.earliest_compliant_date,
        list_transform(
            previous_findings.claim_lines,
            lambda claim_line: { -- noqa: RF02
                'data_source': claim_line.data_source, -- noqa: RF01
                'claim_id': claim_line.claim_id, -- noqa: RF01
                'claim_line_number': claim_line.claim_line_number, -- noqa: RF01
                'hcpcs_code': claim_line.hcpcs_code, -- noqa: RF01
                'claim_type': claim_line.claim_type, -- noqa: RF01
                'billing_npi': claim_line.billing_npi, -- noqa: RF01
                'paid_amount': claim_line.paid_amount -- noqa: RF01
            }
        ) as claim_lines,
        previous_findings.prior_claim_ids,
    from previous_findings
    anti join determinations on previous_findings.finding_id = determinations.finding_id
    where previous_findings.status <> 'withdrawn'
)

select
    finding_id,
    left(
        sha256(
            to_json({
                'determination': determination,
                'scope': scope,
                'doubts': doubts,
                'presumptions': presumptions,
                'site': site,
                'procedure_codes': procedure_codes,
                'prior_service_date': prior_service_date,
                'interval_days': interval_days,
                'prior_count': prior_count,
                'earliest_compliant_date': earliest_compliant_date,
                'claim_lines': claim_lines,
                'prior_claim_ids': prior_claim_ids
            })::varchar
        ),
        32
    ) as evidence_id,
from evident_findings
