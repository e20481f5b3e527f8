-- title: Providers, with the numbers behind their rates
-- grain: policy_id, billing_npi: a provider of the report providers
--
-- `members` are persons with an injection of which a line was billed under the NPI, `members_with_findings` those with a cited line under
-- it.

with billed_persons as (
    select
        policy_id,
        billing_npi,
        list(distinct person_id order by person_id) as members,
    from injection_lines
    group by policy_id, billing_npi
),

cited_lines as (
    select
        policy_id,
        person_id,
        unnest(claim_lines, max_depth := 2),
    from (select policy_id, person_id, claim_lines from findings where status <> 'withdrawn')
),

cited_persons as (
    select
        policy_id,
        billing_npi,
        list(distinct person_id order by person_id) as members_with_findings,
    from cited_lines
    group by policy_id, billing_npi
)

select
    providers.policy_id,
    providers.billing_npi,
    providers.injections,
    providers.findings,
    providers.amount_at_risk,
    providers.findings_per_100_injections_of_all,
    coalesce(billed_persons.members, []) as members,
    coalesce(cited_persons.members_with_findings, []) as members_with_findings,
from providers
left join billed_persons
    on providers.policy_id = billed_persons.policy_id and providers.billing_npi is not distinct from billed_persons.billing_npi
left join cited_persons
    on providers.policy_id = cited_persons.policy_id and providers.billing_npi is not distinct from cited_persons.billing_npi
order by providers.policy_id, providers.billing_npi nulls last
