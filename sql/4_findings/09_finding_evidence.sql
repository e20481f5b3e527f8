-- title: What each finding rests on, as one value
-- grain: finding_id
--
-- A review of a finding holds as long as the finding rests on the same evidence: what was billed and paid, what it is measured against, and
-- what is open. Who insures the person, and which finding claims a dollar, is no evidence.

select
    finding_id,
    left(
        sha256(
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
                    'earliest_compliant_date': earliest_compliant_date,
                    'claim_lines': list_transform(
                        claim_lines,
                        lambda claim_line: row( -- noqa: RF02
                            claim_line.claim_id, claim_line.claim_line_number, claim_line.hcpcs_code, claim_line.claim_type,
                            claim_line.billing_npi, claim_line.paid_amount
                        )
                    ),
                    'prior_claim_ids': prior_claim_ids
                }
            )::varchar
        ),
        32
    ) as evidence_id,
from compared_findings
