-- title: Live lines and whether the policy applies to them
-- grain: line_key: a live line
--
-- The policy applies to services from its effective date on, except in lines of business whose own coverage takes precedence. It does not
-- apply to a crossover line either (Medicaid beside Medicare, for the same family on the same day).

with covered_lines as (
    select
        *,
        bool_or(list_contains($precedence_lines, line_group)) over (
            partition by person_id, service_date, family_id
        ) as has_precedence_beside_it,
    from live_lines
)

select
    *,
    service_date >= $effective_from as is_in_force,
    list_contains($precedence_lines, line_group)
    or (list_contains($crossover_lines, line_group) and has_precedence_beside_it) as has_precedence,
    is_in_force and not has_precedence as is_applicable,
    list_contains($noted_lines, line_group) as is_noted,
    family_group = $injection_family_group as is_sij,
    family_id = $injection_family as is_injection,
from covered_lines
