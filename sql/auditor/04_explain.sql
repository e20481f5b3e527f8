-- title: A finding as a memo
--
-- The date from which it would have complied is the latest of all findings on its lines that hold and that no reviewer overturned.

-- noqa: disable=LT02,RF02
create macro explain(finding) as table
with sought_finding as (
    select
        findings.*,
        rules.title,
        rules.criterion,
        rules.records,
    from findings
    left join rules on findings.policy_id = rules.policy_id and findings.rule_id = rules.rule_id
    where findings.finding_id = finding
),

sought_lines as (
    select finding_lines.*
    from finding_lines
    where finding_lines.finding_id = finding
),

visit_findings as (
    select findings.*
    from findings
    where findings.finding_id = finding
        or findings.finding_id in (
            select open_findings.finding_id
            from sought_lines
            inner join finding_lines
                on sought_lines.policy_id = finding_lines.policy_id
                and sought_lines.person_id = finding_lines.person_id
                and sought_lines.service_date = finding_lines.service_date
                and sought_lines.claim_id = finding_lines.claim_id
                and sought_lines.claim_line_number = finding_lines.claim_line_number
            inner join open_findings on finding_lines.finding_id = open_findings.finding_id
        )
),

compliant_dates as (
    select
        max(earliest_compliant_date) as latest_date,
        count(earliest_compliant_date) as date_count,
        string_agg(
            rule_id || ' ' || earliest_compliant_date, ', ' order by earliest_compliant_date, rule_id
        ) filter (where earliest_compliant_date is not null) as dates,
        string_agg(rule_id, ', ' order by rule_id) filter (where earliest_compliant_date is null) as undated_rules,
    from visit_findings
),

memo_rows as (
    select
        unnest([
            {
                'position': 1,
                'topic': 'billed',
                'statement': concat_ws(
                    ' ',
                    array_to_string(procedure_codes, ', '), 'on', service_date, '(' || site || ')', 'by',
                    coalesce(billing_npi, 'nobody named')
                )
            },
            {
                'position': 2,
                'topic': 'person',
                'statement': concat_ws(', ', person_id, 'member ' || member_id, line_of_business, payer, plan)
            },
            {
                'position': 3,
                'topic': 'measured against',
                'statement': policy_id || ' (' || policy_version || ') section ' || policy_section
                || coalesce(': "' || criterion || '"', '')
            },
            { 'position': 4, 'topic': 'rule', 'statement': concat_ws(': ', rule_id, title) },
            {
                'position': 5,
                'topic': 'claims show',
                'statement': case
                    when len(doubts) + len(presumptions) = 0 then rationale
                    else regexp_replace(rationale, ' (Presumed|Open): .*$', '')
                end
            },
            {
                'position': 6,
                'topic': 'arithmetic',
                'statement': coalesce(
                    nullif(concat_ws(
                        '; ',
                        'days from ' || prior_service_date || ' to ' || service_date || ': ' || (service_date - prior_service_date),
                        'earlier injections that count: ' || prior_count
                    ), ''),
                    'none: the rule looks at that day alone'
                )
            },
            { 'position': 7, 'topic': 'presumed', 'statement': case when len(presumptions) = 0 then 'nothing' end },
            { 'position': 8, 'topic': 'in doubt', 'statement': case when len(doubts) = 0 then 'nothing' end },
            { 'position': 9, 'topic': 'records', 'statement': 'ask for: ' || records },
            {
                'position': 10,
                'topic': 'determination',
                'statement': concat_ws(', ', determination, strength, replace(scope, '_', ' '))
                || case case when status = 'withdrawn' then status else strength end
                    when 'withdrawn' then ': withdrawn, it no longer holds'
                    when 'proven' then ': claims show that the criterion is not met'
                    when 'presumed' then ': claims show that the criterion is not met, granted what is presumed'
                    when 'likely' then ': not decided; the criterion looks unmet, and what is in doubt decides'
                    else ': not decided; the criterion may be met, and what is in doubt decides'
                end
                || concat('; ', status, ', first reported ', first_reported)
            },
            {
                'position': 11,
                'topic': 'would comply from',
                'statement': coalesce(
                    latest_date || ', ' || (latest_date - service_date)
                    || case latest_date - service_date when 1 then ' day' else ' days' end || ' later'
                    || case when date_count > 1 then '; the latest of ' || dates else '' end
                    || coalesce('; no date alone decides ' || undated_rules, ''),
                    'no date alone decides ' || undated_rules
                )
            },
            {
                'position': 12,
                'topic': 'amounts',
                'statement': concat(
                    'paid ', paid_amount, ', at risk ', amount_at_risk,
                    case when is_upper_bound then ' (at most: part of it may comply)' end,
                    case when determination = 'review' then ', if what is in doubt does not clear it' end
                )
            },
            { 'position': 13, 'topic': 'precedence', 'statement': precedence_note },
        ], max_depth := 2),
    from sought_finding
    cross join compliant_dates
    union all
    select
        7 as position,
        'presumed' as topic,
        doubt_meanings.doubt_id || ': ' || doubt_meanings.presumption || '; what would rebut it: ' || doubt_meanings.settled_by as statement,
    from sought_finding
    inner join doubt_meanings on list_contains(sought_finding.presumptions, doubt_meanings.doubt_id)
    union all
    select
        8 as position,
        'in doubt' as topic,
        doubt_meanings.doubt_id || ': ' || doubt_meanings.description || '; what would settle it: ' || doubt_meanings.settled_by
            as statement,
    from sought_finding
    inner join doubt_meanings on list_contains(sought_finding.doubts, doubt_meanings.doubt_id)
    union all
    select
        14 as position,
        'open adjustment' as topic,
        concat_ws(
            ' ',
            replace(kind, '_', ' '), claim_id, 'line', claim_line_number, 'paid', coalesce(paid_amount, 0),
            'may be about claim', near_claim_id, 'line', near_claim_line_number,
            '(near by ' || array_to_string(near_by, ' and ') || '): see open_adjustments'
        ) as statement,
    from open_adjustments
    where list_contains(finding_ids, finding)
    union all
    select
        case when role = 'cited' then 15 else 16 end as position,
        'claim ' || role as topic,
        statement,
    from claims_behind(finding)
)

select
    topic,
    statement,
from memo_rows
where statement is not null
order by position, statement;

comment on macro table explain is
'explain(finding): what was billed, what it is measured against in the words of the policy, what is presumed and what would rebut it, what is '
'in doubt and what would settle it, the date from which it would have complied (the latest of all findings on its lines), the amounts and the '
'claims, in rows that read like a memo';
