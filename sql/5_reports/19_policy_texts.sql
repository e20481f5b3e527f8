-- title: Texts of the policies
-- grain: policy_id: a policy of the run
-- column: policy_id: the policy
-- column: newest_revision: year and month of approval of its newest text that is held: later services are measured against that
-- column: revisions: all of its revisions that are known, the first first

select
    policy_id,
    max(policy_version) as newest_revision,
    list(policy_version order by policy_version) as revisions,
from policy_revisions
group by policy_id
order by policy_id
