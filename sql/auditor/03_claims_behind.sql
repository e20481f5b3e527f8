-- title: The claims behind a finding
--
-- A finding names claims without the system that numbered them: person, and for cited lines date and line number, identify the line.

-- noqa: disable=LT02,RF02
create macro claims_behind(finding) as table
with sought_finding as (
    select
        finding_id,
        person_id,
        service_date,
        prior_claim_ids,
    from findings
    where finding_id = finding
),

cited_lines as (
    select finding_lines.*
    from finding_lines
    where finding_lines.finding_id = finding
),

behind_lines as (
    select
        'cited' as role,
        cited_lines.service_date,
        lines.data_source,
        cited_lines.claim_id,
        cited_lines.claim_line_number,
        cited_lines.hcpcs_code,
        lines.modifiers,
        cited_lines.claim_type,
        cited_lines.billing_npi,
        lines.rendering_npi,
        lines.facility_npi,
        cited_lines.paid_amount,
        cited_lines.amount_at_risk,
        lines.line_status,
        lines.doubts,
    from cited_lines
    left join lines
        on cited_lines.claim_id = lines.claim_id
        and cited_lines.claim_line_number = lines.claim_line_number
        and cited_lines.person_id = lines.person_id
        and cited_lines.service_date = lines.service_date
    union all
    select
        'measured against' as role,
        lines.service_date,
        lines.data_source,
        lines.claim_id,
        lines.claim_line_number,
        lines.hcpcs_code,
        lines.modifiers,
        lines.claim_type,
        lines.billing_npi,
        lines.rendering_npi,
        lines.facility_npi,
        lines.paid_amount,
        null as amount_at_risk,
        lines.line_status,
        lines.doubts,
    from sought_finding
    inner join lines on sought_finding.person_id = lines.person_id and list_contains(sought_finding.prior_claim_ids, lines.claim_id)
    anti join cited_lines
        on lines.claim_id = cited_lines.claim_id
        and lines.claim_line_number = cited_lines.claim_line_number
        and lines.service_date = cited_lines.service_date
)

select
    *,
    concat_ws(
        ' ',
        service_date,
        'claim', claim_id,
        'line', claim_line_number,
        hcpcs_code,
        nullif(array_to_string(modifiers, ' '), ''),
        '(' || claim_type || ')',
        'billed by', coalesce(billing_npi, 'nobody named'),
        'paid', coalesce(paid_amount, 0),
        'at risk ' || amount_at_risk,
        '[' || nullif(line_status, 'live') || ']',
        'doubts: ' || nullif(array_to_string(doubts, ', '), '')
    ) as statement,
from behind_lines
order by role, service_date, claim_id, claim_line_number, data_source;

comment on macro table claims_behind is
'claims_behind(finding): the lines to pull, those that the finding cites and those that they are measured against, each with its '
'line_status and as a sentence';
