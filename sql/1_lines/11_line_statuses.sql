-- title: Every line with a family's code, with its status
-- grain: line_key: a claim line whose version that counts has a code that is in a family at any date
--
-- line_status is live, or the first of reversed, reversed_elsewhere, voided, replaced, denied, pending, not_done, after_as_of that applies.
-- A line of an upheld finding that one of the first four took back is recovered: it was given. Its values are those of the version that
-- counts.

with counted_rows as (
    select
        claim_rows.* replace (
            coalesce(line_versions.added_paid_amount, claim_rows.paid_amount) as paid_amount,
            coalesce(line_versions.added_allowed_amount, claim_rows.allowed_amount) as allowed_amount
        ),
        line_versions.is_version_unclear,
        case
            when line_versions.has_part and not line_versions.is_standing then 'reversed'
            when elsewhere_reversals.row_id is not null then 'reversed_elsewhere'
            when
                claim_rows.is_void or adjusted_claims.is_voided
                or coalesce(claim_rows.adjudication_date, date '0001-01-01') <= adjusted_claims.voided_until_date
                then 'voided'
            when
                adjusted_claims.is_replaced
                or claim_rows.is_gone
                or coalesce(claim_rows.adjudication_date, date '0001-01-01') < adjusted_claims.replaced_before_date
                then 'replaced'
        end as taken_back_as,
        case
            when claim_rows.status <> 'paid' then claim_rows.status
            when
                list_has_any(claim_rows.modifiers, (
                    select list(modifiers.modifier) from modifiers where modifiers.role = 'not_done'
                ))
                then 'not_done'
            when claim_rows.service_date > $as_of then 'after_as_of'
            else 'live'
        end as own_status,
        upheld_lines.claim_id is not null and line_versions.has_posting as is_upheld,
    from line_versions
    inner join claim_rows on line_versions.row_id = claim_rows.row_id
    left join elsewhere_reversals on line_versions.row_id = elsewhere_reversals.reversed_row_id
    left join adjusted_claims on line_versions.claim_key = adjusted_claims.claim_key
    left join upheld_lines
        on
            claim_rows.claim_id = upheld_lines.claim_id
            and claim_rows.claim_line_number = upheld_lines.claim_line_number
            and claim_rows.data_source is not distinct from upheld_lines.data_source
    where claim_rows.has_family_code
)

select
    counted_rows.row_id as line_key,
    counted_rows.* exclude (row_id, taken_back_as, own_status, is_upheld, line_of_business, paid_amount), -- noqa: RF02
    case
        when counted_rows.taken_back_as is null then counted_rows.own_status
        when counted_rows.is_upheld and counted_rows.own_status = 'live' then 'recovered'
        else counted_rows.taken_back_as
    end as line_status,
    coalesce(counted_rows.line_of_business, $line_of_business) as line_of_business,
    line_groups.line_group,
    procedure_codes.family_id,
    coalesce(procedure_codes.is_facility_only, false) as is_facility_code,
    counted_rows.paid_amount,
from counted_rows
left join line_groups
    on coalesce(counted_rows.line_of_business, $line_of_business) is not distinct from line_groups.line_of_business
left join procedure_codes
    on
        counted_rows.hcpcs_code = procedure_codes.hcpcs_code
        and counted_rows.service_date >= coalesce(procedure_codes.effective_from, counted_rows.service_date)
        and counted_rows.service_date <= coalesce(procedure_codes.effective_to, counted_rows.service_date)
