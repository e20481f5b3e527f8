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
    count(case when strength_before = 'proven' then 1 end) as proven_before,
    count(case when strength_after = 'proven' then 1 end) as proven_after,
    count(case when strength_before = 'presumed' then 1 end) as presumed_before,
    count(case when strength_after = 'presumed' then 1 end) as presumed_after,
    count(case when strength_before = 'likely' then 1 end) as likely_before,
    count(case when strength_after = 'likely' then 1 end) as likely_after,
    count(case when strength_before = 'possible' then 1 end) as possible_before,
    count(case when strength_after = 'possible' then 1 end) as possible_after,
    sum(amount_before)::decimal(14, 2) as amount_before,
    sum(amount_after)::decimal(14, 2) as amount_after,
from finding_changes
group by policy_id, rule_id
order by policy_id, policy_section, rule_id
