-- title: Findings with all kept rows of the claims that they cite

create view claim_context as
with cited_lines as (
    select
        finding_id,
        policy_id,
        rule_id,
        unnest(claim_lines) as line,
    from findings
    where status <> 'withdrawn'
),

cited_claims as (
    select
        finding_id,
        policy_id,
        rule_id,
        line.data_source,
        line.claim_id,
        list(distinct line.claim_line_number) as cited_line_numbers,
    from cited_lines
    group by finding_id, policy_id, rule_id, line.data_source, line.claim_id
)

select
    cited_claims.finding_id,
    cited_claims.policy_id,
    cited_claims.rule_id,
    list_contains(cited_claims.cited_line_numbers, context_rows.claim_line_number) as is_cited,
    context_rows.*,
from cited_claims
inner join context_rows
    on
        cited_claims.claim_id = context_rows.claim_id
        and cited_claims.data_source is not distinct from context_rows.data_source
order by
    cited_claims.policy_id, cited_claims.finding_id, context_rows.data_source, context_rows.claim_id, context_rows.claim_line_number,
    context_rows.paid_date;

comment on view claim_context is
'The whole claims that a finding cites: every kept row of them, whatever its code, with each version of a line; a row a finding';

comment on column claim_context.finding_id is 'the finding, see the report findings';
comment on column claim_context.policy_id is 'the clinical policy';
comment on column claim_context.rule_id is 'the rule that found it, see the report rules';
comment on column claim_context.is_cited is 'the finding cites this line of the claim';
comment on column claim_context.data_source is 'the system that numbered the claim';
comment on column claim_context.claim_id is 'claim number';
comment on column claim_context.claim_line_number is 'line within the claim';
comment on column claim_context.paid_date is 'date of adjudication';
comment on column claim_context.file_date is 'date of the file';
comment on column claim_context.version_number is 'the payer''s own order among versions of one date';
comment on column claim_context.claim_status is 'paid, denied, reversed or pending; paid where the claim says nothing';
comment on column claim_context.claim_frequency_code is '1 original, 7 replacement, 8 void, as the claim says';
comment on column claim_context.replaced_claim_id is 'the claim that a replacement or void acts on; its own where it names none';
comment on column claim_context.line_status is 'of the version of a line with a family''s code that counts, as in the report lines; else empty';
comment on column claim_context.claim_type is 'as billed';
comment on column claim_context.person_id is 'the person of this row';
comment on column claim_context.service_date is 'date of service; the claim''s start where the line has none';
comment on column claim_context.claim_line_end_date is 'last date of service';
comment on column claim_context.hcpcs_code is 'procedure code, of any kind';
comment on column claim_context.modifiers is 'in the order of the claim';
comment on column claim_context.diagnosis_codes is 'those that are filled, in the order of the claim';
comment on column claim_context.place_of_service_code is 'where, as the claim says';
comment on column claim_context.bill_type_code is 'type of bill of an institutional claim';
comment on column claim_context.revenue_center_code is 'revenue centre of an institutional line';
comment on column claim_context.service_unit_quantity is 'units of service';
comment on column claim_context.charge_amount is 'US dollars billed';
comment on column claim_context.allowed_amount is 'US dollars';
comment on column claim_context.paid_amount is 'US dollars paid by this version of the line';
comment on column claim_context.rendering_npi is 'who did it';
comment on column claim_context.billing_npi is 'who billed it';
comment on column claim_context.facility_npi is 'where';
comment on column claim_context.prior_authorization_number is 'under which it was approved beforehand';
