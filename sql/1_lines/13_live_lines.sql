-- title: Live lines of invasive pain procedures
-- grain: line_key: a live claim line whose code is in a family on its date of service
--
-- What was done, as far as claims say; a recovered line is among them, with nothing paid. A line names a side by its modifiers.

with roles as (
    select
        list(modifier) filter (where role in ('right', 'both_sides')) as right_side,
        list(modifier) filter (where role in ('left', 'both_sides')) as left_side,
        list(modifier) filter (where role = 'diagnostic') as diagnostic,
        list(modifier) filter (where role = 'separate') as separate,
    from modifiers
)

select
    line_statuses.line_key,
    line_statuses.claim_key,
    line_statuses.data_source,
    line_statuses.claim_id,
    line_statuses.claim_line_number,
    line_doubts.doubts,
    line_doubts.is_plain,
    line_statuses.person_id,
    line_statuses.member_id,
    line_statuses.payer,
    line_statuses.plan,
    line_statuses.line_of_business,
    line_statuses.line_group,
    line_statuses.state,
    line_statuses.claim_type,
    line_statuses.is_institutional
    or line_statuses.is_facility_code
    or (line_statuses.is_billed_by_facility and facility_places.place_of_service_code is not null) as is_facility,
    line_statuses.service_date,
    line_statuses.hcpcs_code,
    line_statuses.family_id,
    procedure_families.family_group,
    procedure_families.is_inconclusive,
    line_statuses.modifiers,
    list_has_any(line_statuses.modifiers, roles.right_side) as names_right,
    list_has_any(line_statuses.modifiers, roles.left_side) as names_left,
    list_has_any(line_statuses.modifiers, roles.diagnostic) as is_marked_diagnostic,
    list_has_any(line_statuses.modifiers, roles.separate) as is_marked_separate,
    line_statuses.rendering_npi,
    line_statuses.billing_npi,
    line_statuses.facility_npi,
    line_statuses.paid_date,
    case when line_statuses.line_status = 'recovered' then 0 else line_statuses.paid_amount end::decimal(14, 2) as paid_amount,
from line_statuses
cross join roles
inner join line_doubts on line_statuses.line_key = line_doubts.line_key
inner join procedure_families on line_statuses.family_id = procedure_families.family_id
left join places_of_service as facility_places
    on line_statuses.place_of_service_code = facility_places.place_of_service_code and facility_places.is_facility
