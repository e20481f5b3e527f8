-- title: An injection and the earlier one that is too close
-- grain: person_id, service_date: an injection with an earlier one that is too close
--
-- Of the earlier injections less than $interval_months months before, those of the strictest scope come first; of these the latest sound one,
-- else the latest. breaks_left and breaks_right say at which sides that are certain in both an earlier one came too shortly before: a sound one
-- where the one that comes first is.

with close_pairs as (
    select *
    from pairs
    where is_too_close
),

nearest_pairs as (
    select *
    from close_pairs
    qualify row_number() over (
        partition by person_id, service_date
        order by scope_order, is_sound desc, prior_service_date desc
    ) = 1
),

broken_sides as (
    select
        close_pairs.person_id,
        close_pairs.service_date,
        bool_or(close_pairs.shares_left) as breaks_left,
        bool_or(close_pairs.shares_right) as breaks_right,
    from close_pairs
    inner join nearest_pairs
        on close_pairs.person_id = nearest_pairs.person_id and close_pairs.service_date = nearest_pairs.service_date
    where close_pairs.is_sound or not nearest_pairs.is_sound
    group by close_pairs.person_id, close_pairs.service_date
)

select
    nearest_pairs.person_id,
    nearest_pairs.service_date,
    nearest_pairs.prior_service_date,
    nearest_pairs.scope,
    nearest_pairs.shares_left,
    nearest_pairs.shares_right,
    nearest_pairs.interval_end_date,
    nearest_pairs.is_prior_diagnostic,
    nearest_pairs.prior_doubts,
    (not nearest_pairs.shares_left or nearest_pairs.may_be_diagnostic_left)
    and (not nearest_pairs.shares_right or nearest_pairs.may_be_diagnostic_right) as may_prior_be_diagnostic,
    broken_sides.breaks_left,
    broken_sides.breaks_right,
from nearest_pairs
inner join broken_sides
    on nearest_pairs.person_id = broken_sides.person_id and nearest_pairs.service_date = broken_sides.service_date
