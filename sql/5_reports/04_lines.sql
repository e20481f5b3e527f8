-- title: Claim lines of invasive pain procedures
-- grain: data_source, claim_id, claim_line_number: a claim line whose version that counts has a code that is in a family at any date
-- column: data_source: the system that numbered the claim
-- column: claim_id: claim number
-- column: claim_line_number: line within the claim
-- column: person_id: the person, of the version that counts
-- column: member_id: plan's member number
-- column: line_of_business: in lower case; where empty, what the run was told to put in its place
-- column: claim_type: as billed
-- column: service_date: date of service; the claim's start where the line has none
-- column: hcpcs_code: procedure code
-- column: family: family of procedures on that date; empty before the code was in force
-- column: modifiers: sorted
-- column: rendering_npi: who did it
-- column: billing_npi: who billed it
-- column: facility_npi: where
-- column: paid_amount: US dollars
-- column: doubts: what the line by itself leaves open
-- column: fate: live, or why it does not count: reversed, reversed_elsewhere, voided, replaced, denied, pending, not_done, after_as_of

select
    line_statuses.data_source,
    line_statuses.claim_id,
    line_statuses.claim_line_number,
    line_statuses.person_id,
    line_statuses.member_id,
    line_statuses.line_of_business,
    line_statuses.claim_type,
    line_statuses.service_date,
    line_statuses.hcpcs_code,
    line_statuses.family_id as family,
    line_statuses.modifiers,
    line_statuses.rendering_npi,
    line_statuses.billing_npi,
    line_statuses.facility_npi,
    line_statuses.paid_amount,
    doubt_lists.doubts,
    line_statuses.line_status as fate,
from line_statuses
inner join doubt_lists on line_statuses.doubt_bits = doubt_lists.doubt_bits
order by line_statuses.data_source nulls first, line_statuses.claim_id, line_statuses.claim_line_number
