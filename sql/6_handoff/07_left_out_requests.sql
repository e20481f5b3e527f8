-- title: Requests that the cap left out
-- grain: billing_npi

select
    billing_npi,
    count(*) as claims,
    sum(amount_at_risk)::decimal(14, 2) as amount_at_risk,
from ranked_requests
where not is_asked
group by billing_npi
order by amount_at_risk desc, billing_npi nulls first
