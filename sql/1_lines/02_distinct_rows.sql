-- title: Rows of the audited claims and those that act on them, each once
-- grain: row_id: a distinct kept row
--
-- Rows that agree in every canonical column but file_name and file_date are one row, with the earliest file_date; none is the earliest. It is
-- of the latest version of its claim that has it.
--
-- row_id follows the values in the order of the columns, empty ones first: it decides between rows that agree in all else.

with relevant_rows as (
    select known_rows.*
    from known_rows
    semi join audited_claims
        on
            known_rows.claim_id = audited_claims.claim_id
            and known_rows.data_source is not distinct from audited_claims.data_source
    union all
    select known_rows.*
    from known_rows
    semi join audited_claims
        on
            known_rows.replaced_claim_id = audited_claims.claim_id
            and known_rows.data_source is not distinct from audited_claims.data_source
),

distinct_rows as (
    select
        * exclude (file_name, file_date, versioning, claim_version),
        case when count(file_date) = count(*) then min(file_date) end as file_date,
        max(versioning) as versioning,
        max(claim_version) as claim_version,
    from relevant_rows
    group by all
)

select
    *,
    row_number() over (
        order by
            claim_id, claim_line_number, claim_type nulls first, person_id nulls first,
            member_id nulls first, payer nulls first, plan nulls first, claim_start_date nulls first, claim_end_date nulls first,
            claim_line_start_date nulls first, claim_line_end_date nulls first, place_of_service_code nulls first,
            bill_type_code nulls first, revenue_center_code nulls first, service_unit_quantity nulls first, hcpcs_code nulls first,
            hcpcs_modifier_1 nulls first, hcpcs_modifier_2 nulls first, hcpcs_modifier_3 nulls first, hcpcs_modifier_4 nulls first,
            hcpcs_modifier_5 nulls first, rendering_npi nulls first, billing_npi nulls first, facility_npi nulls first,
            paid_date nulls first, paid_amount nulls first, allowed_amount nulls first, charge_amount nulls first,
            diagnosis_code_1 nulls first, diagnosis_code_2 nulls first, diagnosis_code_3 nulls first,
            diagnosis_code_4 nulls first, diagnosis_code_5 nulls first,
            diagnosis_code_6 nulls first, diagnosis_code_7 nulls first, diagnosis_code_8 nulls first,
            diagnosis_code_9 nulls first, diagnosis_code_10 nulls first,
            diagnosis_code_11 nulls first, diagnosis_code_12 nulls first, diagnosis_code_13 nulls first,
            diagnosis_code_14 nulls first, diagnosis_code_15 nulls first,
            diagnosis_code_16 nulls first, diagnosis_code_17 nulls first, diagnosis_code_18 nulls first,
            diagnosis_code_19 nulls first, diagnosis_code_20 nulls first,
            diagnosis_code_21 nulls first, diagnosis_code_22 nulls first, diagnosis_code_23 nulls first,
            diagnosis_code_24 nulls first, diagnosis_code_25 nulls first,
            data_source nulls first,
            version_number nulls first,
            claim_status nulls first,
            claim_frequency_code nulls first,
            replaced_claim_id nulls first,
            line_of_business nulls first, state nulls first, prior_authorization_number nulls first
    ) as row_id,
from distinct_rows
