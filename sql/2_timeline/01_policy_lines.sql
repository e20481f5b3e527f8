-- title: Live lines and whether the policy applies to them
-- grain: line_key: a live line
--
-- The policy applies from its date on, and not to lines of business whose own coverage takes precedence. A crossover line (Medicaid beside
-- Medicare, for the same family on the same day) goes with the line that takes precedence.

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
