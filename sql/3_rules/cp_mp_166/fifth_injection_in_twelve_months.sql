-- title: More therapeutic injections than the policy covers in its period
-- section: I.A.3.d
-- criterion: Less than four therapeutic SIJ injections have been given at the same site in the last 12 months.
-- rank: 7
-- per: injection
-- cites: sij_injection
-- param: max_count = 4
-- records: procedure notes of the injections counted, and what they say of side and purpose
--
-- Fewer than $max_count therapeutic injections may have been given at the same site in the $count_months months before. It is a violation
-- where one side is certain in the injection and in each of those counted. It is a review where sides are only possible, where the
-- injections reach the limit only over all sites together, or where too few remain once those in doubt are left out. Similar billing that
-- complies: an injection $count_months months to the day after the first of those that would count; $max_count injections on the left and
-- one on the right.

with counted_tracks as (
    select
        person_id,
        track,
        service_date,
        counted_before,
        doubt_bits,
        case
            when track in ('left', 'right') then 1
            when track in ('possible_left', 'possible_right') then 2
            else 3
        end as scope_order,
        count(case when doubt_bits = 0 then 1 end) over counted_injections as sound_count,
        bit_or(doubt_bits) over counted_injections as counted_doubt_bits,
        lag(service_date, $max_count::integer) over track_order as limiting_date,
        flatten(list(claim_ids) over (track_order rows between $max_count preceding and 1 preceding)) as limiting_claim_ids,
    from tracks
    where not is_diagnostic
    window
        track_order as (partition by person_id, track order by service_date),
        counted_injections as (track_order rows between counted_before preceding and 1 preceding)
),

scoped_counts as (
    select
        person_id,
        service_date,
        ['same_site', 'unspecified_site', 'other_site'][scope_order] as scope,
        any_value(doubt_bits) as doubt_bits,
        max(counted_before) as prior_count,
        max(sound_count) as sound_count,
        bit_or(case when counted_before >= $max_count then counted_doubt_bits end) as counted_doubt_bits,
        max(case when counted_before >= $max_count then (limiting_date + to_months($count_months))::date end)
            as earliest_compliant_date,
        list_sort(list_distinct(flatten(list(case when counted_before >= $max_count then limiting_claim_ids end)))) as prior_claim_ids,
        any_value(case when track = 'left' then counted_before end) as left_count,
        any_value(case when track = 'left' then sound_count end) as sound_left_count,
        any_value(case when track = 'right' then counted_before end) as right_count,
        any_value(case when track = 'right' then sound_count end) as sound_right_count,
    from counted_tracks
    group by person_id, service_date, scope_order
    having max(counted_before) >= $max_count
    qualify row_number() over (partition by person_id, service_date order by scope_order) = 1
),

broken_sides as (
    select
        *,
        coalesce(case when sound_count >= $max_count then sound_left_count else left_count end >= $max_count, false) as left_is_full,
        coalesce(case when sound_count >= $max_count then sound_right_count else right_count end >= $max_count, false) as right_is_full,
    from scoped_counts
)

select
    broken_sides.person_id,
    broken_sides.service_date,
    broken_sides.scope = 'same_site' and broken_sides.sound_count >= $max_count as is_violation,
    broken_sides.scope,
    broken_sides.doubt_bits,
    broken_sides.counted_doubt_bits as noted_doubt_bits,
    broken_sides.prior_count,
    broken_sides.earliest_compliant_date,
    case when broken_sides.scope = 'same_site' then broken_sides.left_is_full end as breaks_left,
    case when broken_sides.scope = 'same_site' then broken_sides.right_is_full end as breaks_right,
    broken_sides.scope = 'same_site' and (
        (injections.is_possible_left and not broken_sides.left_is_full)
        or (injections.is_possible_right and not broken_sides.right_is_full)
    ) as may_cover_more,
    broken_sides.prior_claim_ids,
    'followed ' || broken_sides.prior_count || ' therapeutic injections in ' || $count_months || ' months ('
    || replace(broken_sides.scope, '_', ' ') || '); fewer than ' || $max_count || ' may go before, which holds from '
    || broken_sides.earliest_compliant_date as rationale,
from broken_sides
inner join injections
    on broken_sides.person_id = injections.person_id and broken_sides.service_date = injections.service_date
