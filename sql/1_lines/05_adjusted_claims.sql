-- title: What adjustments do to a claim
-- grain: claim_key: a claim that an adjustment acts on
--
-- From another claim an adjustment supersedes the whole claim, whatever its dates. On its own claim a replacement supersedes what was
-- adjudicated earlier, a void what was adjudicated earlier or on its day, and all of it where the void has no date.

select
    acts_on_claim_key as claim_key,
    bool_or(is_void and (is_on_other_claim or adjudication_date is null)) as is_voided,
    bool_or(is_on_other_claim and is_replacement) as is_replaced,
    max(adjudication_date) filter (where not is_on_other_claim and is_void) as voided_until_date,
    max(adjudication_date) filter (where not is_on_other_claim and is_replacement) as replaced_before_date,
from adjustments
where acts_on_claim_key is not null
group by acts_on_claim_key
