-- title: Injections of a person along each side
-- grain: person_id, track, service_date
-- column: person_id: the person
-- column: track: left, right: the side is certain; possible_left, possible_right: it is possible; any
-- column: service_date: date of service
-- column: series_seq: number in its series, from 1
-- column: track_seq: number on the track, from 1
-- column: previous_date: the one before it; empty in the first
-- column: is_diagnostic: counts as diagnostic; else as therapeutic
-- column: counted_before: therapeutic injections of the track that still count, before it
-- column: chain_start_date: first of the injections of the track, each in time after the one before, that lead to it
--
-- Tracks left and right hold the injections in which the side is certain, possible_left and possible_right those in which it is possible,
-- any holds all. Therapeutic injections of the track that are less than $count_months months old count.
--
-- counted_before is how many of those went before. chain_start_date is the first of the track's injections, each less than $series_months months
-- after the one before, that lead to this one.

with track_injections as (
    select
        injections.*,
        unnest(list_filter(
            [
                case when is_certain_left then 'left' end,
                case when is_certain_right then 'right' end,
                case when is_possible_left then 'possible_left' end,
                case when is_possible_right then 'possible_right' end,
                'any',
            ],
            lambda name: name is not null
        )) as track,
    from injections
),

numbered_injections as (
    select
        *,
        row_number() over track_order as track_seq,
        lag(service_date) over track_order as track_previous_date,
        count(*) filter (where not is_diagnostic) over track_order as therapeutic_seq,
    from track_injections
    window track_order as (
        partition by person_id, track order by service_date
        rows between unbounded preceding and current row
    )
),

chained_injections as (
    select
        *,
        count(*) filter (where service_date >= (track_previous_date + to_months($series_months))::date) over (
            partition by person_id, track order by service_date
            rows between unbounded preceding and current row
        ) as chain_number,
    from numbered_injections
),

expiries as (
    select
        person_id,
        track,
        (service_date + to_months($count_months))::date as expiry_date,
        max(therapeutic_seq) as expired_count,
    from numbered_injections
    group by all
)

select
    chained_injections.person_id,
    chained_injections.track,
    chained_injections.service_date,
    chained_injections.series_seq,
    chained_injections.track_seq,
    chained_injections.track_previous_date as previous_date,
    chained_injections.is_diagnostic,
    chained_injections.therapeutic_seq - (not chained_injections.is_diagnostic)::bigint - coalesce(expiries.expired_count, 0)
        as counted_before,
    min(chained_injections.service_date) over (
        partition by chained_injections.person_id, chained_injections.track, chained_injections.chain_number
    ) as chain_start_date,
from chained_injections
asof left join expiries
    on
        chained_injections.person_id = expiries.person_id
        and chained_injections.track = expiries.track
        and chained_injections.service_date >= expiries.expiry_date
