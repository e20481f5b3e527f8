-- title: What went before an injection, by scope
-- grain: person_id, service_date, scope: a scope that holds an earlier injection
--
-- The latest earlier injection of the scope, the latest sound one, and how many earlier injections of the same series are in the scope: all
-- of them, and those without doubts, with the doubts of the others.

with kind_history as (
    select
        person_id,
        side_kind,
        service_date,
        series_number,
        max(case when is_sound then service_date end) over kind_order as sound_date,
        row_number() over series_kind_order as series_count,
        sum(case when doubt_bits = 0 then 1 else 0 end) over series_kind_order as clean_count,
        bit_or(doubt_bits) over series_kind_order as doubted_bits,
    from injections
    window
        kind_order as (
            partition by person_id, side_kind order by service_date
            rows between unbounded preceding and current row
        ),
        series_kind_order as (
            partition by person_id, side_kind, series_number order by service_date
            rows between unbounded preceding and current row
        )
),

scoped_injections as (
    select
        injections.person_id,
        injections.service_date,
        injections.series_number,
        scopes.earlier_side_kind,
        scopes.scope,
        scopes.scope_order,
    from injections
    inner join scopes on injections.side_kind = scopes.side_kind
)

select
    scoped_injections.person_id,
    scoped_injections.service_date,
    scoped_injections.scope,
    scoped_injections.scope_order,
    max(kind_history.service_date) as latest_date,
    max(kind_history.sound_date) as latest_sound_date,
    sum(
        case when kind_history.series_number = scoped_injections.series_number then kind_history.series_count else 0 end
    )::bigint as series_count,
    sum(
        case when kind_history.series_number = scoped_injections.series_number then kind_history.clean_count else 0 end
    )::bigint as clean_count,
    coalesce(bit_or(case when kind_history.series_number = scoped_injections.series_number then kind_history.doubted_bits end), 0)
        as doubted_bits,
from scoped_injections
asof inner join kind_history
    on
        scoped_injections.person_id = kind_history.person_id
        and scoped_injections.earlier_side_kind = kind_history.side_kind
        and scoped_injections.service_date > kind_history.service_date
group by
    scoped_injections.person_id, scoped_injections.service_date, scoped_injections.scope, scoped_injections.scope_order
