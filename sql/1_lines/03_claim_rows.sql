-- title: Rows of the audited claims as versions of their claim lines
-- grain: row_id: a row of distinct_rows
--
-- A row's adjudication date is its paid_date. Where that is empty it is the file_date, unless a row of the same claim line that was paid came
-- in the same file, or without a file_date: then nothing says which came last.
--
-- version_rank orders the versions of a claim line by (claim_version, adjudication_date, version_number), empty ones first. A row is superseded
-- by a later version of its whole claim; a line that no row of that version has is gone.

with superseded_rows as (
    select
        *,
        coalesce(coalesce(claim_version, -1) < max(case when takes_part then claim_version end) over same_claim, false) as is_superseded,
    from distinct_rows
    window same_claim as (partition by data_source, claim_id)
),

restated_rows as (
    select
        * replace (
            takes_part and not (is_superseded and versioning is not distinct from 'snapshot') as takes_part,
            is_acting_adjustment and not (is_superseded and acts_on_claim_id = claim_id) as is_acting_adjustment
        ),
    from superseded_rows
),

adjudicated_rows as (
    select
        *,
        dense_rank() over (order by data_source nulls first, claim_id) as claim_key,
        bool_and(is_superseded) over same_line as is_gone,
        case
            when paid_date is not null then paid_date
            when count(paid_date) over same_file = 0 and count(case when file_date is null then paid_date end) over same_line = 0
                then file_date
        end as adjudication_date,
    from restated_rows
    window
        same_line as (partition by data_source, claim_id, claim_line_number),
        same_file as (partition by data_source, claim_id, claim_line_number, file_date)
)

select
    row_id,
    claim_key,
    data_source,
    claim_id,
    claim_line_number,
    acts_on_claim_id,
    is_replacement,
    is_void,
    is_acting_adjustment,
    takes_part,
    is_reversal,
    status,
    hcpcs_code in (select procedure_codes.hcpcs_code from procedure_codes) as has_family_code,
    versioning,
    claim_version,
    is_gone,
    adjudication_date,
    dense_rank() over (
        partition by data_source, claim_id, claim_line_number
        order by claim_version nulls first, adjudication_date nulls first, version_number nulls first
    ) as version_rank,
    paid_date,
    paid_on_date,
    file_date,
    known_person_id as person_id,
    member_id,
    payer,
    plan,
    line_of_business,
    state,
    claim_type,
    coalesce(lower(claim_type) = 'institutional', bill_type_code is not null or revenue_center_code is not null) as is_institutional,
    coalesce(billing_npi = facility_npi, false) as is_billed_by_facility,
    place_of_service_code,
    coalesce(claim_line_start_date, claim_start_date) as service_date,
    (claim_line_start_date is null and coalesce(claim_end_date > claim_start_date, false))
    or coalesce(claim_line_end_date > coalesce(claim_line_start_date, claim_start_date), false) as is_date_uncertain,
    hcpcs_code,
    list_sort(
        list_distinct([hcpcs_modifier_1, hcpcs_modifier_2, hcpcs_modifier_3, hcpcs_modifier_4, hcpcs_modifier_5])
    ) as modifiers,
    rendering_npi,
    billing_npi,
    facility_npi,
    service_unit_quantity,
    paid_amount,
    allowed_amount,
    charge_amount,
    prior_authorization_number,
from adjudicated_rows
