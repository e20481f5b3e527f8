-- title: Rows that replace or void a claim
-- grain: row_id: a row of claim_rows with claim frequency code 7 or 8 that acts
--
-- Denied and pending adjustments do not act; otherwise it does not matter what becomes of an adjustment.
--
-- acts_on_claim_key is empty where no audited claim has that number.

with claims as (
    select distinct
        claim_key,
        data_source,
        claim_id,
    from claim_rows
)

select
    claim_rows.row_id,
    claim_rows.claim_key,
    claims.claim_key as acts_on_claim_key,
    claim_rows.data_source,
    claim_rows.claim_id,
    claim_rows.acts_on_claim_id,
    claim_rows.acts_on_claim_id <> claim_rows.claim_id as is_on_other_claim,
    claim_rows.frequency_code,
    claim_rows.person_id,
    claim_rows.paid_on_date,
from claim_rows
left join claims
    on
        claim_rows.acts_on_claim_id = claims.claim_id
        and claim_rows.data_source is not distinct from claims.data_source
where claim_rows.is_acting_adjustment
