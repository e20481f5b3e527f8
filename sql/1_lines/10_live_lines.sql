-- title: Live lines of invasive pain procedures
-- grain: line_key: a live claim line whose code is in a family on its date of service
--
-- What was done, as far as claims say. A line names sides by its modifiers of laterality; is_plain says that it leaves none of the doubts
-- open that concern the line itself.

select
    line_statuses.line_key,
    line_statuses.claim_key,
    line_statuses.data_source,
    line_statuses.claim_id,
    line_statuses.claim_line_number,
    line_statuses.doubt_bits,
    line_statuses.doubt_bits & bits.about_the_line = 0 as is_plain,
    line_statuses.person_id,
    line_statuses.member_id,
    line_statuses.payer,
    line_statuses.plan,
    line_statuses.line_of_business,
    line_statuses.line_group,
    line_statuses.claim_type,
    line_statuses.is_institutional,
    line_statuses.service_date,
    line_statuses.hcpcs_code,
    line_statuses.family_id,
    procedure_families.family_group,
    procedure_families.is_inconclusive,
    list_has_any(line_statuses.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role in ('right', 'both_sides')
    )) as names_right,
    list_has_any(line_statuses.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role in ('left', 'both_sides')
    )) as names_left,
    list_has_any(line_statuses.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role = 'diagnostic'
    )) as is_marked_diagnostic,
    list_has_any(line_statuses.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role = 'separate'
    )) as is_marked_separate,
    line_statuses.rendering_npi,
    line_statuses.billing_npi,
    line_statuses.facility_npi,
    line_statuses.paid_amount,
from line_statuses
cross join bits
inner join procedure_families on line_statuses.family_id = procedure_families.family_id
where line_statuses.line_status = 'live'
