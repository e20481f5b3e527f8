-- title: The same service paid on two claims

create view possible_duplicates as
with paid_lines as (
    select
        *,
        row(data_source, claim_id) as claim,
    from lines
    where line_status = 'live' and paid_amount > 0 and billing_npi is not null
)

select
    person_id,
    service_date,
    hcpcs_code,
    laterality,
    billing_npi,
    count(distinct claim) as claim_count,
    list_sort(list_distinct(list(claim_id))) as claim_ids,
    list_sort(list_distinct(flatten(list(modifiers)))) as modifiers,
    list_sort(list_distinct(list(rendering_npi))) as rendering_npis,
    sum(paid_amount)::decimal(14, 2) as paid_amount,
    (sum(paid_amount) - max(paid_amount))::decimal(14, 2) as paid_beyond_one_amount,
from paid_lines
group by person_id, service_date, hcpcs_code, laterality, billing_npi
having count(distinct claim) > 1
order by paid_beyond_one_amount desc, person_id, service_date, hcpcs_code, laterality, billing_npi;

comment on view possible_duplicates is
'Live lines of one person, date, code, laterality and billing NPI that are paid on two claims or more. Not a finding, and '
'not an error where modifiers say why: 76 and 77 are repeat procedures, by the same or another physician, 59, XE and XP distinct ones';

comment on column possible_duplicates.person_id is 'the person';
comment on column possible_duplicates.service_date is 'date of service';
comment on column possible_duplicates.hcpcs_code is 'procedure code';
comment on column possible_duplicates.laterality is 'left, right, bilateral or unspecified, by the modifiers of the lines';
comment on column possible_duplicates.billing_npi is 'who billed it';
comment on column possible_duplicates.claim_count is 'claims on which it was paid; one number in two systems is two claims';
comment on column possible_duplicates.claim_ids is 'their numbers, sorted';
comment on column possible_duplicates.modifiers is 'all modifiers of the lines, sorted';
comment on column possible_duplicates.rendering_npis is 'who did it, as the lines say';
comment on column possible_duplicates.paid_amount is 'US dollars paid for all lines';
comment on column possible_duplicates.paid_beyond_one_amount is 'US dollars paid beyond the highest amount of one line';
