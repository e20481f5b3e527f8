-- title: Every line with a family's code, with its status and doubts
-- grain: line_key: a claim line (claim_key, claim_line_number) whose version that counts has a code that is in a family at any date
--
-- line_status is live, or the first of reversed, reversed_elsewhere, voided, replaced, denied, pending, not_done, after_as_of that applies. The
-- doubts are those of reference table doubts that a line by itself leaves open. family_id is empty where the code was in no family yet.

select
    claim_rows.row_id as line_key,
    claim_rows.claim_key,
    claim_rows.data_source,
    claim_rows.claim_id,
    claim_rows.claim_line_number,
    case
        when line_facts.is_reversed then 'reversed'
        when line_facts.is_reversed_elsewhere then 'reversed_elsewhere'
        when line_facts.is_voided then 'voided'
        when line_facts.is_replaced then 'replaced'
        when claim_rows.status = 'denied' then 'denied'
        when claim_rows.status = 'pending' then 'pending'
        when line_facts.is_not_done then 'not_done'
        when claim_rows.service_date > $as_of then 'after_as_of'
        else 'live'
    end as line_status,
    case when line_facts.is_denial_unclear then bits.denial_unclear else 0 end
    | case when claim_rows.is_dated_from_header then bits.date_from_header else 0 end
    | case when line_facts.is_replacement_unmatched then bits.replacement_unmatched else 0 end
    | case when line_facts.is_discontinued then bits.discontinued else 0 end
    | case when claim_rows.prior_authorization_number is not null then bits.authorized else 0 end
    | case when line_groups.line_group = 'unknown' then bits.line_of_business_unknown else 0 end as doubt_bits,
    claim_rows.person_id,
    claim_rows.member_id,
    claim_rows.payer,
    claim_rows.plan,
    line_facts.line_of_business,
    line_groups.line_group,
    claim_rows.claim_type,
    claim_rows.is_institutional,
    claim_rows.service_date,
    claim_rows.hcpcs_code,
    procedure_codes.family_id,
    claim_rows.modifiers,
    claim_rows.rendering_npi,
    claim_rows.billing_npi,
    claim_rows.facility_npi,
    claim_rows.paid_amount,
from line_facts
inner join claim_rows on line_facts.row_id = claim_rows.row_id
cross join bits
left join line_groups on line_facts.line_of_business is not distinct from line_groups.line_of_business
left join procedure_codes
    on
        claim_rows.hcpcs_code = procedure_codes.hcpcs_code
        and claim_rows.service_date >= coalesce(procedure_codes.effective_from, claim_rows.service_date)
        and claim_rows.service_date <= coalesce(procedure_codes.effective_to, claim_rows.service_date)
