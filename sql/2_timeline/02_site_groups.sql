-- title: Lines of a person and date that belong together, with their sites and doubts
-- grain: person_id, service_date, group_kind, group_id
--
-- A group holds the lines of one family, or of one code. Each billing provider says sides by modifiers: a side is certain where every one who
-- says anything says it, possible where one says it; where no side is certain both are possible. One line that is plain settles for its group
-- whether the procedure was done on that date. One discontinued line is enough for the group.

with grouped_lines as (
    select
        policy_lines.*,
        unnest(['family', 'code']) as group_kind,
        unnest([policy_lines.family_id, policy_lines.hcpcs_code]) as group_id,
    from policy_lines
),

provider_sides as (
    select
        person_id,
        service_date,
        group_kind,
        group_id,
        bool_or(names_left) as names_left,
        bool_or(names_right) as names_right,
    from grouped_lines
    group by person_id, service_date, group_kind, group_id, billing_npi, case when billing_npi is null then claim_key end
),

said_sides as (
    select
        person_id,
        service_date,
        group_kind,
        group_id,
        coalesce(bool_and(case when names_left or names_right then names_left end), false) as all_say_left,
        coalesce(bool_and(case when names_left or names_right then names_right end), false) as all_say_right,
        bool_or(names_left) as one_says_left,
        bool_or(names_right) as one_says_right,
    from provider_sides
    group by person_id, service_date, group_kind, group_id
),

gathered_lines as (
    select
        person_id,
        service_date,
        group_kind,
        group_id,
        count(*) as line_count,
        coalesce(sum(paid_amount), 0) as paid_amount,
        list_sort(list(distinct claim_id)) as claim_ids,
        bool_or(is_marked_diagnostic) as is_marked_diagnostic,
        bool_and(is_facility) as is_all_facility,
        bool_or(is_facility) as has_facility,
        case when count(billing_npi) = count(*) and min(billing_npi) = max(billing_npi) then any_value(billing_npi) end as only_billing_npi,
        bool_or(is_applicable) as is_applicable,
        bool_or(is_in_force) as is_in_force,
        list_intersect(
            flatten(list(doubts)),
            case when bool_or(is_plain) then [] else (select list(doubts.doubt_id) from doubts where doubts.is_about_the_line) end
            || ['discontinued']
        ) as doubts,
    from grouped_lines
    group by person_id, service_date, group_kind, group_id
)

select
    gathered_lines.* exclude (doubts),
    list_sort(gathered_lines.doubts) as doubts,
    said_sides.all_say_left as is_certain_left,
    said_sides.all_say_right as is_certain_right,
    said_sides.one_says_left or not (said_sides.all_say_left or said_sides.all_say_right) as is_possible_left,
    said_sides.one_says_right or not (said_sides.all_say_left or said_sides.all_say_right) as is_possible_right,
    case
        when said_sides.all_say_left and said_sides.all_say_right then 'bilateral'
        when said_sides.all_say_left then 'left'
        when said_sides.all_say_right then 'right'
        else 'unspecified'
    end as site,
from gathered_lines
inner join said_sides
    on
        gathered_lines.person_id = said_sides.person_id
        and gathered_lines.service_date = said_sides.service_date
        and gathered_lines.group_kind = said_sides.group_kind
        and gathered_lines.group_id = said_sides.group_id
