-- title: Injections in their series, and how many of it went before
-- grain: person_id, service_date: a date with a live injection
--
-- All live lines of one person and date are one injection, the physician's and the facility's. An injection goes on with the series of
-- the one before it where it is less than $series_months months later. It may be one visit with the one before, dated twice, where that
-- is at most $same_visit_days days earlier and one of the two is billed by facilities alone and the other by none, or both by one
-- facility alone. It may be the one before, sent again under another date, where that is at most $same_service_days days earlier and for
-- each live line of the later one there is a live line of the earlier one with the same code, modifiers, billing provider and amount.
-- Clean counts leave out injections in doubt.

with injection_lines as (
    select
        person_id,
        service_date,
        list(struct_pack(hcpcs_code, modifiers, billing_npi, paid_amount)) as services,
    from policy_lines
    where is_injection
    group by person_id, service_date
),

dated_injections as (
    select
        site_groups.*,
        injection_lines.services,
        lag(site_groups.service_date) over person_order as previous_date,
        lag(site_groups.is_all_facility) over person_order as was_all_facility,
        lag(site_groups.has_facility) over person_order as had_facility,
        lag(site_groups.only_billing_npi) over person_order as previous_billing_npi,
        lag(injection_lines.services) over person_order as previous_services,
    from site_groups
    left join injection_lines
        on site_groups.person_id = injection_lines.person_id and site_groups.service_date = injection_lines.service_date
    where site_groups.group_kind = 'family' and site_groups.group_id = $injection_family
    window person_order as (partition by site_groups.person_id order by site_groups.service_date)
),

numbered_series as (
    select
        * exclude (doubts),
        service_date - previous_date <= $same_visit_days
        and (
            (is_all_facility and not had_facility)
            or (was_all_facility and not has_facility)
            or (is_all_facility and was_all_facility and only_billing_npi = previous_billing_npi)
        ) as may_be_one_visit,
        service_date - previous_date <= $same_service_days and list_has_all(previous_services, services) as may_be_same_service,
        list_sort(
            doubts
            || case when may_be_one_visit then ['may_be_one_visit'] else [] end
            || case when may_be_same_service then ['may_be_same_service'] else [] end
        ) as doubts,
        sum(case when service_date < (previous_date + to_months($series_months))::date then 0 else 1 end) over (
            partition by person_id order by service_date
            rows between unbounded preceding and current row
        )::bigint as series_number,
    from dated_injections
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
    doubts,
    is_marked_diagnostic,
    line_count,
    paid_amount,
    claim_ids,
    is_applicable,
    is_in_force,
    count(*) over earlier as earlier_count,
    count(*) filter (where is_possible_left) over earlier as possible_left_count,
    count(*) filter (where is_possible_right) over earlier as possible_right_count,
    count(*) filter (where is_certain_left) over earlier as certain_left_count,
    count(*) filter (where is_certain_right) over earlier as certain_right_count,
    count(*) filter (where is_certain_left or is_certain_right) over earlier as certain_side_count,
    count(*) filter (where doubts = []) over earlier as clean_count,
    count(*) filter (where doubts = [] and is_possible_left) over earlier as clean_possible_left_count,
    count(*) filter (where doubts = [] and is_possible_right) over earlier as clean_possible_right_count,
    count(*) filter (where doubts = [] and is_certain_left) over earlier as clean_left_count,
    count(*) filter (where doubts = [] and is_certain_right) over earlier as clean_right_count,
    count(*) filter (where doubts = [] and (is_certain_left or is_certain_right)) over earlier as clean_side_count,
from numbered_series
window
    series_order as (
        partition by person_id, series_number order by service_date
        rows between unbounded preceding and current row
    ),
    earlier as (
        partition by person_id, series_number order by service_date
        rows between unbounded preceding and 1 preceding
    )
