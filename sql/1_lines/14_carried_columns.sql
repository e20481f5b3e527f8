-- title: What rows carry along, and no rule reads
-- grain: row_id: a row of distinct_rows
-- kind: view
--
-- modifiers and diagnosis_codes are those that are filled, in the order of their columns.

select
    row_id,
    list_filter(
        [hcpcs_modifier_1, hcpcs_modifier_2, hcpcs_modifier_3, hcpcs_modifier_4, hcpcs_modifier_5],
        lambda modifier: modifier is not null
    ) as modifiers,
    place_of_service_code,
    bill_type_code,
    revenue_center_code,
    service_unit_quantity,
    charge_amount,
    list_filter(
        [
            diagnosis_code_1, diagnosis_code_2, diagnosis_code_3, diagnosis_code_4, diagnosis_code_5,
            diagnosis_code_6, diagnosis_code_7, diagnosis_code_8, diagnosis_code_9, diagnosis_code_10,
            diagnosis_code_11, diagnosis_code_12, diagnosis_code_13, diagnosis_code_14, diagnosis_code_15,
            diagnosis_code_16, diagnosis_code_17, diagnosis_code_18, diagnosis_code_19, diagnosis_code_20,
            diagnosis_code_21, diagnosis_code_22, diagnosis_code_23, diagnosis_code_24, diagnosis_code_25
        ],
        lambda diagnosis_code: diagnosis_code is not null
    ) as diagnosis_codes,
from distinct_rows
