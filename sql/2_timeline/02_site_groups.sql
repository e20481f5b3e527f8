-- title: Lines of a person and date that belong together, with their sites and doubts
-- grain: person_id, service_date, group_kind, group_id
-- column: person_id: the person
-- column: service_date: date of service
-- column: group_kind: family, code or family_group: what the lines of the group have in common
-- column: group_id: the family, the code or the group of families
-- column: is_certain_left: every billing provider that names a side names the left
-- column: is_certain_right: every billing provider that names a side names the right
-- column: is_possible_left: a billing provider names the left, or no side is certain
-- column: is_possible_right: a billing provider names the right, or no side is certain
-- column: site: left, right, bilateral or unspecified, as far as it is certain
-- column: doubt_bits: doubts of the group, as bits of 0_reference/doubts.csv
-- column: line_count: live lines of the group
-- column: paid_amount: US dollars paid for them
-- column: claim_ids: their claims, sorted
-- column: procedure_codes: their codes, sorted
-- column: is_marked_diagnostic: a line carries a modifier that marks it as diagnostic
-- column: is_all_institutional: all lines are a facility's
-- column: has_institutional: a line is a facility's
-- column: is_applicable: the policy applies to a line
-- column: is_in_force: a line is not older than the policy
--
-- A group holds the lines of one family, of one code, or of one group of families. Billing providers name sides by modifiers: a side is
-- certain where every billing provider that names a side names it, and possible where one names it; where no side is certain, both are
-- possible. The doubts denial_unclear, date_from_header and replacement_unmatched count for a group only where each of its lines has one of
-- them. The doubt discontinued counts where one line has it.

with grouped_lines as (
    select
        policy_lines.*,
        unnest(['family', 'code', 'family_group']) as group_kind,
        unnest([policy_lines.family_id, policy_lines.hcpcs_code, policy_lines.family_group]) as group_id,
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

group_sides as (
    select
        person_id,
        service_date,
        group_kind,
        group_id,
        coalesce(bool_and(case when names_left or names_right then names_left end), false) as all_name_left,
        coalesce(bool_and(case when names_left or names_right then names_right end), false) as all_name_right,
        bool_or(names_left) as one_names_left,
        bool_or(names_right) as one_names_right,
    from provider_sides
    group by person_id, service_date, group_kind, group_id
),

gathered_lines as (
    select
        grouped_lines.person_id,
        grouped_lines.service_date,
        grouped_lines.group_kind,
        grouped_lines.group_id,
        count(*) as line_count,
        coalesce(sum(grouped_lines.paid_amount), 0) as paid_amount,
        list_sort(list(distinct grouped_lines.claim_id)) as claim_ids,
        list_sort(list(distinct grouped_lines.hcpcs_code)) as procedure_codes,
        bool_or(grouped_lines.is_marked_diagnostic) as is_marked_diagnostic,
        bool_and(grouped_lines.is_institutional) as is_all_institutional,
        bool_or(grouped_lines.is_institutional) as has_institutional,
        bool_or(grouped_lines.is_applicable) as is_applicable,
        bool_or(grouped_lines.is_in_force) as is_in_force,
        case when bool_or(grouped_lines.is_plain) then 0 else bit_or(grouped_lines.doubt_bits & bits.about_the_line) end
        | bit_or(grouped_lines.doubt_bits & bits.discontinued) as doubt_bits,
    from grouped_lines
    cross join bits
    group by grouped_lines.person_id, grouped_lines.service_date, grouped_lines.group_kind, grouped_lines.group_id
)

select
    gathered_lines.person_id,
    gathered_lines.service_date,
    gathered_lines.group_kind,
    gathered_lines.group_id,
    group_sides.all_name_left as is_certain_left,
    group_sides.all_name_right as is_certain_right,
    group_sides.one_names_left or not group_sides.all_name_right as is_possible_left,
    group_sides.one_names_right or not group_sides.all_name_left as is_possible_right,
    case
        when group_sides.all_name_left and group_sides.all_name_right then 'bilateral'
        when group_sides.all_name_left then 'left'
        when group_sides.all_name_right then 'right'
        else 'unspecified'
    end as site,
    gathered_lines.doubt_bits,
    gathered_lines.line_count,
    gathered_lines.paid_amount,
    gathered_lines.claim_ids,
    gathered_lines.procedure_codes,
    gathered_lines.is_marked_diagnostic,
    gathered_lines.is_all_institutional,
    gathered_lines.has_institutional,
    gathered_lines.is_applicable,
    gathered_lines.is_in_force,
from gathered_lines
inner join group_sides
    on
        gathered_lines.person_id = group_sides.person_id
        and gathered_lines.service_date = group_sides.service_date
        and gathered_lines.group_kind = group_sides.group_kind
        and gathered_lines.group_id = group_sides.group_id
