-- title: Timelines
-- grain: policy_id, person_id, track, service_date
-- column: policy_id: the policy whose limits were used
-- column: person_id: the person
-- column: track: left and right: the side is certain; possible_left and possible_right: it is possible; any: every injection
-- column: service_date: date of service
-- column: track_seq: number within person and track, from 1
-- column: series_seq: number within its series over all tracks
-- column: previous_date: the injection before it on the track
-- column: days_since_previous: days since then
-- column: count_12_months: therapeutic injections of the track before it, within the policy's limit count_months
-- column: is_diagnostic: whether it counts as diagnostic

select
    policy_id,
    person_id,
    track,
    service_date,
    track_seq,
    series_seq,
    previous_date,
    service_date - previous_date as days_since_previous,
    counted_before as count_12_months,
    is_diagnostic,
from policy_tracks
order by policy_id, person_id, track, service_date
