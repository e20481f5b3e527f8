-- title: Claims whose records would decide a finding
-- grain: data_source, claim_id, person_id, billing_npi
--
-- A claim whose records were asked for before is left out.

select
    wanted_lines.data_source,
    wanted_lines.claim_id,
    wanted_lines.person_id,
    wanted_lines.billing_npi,
    max(findings.member_id) as member_id,
    min(wanted_lines.service_date) as first_service_date,
    max(wanted_lines.service_date) as last_service_date,
    bool_or(wanted_lines.is_cited) as is_cited,
    case when bool_or(findings.determination = 'violation') then 'violation' else 'review' end as determination,
    list_sort(list(distinct findings.rule_id)) as rule_ids,
    list_sort(list(distinct findings.policy_section)) as policy_sections,
    list_sort(list(distinct findings.finding_id)) as finding_ids,
    list_sort(list_distinct(flatten(list(findings.doubts)))) as doubts,
    array_to_string(list_sort(list(distinct rules.records)), '; ') as records,
    any_value(request_dollars.findings_amount) as findings_amount,
    any_value(request_dollars.amount_at_risk) as amount_at_risk,
from wanted_lines
inner join findings on wanted_lines.finding_id = findings.finding_id
left join rules on findings.policy_id = rules.policy_id and findings.rule_id = rules.rule_id
inner join request_dollars
    on
        wanted_lines.claim_id = request_dollars.claim_id
        and wanted_lines.person_id = request_dollars.person_id
        and wanted_lines.data_source is not distinct from request_dollars.data_source
        and wanted_lines.billing_npi is not distinct from request_dollars.billing_npi
anti join asked_claims
    on
        wanted_lines.claim_id = asked_claims.claim_id
        and wanted_lines.person_id = asked_claims.person_id
        and wanted_lines.data_source is not distinct from asked_claims.data_source
group by wanted_lines.data_source, wanted_lines.claim_id, wanted_lines.person_id, wanted_lines.billing_npi
