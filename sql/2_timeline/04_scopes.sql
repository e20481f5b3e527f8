-- title: What an earlier injection is to a later one, by their sides
-- grain: side_kind, earlier_side_kind: the sides of the later and of the earlier injection
--
-- The scope is same_site where a side is certain in both; otherwise unspecified_site where a side is possible in both; otherwise
-- other_site. same_site is the strictest, other_site the least strict.

with side_kinds as (
    select distinct
        side_kind,
        is_certain_left,
        is_certain_right,
        is_possible_left,
        is_possible_right,
    from injection_series
)

select
    later.side_kind,
    earlier.side_kind as earlier_side_kind,
    case
        when (later.is_certain_left and earlier.is_certain_left) or (later.is_certain_right and earlier.is_certain_right) then 1
        when (later.is_possible_left and earlier.is_possible_left) or (later.is_possible_right and earlier.is_possible_right) then 2
        else 3
    end as scope_order,
    ['same_site', 'unspecified_site', 'other_site'][scope_order] as scope,
from side_kinds as later
cross join side_kinds as earlier
