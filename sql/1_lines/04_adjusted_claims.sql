-- title: What adjustments do to a claim
-- grain: claim_key: a claim that an adjustment acts on
--
-- From another claim an adjustment kills the whole claim, whatever its dates. On its own claim a replacement kills what was paid earlier, a void
-- what was paid earlier or on its day.

select
    acts_on_claim_key as claim_key,
    bool_or(is_on_other_claim and frequency_code = '8') as is_voided,
    bool_or(is_on_other_claim and frequency_code = '7') as is_replaced,
    max(case when not is_on_other_claim and frequency_code = '8' then paid_on_date end) as voided_until_date,
    max(case when not is_on_other_claim and frequency_code = '7' then paid_on_date end) as replaced_before_date,
from adjustments
where acts_on_claim_key is not null
group by acts_on_claim_key
