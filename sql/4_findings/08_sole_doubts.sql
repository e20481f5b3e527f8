-- title: What alone keeps findings from being violations
-- grain: policy_id, doubt_id: a doubt that is the only one to make a review of a violation

select
    current_findings.policy_id,
    doubts.doubt_id,
    doubts.settled_by,
    count(*) as finding_count,
    sum(current_findings.amount_at_risk) as amount_at_risk,
from determinations
inner join doubts on determinations.deciding_doubt_bits = doubts.doubt_bit
inner join current_findings on determinations.finding_id = current_findings.finding_id
where determinations.would_be_violation
group by current_findings.policy_id, doubts.doubt_id, doubts.settled_by
