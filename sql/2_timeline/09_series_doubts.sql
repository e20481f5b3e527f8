-- title: Since when a series holds an injection with a doubt
-- grain: person_id, series_number, is_certain_left, is_certain_right, is_possible_left, is_possible_right, doubt

with doubted_injections as (
    select
        person_id,
        series_number,
        is_certain_left,
        is_certain_right,
        is_possible_left,
        is_possible_right,
        service_date,
        unnest(doubts) as doubt,
    from injections
)

select
    person_id,
    series_number,
    is_certain_left,
    is_certain_right,
    is_possible_left,
    is_possible_right,
    doubt,
    min(service_date) as first_date,
from doubted_injections
group by person_id, series_number, is_certain_left, is_certain_right, is_possible_left, is_possible_right, doubt
