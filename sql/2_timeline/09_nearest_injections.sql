-- title: The earlier injection that is too close
-- grain: person_id, service_date: an injection with an earlier one that is too close
-- column: person_id: the person
-- column: service_date: date of service
-- column: scope: same_site, unspecified_site or other_site: what the earlier injection is to this one
-- column: prior_service_date: date of the earlier injection
-- column: interval_days: days from the earlier injection
-- column: interval_end_date: the first date that keeps the interval of the policy to it
-- column: prior_count: injections of the series that went before, of that site or scope
-- column: clean_count: those of them in no doubt
-- column: counted_doubts: the doubts of the others
-- column: is_diagnostic: counts as diagnostic; else as therapeutic
-- column: doubts: what claims leave open of it, sorted
-- column: is_prior_diagnostic: the earlier one counts as diagnostic
-- column: prior_doubts: what claims leave open of the earlier one, sorted
-- column: may_prior_be_diagnostic: the earlier one may be diagnostic at every side certain in both
-- column: prior_claim_ids: claims of the earlier injection, sorted
-- column: breaks_left: at the left, which is certain, an earlier one came too shortly before
-- column: breaks_right: at the right, which is certain, an earlier one came too shortly before
-- column: has_other_side: a possible side does not break the rule
--
-- Looked at is the strictest scope that holds an injection less than $interval_months months before; of it the latest sound one, else the
-- latest.
--
-- prior_count is how many injections of the series went before: at one site, on the side that has most of those certain in both; in another
-- scope, those in exactly that scope. clean_count leaves out injections in doubt, whose doubts are counted_doubts. breaks_left and breaks_right
-- say at which certain sides of the later injection an earlier one came too shortly before.

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
),

counted_pairs as (
    select
        nearest_pairs.*,
        later.series_number,
        later.is_certain_left,
        later.is_certain_right,
        later.is_possible_left,
        later.is_possible_right,
        later.is_diagnostic,
        later.doubts,
        case nearest_pairs.scope
            when 'same_site'
                then greatest(
                    case when nearest_pairs.shares_left then series_counts.certain_left_count else 0 end,
                    case when nearest_pairs.shares_right then series_counts.certain_right_count else 0 end
                )
            when 'unspecified_site' then series_counts.unspecified_site_count
            else series_counts.other_site_count
        end as prior_count,
        case nearest_pairs.scope
            when 'same_site'
                then greatest(
                    case when nearest_pairs.shares_left then series_counts.clean_left_count else 0 end,
                    case when nearest_pairs.shares_right then series_counts.clean_right_count else 0 end
                )
            when 'unspecified_site' then series_counts.clean_unspecified_site_count
            else series_counts.clean_other_site_count
        end as clean_count,
    from nearest_pairs
    inner join injections as later
        on nearest_pairs.person_id = later.person_id and nearest_pairs.service_date = later.service_date
    inner join series_counts
        on nearest_pairs.person_id = series_counts.person_id and nearest_pairs.service_date = series_counts.service_date
),

counted_doubts as (
    select
        counted_pairs.person_id,
        counted_pairs.service_date,
        list_sort(list(distinct series_doubts.doubt)) as counted_doubts,
    from counted_pairs
    inner join series_doubts
        on
            counted_pairs.person_id = series_doubts.person_id
            and counted_pairs.series_number = series_doubts.series_number
            and counted_pairs.service_date > series_doubts.first_date
            and case counted_pairs.scope
                when 'same_site'
                    then
                        (counted_pairs.shares_left and series_doubts.is_certain_left)
                        or (counted_pairs.shares_right and series_doubts.is_certain_right)
                else
                    not (counted_pairs.is_certain_left and series_doubts.is_certain_left)
                    and not (counted_pairs.is_certain_right and series_doubts.is_certain_right)
                    and (counted_pairs.scope = 'unspecified_site') = (
                        (counted_pairs.is_possible_left and series_doubts.is_possible_left)
                        or (counted_pairs.is_possible_right and series_doubts.is_possible_right)
                    )
            end
    group by counted_pairs.person_id, counted_pairs.service_date
)

select
    counted_pairs.person_id,
    counted_pairs.service_date,
    counted_pairs.scope,
    counted_pairs.prior_service_date,
    counted_pairs.service_date - counted_pairs.prior_service_date as interval_days,
    counted_pairs.interval_end_date,
    counted_pairs.prior_count,
    counted_pairs.clean_count,
    coalesce(counted_doubts.counted_doubts, []) as counted_doubts,
    counted_pairs.is_diagnostic,
    counted_pairs.doubts,
    counted_pairs.is_prior_diagnostic,
    counted_pairs.prior_doubts,
    (not counted_pairs.shares_left or counted_pairs.may_be_diagnostic_left)
    and (not counted_pairs.shares_right or counted_pairs.may_be_diagnostic_right) as may_prior_be_diagnostic,
    prior.claim_ids as prior_claim_ids,
    coalesce(broken_sides.breaks_left, false) as breaks_left,
    coalesce(broken_sides.breaks_right, false) as breaks_right,
    (counted_pairs.is_possible_left and not coalesce(broken_sides.breaks_left, false))
    or (counted_pairs.is_possible_right and not coalesce(broken_sides.breaks_right, false)) as has_other_side,
from counted_pairs
inner join injections as prior
    on counted_pairs.person_id = prior.person_id and counted_pairs.prior_service_date = prior.service_date
left join counted_doubts
    on counted_pairs.person_id = counted_doubts.person_id and counted_pairs.service_date = counted_doubts.service_date
left join broken_sides
    on counted_pairs.person_id = broken_sides.person_id and counted_pairs.service_date = broken_sides.service_date
