-- title: Claims whose records would tell
-- grain: one row per data_source, claim_id, person_id and billing_npi
--
-- The claims of all findings that are neither kept back nor reviewed, those judged and those that they are measured against, but for those
-- whose records were asked for before. The dollars of a request are those of the findings that it would tell of; a judged claim's own dollars
-- at risk stand beside them, and sum to distinct dollars. A line's dollars count once, also where findings of several policies have them.

with handed_over as (
    select findings.*
    from findings
    inner join review_states on findings.finding_id = review_states.finding_id
    where findings.status <> 'withdrawn' and review_states.held_back_for is null and review_states.disposition is null
),

unnested_lines as (
    select
        finding_id,
        person_id,
        service_date,
        unnest(claim_lines) as claim_line,
    from handed_over
),

judged_lines as (
    select
        finding_id,
        person_id,
        service_date,
        claim_line.claim_id,
        claim_line.claim_line_number,
        sum(claim_line.amount_at_risk) as amount_at_risk,
    from unnested_lines
    group by finding_id, person_id, service_date, claim_line.claim_id, claim_line.claim_line_number
),

wanted_lines as (
    select
        judged_lines.finding_id,
        lines.data_source,
        lines.claim_id,
        lines.person_id,
        lines.billing_npi,
        lines.service_date,
        lines.claim_line_number,
        judged_lines.amount_at_risk as judged_amount_at_risk,
        true as is_judged,
    from judged_lines
    inner join lines
        on
            judged_lines.claim_id = lines.claim_id
            and judged_lines.claim_line_number = lines.claim_line_number
            and judged_lines.person_id = lines.person_id
            and judged_lines.service_date = lines.service_date
    union all
    select
        prior_claims.finding_id,
        lines.data_source,
        lines.claim_id,
        lines.person_id,
        lines.billing_npi,
        lines.service_date,
        lines.claim_line_number,
        null as judged_amount_at_risk,
        false as is_judged,
    from (
        select
            finding_id,
            person_id,
            unnest(prior_claim_ids) as claim_id,
        from handed_over
    ) as prior_claims
    inner join lines on prior_claims.claim_id = lines.claim_id and prior_claims.person_id = lines.person_id
    where lines.fate = 'live'
),

wanted_claims as (
    select
        data_source,
        claim_id,
        person_id,
        billing_npi,
        finding_id,
        min(service_date) as first_service_date,
        max(service_date) as last_service_date,
        bool_or(is_judged) as is_judged,
    from wanted_lines
    group by data_source, claim_id, person_id, billing_npi, finding_id
),

claim_line_dollars as (
    select
        data_source,
        claim_id,
        person_id,
        billing_npi,
        max(judged_amount_at_risk) as amount_at_risk,
    from wanted_lines
    group by data_source, claim_id, person_id, billing_npi, claim_line_number, service_date
),

claim_dollars as (
    select
        data_source,
        claim_id,
        person_id,
        billing_npi,
        coalesce(sum(amount_at_risk), 0)::decimal(14, 2) as amount_at_risk,
    from claim_line_dollars
    group by data_source, claim_id, person_id, billing_npi
),

finding_line_dollars as (
    select
        wanted_claims.data_source,
        wanted_claims.claim_id,
        wanted_claims.person_id,
        wanted_claims.billing_npi,
        max(judged_lines.amount_at_risk) as amount_at_risk,
    from wanted_claims
    inner join judged_lines on wanted_claims.finding_id = judged_lines.finding_id
    group by
        wanted_claims.data_source, wanted_claims.claim_id, wanted_claims.person_id, wanted_claims.billing_npi,
        judged_lines.claim_id, judged_lines.claim_line_number, judged_lines.service_date
),

finding_dollars as (
    select
        data_source,
        claim_id,
        person_id,
        billing_npi,
        sum(amount_at_risk)::decimal(14, 2) as findings_amount,
    from finding_line_dollars
    group by data_source, claim_id, person_id, billing_npi
)

select
    wanted_claims.data_source,
    wanted_claims.claim_id,
    wanted_claims.person_id,
    wanted_claims.billing_npi,
    max(handed_over.member_id) as member_id,
    min(wanted_claims.first_service_date) as first_service_date,
    max(wanted_claims.last_service_date) as last_service_date,
    bool_or(wanted_claims.is_judged) as is_judged,
    case when bool_or(handed_over.determination = 'violation') then 'violation' else 'review' end as determination,
    list_sort(list(distinct handed_over.rule_id)) as rule_ids,
    list_sort(list(distinct handed_over.policy_section)) as policy_sections,
    list_sort(list(distinct handed_over.finding_id)) as finding_ids,
    list_sort(list_distinct(flatten(list(handed_over.doubts)))) as doubts,
    array_to_string(list_sort(list(distinct rules.records)), '; ') as records,
    any_value(finding_dollars.findings_amount) as findings_amount,
    any_value(claim_dollars.amount_at_risk) as amount_at_risk,
from wanted_claims
inner join handed_over on wanted_claims.finding_id = handed_over.finding_id
left join rules on handed_over.policy_id = rules.policy_id and handed_over.rule_id = rules.rule_id
left join finding_dollars
    on
        wanted_claims.claim_id = finding_dollars.claim_id
        and wanted_claims.person_id = finding_dollars.person_id
        and wanted_claims.data_source is not distinct from finding_dollars.data_source
        and wanted_claims.billing_npi is not distinct from finding_dollars.billing_npi
left join claim_dollars
    on
        wanted_claims.claim_id = claim_dollars.claim_id
        and wanted_claims.person_id = claim_dollars.person_id
        and wanted_claims.data_source is not distinct from claim_dollars.data_source
        and wanted_claims.billing_npi is not distinct from claim_dollars.billing_npi
anti join asked_claims
    on
        wanted_claims.claim_id = asked_claims.claim_id
        and wanted_claims.person_id = asked_claims.person_id
        and wanted_claims.data_source is not distinct from asked_claims.data_source
group by wanted_claims.data_source, wanted_claims.claim_id, wanted_claims.person_id, wanted_claims.billing_npi
