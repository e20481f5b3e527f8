-- title: Limits in force
-- grain: policy_id, rule_id, limit_name: a limit of a rule, or of the whole policy
-- column: policy_id: the policy
-- column: rule_id: the rule whose limit it is; empty where the timeline, or several rules, use it
-- column: limit_name: the limit's name; its ending says the unit, such as months or days
-- column: limit_value: what it was in this run

select
    policy_id,
    rule_id,
    limit_name,
    limit_value,
from policy_limits
order by policy_id, rule_id nulls first, limit_name
