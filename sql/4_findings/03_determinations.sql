-- title: Violation or review
-- grain: finding_id
--
-- A finding is a violation only where nothing is left open: the rule found no doubt, no cited line has an authorization, at least one cited
-- line has a known line of business, and the policy's text of that date is at hand. Doubts that a rule merely notes are listed and decide
-- nothing.

with gathered_lines as (
    select
        finding_id,
        bit_or(doubt_bits) as any_doubt_bits,
        bit_and(doubt_bits) as all_doubt_bits,
        coalesce(sum(paid_amount), 0) as paid_amount,
        bool_or(is_noted) as is_noted,
        bool_or(names_left = names_right) as has_line_of_no_one_side,
        list_sort(list(distinct hcpcs_code)) as cited_codes,
    from cited_lines
    group by finding_id
),

weighed_candidates as (
    select
        candidates.*,
        gathered_lines.paid_amount,
        gathered_lines.is_noted,
        gathered_lines.has_line_of_no_one_side,
        gathered_lines.cited_codes,
        coalesce(candidates.doubt_bits, 0)
        | (gathered_lines.any_doubt_bits & bits.authorized)
        | (gathered_lines.all_doubt_bits & bits.line_of_business_unknown)
        | case when candidates.service_date < candidates.text_held_from then bits.policy_text_not_held else 0 end as deciding_doubt_bits,
    from candidates
    inner join gathered_lines on candidates.finding_id = gathered_lines.finding_id
    cross join bits
)

select
    finding_id,
    policy_id,
    rule_id,
    section,
    rank,
    person_id,
    service_date,
    group_kind,
    group_id,
    is_violation as would_be_violation,
    deciding_doubt_bits,
    deciding_doubt_bits | coalesce(noted_doubt_bits, 0) as doubt_bits,
    case when is_violation and deciding_doubt_bits = 0 then 'violation' else 'review' end as determination,
    scope,
    coalesce(procedure_codes, cited_codes) as procedure_codes,
    prior_service_date,
    interval_days,
    prior_count,
    earliest_compliant_date,
    coalesce(prior_claim_ids, []) as prior_claim_ids,
    paid_amount,
    coalesce(may_cover_more, false) and (breaks_left is null or has_line_of_no_one_side) as is_upper_bound,
    is_noted,
    rationale,
from weighed_candidates
