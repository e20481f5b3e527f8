-- title: The findings of this run
-- grain: finding_id
--
-- The rationale says what claims show, what is presumed and left open, and what would clear it.
--
-- Claim lines are put in order by their position: an ordered aggregate over a long list was seen to run out of memory.

with ordered_lines as (
    select
        finding_id,
        amount_at_risk,
        row_number() over (
            partition by finding_id
            order by data_source nulls first, claim_id, claim_line_number
        ) as line_position,
        {
            'data_source': data_source,
            'claim_id': claim_id,
            'claim_line_number': claim_line_number,
            'hcpcs_code': hcpcs_code,
            'claim_type': claim_type,
            'billing_npi': billing_npi,
            'paid_date': paid_date,
            'paid_amount': paid_amount,
            'amount_at_risk': amount_at_risk
        } as claim_line,
    from claimed_lines
),

line_lists as (
    select
        finding_id,
        list_transform(
            list_sort(list({ 'line_position': line_position, 'claim_line': claim_line })),
            lambda placed: placed.claim_line
        ) as claim_lines,
        sum(amount_at_risk) as amount_at_risk,
    from ordered_lines
    group by finding_id
),

lead_lines as (
    select
        cited_lines.finding_id,
        policy_lines.*,
    from cited_lines
    inner join policy_lines
        on cited_lines.policy_id = policy_lines.policy_id and cited_lines.line_key = policy_lines.line_key
    where cited_lines.is_lead
)

select
    determinations.finding_id,
    determinations.policy_id,
    policy_versions.policy_version,
    determinations.section as policy_section,
    determinations.rule_id,
    determinations.determination,
    determinations.strength,
    determinations.scope,
    determinations.doubts,
    determinations.presumptions,
    determinations.person_id,
    lead_lines.member_id,
    lead_lines.line_of_business,
    lead_lines.payer,
    lead_lines.plan,
    lead_lines.state,
    determinations.service_date,
    determinations.site,
    determinations.procedure_codes,
    determinations.prior_service_date,
    determinations.interval_days,
    determinations.prior_count,
    determinations.earliest_compliant_date,
    line_lists.claim_lines,
    determinations.prior_claim_ids,
    lead_lines.billing_npi,
    lead_lines.rendering_npi,
    lead_lines.facility_npi,
    determinations.paid_amount::decimal(14, 2) as paid_amount,
    line_lists.amount_at_risk::decimal(14, 2) as amount_at_risk,
    determinations.is_upper_bound,
    case when determinations.is_noted then policies.noted_reason end as precedence_note,
    concat_ws(
        ' ',
        array_to_string(determinations.procedure_codes, ', ') || ' on ' || determinations.service_date || ' (' || determinations.site || ')',
        determinations.rationale || '.',
        explained_facts.explanation
    ) as rationale,
from determinations
inner join line_lists on determinations.finding_id = line_lists.finding_id
inner join lead_lines on determinations.finding_id = lead_lines.finding_id
inner join policies on determinations.policy_id = policies.policy_id
left join explained_facts on determinations.finding_id = explained_facts.finding_id
asof inner join policy_revisions as policy_versions
    on
        determinations.policy_id = policy_versions.policy_id
        and determinations.service_date >= policy_versions.effective_from
