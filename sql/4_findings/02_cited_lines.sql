-- title: The claim lines that a finding cites
-- grain: finding_id, line_key
--
-- The lines of the finding's group to which the policy applies; of a same-site finding not those that name one side only, and one that does not
-- break the rule. The lead line, which paid most, gives the finding its payer, providers and line of business.

select
    candidates.finding_id,
    candidates.policy_id,
    policy_lines.line_key,
    policy_lines.data_source,
    policy_lines.claim_id,
    policy_lines.claim_line_number,
    policy_lines.hcpcs_code,
    policy_lines.modifiers,
    policy_lines.claim_type,
    policy_lines.billing_npi,
    policy_lines.paid_date,
    policy_lines.paid_amount,
    policy_lines.doubts,
    policy_lines.is_noted,
    policy_lines.is_state_unchecked,
    policy_lines.has_medicare_beside_it,
    policy_lines.names_left,
    policy_lines.names_right,
    row_number() over (
        partition by candidates.finding_id
        order by
            coalesce(policy_lines.paid_amount, 0) desc, policy_lines.claim_id, policy_lines.claim_line_number,
            policy_lines.data_source nulls first
    ) = 1 as is_lead,
from candidates
inner join policy_lines
    on
        candidates.policy_id = policy_lines.policy_id
        and candidates.person_id = policy_lines.person_id
        and candidates.service_date = policy_lines.service_date
        and candidates.group_id = case candidates.group_kind when 'code' then policy_lines.hcpcs_code else policy_lines.family_id end
where
    policy_lines.is_applicable
    and not (candidates.breaks_left is false and policy_lines.names_left and not policy_lines.names_right)
    and not (candidates.breaks_right is false and policy_lines.names_right and not policy_lines.names_left)
