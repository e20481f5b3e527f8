-- title: What changed, by rule
-- grain: policy_id, rule_id: a rule that finds something now or did before
--
-- Dollars are those at risk; no dollar is counted twice within a policy.

select
    policy_id,
    max(policy_section) as policy_section,
    rule_id,
    count(case when status = 'new' then 1 end) as new_findings,
    count(case when status = 'changed' then 1 end) as changed_findings,
    count(case when status = 'withdrawn' then 1 end) as withdrawn_findings,
    count(case when status = 'open' then 1 end) as open_findings,
    count(case when determination_before = 'violation' then 1 end) as violations_before,
    count(case when determination_after = 'violation' then 1 end) as violations_after,
    count(case when determination_before = 'review' then 1 end) as reviews_before,
    count(case when determination_after = 'review' then 1 end) as reviews_after,
    sum(amount_before)::decimal(14, 2) as amount_before,
    sum(amount_after)::decimal(14, 2) as amount_after,
from finding_changes
group by policy_id, rule_id
order by policy_id, policy_section, rule_id
