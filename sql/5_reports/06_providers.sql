-- title: Providers
-- grain: policy_id, billing_npi: an NPI with a live line of an SIJ family; an empty NPI is a row of its own
-- column: policy_id: the policy
-- column: billing_npi: who billed
-- column: injections: injections of which a line was billed under the NPI
-- column: persons: persons with a live line of an SIJ family under the NPI
-- column: findings: findings (withdrawn ones aside) with a cited line under the NPI
-- column: violations: violations among them
-- column: reviews: reviews among them
-- column: paid_amount: US dollars paid under the NPI for live lines of SIJ families
-- column: amount_at_risk: US dollars at risk that the NPI would pay back
-- column: findings_per_100_injections: findings for each hundred injections of the NPI; empty without injections
-- column: findings_per_100_injections_of_all: the same of all providers together

with sij_lines as (
    select *
    from policy_lines
    where is_sij
),

billed_lines as (
    select
        policy_id,
        billing_npi,
        count(distinct case when is_injection then row(person_id, service_date) end) as injections,
        count(distinct person_id) as persons,
        coalesce(sum(paid_amount), 0) as paid_amount,
    from sij_lines
    group by policy_id, billing_npi
),

billed_findings as (
    select
        payees.policy_id,
        payees.billing_npi,
        count(distinct payees.finding_id) as findings,
        count(distinct case when compared_findings.determination = 'violation' then payees.finding_id end) as violations,
        count(distinct case when compared_findings.determination = 'review' then payees.finding_id end) as reviews,
        sum(payees.amount_at_risk) as amount_at_risk,
    from payees
    inner join compared_findings on payees.finding_id = compared_findings.finding_id
    where compared_findings.status <> 'withdrawn'
    group by payees.policy_id, payees.billing_npi
),

overall_rates as (
    select
        policies.policy_id,
        round(
            100.0 * (
                select count(*) from compared_findings
                where compared_findings.policy_id = policies.policy_id and compared_findings.status <> 'withdrawn'
            )
            / nullif((select count(*) from policy_injections where policy_injections.policy_id = policies.policy_id), 0),
            2
        )::double as findings_per_100_injections_of_all,
    from policies
)

select
    billed_lines.policy_id,
    billed_lines.billing_npi,
    billed_lines.injections,
    billed_lines.persons,
    coalesce(billed_findings.findings, 0) as findings,
    coalesce(billed_findings.violations, 0) as violations,
    coalesce(billed_findings.reviews, 0) as reviews,
    billed_lines.paid_amount::decimal(14, 2) as paid_amount,
    coalesce(billed_findings.amount_at_risk, 0)::decimal(14, 2) as amount_at_risk,
    round(100.0 * coalesce(billed_findings.findings, 0) / nullif(billed_lines.injections, 0), 2)::double as findings_per_100_injections,
    overall_rates.findings_per_100_injections_of_all,
from billed_lines
inner join overall_rates on billed_lines.policy_id = overall_rates.policy_id
left join billed_findings
    on
        billed_lines.policy_id = billed_findings.policy_id
        and billed_lines.billing_npi is not distinct from billed_findings.billing_npi
order by billed_lines.policy_id, billed_lines.billing_npi nulls first
