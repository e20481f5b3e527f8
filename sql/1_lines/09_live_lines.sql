-- title: Live lines of invasive pain procedures
-- grain: line_key: a live claim line whose code is in a family on its date of service
--
-- What was done, as far as claims say. A line names a side by its modifiers; is_plain says that it leaves none of the doubts open that concern
-- the line itself.

select
    line_fates.line_key,
    line_fates.claim_key,
    line_fates.data_source,
    line_fates.claim_id,
    line_fates.claim_line_number,
    line_fates.doubt_bits,
    line_fates.doubt_bits & bits.about_the_line = 0 as is_plain,
    line_fates.person_id,
    line_fates.member_id,
    line_fates.payer,
    line_fates.plan,
    line_fates.line_of_business,
    line_fates.line_group,
    line_fates.claim_type,
    line_fates.is_institutional,
    line_fates.service_date,
    line_fates.hcpcs_code,
    line_fates.family_id,
    procedure_families.family_group,
    procedure_families.is_inconclusive,
    list_has_any(line_fates.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role in ('right', 'both_sides')
    )) as names_right,
    list_has_any(line_fates.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role in ('left', 'both_sides')
    )) as names_left,
    list_has_any(line_fates.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role = 'diagnostic'
    )) as is_marked_diagnostic,
    list_has_any(line_fates.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role = 'separate'
    )) as is_marked_separate,
    line_fates.rendering_npi,
    line_fates.billing_npi,
    line_fates.facility_npi,
    line_fates.paid_amount,
from line_fates
cross join bits
inner join procedure_families on line_fates.family_id = procedure_families.family_id
where line_fates.fate = 'live'
