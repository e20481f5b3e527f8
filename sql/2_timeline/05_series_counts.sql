-- title: How many injections of its series went before an injection
-- grain: person_id, service_date: a date with a live injection
--
-- Counted by what the sides are to those of the injection: clean counts leave out injections in doubt. Of a scope are the injections that are in
-- exactly that scope.

with counted_injections as (
    select
        *,
        count(*) over earlier as earlier_count,
        count(*) filter (where is_possible_left) over earlier as possible_left_count,
        count(*) filter (where is_possible_right) over earlier as possible_right_count,
        count(*) filter (where is_certain_left) over earlier as certain_left_count,
        count(*) filter (where is_certain_right) over earlier as certain_right_count,
        count(*) filter (where is_certain_left or is_certain_right) over earlier as certain_side_count,
        count(*) filter (where doubts = []) over earlier as clean_count,
        count(*) filter (where doubts = [] and is_possible_left) over earlier as clean_possible_left_count,
        count(*) filter (where doubts = [] and is_possible_right) over earlier as clean_possible_right_count,
        count(*) filter (where doubts = [] and is_certain_left) over earlier as clean_left_count,
        count(*) filter (where doubts = [] and is_certain_right) over earlier as clean_right_count,
        count(*) filter (where doubts = [] and (is_certain_left or is_certain_right)) over earlier as clean_side_count,
    from injection_series
    window earlier as (
        partition by person_id, series_number order by service_date
        rows between unbounded preceding and 1 preceding
    )
),

scoped_counts as (
    select
        *,
        case
            when is_certain_left and is_certain_right then certain_side_count
            when is_certain_left then certain_left_count
            when is_certain_right then certain_right_count
            else 0
        end as same_site_count,
        case
            when is_possible_left and is_possible_right then earlier_count
            when is_possible_left then possible_left_count
            else possible_right_count
        end as possible_site_count,
        case
            when is_certain_left and is_certain_right then clean_side_count
            when is_certain_left then clean_left_count
            when is_certain_right then clean_right_count
            else 0
        end as clean_same_site_count,
        case
            when is_possible_left and is_possible_right then clean_count
            when is_possible_left then clean_possible_left_count
            else clean_possible_right_count
        end as clean_possible_site_count,
    from counted_injections
)

select
    person_id,
    service_date,
    possible_left_count,
    possible_right_count,
    certain_left_count,
    certain_right_count,
    clean_left_count,
    clean_right_count,
    possible_site_count - same_site_count as unspecified_site_count,
    clean_possible_site_count - clean_same_site_count as clean_unspecified_site_count,
    earlier_count - possible_site_count as other_site_count,
    clean_count - clean_possible_site_count as clean_other_site_count,
from scoped_counts
