-- title: How many injections of its series went before an injection that came too early
-- grain: person_id, service_date: an injection with an earlier one that is too close
--
-- prior_count is how many injections of the series went before: at one site, on the side that has most of those certain in both; in another
-- scope, those in exactly that scope. clean_count leaves out injections in doubt, whose doubts are counted_doubts.

with scoped_pairs as (
    select
        nearest_pairs.person_id,
        nearest_pairs.service_date,
        nearest_pairs.scope,
        nearest_pairs.shares_left,
        nearest_pairs.shares_right,
        injections.series_number,
        injections.is_certain_left,
        injections.is_certain_right,
        injections.is_possible_left,
        injections.is_possible_right,
    from nearest_pairs
    inner join injections
        on nearest_pairs.person_id = injections.person_id and nearest_pairs.service_date = injections.service_date
),

series_facts as (
    select
        scoped_pairs.person_id,
        scoped_pairs.service_date,
        list_sort(list(distinct series_doubts.doubt)) as counted_doubts,
    from scoped_pairs
    inner join series_doubts
        on
            scoped_pairs.person_id = series_doubts.person_id
            and scoped_pairs.series_number = series_doubts.series_number
            and scoped_pairs.service_date > series_doubts.first_date
            and case scoped_pairs.scope
                when 'same_site'
                    then
                        (scoped_pairs.shares_left and series_doubts.is_certain_left)
                        or (scoped_pairs.shares_right and series_doubts.is_certain_right)
                else
                    not (scoped_pairs.is_certain_left and series_doubts.is_certain_left)
                    and not (scoped_pairs.is_certain_right and series_doubts.is_certain_right)
                    and (scoped_pairs.scope = 'unspecified_site') = (
                        (scoped_pairs.is_possible_left and series_doubts.is_possible_left)
                        or (scoped_pairs.is_possible_right and series_doubts.is_possible_right)
                    )
            end
    group by scoped_pairs.person_id, scoped_pairs.service_date
)

select
    scoped_pairs.person_id,
    scoped_pairs.service_date,
    case scoped_pairs.scope
        when 'same_site'
            then greatest(
                case when scoped_pairs.shares_left then series_counts.certain_left_count end,
                case when scoped_pairs.shares_right then series_counts.certain_right_count end
            )
        when 'unspecified_site' then series_counts.unspecified_site_count
        else series_counts.other_site_count
    end as prior_count,
    case scoped_pairs.scope
        when 'same_site'
            then greatest(
                case when scoped_pairs.shares_left then series_counts.clean_left_count end,
                case when scoped_pairs.shares_right then series_counts.clean_right_count end
            )
        when 'unspecified_site' then series_counts.clean_unspecified_site_count
        else series_counts.clean_other_site_count
    end as clean_count,
    coalesce(series_facts.counted_doubts, []) as counted_doubts,
from scoped_pairs
inner join series_counts
    on scoped_pairs.person_id = series_counts.person_id and scoped_pairs.service_date = series_counts.service_date
left join series_facts
    on scoped_pairs.person_id = series_facts.person_id and scoped_pairs.service_date = series_facts.service_date
