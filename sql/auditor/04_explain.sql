-- title: A finding as a memo

-- noqa: disable=LT02,RF02
create macro explain(finding) as table
with sought_finding as (
    select
        findings.*,
        rules.title,
        rules.records,
    from findings
    left join rules on findings.policy_id = rules.policy_id and findings.rule_id = rules.rule_id
    where findings.finding_id = finding
),

memo_rows as (
    select
        unnest([
            {
                'position': 1,
                'topic': 'rule',
                'statement': concat_ws(' ', policy_id, policy_section, rule_id || ':', title)
            },
            {
                'position': 2,
                'topic': 'determination',
                'statement': concat_ws(', ', determination, strength, scope, status, 'first reported ' || first_reported)
            },
            {
                'position': 3,
                'topic': 'person',
                'statement': concat_ws(', ', person_id, 'member ' || member_id, line_of_business, payer, plan)
            },
            {
                'position': 4,
                'topic': 'service',
                'statement': concat_ws(' ', array_to_string(procedure_codes, ', '), 'on', service_date, '(' || site || ')')
            },
            { 'position': 5, 'topic': 'rationale', 'statement': rationale },
            {
                'position': 6,
                'topic': 'dates',
                'statement': concat_ws(
                    ', ',
                    'earlier date ' || prior_service_date,
                    'service ' || service_date,
                    'first date that complies ' || earliest_compliant_date
                )
            },
            {
                'position': 7,
                'topic': 'arithmetic',
                'statement': coalesce(
                    nullif(concat_ws(
                        '; ',
                        'days from ' || prior_service_date || ' to ' || service_date || ': ' || (service_date - prior_service_date),
                        'days from then to ' || earliest_compliant_date || ', which would comply: '
                        || (earliest_compliant_date - service_date),
                        'earlier injections that count: ' || prior_count
                    ), ''),
                    'none: the rule looks at that day alone'
                )
            },
            { 'position': 8, 'topic': 'doubts', 'statement': case when len(doubts) = 0 then 'none' end },
            { 'position': 9, 'topic': 'presumptions', 'statement': case when len(presumptions) = 0 then 'none' end },
            { 'position': 10, 'topic': 'records', 'statement': 'ask for: ' || records },
            {
                'position': 11,
                'topic': 'money',
                'statement': concat_ws(
                    ' ', 'paid', paid_amount, 'at risk', amount_at_risk, case when is_upper_bound then '(at most: part of it may comply)' end
                )
            },
            { 'position': 12, 'topic': 'precedence', 'statement': precedence_note },
        ], max_depth := 2),
    from sought_finding
    union all
    select
        8 as position,
        'doubts' as topic,
        doubt_meanings.doubt_id || ': ' || doubt_meanings.description || '; what would settle it: ' || doubt_meanings.settled_by
            as statement,
    from sought_finding
    inner join doubt_meanings on list_contains(sought_finding.doubts, doubt_meanings.doubt_id)
    union all
    select
        9 as position,
        'presumptions' as topic,
        doubt_meanings.doubt_id || ': presumed ' || doubt_meanings.presumption || '; what would rebut it: ' || doubt_meanings.settled_by
            as statement,
    from sought_finding
    inner join doubt_meanings on list_contains(sought_finding.presumptions, doubt_meanings.doubt_id)
    union all
    select
        case when role = 'cited' then 13 else 14 end as position,
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
'explain(finding): the rule, the dates, the arithmetic, the doubts, what is presumed, the money and the claims, in rows that read like a memo';
