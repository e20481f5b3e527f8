-- title: Providers of the findings that are handed over
-- grain: policy_id, billing_npi: an NPI of a cited line
--
-- All but `withdrawn` is of new and changed findings.

with unnested_lines as (
    select
        policy_id,
        finding_id,
        change,
        strength,
        person_id,
        unnest(claim_lines) as claim_line,
    from handed_findings
),

handed_lines as (
    select
        policy_id,
        finding_id,
        change,
        strength,
        person_id,
        claim_line.claim_id,
        claim_line.billing_npi,
        claim_line.amount_at_risk,
    from unnested_lines
)

select
    handed_lines.policy_id,
    handed_lines.billing_npi,
    count(distinct case when handed_lines.change <> 'withdrawn' then handed_lines.finding_id end) as findings,
    count(distinct case when handed_lines.change <> 'withdrawn' and handed_lines.strength = 'proven' then handed_lines.finding_id end)
        as proven,
    count(distinct case when handed_lines.change <> 'withdrawn' and handed_lines.strength = 'presumed' then handed_lines.finding_id end)
        as presumed,
    count(distinct case when handed_lines.change <> 'withdrawn' and handed_lines.strength = 'likely' then handed_lines.finding_id end)
        as likely,
    count(distinct case when handed_lines.change <> 'withdrawn' and handed_lines.strength = 'possible' then handed_lines.finding_id end)
        as possible,
    count(distinct case when handed_lines.change = 'withdrawn' then handed_lines.finding_id end) as withdrawn,
    count(distinct case when handed_lines.change <> 'withdrawn' then handed_lines.person_id end) as persons,
    count(distinct case when handed_lines.change <> 'withdrawn' then handed_lines.claim_id end) as claims,
    coalesce(sum(handed_lines.amount_at_risk), 0)::decimal(14, 2) as amount_at_risk,
    any_value(providers.injections) as injections,
    any_value(providers.findings_per_100_injections) as findings_per_100_injections,
    any_value(providers.findings_per_100_injections_of_all) as findings_per_100_injections_of_all,
from handed_lines
left join providers
    on handed_lines.policy_id = providers.policy_id and handed_lines.billing_npi is not distinct from providers.billing_npi
group by handed_lines.policy_id, handed_lines.billing_npi
order by amount_at_risk desc, handed_lines.policy_id, handed_lines.billing_npi nulls first
