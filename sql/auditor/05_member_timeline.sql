-- title: All lines of a person, by date
--
-- A row of an injection has the findings of its policy, any other row those of all policies. The report injections is meant, also while the
-- schema working is in use.

-- noqa: disable=LT02,RF02
create macro member_timeline(person) as table
with line_findings as (
    select
        policy_id,
        claim_id,
        claim_line_number,
        service_date,
        list_sort(list_distinct(list(rule_id || ' (' || determination || ')'))) as findings,
    from finding_lines
    where person_id = person and status <> 'withdrawn'
    group by grouping sets ((policy_id, claim_id, claim_line_number, service_date), (claim_id, claim_line_number, service_date))
)

select
    lines.service_date,
    lines.claim_id,
    lines.claim_line_number,
    lines.hcpcs_code,
    lines.family,
    lines.modifiers,
    lines.billing_npi,
    lines.paid_amount,
    lines.line_status in ('live', 'recovered') as is_live,
    case lines.line_status
        when 'reversed' then 'its latest adjudication takes it back'
        when 'reversed_elsewhere' then 'a reversal under another claim number takes it back'
        when 'voided' then 'an adjustment with frequency 8 voids its claim, or it is one itself'
        when 'replaced' then 'an adjustment with frequency 7 puts another claim, or a later version, in its place'
        when 'denied' then 'its status is denied'
        when 'pending' then 'its status is pending'
        when 'not_done' then 'a modifier says that it was stopped before it began'
        when 'after_as_of' then 'its date of service is after the as-of date: it waits'
    end as reason_not_live,
    lines.doubts,
    injections.policy_id,
    injections.site,
    injections.series_seq,
    injections.is_diagnostic,
    timelines.days_since_previous,
    timelines.count_12_months,
    coalesce(line_findings.findings, []) as findings,
from lines
left join main.injections as injections
    on lines.person_id = injections.person_id
    and lines.service_date = injections.service_date
    and lines.line_status in ('live', 'recovered')
    and lines.family = injections.family
left join timelines
    on injections.policy_id = timelines.policy_id
    and injections.person_id = timelines.person_id
    and injections.service_date = timelines.service_date
    and timelines.track = 'any'
left join line_findings
    on lines.claim_id = line_findings.claim_id
    and lines.claim_line_number = line_findings.claim_line_number
    and lines.service_date = line_findings.service_date
    and injections.policy_id is not distinct from line_findings.policy_id
where lines.person_id = person
order by lines.service_date, lines.claim_id, lines.claim_line_number, lines.data_source, injections.policy_id;

comment on macro table member_timeline is
'member_timeline(person): all lines of a person by date, also those that do not count, and why; where several policies are audited, '
'the line of an injection has a row for each, with the findings of that policy';
