-- title: A therapeutic injection and each earlier one that still counts, at each side that they may share
-- grain: person_id, service_date, prior_service_date, scope, side
-- column: person_id: the person
-- column: service_date: date of service
-- column: prior_service_date: date of the earlier injection
-- column: scope_order: 1 or 2: the strictest scope first
-- column: scope: same_site where the side is certain in both, unspecified_site where it is possible in both
-- column: side: left or right
-- column: is_sound: the earlier one is therapeutic and in no doubt
-- column: may_be_diagnostic: nothing marks the earlier one so, but it may be one of those for diagnosis at the side
-- column: prior_doubts: what claims leave open of the earlier one, sorted
-- column: count_end_date: the first date on which it is no longer counted

select
    person_id,
    service_date,
    prior_service_date,
    is_sound,
    prior_doubts,
    count_end_date,
    unnest(list_filter(
        [
            case
                when shares_left
                    then { 'scope_order': 1, 'scope': 'same_site', 'side': 'left', 'may_be_diagnostic': may_be_diagnostic_left }
            end,
            case
                when shares_right
                    then { 'scope_order': 1, 'scope': 'same_site', 'side': 'right', 'may_be_diagnostic': may_be_diagnostic_right }
            end,
            case
                when may_share_left
                    then { 'scope_order': 2, 'scope': 'unspecified_site', 'side': 'left', 'may_be_diagnostic': may_be_diagnostic_left }
            end,
            case
                when may_share_right
                    then { 'scope_order': 2, 'scope': 'unspecified_site', 'side': 'right', 'may_be_diagnostic': may_be_diagnostic_right }
            end,
        ],
        lambda shared: shared is not null
    ), max_depth := 2),
from pairs
where is_counted
