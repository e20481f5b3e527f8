-- title: Claim lines whose records bear on a finding
-- grain: finding_id, data_source, claim_id, claim_line_number, is_cited: a claim line that a finding cites or is measured against
--
-- Of all findings that are neither suppressed nor reviewed. Amounts at risk are those of cited lines alone.

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

cited_lines as (
    select
        finding_id,
        person_id,
        service_date,
        claim_line.claim_id,
        claim_line.claim_line_number,
        sum(claim_line.amount_at_risk) as amount_at_risk,
    from unnested_lines
    group by finding_id, person_id, service_date, claim_line.claim_id, claim_line.claim_line_number
)

select
    cited_lines.finding_id,
    lines.data_source,
    lines.claim_id,
    lines.person_id,
    lines.billing_npi,
    lines.service_date,
    lines.claim_line_number,
    cited_lines.amount_at_risk,
    true as is_cited,
from cited_lines
inner join lines
    on
        cited_lines.claim_id = lines.claim_id
        and cited_lines.claim_line_number = lines.claim_line_number
        and cited_lines.person_id = lines.person_id
        and cited_lines.service_date = lines.service_date
union all
select
    prior_claims.finding_id,
    lines.data_source,
    lines.claim_id,
    lines.person_id,
    lines.billing_npi,
    lines.service_date,
    lines.claim_line_number,
    null as amount_at_risk,
    false as is_cited,
from (
    select
        finding_id,
        person_id,
        unnest(prior_claim_ids) as claim_id,
    from handed_over
) as prior_claims
inner join lines on prior_claims.claim_id = lines.claim_id and prior_claims.person_id = lines.person_id
where lines.line_status in ('live', 'recovered')
