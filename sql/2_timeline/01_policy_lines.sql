-- title: Live lines and whether the policy applies to them
-- grain: line_key: a live line
--
-- The policy applies from its date on, and not to lines of business whose own coverage takes precedence. A crossover line (Medicaid beside
-- Medicare, for the same family on the same day) goes with the line that takes precedence, and so does a Medicaid line of a state whose rules
-- do.

with covered_lines as (
    select
        live_lines.*,
        list_contains($precedence_lines, live_lines.line_group) as has_own_precedence,
        list_contains($crossover_lines, live_lines.line_group) as is_crossover,
        list_contains($noted_lines, live_lines.line_group) as is_noted,
        state_rules.outcome as state_outcome,
        bool_or(list_contains($precedence_lines, live_lines.line_group)) over (
            partition by live_lines.person_id, live_lines.service_date, live_lines.family_id
        ) as has_precedence_beside_it,
    from live_lines
    left join state_rules
        on
            state_rules.policy_id = $policy_id
            and list_contains($noted_lines, live_lines.line_group)
            and upper(live_lines.state) = state_rules.state
            and live_lines.service_date >= coalesce(state_rules.effective_from, live_lines.service_date)
            and live_lines.service_date <= coalesce(state_rules.effective_to, live_lines.service_date)
)

select
    * exclude (has_own_precedence, is_crossover, has_precedence_beside_it, state_outcome),
    service_date >= $effective_from as is_in_force,
    has_own_precedence
    or (is_crossover and has_precedence_beside_it)
    or coalesce(state_outcome = 'precedence', false) as has_precedence,
    is_in_force and not has_precedence as is_applicable,
    is_noted and state_outcome is null as is_state_unchecked,
    has_precedence_beside_it and not has_own_precedence and not is_crossover as has_medicare_beside_it,
    family_group = $injection_family_group as is_sij,
    family_id = $injection_family as is_injection,
from covered_lines
