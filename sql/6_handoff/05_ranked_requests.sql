-- title: Claims whose records would decide a finding, the most dollars and the most certain first
-- grain: data_source, claim_id, person_id, billing_npi: a request candidate
--
-- Of one billing NPI no more than $max_requests_per_provider are asked for in a period; those asked for since $asked_since count. A null NPI
-- is one of its own.

with recently_asked as (
    select
        billing_npi,
        count(*) as asked_count,
    from asked_claims
    where asked_on >= $asked_since
    group by billing_npi
),

numbered_candidates as (
    select
        request_candidates.*,
        row_number() over most_first as request_rank,
        row_number() over most_of_provider_first as provider_rank,
    from request_candidates
    window
        most_first as (
            order by findings_amount desc, determination desc, len(doubts), claim_id, data_source nulls first, person_id, billing_npi nulls first
        ),
        most_of_provider_first as (
            partition by billing_npi
            order by findings_amount desc, determination desc, len(doubts), claim_id, data_source nulls first, person_id
        )
)

select
    numbered_candidates.*,
    numbered_candidates.provider_rank + coalesce(recently_asked.asked_count, 0) <= $max_requests_per_provider as is_asked,
from numbered_candidates
left join recently_asked on numbered_candidates.billing_npi is not distinct from recently_asked.billing_npi
