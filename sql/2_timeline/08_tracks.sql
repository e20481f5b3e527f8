-- title: Injections of a person along each side
-- grain: person_id, track, service_date
-- column: person_id: the person
-- column: track: left and right where the side is certain, possible_left and possible_right where it is possible; any for all
-- column: service_date: date of service of the injection
-- column: series_seq: number in its series, from 1
-- column: track_seq: number in the track, from 1
-- column: previous_date: the injection before it in the track; empty in the first
-- column: is_diagnostic: counts as diagnostic; else as therapeutic
-- column: doubt_bits: doubts of the injection, as bits of 0_reference/doubts.csv
-- column: claim_ids: claims of the injection, sorted
-- column: counted_before: earlier therapeutic injections of the track that are less than $count_months months old
--
-- Tracks left and right hold the injections in which the side is certain, possible_left and possible_right those in which it is possible,
-- any holds all. An earlier injection of the track counts where it is therapeutic and less than $count_months months old.
--
-- counted_before is the number of earlier injections that count.

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
        sum(case when is_diagnostic then 0 else 1 end) over (
            partition by person_id, track order by service_date
            rows between unbounded preceding and current row
        )::bigint as therapeutic_seq,
    from track_injections
    window track_order as (partition by person_id, track order by service_date)
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
    numbered_injections.person_id,
    numbered_injections.track,
    numbered_injections.service_date,
    numbered_injections.series_seq,
    numbered_injections.track_seq,
    numbered_injections.track_previous_date as previous_date,
    numbered_injections.is_diagnostic,
    numbered_injections.doubt_bits,
    numbered_injections.claim_ids,
    numbered_injections.therapeutic_seq - (not numbered_injections.is_diagnostic)::bigint - coalesce(expiries.expired_count, 0)
        as counted_before,
from numbered_injections
asof left join expiries
    on
        numbered_injections.person_id = expiries.person_id
        and numbered_injections.track = expiries.track
        and numbered_injections.service_date >= expiries.expiry_date
