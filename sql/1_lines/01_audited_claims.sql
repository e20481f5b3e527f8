-- title: Claims that hold a code of some family
-- grain: data_source, claim_id: a claim
--
-- Adjustments and reversals of every claim are kept at ingest, since they may act on claims that come later. Only these claims, and what
-- acts on them, can change what the audit says: everything after this looks at nothing else.

select distinct
    known_rows.data_source,
    known_rows.claim_id,
from known_rows
semi join procedure_codes on known_rows.hcpcs_code = procedure_codes.hcpcs_code
