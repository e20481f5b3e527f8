-- title: What alone keeps findings from being violations
-- grain: policy_id, doubt_id: a doubt that is the only one to make a review of a violation

select
    current_findings.policy_id,
    doubts.doubt_id,
    doubts.settled_by,
    count(*) as finding_count,
    sum(current_findings.amount_at_risk) as amount_at_risk,
from current_findings
inner join doubts on current_findings.doubts = [doubts.doubt_id]
where current_findings.strength = 'likely'
group by current_findings.policy_id, doubts.doubt_id, doubts.settled_by
