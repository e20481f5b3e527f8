-- title: What became of each finding
-- grain: finding_id: a finding that holds now or held before
--
-- Where a finding does not hold, before or now, it has no strength and nothing at risk.

select
    compared_findings.finding_id,
    compared_findings.policy_id,
    compared_findings.policy_section,
    compared_findings.rule_id,
    compared_findings.status,
    case when compared_findings.status <> 'new' then earlier_findings.strength end as strength_before,
    case when compared_findings.status <> 'withdrawn' then compared_findings.strength end as strength_after,
    coalesce(earlier_findings.amount_at_risk, 0)::decimal(14, 2) as amount_before,
    compared_findings.amount_at_risk::decimal(14, 2) as amount_after,
    coalesce(earlier_findings.claim_lines, []) as lines_before,
    case when compared_findings.status <> 'withdrawn' then compared_findings.claim_lines else [] end as lines_after,
from compared_findings
left join previous_findings as earlier_findings
    on compared_findings.finding_id = earlier_findings.finding_id and earlier_findings.status <> 'withdrawn'
order by
    compared_findings.policy_id, compared_findings.policy_section, compared_findings.rule_id, compared_findings.status,
    compared_findings.finding_id
