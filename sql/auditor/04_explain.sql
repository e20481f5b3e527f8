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

behind_lines as (
    select
        *,
        concat_ws(
            ' ',
            service_date,
            'claim',
            claim_id,
            'line',
            claim_line_number,
            hcpcs_code,
            nullif(array_to_string(modifiers, ' '), ''),
            '(' || claim_type || ')',
            'billed by',
            coalesce(billing_npi, 'nobody named'),
            'paid',
            coalesce(paid_amount, 0),
            'at risk ' || amount_at_risk,
            '[' || nullif(fate, 'live') || ']',
            'doubts: ' || nullif(array_to_string(doubts, ', '), '')
        ) as told,
    from claims_behind(finding)
),

memo_rows as (
    select 1 as position, 'rule' as topic, concat_ws(' ', policy_id, policy_section, rule_id || ':', title) as told,
    from sought_finding
    union all
    select 2, 'determination', concat_ws(', ', determination, scope, status, 'first reported ' || first_reported),
    from sought_finding
    union all
    select 3, 'person', concat_ws(', ', person_id, 'member ' || member_id, line_of_business, payer, plan),
    from sought_finding
    union all
    select 4, 'service', concat_ws(' ', array_to_string(procedure_codes, ', '), 'on', service_date, '(' || site || ')'),
    from sought_finding
    union all
    select 5, 'rationale', rationale,
    from sought_finding
    union all
    select
        6,
        'dates',
        concat_ws(
            ', ',
            'earlier date ' || prior_service_date,
            'service ' || service_date,
            'first date that complies ' || earliest_compliant_date
        ),
    from sought_finding
    union all
    select
        7,
        'arithmetic',
        coalesce(
            nullif(
                concat_ws(
                    '; ',
                    'days from ' || prior_service_date || ' to ' || service_date || ': ' || (service_date - prior_service_date),
                    'days from then to ' || earliest_compliant_date || ', which would comply: '
                    || (earliest_compliant_date - service_date),
                    'earlier injections that count: ' || prior_count
                ),
                ''
            ),
            'none: the rule goes by what was done that day'
        ),
    from sought_finding
    union all
    select 8, 'doubts', 'none',
    from sought_finding
    where len(doubts) = 0
    union all
    select
        8,
        'doubts',
        doubt_meanings.doubt_id || ': ' || doubt_meanings.description || '; what would settle it: ' || doubt_meanings.settled_by,
    from sought_finding
    inner join doubt_meanings on list_contains(sought_finding.doubts, doubt_meanings.doubt_id)
    union all
    select 9, 'records', 'ask for: ' || records,
    from sought_finding
    where records is not null
    union all
    select
        10,
        'money',
        concat_ws(
            ' ',
            'paid',
            paid_amount,
            'at risk',
            amount_at_risk,
            case when is_upper_bound then '(at most: part of it may stand)' end
        ),
    from sought_finding
    union all
    select 11, 'precedence', precedence_note,
    from sought_finding
    where precedence_note is not null
    union all
    select if(side = 'judged', 12, 13), if(side = 'judged', 'claim judged', 'claim measured against'), told,
    from behind_lines
)

select
    topic,
    told,
from memo_rows
order by position, told;

comment on macro table explain is
'explain(finding): the rule, the dates, the arithmetic, the doubts, the money and the claims on both sides, in rows that read like a memo';
