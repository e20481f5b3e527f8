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
    line_fates.data_source,
    line_fates.claim_id,
    line_fates.claim_line_number,
    line_fates.person_id,
    line_fates.member_id,
    line_fates.line_of_business,
    line_fates.claim_type,
    line_fates.service_date,
    line_fates.hcpcs_code,
    line_fates.family_id as family,
    line_fates.modifiers,
    line_fates.rendering_npi,
    line_fates.billing_npi,
    line_fates.facility_npi,
    line_fates.paid_amount,
    doubt_lists.doubts,
    line_fates.fate,
from line_fates
inner join doubt_lists on line_fates.doubt_bits = doubt_lists.doubt_bits
order by line_fates.data_source nulls first, line_fates.claim_id, line_fates.claim_line_number
