-- title: Injections in their series
-- grain: person_id, service_date: a date with a live injection
--
-- All live lines of one person and date are one injection, the physician's and the facility's. An injection goes on with the series of the
-- one before it where it is less than $series_months months later. It may be one visit with the one before, dated twice, where that is at most
-- $same_visit_days days earlier and one of the two is billed by facilities alone and the other by none, or both by one facility alone.

with dated_injections as (
    select
        *,
        lag(service_date) over person_order as previous_date,
        lag(is_all_facility) over person_order as was_all_facility,
        lag(has_facility) over person_order as had_facility,
        lag(only_billing_npi) over person_order as previous_billing_npi,
    from site_groups
    where group_kind = 'family' and group_id = $injection_family
    window person_order as (partition by person_id order by service_date)
),

numbered_series as (
    select
        dated_injections.*,
        dated_injections.service_date - dated_injections.previous_date <= $same_visit_days
        and (
            (dated_injections.is_all_facility and not dated_injections.had_facility)
            or (dated_injections.was_all_facility and not dated_injections.has_facility)
            or (
                dated_injections.is_all_facility and dated_injections.was_all_facility
                and dated_injections.only_billing_npi = dated_injections.previous_billing_npi
            )
        ) as may_be_one_visit,
        repeated_services.person_id is not null as may_be_same_service,
        sum(
            case when dated_injections.service_date < (dated_injections.previous_date + to_months($series_months))::date then 0 else 1 end
        ) over (
            partition by dated_injections.person_id order by dated_injections.service_date
            rows between unbounded preceding and current row
        )::bigint as series_number,
    from dated_injections
    left join repeated_services
        on dated_injections.person_id = repeated_services.person_id and dated_injections.service_date = repeated_services.service_date
)

select
    person_id,
    service_date,
    previous_date,
    series_number,
    row_number() over series_order as series_seq,
    first_value(service_date) over series_order as series_start_date,
    site,
    is_certain_left,
    is_certain_right,
    is_possible_left,
    is_possible_right,
    list_sort(
        doubts
        || case when may_be_one_visit then ['may_be_one_visit'] else [] end
        || case when may_be_same_service then ['may_be_same_service'] else [] end
    ) as doubts,
    is_marked_diagnostic,
    line_count,
    paid_amount,
    claim_ids,
    is_applicable,
    is_in_force,
from numbered_series
window series_order as (
    partition by person_id, series_number order by service_date
    rows between unbounded preceding and current row
)
