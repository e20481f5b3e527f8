-- title: An injection and each earlier one of its person that a rule may look at
-- grain: person_id, service_date, prior_service_date
-- column: person_id: the person
-- column: service_date: date of service
-- column: prior_service_date: date of the earlier injection
-- column: scope_order: 1, 2 or 3: the strictest scope first
-- column: scope: same_site, unspecified_site or other_site: what the earlier injection is to this one
-- column: shares_left: the left is certain in both
-- column: shares_right: the right is certain in both
-- column: may_share_left: the left is possible in both
-- column: may_share_right: the right is possible in both
-- column: is_too_close: the later one comes before the interval has passed
-- column: is_counted: both are therapeutic, and the earlier one still counts
-- column: is_sound: therapeutic and in no doubt
-- column: is_prior_diagnostic: the earlier one counts as diagnostic
-- column: may_be_diagnostic_left: nothing marks it so, but it may be one of those for diagnosis at the left
-- column: may_be_diagnostic_right: nothing marks it so, but it may be one of those for diagnosis at the right
-- column: prior_doubts: what claims leave open of the earlier one, sorted
-- column: interval_end_date: the first date that keeps the interval of the policy to it
-- column: count_end_date: the first date on which it is no longer counted
--
-- Earlier injections less than $interval_months or $count_months months before, whichever is longer. The scope is same_site where a side is
-- certain in both, else unspecified_site where a side is possible in both, else other_site: the first is the strictest.

with earlier_injections as (
    select
        *,
        greatest(interval_end_date, count_end_date) as pair_end_date,
        unnest(range(year(service_date), year(greatest(interval_end_date, count_end_date)) + 1)) as later_year,
    from injections
)

select
    later.person_id,
    later.service_date,
    earlier.service_date as prior_service_date,
    case
        when (later.is_certain_left and earlier.is_certain_left) or (later.is_certain_right and earlier.is_certain_right) then 1
        when (later.is_possible_left and earlier.is_possible_left) or (later.is_possible_right and earlier.is_possible_right) then 2
        else 3
    end as scope_order,
    ['same_site', 'unspecified_site', 'other_site'][scope_order] as scope,
    later.is_certain_left and earlier.is_certain_left as shares_left,
    later.is_certain_right and earlier.is_certain_right as shares_right,
    later.is_possible_left and earlier.is_possible_left as may_share_left,
    later.is_possible_right and earlier.is_possible_right as may_share_right,
    later.service_date < earlier.interval_end_date as is_too_close,
    later.service_date < earlier.count_end_date and not earlier.is_diagnostic and not later.is_diagnostic as is_counted,
    earlier.is_sound,
    earlier.is_diagnostic as is_prior_diagnostic,
    earlier.may_be_diagnostic_left,
    earlier.may_be_diagnostic_right,
    earlier.doubts as prior_doubts,
    earlier.interval_end_date,
    earlier.count_end_date,
from injections as later
inner join earlier_injections as earlier
    on
        later.person_id = earlier.person_id
        and year(later.service_date) = earlier.later_year
        and earlier.service_date < later.service_date
        and later.service_date < earlier.pair_end_date
