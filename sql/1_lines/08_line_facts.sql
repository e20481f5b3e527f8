-- title: What supersedes a line, and what it leaves open
-- grain: row_id: a claim line whose version that counts has a code that is in a family at any date
--
-- A replacement is unmatched where, of the claim that it acts on, no other row was kept: where that is its own claim, none that is no
-- replacement.

with kept_acted_on_claims as (
    select distinct
        kept_lines.data_source,
        kept_lines.claim_id,
    from kept_lines
    semi join adjustments
        on
            kept_lines.claim_id = adjustments.acts_on_claim_id
            and kept_lines.data_source is not distinct from adjustments.data_source
),

claims_with_other_rows as (
    select distinct claim_key
    from claim_rows
    where not is_replacement
)

select
    claim_rows.row_id,
    line_versions.has_part and not line_versions.is_standing as is_reversed,
    elsewhere_reversals.reversed_row_id is not null as is_reversed_elsewhere,
    claim_rows.is_void
    or coalesce(adjusted_claims.is_voided or claim_rows.paid_on_date <= adjusted_claims.voided_until_date, false) as is_voided,
    coalesce(adjusted_claims.is_replaced or claim_rows.paid_on_date < adjusted_claims.replaced_before_date, false) as is_replaced,
    list_has_any(claim_rows.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role = 'not_done'
    )) as is_not_done,
    list_has_any(claim_rows.modifiers, (
        select list(modifiers.modifier) from modifiers where modifiers.role = 'discontinued'
    )) as is_discontinued,
    coalesce(claim_rows.paid_amount, 0) = 0 and coalesce(claim_rows.allowed_amount, 0) = 0 as is_denial_unclear,
    claim_rows.is_replacement
    and case
        when claim_rows.acts_on_claim_id = claim_rows.claim_id then claims_with_other_rows.claim_key is null
        else kept_acted_on_claims.claim_id is null
    end as is_replacement_unmatched,
    coalesce(claim_rows.line_of_business, $line_of_business) as line_of_business,
from line_versions
inner join claim_rows on line_versions.row_id = claim_rows.row_id
left join elsewhere_reversals on line_versions.row_id = elsewhere_reversals.reversed_row_id
left join adjusted_claims on line_versions.claim_key = adjusted_claims.claim_key
left join claims_with_other_rows on line_versions.claim_key = claims_with_other_rows.claim_key
left join kept_acted_on_claims
    on
        claim_rows.acts_on_claim_id = kept_acted_on_claims.claim_id
        and claim_rows.data_source is not distinct from kept_acted_on_claims.data_source
where claim_rows.has_family_code
