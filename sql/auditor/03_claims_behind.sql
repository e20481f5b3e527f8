-- title: The claims on both sides of a finding
--
-- A finding names claims without the system that numbered them: person, and for judged lines date and line number, tell them apart.

-- noqa: disable=LT02
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

judged_lines as (
    select finding_lines.*
    from finding_lines
    where finding_lines.finding_id = finding
)

select
    'judged' as side,
    judged_lines.service_date,
    lines.data_source,
    judged_lines.claim_id,
    judged_lines.claim_line_number,
    judged_lines.hcpcs_code,
    lines.modifiers,
    judged_lines.claim_type,
    judged_lines.billing_npi,
    lines.rendering_npi,
    lines.facility_npi,
    judged_lines.paid_amount,
    judged_lines.amount_at_risk,
    lines.fate,
    lines.doubts,
from judged_lines
left join lines
    on judged_lines.claim_id = lines.claim_id
    and judged_lines.claim_line_number = lines.claim_line_number
    and judged_lines.person_id = lines.person_id
    and judged_lines.service_date = lines.service_date
union all
select
    'measured against' as side,
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
    lines.fate,
    lines.doubts,
from sought_finding
inner join lines on sought_finding.person_id = lines.person_id and list_contains(sought_finding.prior_claim_ids, lines.claim_id)
anti join judged_lines
    on lines.claim_id = judged_lines.claim_id
    and lines.claim_line_number = judged_lines.claim_line_number
    and lines.service_date = judged_lines.service_date
order by side, service_date, claim_id, claim_line_number, data_source;

comment on macro table claims_behind is
'claims_behind(finding): lines of the claims to pull, those judged and those that they are measured against, with what became of each';
