-- title: More therapeutic injections than the policy covers in its period
-- section: I.A.3.d
-- rank: 7
-- per: injection
-- cites: sij_injection
-- param: max_count = 4
-- records: procedure notes of the injections counted, and what they say of side and purpose
-- criterion: Less than four therapeutic SIJ injections have been given at the same site in the last 12 months.
--
-- Fewer than $max_count therapeutic injections may have been given at the same site in the $count_months months before. Claims show it where one
-- side is certain in the injection and in each of those counted; where sides are only possible it is a review, and so it is where those
-- counted without the ones in doubt would be too few. Where too few of them are surely therapeutic, the finding presumes that the others were.
-- Similar billing that complies: an injection $count_months months to the day after the first of those that would count; $max_count injections
-- on the left and one on the right.

with numbered_pairs as (
    select
        *,
        row_number() over (
            partition by person_id, service_date, scope_order, side order by prior_service_date desc
        ) as recency,
    from counted_pairs
),

site_counts as (
    select
        person_id,
        service_date,
        scope_order,
        scope,
        side,
        count(*) as counted,
        count(case when is_sound then 1 end) as sound_counted,
        count(case when is_sound and not may_be_diagnostic then 1 end) as surely_counted,
        list_sort(list_distinct(flatten(list(prior_doubts)))) as counted_doubts,
        max(case when recency = $max_count then count_end_date end) as earliest_compliant_date,
        list(prior_service_date) filter (where recency <= $max_count) as limiting_dates,
    from numbered_pairs
    group by person_id, service_date, scope_order, scope, side
),

scoped_counts as (
    select
        person_id,
        service_date,
        scope,
        max(counted) as prior_count,
        max(sound_counted) as sound_count,
        max(surely_counted) as sure_count,
        flatten(list(counted_doubts) filter (where counted >= $max_count)) as counted_doubts,
        max(case when counted >= $max_count then earliest_compliant_date end) as earliest_compliant_date,
        flatten(list(limiting_dates) filter (where counted >= $max_count)) as limiting_dates,
        max(case when side = 'left' then counted end) as left_count,
        max(case when side = 'right' then counted end) as right_count,
        max(case when side = 'left' then sound_counted end) as sound_left_count,
        max(case when side = 'right' then sound_counted end) as sound_right_count,
    from site_counts
    group by person_id, service_date, scope, scope_order
    having max(counted) >= $max_count
    qualify row_number() over (partition by person_id, service_date order by scope_order) = 1
),

broken_sides as (
    select
        *,
        coalesce(case when sound_count >= $max_count then sound_left_count else left_count end >= $max_count, false) as left_is_full,
        coalesce(case when sound_count >= $max_count then sound_right_count else right_count end >= $max_count, false) as right_is_full,
    from scoped_counts
),

limiting_claims as (
    select
        limits.person_id,
        limits.service_date,
        list_sort(list_distinct(flatten(list(injections.claim_ids)))) as claim_ids,
    from (select person_id, service_date, unnest(limiting_dates) as limiting_date from broken_sides) as limits
    inner join injections on limits.person_id = injections.person_id and limits.limiting_date = injections.service_date
    group by limits.person_id, limits.service_date
)

select
    broken_sides.person_id,
    broken_sides.service_date,
    broken_sides.scope = 'same_site' as is_violation,
    broken_sides.scope,
    injections.doubts
    || case when broken_sides.sound_count < $max_count then broken_sides.counted_doubts else [] end
    || case
        when broken_sides.scope <> 'same_site' then ['side_open']
        when broken_sides.sure_count < $max_count then ['purpose_unmarked']
        else []
    end as doubts,
    broken_sides.prior_count,
    broken_sides.earliest_compliant_date,
    case when broken_sides.scope = 'same_site' then broken_sides.left_is_full end as breaks_left,
    case when broken_sides.scope = 'same_site' then broken_sides.right_is_full end as breaks_right,
    broken_sides.scope = 'same_site' and (
        (injections.is_possible_left and not broken_sides.left_is_full)
        or (injections.is_possible_right and not broken_sides.right_is_full)
    ) as may_cover_more,
    limiting_claims.claim_ids as prior_claim_ids,
    'followed ' || broken_sides.prior_count || ' injections that count as therapeutic in ' || $count_months || ' months ('
    || replace(broken_sides.scope, '_', ' ') || '); fewer than ' || $max_count || ' may go before, which holds from '
    || broken_sides.earliest_compliant_date as rationale,
from broken_sides
inner join injections
    on broken_sides.person_id = injections.person_id and broken_sides.service_date = injections.service_date
inner join limiting_claims
    on broken_sides.person_id = limiting_claims.person_id and broken_sides.service_date = limiting_claims.service_date
