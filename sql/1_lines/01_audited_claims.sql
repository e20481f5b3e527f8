-- title: Claims that hold a code of some family
-- grain: data_source, claim_id: a claim
--
-- Adjustments and reversals of every claim are kept at ingest, since they may act on claims that come later. Only these claims, and what
-- acts on them, can change what the audit says: everything after this looks at nothing else.

select distinct
    kept_lines.data_source,
    kept_lines.claim_id,
from kept_lines
semi join procedure_codes on kept_lines.hcpcs_code = procedure_codes.hcpcs_code
