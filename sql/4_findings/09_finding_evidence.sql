-- title: What each finding rests on, as one value
-- grain: finding_id
--
-- A review of a finding holds as long as the finding rests on the same evidence: what was billed and paid, what it is measured against, and
-- what is open. Who insures the person, and which finding claims a dollar, is no evidence.
--
-- Reviews keep the value, so the text that it is made of must stay as it is, to the last character and on every version of DuckDB. Fields
-- of a claim line have no name in it; as JSON of a row without names, versions write them differently, so they are written here.

with evidence as (
    select
        finding_id,
        to_json(
            {
                'determination': determination,
                'scope': scope,
                'doubts': doubts,
                'site': site,
                'procedure_codes': procedure_codes,
                'prior_service_date': prior_service_date,
                'interval_days': interval_days,
                'prior_count': prior_count,
                'earliest_compliant_date': earliest_compliant_date
            }
        )::varchar as facts,
        list_transform(
            claim_lines,
            lambda claim_line: [ -- noqa: RF02
                to_json(claim_line.claim_id)::varchar, to_json(claim_line.claim_line_number)::varchar,
                to_json(claim_line.hcpcs_code)::varchar, to_json(claim_line.claim_type)::varchar,
                to_json(claim_line.billing_npi)::varchar, to_json(claim_line.paid_amount)::varchar
            ]
        ) as line_fields,
        to_json(prior_claim_ids)::varchar as prior_claims,
    from compared_findings
),

written_evidence as (
    select
        *,
        list_transform(
            line_fields,
            lambda fields: '{' || array_to_string(list_transform(fields, lambda field: '"":' || coalesce(field, 'null')), ',') || '}'
        ) as line_texts,
    from evidence
)

select
    finding_id,
    left(
        sha256(
            left(facts, -1) || ',"claim_lines":' || coalesce('[' || array_to_string(line_texts, ',') || ']', 'null')
            || ',"prior_claim_ids":' || coalesce(prior_claims, 'null') || '}'
        ),
        32
    ) as evidence_id,
from written_evidence
