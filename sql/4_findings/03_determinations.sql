-- title: Violation or review, and how far it carries
-- grain: finding_id
--
-- What a finding leaves open is what its rule found so, and what its cited lines do: an authorization on one of them, a line of business
-- that none of them tells, a Medicare line beside one, a state whose rules nobody has checked, a date whose policy text is not at hand. What
-- the policy presumes away leaves a violation a violation; any other doubt makes it a review.
--
-- is_violation says whether the rule's own condition for a violation holds.

with repeated_lines as (
    select finding_id
    from cited_lines
    where paid_amount <> 0
    group by finding_id, hcpcs_code, modifiers, billing_npi, paid_amount
    having count(distinct row(data_source, claim_id)) > 1
),

gathered_lines as (
    select
        finding_id,
        bool_or(list_contains(doubts, 'authorized')) as is_authorized,
        bool_and(list_contains(doubts, 'line_of_business_unknown')) as is_line_of_business_unknown,
        bool_or(has_medicare_beside_it) as has_medicare_beside_it,
        bool_or(is_state_unchecked) as is_state_unchecked,
        coalesce(sum(paid_amount), 0) as paid_amount,
        bool_or(is_noted) as is_noted,
        bool_or(names_left = names_right) as has_line_of_no_one_side,
        list(hcpcs_code) as cited_codes,
    from cited_lines
    group by finding_id
),

open_candidates as (
    select
        candidates.* exclude (doubts), -- noqa: RF02
        gathered_lines.* exclude (finding_id), -- noqa: RF02
        policies.presumes,
        coalesce(candidates.doubts, [])
        || case when gathered_lines.is_authorized then ['authorized'] else [] end
        || case when gathered_lines.is_line_of_business_unknown then ['line_of_business_unknown'] else [] end
        || case when gathered_lines.has_medicare_beside_it then ['medicare_beside'] else [] end
        || case when gathered_lines.is_state_unchecked then ['state_rules_unchecked'] else [] end
        || case when candidates.service_date < candidates.text_held_from then ['policy_text_not_held'] else [] end as open_facts,
        candidates.finding_id in (select repeated_lines.finding_id from repeated_lines) as has_repeated_line,
    from candidates
    inner join gathered_lines on candidates.finding_id = gathered_lines.finding_id
    inner join policies on candidates.policy_id = policies.policy_id
),

weighed_candidates as (
    select
        *,
        list_sort(list_distinct(list_filter(open_facts, lambda fact: list_contains(presumes, fact)))) as presumptions,
        list_sort(list_distinct(list_filter(open_facts, lambda fact: not list_contains(presumes, fact)))) as doubts,
    from open_candidates
)

select
    finding_id,
    policy_id,
    rule_id,
    section,
    rank,
    person_id,
    service_date,
    site,
    doubts,
    presumptions,
    case when is_violation and doubts = [] then 'violation' else 'review' end as determination,
    case
        when not is_violation then 4
        when doubts <> [] then 3
        when presumptions <> [] then 2
        else 1
    end as strength_order,
    ['proven', 'presumed', 'likely', 'possible'][strength_order] as strength,
    scope,
    list_sort(list_distinct(cited_codes || coalesce(other_procedure_codes, []))) as procedure_codes,
    prior_service_date,
    interval_days,
    prior_count,
    earliest_compliant_date,
    list_slice(coalesce(prior_claim_ids, []), 1, 50) as prior_claim_ids,
    paid_amount,
    (coalesce(may_cover_more, false) and (breaks_left is null or has_line_of_no_one_side)) or has_repeated_line as is_upper_bound,
    is_noted,
    rationale,
from weighed_candidates
