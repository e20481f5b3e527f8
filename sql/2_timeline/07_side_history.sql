-- title: When each side was last injected before an injection
-- grain: person_id, service_date: a date with a live injection
--
-- Only injections in which the side is certain, of any series. Sound ones have columns of their own, since a finding that rests on a sound
-- injection uses sound ones only.

select
    person_id,
    service_date,
    max(case when is_certain_left then service_date end) over earlier as left_date,
    max(case when is_certain_right then service_date end) over earlier as right_date,
    max(case when is_certain_left and is_sound then service_date end) over earlier as sound_left_date,
    max(case when is_certain_right and is_sound then service_date end) over earlier as sound_right_date,
from injections
window earlier as (
    partition by person_id order by service_date
    rows between unbounded preceding and 1 preceding
)
