-- title: Every line with a family's code, with its fate and doubts
-- grain: line_key: a claim line (claim_key, claim_line_number) whose version that counts has a code that is in a family at any date
--
-- The fate is live, or the first of reversed, reversed_elsewhere, voided, replaced, denied, pending, not_done, after_as_of that applies. The
-- doubts are those of reference table doubts that a line by itself leaves open. family_id is empty where the code was in no family yet.

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

claims_with_other_frequencies as (
    select distinct claim_key
    from claim_rows
    where frequency_code <> '7'
),

reversed_rows as (
    select distinct reversed_row_id as row_id
    from elsewhere_reversals
    where reversed_row_id is not null
),

judged_versions as (
    select
        claim_rows.*,
        coalesce(claim_rows.line_of_business, $line_of_business) as known_line_of_business,
        line_versions.is_standing,
        line_versions.has_part,
        reversed_rows.row_id is not null as is_reversed_elsewhere,
        coalesce(adjusted_claims.is_voided or claim_rows.paid_on_date <= adjusted_claims.voided_until_date, false) as is_voided,
        coalesce(adjusted_claims.is_replaced or claim_rows.paid_on_date < adjusted_claims.replaced_before_date, false) as is_replaced,
        list_has_any(claim_rows.modifiers, (
            select list(modifiers.modifier) from modifiers where modifiers.role = 'not_done'
        )) as is_not_done,
        list_has_any(claim_rows.modifiers, (
            select list(modifiers.modifier) from modifiers where modifiers.role = 'discontinued'
        )) as is_discontinued,
        coalesce(claim_rows.paid_amount, 0) = 0 and coalesce(claim_rows.allowed_amount, 0) = 0 as is_denial_unclear,
        claim_rows.frequency_code = '7'
        and case
            when claim_rows.acts_on_claim_id = claim_rows.claim_id then claims_with_other_frequencies.claim_key is null
            else kept_acted_on_claims.claim_id is null
        end as is_replacement_unmatched,
    from line_versions
    inner join claim_rows on line_versions.row_id = claim_rows.row_id
    left join reversed_rows on line_versions.row_id = reversed_rows.row_id
    left join adjusted_claims on line_versions.claim_key = adjusted_claims.claim_key
    left join claims_with_other_frequencies on line_versions.claim_key = claims_with_other_frequencies.claim_key
    left join kept_acted_on_claims
        on
            claim_rows.acts_on_claim_id = kept_acted_on_claims.claim_id
            and claim_rows.data_source is not distinct from kept_acted_on_claims.data_source
    where claim_rows.has_family_code
)

select
    judged_versions.row_id as line_key,
    judged_versions.claim_key,
    judged_versions.data_source,
    judged_versions.claim_id,
    judged_versions.claim_line_number,
    case
        when judged_versions.has_part and not judged_versions.is_standing then 'reversed'
        when judged_versions.is_reversed_elsewhere then 'reversed_elsewhere'
        when judged_versions.is_voided or judged_versions.frequency_code = '8' then 'voided'
        when judged_versions.is_replaced then 'replaced'
        when judged_versions.status = 'denied' then 'denied'
        when judged_versions.status = 'pending' then 'pending'
        when judged_versions.is_not_done then 'not_done'
        when judged_versions.service_date > $as_of then 'after_as_of'
        else 'live'
    end as fate,
    case when judged_versions.is_denial_unclear then bits.denial_unclear else 0 end
    | case when judged_versions.is_dated_from_header then bits.date_from_header else 0 end
    | case when judged_versions.is_replacement_unmatched then bits.replacement_unmatched else 0 end
    | case when judged_versions.is_discontinued then bits.discontinued else 0 end
    | case when judged_versions.prior_authorization_number is not null then bits.authorized else 0 end
    | case when line_groups.line_group = 'unknown' then bits.line_of_business_unknown else 0 end as doubt_bits,
    judged_versions.person_id,
    judged_versions.member_id,
    judged_versions.payer,
    judged_versions.plan,
    judged_versions.known_line_of_business as line_of_business,
    line_groups.line_group,
    judged_versions.claim_type,
    coalesce(judged_versions.is_institutional, false) as is_institutional,
    judged_versions.service_date,
    judged_versions.hcpcs_code,
    procedure_codes.family_id,
    judged_versions.modifiers,
    judged_versions.rendering_npi,
    judged_versions.billing_npi,
    judged_versions.facility_npi,
    judged_versions.paid_amount,
from judged_versions
cross join bits
left join line_groups on judged_versions.known_line_of_business is not distinct from line_groups.line_of_business
left join procedure_codes
    on
        judged_versions.hcpcs_code = procedure_codes.hcpcs_code
        and judged_versions.service_date >= coalesce(procedure_codes.effective_from, date '0001-01-01')
        and judged_versions.service_date <= coalesce(procedure_codes.effective_to, date '9999-12-31')
