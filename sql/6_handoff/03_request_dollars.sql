-- title: Dollars that the records of a claim decide
-- grain: data_source, claim_id, person_id, billing_npi: a claim with a wanted line
--
-- findings_amount is of the findings that the records bear on, amount_at_risk of the claim's own cited lines, which sum to distinct
-- dollars. A line's dollars count once, also where findings of several policies have them.

with claim_line_dollars as (
    select
        data_source,
        claim_id,
        person_id,
        billing_npi,
        max(amount_at_risk) as amount_at_risk,
    from wanted_lines
    group by data_source, claim_id, person_id, billing_npi, claim_line_number, service_date
),

wanted_claims as (
    select distinct
        data_source,
        claim_id,
        person_id,
        billing_npi,
        finding_id,
    from wanted_lines
),

finding_line_dollars as (
    select
        wanted_claims.data_source,
        wanted_claims.claim_id,
        wanted_claims.person_id,
        wanted_claims.billing_npi,
        max(wanted_lines.amount_at_risk) as amount_at_risk,
    from wanted_claims
    inner join wanted_lines on wanted_claims.finding_id = wanted_lines.finding_id
    where wanted_lines.is_cited
    group by
        wanted_claims.data_source, wanted_claims.claim_id, wanted_claims.person_id, wanted_claims.billing_npi,
        wanted_lines.claim_id, wanted_lines.claim_line_number, wanted_lines.service_date
),

both_dollars as (
    select
        data_source,
        claim_id,
        person_id,
        billing_npi,
        0 as findings_amount,
        amount_at_risk,
    from claim_line_dollars
    union all
    select
        data_source,
        claim_id,
        person_id,
        billing_npi,
        amount_at_risk as findings_amount,
        0 as amount_at_risk,
    from finding_line_dollars
)

select
    data_source,
    claim_id,
    person_id,
    billing_npi,
    coalesce(sum(findings_amount), 0)::decimal(14, 2) as findings_amount,
    coalesce(sum(amount_at_risk), 0)::decimal(14, 2) as amount_at_risk,
from both_dollars
group by data_source, claim_id, person_id, billing_npi
