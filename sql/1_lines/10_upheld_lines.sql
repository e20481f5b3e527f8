-- title: Claim lines of findings that a reviewer upheld
-- grain: data_source, claim_id, claim_line_number: a claim line
--
-- The last review of a finding counts. Money that was recovered for a line afterwards proves that the service was given.

with latest_dispositions as (
    select
        finding_id,
        disposition,
        claim_lines,
    from given_dispositions
    qualify row_number() over (partition by finding_id order by import_number desc, row_number desc) = 1
),

cited_lines as (
    select unnest(claim_lines, max_depth := 2)
    from latest_dispositions
    where disposition = 'upheld'
)

select distinct
    data_source,
    claim_id,
    claim_line_number,
from cited_lines
