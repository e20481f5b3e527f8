-- title: What adjustments do to a claim
-- grain: claim_key: a claim that an adjustment acts on
--
-- From another claim an adjustment supersedes the whole claim, whatever its dates. On its own claim a replacement supersedes what was paid
-- earlier, a void what was paid earlier or on its day.

select
    acts_on_claim_key as claim_key,
    bool_or(is_on_other_claim and is_void) as is_voided,
    bool_or(is_on_other_claim and is_replacement) as is_replaced,
    max(paid_on_date) filter (where not is_on_other_claim and is_void) as voided_until_date,
    max(paid_on_date) filter (where not is_on_other_claim and is_replacement) as replaced_before_date,
from adjustments
where acts_on_claim_key is not null
group by acts_on_claim_key
