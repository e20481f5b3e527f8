-- title: Claim lines whose rows add up
-- grain: claim_key, claim_line_number: a claim line of a feed with versioning "sum", but for what a void took back
--
-- Each row says what came to the line or was taken from it; the line is what remains. It is backed out where something was taken and nothing
-- remains, of what was paid, or else charged, or else done; or where its last version is nothing but a reversal.
--
-- A reversal's amount is taken away whatever its sign.

with signed_rows as (
    select
        claim_rows.*,
        case when claim_rows.status = 'reversed' then -abs(claim_rows.paid_amount) else claim_rows.paid_amount end as added_amount,
    from claim_rows
    left join adjusted_claims on claim_rows.claim_key = adjusted_claims.claim_key
    where
        claim_rows.versioning = 'sum'
        and claim_rows.takes_part
        and not coalesce(
            coalesce(claim_rows.adjudication_date, date '0001-01-01') <= adjusted_claims.voided_until_date, false
        )
),

added_lines as (
    select
        claim_key,
        claim_line_number,
        sum(added_amount)::decimal(14, 2) as paid_amount,
        sum(allowed_amount)::decimal(14, 2) as allowed_amount,
        case
            when bool_or(added_amount <> 0) then sum(added_amount)
            when bool_or(charge_amount <> 0) then sum(charge_amount)
            else sum(service_unit_quantity)
        end as remainder,
        bool_or(is_reversal) as has_reversal,
        max(version_rank) as last_rank,
        max(version_rank) filter (where status <> 'reversed') as last_posting_rank,
    from signed_rows
    group by claim_key, claim_line_number
)

select
    claim_key,
    claim_line_number,
    paid_amount,
    allowed_amount,
    (has_reversal and coalesce(remainder, 0) <= 0) or coalesce(last_rank > last_posting_rank, true) as is_backed_out,
from added_lines
