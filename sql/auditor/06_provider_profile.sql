-- title: A billing NPI beside all others, and its findings by rule

-- noqa: disable=LT02,RF02
create macro provider_profile(npi) as table
with ranked_providers as (
    select
        *,
        rank() over (partition by policy_id order by amount_at_risk desc) as rank_by_amount_at_risk,
        count(*) over (partition by policy_id) as provider_count,
    from providers
),

provider_findings as (
    select
        payees.policy_id,
        payees.finding_id,
        findings.rule_id,
        findings.determination,
        sum(payees.paid_amount) as paid_amount,
        sum(payees.amount_at_risk) as amount_at_risk,
    from payees
    inner join findings on payees.policy_id = findings.policy_id and payees.finding_id = findings.finding_id
    where payees.billing_npi is not distinct from npi and findings.status <> 'withdrawn'
    group by payees.policy_id, payees.finding_id, findings.rule_id, findings.determination
),

profile_rows as (
    select
        policy_id,
        0 as position,
        'all' as subject,
        injections,
        persons,
        findings,
        violations,
        reviews,
        paid_amount,
        amount_at_risk,
        findings_per_100_injections,
        findings_per_100_injections_of_all,
        rank_by_amount_at_risk,
        provider_count,
    from ranked_providers
    where billing_npi is not distinct from npi
    union all
    select
        policy_id,
        1 as position,
        rule_id as subject,
        null as injections,
        null as persons,
        count(*) as findings,
        count(case when determination = 'violation' then 1 end) as violations,
        count(case when determination = 'review' then 1 end) as reviews,
        sum(paid_amount)::decimal(14, 2) as paid_amount,
        sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
        null as findings_per_100_injections,
        null as findings_per_100_injections_of_all,
        null as rank_by_amount_at_risk,
        null as provider_count,
    from provider_findings
    group by policy_id, rule_id
)

select
    policy_id,
    subject,
    injections,
    persons,
    findings,
    violations,
    reviews,
    paid_amount,
    amount_at_risk,
    findings_per_100_injections,
    findings_per_100_injections_of_all,
    rank_by_amount_at_risk,
    provider_count,
from profile_rows
order by policy_id, position, subject;

comment on macro table provider_profile is
'provider_profile(npi): a billing NPI beside all others, then its findings by rule; paid_amount is of all live lines of SIJ families '
'in the first row, of cited lines in the others; provider_profile(null) is for lines without a billing NPI';
