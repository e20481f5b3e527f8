-- title: Claim lines of invasive pain procedures
-- grain: data_source, claim_id, claim_line_number: a claim line whose version that counts has a code that is in a family at any date
-- column: data_source: the system that numbered the claim
-- column: claim_id: claim number
-- column: claim_line_number: line within the claim
-- column: person_id: the person, of the version that counts
-- column: member_id: plan's member number
-- column: line_of_business: in lower case; where the claims have none, the run's setting line_of_business
-- column: claim_type: as billed
-- column: service_date: date of service; the claim's start where the line has none
-- column: hcpcs_code: procedure code
-- column: family: family of procedures on that date; empty before the code was in force
-- column: modifiers: sorted
-- column: laterality: left, right, bilateral or unspecified, by the modifiers
-- column: rendering_npi: who did it
-- column: billing_npi: who billed it
-- column: facility_npi: where
-- column: paid_amount: US dollars
-- column: doubts: what the line by itself leaves open
-- column: line_status: live, recovered (given, and the money taken back), or why it does not count; docs/findings.md lists the words
-- column: paid_date: date of adjudication of the version that counts
-- column: place_of_service_code: where, as the claim says
-- column: bill_type_code: type of bill of an institutional claim
-- column: revenue_center_code: revenue centre of an institutional line
-- column: service_unit_quantity: units of service
-- column: allowed_amount: US dollars
-- column: charge_amount: US dollars billed
-- column: diagnosis_codes: those that are filled, in the order of the claim
-- column: prior_authorization_number: under which it was approved beforehand

with named_sides as (
    select
        list(modifier) filter (where role in ('left', 'both_sides')) as left_modifiers,
        list(modifier) filter (where role in ('right', 'both_sides')) as right_modifiers,
    from modifiers
),

sided_lines as (
    select
        line_statuses.*,
        list_has_any(line_statuses.modifiers, named_sides.left_modifiers) as names_left,
        list_has_any(line_statuses.modifiers, named_sides.right_modifiers) as names_right,
    from line_statuses
    cross join named_sides
)

select
    sided_lines.data_source,
    sided_lines.claim_id,
    sided_lines.claim_line_number,
    sided_lines.person_id,
    sided_lines.member_id,
    sided_lines.line_of_business,
    sided_lines.claim_type,
    sided_lines.service_date,
    sided_lines.hcpcs_code,
    sided_lines.family_id as family,
    sided_lines.modifiers,
    case
        when sided_lines.names_left and sided_lines.names_right then 'bilateral'
        when sided_lines.names_left then 'left'
        when sided_lines.names_right then 'right'
        else 'unspecified'
    end as laterality,
    sided_lines.rendering_npi,
    sided_lines.billing_npi,
    sided_lines.facility_npi,
    case when sided_lines.line_status = 'recovered' then 0 else sided_lines.paid_amount end::decimal(14, 2) as paid_amount,
    coalesce(line_doubts.doubts, []) as doubts,
    sided_lines.line_status,
    sided_lines.paid_date,
    carried_columns.place_of_service_code,
    carried_columns.bill_type_code,
    carried_columns.revenue_center_code,
    carried_columns.service_unit_quantity,
    sided_lines.allowed_amount,
    carried_columns.charge_amount,
    carried_columns.diagnosis_codes,
    sided_lines.prior_authorization_number,
from sided_lines
left join line_doubts on sided_lines.line_key = line_doubts.line_key
left join carried_columns on sided_lines.line_key = carried_columns.row_id
order by sided_lines.data_source nulls first, sided_lines.claim_id, sided_lines.claim_line_number
