-- title: Injections and what this run found on them

create view injection_findings as
with injection_lines as (
    select
        injections.policy_id,
        injections.person_id,
        injections.service_date,
        lines.claim_id,
        lines.claim_line_number,
        lines.billing_npi,
    from injections
    inner join lines
        on
            injections.person_id = lines.person_id
            and injections.service_date = lines.service_date
            and injections.family = lines.family
    where lines.line_status in ('live', 'recovered')
),

billed_injections as (
    select
        policy_id,
        person_id,
        service_date,
        list_sort(coalesce(list(distinct billing_npi) filter (where billing_npi is not null), [])) as billing_npis,
    from injection_lines
    group by policy_id, person_id, service_date
),

found_injections as (
    select
        injection_lines.policy_id,
        injection_lines.person_id,
        injection_lines.service_date,
        case when bool_or(finding_lines.determination = 'violation') then 'violation' else 'review' end as determination,
        list_sort(list(distinct finding_lines.rule_id)) as rules,
    from injection_lines
    inner join finding_lines
        on
            injection_lines.policy_id = finding_lines.policy_id
            and injection_lines.person_id = finding_lines.person_id
            and injection_lines.service_date = finding_lines.service_date
            and injection_lines.claim_id = finding_lines.claim_id
            and injection_lines.claim_line_number = finding_lines.claim_line_number
    where finding_lines.status <> 'withdrawn'
    group by injection_lines.policy_id, injection_lines.person_id, injection_lines.service_date
)

select
    injections.policy_id,
    injections.person_id,
    injections.service_date,
    injections.site,
    injections.line_count,
    injections.paid_amount,
    billed_injections.billing_npis,
    found_injections.determination,
    coalesce(found_injections.rules, []) as rules,
from injections
inner join billed_injections
    on
        injections.policy_id = billed_injections.policy_id
        and injections.person_id = billed_injections.person_id
        and injections.service_date = billed_injections.service_date
left join found_injections
    on
        injections.policy_id = found_injections.policy_id
        and injections.person_id = found_injections.person_id
        and injections.service_date = found_injections.service_date
order by injections.policy_id, injections.person_id, injections.service_date;

comment on view injection_findings is
'Injections (dates of a person) with those who billed them and what this run found on their lines, by whichever rule';

comment on column injection_findings.policy_id is 'the clinical policy';
comment on column injection_findings.person_id is 'the person';
comment on column injection_findings.service_date is 'date of service';
comment on column injection_findings.site is 'left, right, bilateral or unspecified, as far as it is certain';
comment on column injection_findings.line_count is 'live lines';
comment on column injection_findings.paid_amount is 'US dollars paid for them';
comment on column injection_findings.billing_npis is 'who billed them, sorted';
comment on column injection_findings.determination is
'violation where a finding on a line of the injection is one, review where all are; empty where there is none';
comment on column injection_findings.rules is 'the rules of these findings, sorted';
