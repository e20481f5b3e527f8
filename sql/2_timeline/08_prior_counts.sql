-- title: How many injections of its series went before an injection that came too early
-- grain: person_id, service_date: an injection with an earlier one that is too close
--
-- prior_count is how many injections of the series went before: at one site, on the side that has most of those certain in both; in another
-- scope, those in exactly that scope. clean_count leaves out injections in doubt, whose doubts are counted_doubts.

with early_injections as (
    select
        nearest_pairs.scope,
        nearest_pairs.shares_left,
        nearest_pairs.shares_right,
        injection_series.*,
    from nearest_pairs
    inner join injection_series
        on nearest_pairs.person_id = injection_series.person_id and nearest_pairs.service_date = injection_series.service_date
),

counted_sides as (
    select
        *,
        case
            when is_certain_left and is_certain_right then certain_side_count
            when is_certain_left then certain_left_count
            when is_certain_right then certain_right_count
            else 0
        end as same_site_count,
        case
            when is_certain_left and is_certain_right then clean_side_count
            when is_certain_left then clean_left_count
            when is_certain_right then clean_right_count
            else 0
        end as clean_same_site_count,
        case
            when is_possible_left and is_possible_right then earlier_count
            when is_possible_left then possible_left_count
            else possible_right_count
        end as possible_site_count,
        case
            when is_possible_left and is_possible_right then clean_count
            when is_possible_left then clean_possible_left_count
            else clean_possible_right_count
        end as clean_possible_site_count,
    from early_injections
),

series_doubts as (
    select
        person_id,
        series_number,
        is_certain_left,
        is_certain_right,
        is_possible_left,
        is_possible_right,
        doubt,
        min(service_date) as first_date,
    from (select *, unnest(doubts) as doubt from injection_series)
    group by all
),

counted_doubts as (
    select
        early_injections.person_id,
        early_injections.service_date,
        list_sort(list(distinct series_doubts.doubt)) as doubts,
    from early_injections
    inner join series_doubts
        on
            early_injections.person_id = series_doubts.person_id
            and early_injections.series_number = series_doubts.series_number
            and early_injections.service_date > series_doubts.first_date
            and case early_injections.scope
                when 'same_site'
                    then
                        (early_injections.shares_left and series_doubts.is_certain_left)
                        or (early_injections.shares_right and series_doubts.is_certain_right)
                else
                    not (early_injections.is_certain_left and series_doubts.is_certain_left)
                    and not (early_injections.is_certain_right and series_doubts.is_certain_right)
                    and (early_injections.scope = 'unspecified_site') = (
                        (early_injections.is_possible_left and series_doubts.is_possible_left)
                        or (early_injections.is_possible_right and series_doubts.is_possible_right)
                    )
            end
    group by early_injections.person_id, early_injections.service_date
)

select
    counted_sides.person_id,
    counted_sides.service_date,
    case counted_sides.scope
        when 'same_site'
            then greatest(
                case when counted_sides.shares_left then counted_sides.certain_left_count end,
                case when counted_sides.shares_right then counted_sides.certain_right_count end
            )
        when 'unspecified_site' then counted_sides.possible_site_count - counted_sides.same_site_count
        else counted_sides.earlier_count - counted_sides.possible_site_count
    end as prior_count,
    case counted_sides.scope
        when 'same_site'
            then greatest(
                case when counted_sides.shares_left then counted_sides.clean_left_count end,
                case when counted_sides.shares_right then counted_sides.clean_right_count end
            )
        when 'unspecified_site' then counted_sides.clean_possible_site_count - counted_sides.clean_same_site_count
        else counted_sides.clean_count - counted_sides.clean_possible_site_count
    end as clean_count,
    coalesce(counted_doubts.doubts, []) as counted_doubts,
from counted_sides
left join counted_doubts
    on counted_sides.person_id = counted_doubts.person_id and counted_sides.service_date = counted_doubts.service_date
