-- title: All kept rows of the claims that findings cite
-- grain: no key: a kept row of a claim with a cited line, each once
-- column: data_source: the system that numbered the claim
-- column: claim_id: claim number
-- column: claim_line_number: line within the claim
-- column: paid_date: date of adjudication
-- column: file_date: date of the file
-- column: version_number: the payer's own order among versions of one date
-- column: claim_status: paid, denied, reversed or pending; paid where the claim says nothing
-- column: claim_frequency_code: 1 original, 7 replacement, 8 void, as the claim says
-- column: replaced_claim_id: the claim that a replacement or void acts on; its own where it names none
-- column: line_status: of the version of a line with a family's code that counts, as in the report lines; else empty
-- column: claim_type: as billed
-- column: person_id: the person of this row
-- column: service_date: date of service; the claim's start where the line has none
-- column: claim_line_end_date: last date of service
-- column: hcpcs_code: procedure code, of any kind
-- column: modifiers: in the order of the claim
-- column: diagnosis_codes: those that are filled, in the order of the claim
-- column: place_of_service_code: where, as the claim says
-- column: bill_type_code: type of bill of an institutional claim
-- column: revenue_center_code: revenue centre of an institutional line
-- column: service_unit_quantity: units of service
-- column: charge_amount: US dollars billed
-- column: allowed_amount: US dollars
-- column: paid_amount: US dollars paid by this version of the line
-- column: rendering_npi: who did it
-- column: billing_npi: who billed it
-- column: facility_npi: where
-- column: prior_authorization_number: under which it was approved beforehand
--
-- Claims as they came, whatever the code of a line and whatever became of a version: what was billed beside what a finding cites.

with cited_claims as (
    select distinct
        data_source,
        claim_id,
    from claimed_lines
)

select
    distinct_rows.data_source,
    distinct_rows.claim_id,
    distinct_rows.claim_line_number,
    distinct_rows.paid_date,
    distinct_rows.file_date,
    distinct_rows.version_number,
    distinct_rows.status as claim_status,
    distinct_rows.claim_frequency_code,
    distinct_rows.acts_on_claim_id as replaced_claim_id,
    line_statuses.line_status,
    distinct_rows.claim_type,
    distinct_rows.known_person_id as person_id,
    coalesce(distinct_rows.claim_line_start_date, distinct_rows.claim_start_date) as service_date,
    distinct_rows.claim_line_end_date,
    distinct_rows.hcpcs_code,
    carried_columns.modifiers,
    carried_columns.diagnosis_codes,
    carried_columns.place_of_service_code,
    carried_columns.bill_type_code,
    carried_columns.revenue_center_code,
    carried_columns.service_unit_quantity,
    carried_columns.charge_amount,
    distinct_rows.allowed_amount,
    distinct_rows.paid_amount,
    distinct_rows.rendering_npi,
    distinct_rows.billing_npi,
    distinct_rows.facility_npi,
    distinct_rows.prior_authorization_number,
from distinct_rows
semi join cited_claims
    on
        distinct_rows.claim_id = cited_claims.claim_id
        and distinct_rows.data_source is not distinct from cited_claims.data_source
left join carried_columns on distinct_rows.row_id = carried_columns.row_id
left join line_statuses on distinct_rows.row_id = line_statuses.line_key
order by distinct_rows.row_id
