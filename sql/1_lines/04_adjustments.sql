-- title: Rows that replace or void a claim
-- grain: row_id: a row of claim_rows that acts on a claim
--
-- An adjustment acts on the claim of its original reference number, or on its own where that is empty, within its data source.
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
    claim_rows.is_replacement,
    claim_rows.is_void,
    claim_rows.person_id,
    claim_rows.adjudication_date,
from claim_rows
left join claims
    on
        claim_rows.acts_on_claim_id = claims.claim_id
        and claim_rows.data_source is not distinct from claims.data_source
where claim_rows.is_acting_adjustment
