-- title: Injections in their series
-- grain: person_id, service_date: a date with a live injection
--
-- All live lines of one person and date are one injection, the physician's and the facility's. An injection continues the series of the one
-- before it where it is less than $series_months months later.
--
-- side_kind is a number for which sides are certain and which are possible.

with dated_injections as (
    select
        site_groups.*,
        lag(service_date) over person_order as previous_date,
        lag(is_all_institutional) over person_order as was_all_institutional,
        lag(has_institutional) over person_order as had_institutional,
    from site_groups
    where group_kind = 'family' and group_id = $injection_family
    window person_order as (partition by person_id order by service_date)
),

numbered_series as (
    select
        *,
        sum(case when service_date < (previous_date + to_months($series_months))::date then 0 else 1 end) over (
            partition by person_id order by service_date
            rows between unbounded preceding and current row
        )::bigint as series_number,
    from dated_injections
)

select
    numbered_series.person_id,
    numbered_series.service_date,
    numbered_series.previous_date,
    numbered_series.series_number,
    row_number() over series_order as series_seq,
    first_value(numbered_series.service_date) over series_order as series_start_date,
    numbered_series.site,
    numbered_series.is_certain_left,
    numbered_series.is_certain_right,
    numbered_series.is_possible_left,
    numbered_series.is_possible_right,
    8 * numbered_series.is_certain_left::bigint + 4 * numbered_series.is_certain_right::bigint
    + 2 * numbered_series.is_possible_left::bigint + numbered_series.is_possible_right::bigint as side_kind,
    numbered_series.doubt_bits
    | case
        when
            numbered_series.service_date - numbered_series.previous_date <= $same_visit_days
            and (
                (numbered_series.is_all_institutional and not numbered_series.had_institutional)
                or (numbered_series.was_all_institutional and not numbered_series.has_institutional)
            )
            then bits.may_be_one_visit
        else 0
    end as doubt_bits,
    numbered_series.is_marked_diagnostic,
    numbered_series.line_count,
    numbered_series.paid_amount,
    numbered_series.claim_ids,
    numbered_series.is_applicable,
    numbered_series.is_in_force,
from numbered_series
cross join bits
window series_order as (
    partition by numbered_series.person_id, numbered_series.series_number
    order by numbered_series.service_date
    rows between unbounded preceding and current row
)
