-- title: Billing providers of one injection or finding
-- grain: policy_id, measure, billing_npis: a set of billing NPIs that billed an injection, or a finding, together
--
-- What a provider that is shown had no part in is the total less its row: the page looks here how many members that concerns. Lines without
-- an NPI are of the empty one.

with billed_injections as (
    select
        policy_id,
        person_id,
        list_sort(list(distinct coalesce(billing_npi, ''))) as billing_npis,
    from injection_lines
    group by policy_id, person_id, service_date
),

billed as (
    select
        policy_id,
        'injections' as measure,
        billing_npis,
        person_id,
    from billed_injections
    union all
    select
        policy_id,
        'findings' as measure,
        list_sort(list_distinct(list_transform(claim_lines, lambda claim_line: coalesce(claim_line.billing_npi, '')))) as billing_npis,
        person_id,
    from findings
    where status <> 'withdrawn'
)

select
    policy_id,
    measure,
    billing_npis,
    list(distinct person_id order by person_id) as members,
from billed
group by policy_id, measure, billing_npis
order by policy_id, measure, billing_npis
