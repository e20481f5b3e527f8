-- title: The doubts that a number of bits stands for
-- grain: doubt_bits: each combination of doubts

with combinations as (
    select unnest(range((select 2 * max(doubt_bit) from doubts))) as doubt_bits
)

select
    combinations.doubt_bits,
    list_sort(coalesce(list(doubts.doubt_id) filter (where doubts.doubt_id is not null), [])) as doubts,
from combinations
left join doubts on combinations.doubt_bits & doubts.doubt_bit > 0
group by combinations.doubt_bits
