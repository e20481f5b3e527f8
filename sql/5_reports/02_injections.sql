-- title: Injections
-- grain: policy_id, person_id, service_date: a date with a live injection
-- column: policy_id: the policy whose limits made series and purpose
-- column: person_id: the person
-- column: service_date: date of service; all live injection lines of the date are one injection
-- column: family: family of procedures whose lines are injections under the policy
-- column: site: left, right, bilateral or unspecified, as far as it is certain
-- column: is_certain_left: every billing provider that names a side names the left
-- column: is_certain_right: every billing provider that names a side names the right
-- column: is_possible_left: some billing provider names the left, or no side is certain
-- column: is_possible_right: some billing provider names the right, or no side is certain
-- column: series_seq: number within its series, from 1
-- column: series_start_date: first injection of its series
-- column: is_diagnostic: marked as diagnostic and early enough in its series; every other injection counts as therapeutic
-- column: may_be_diagnostic: whether it may be one of the two that the policy allows for diagnosis, though nothing marks it so
-- column: interval_end_date: the first date on which the next injection is far enough apart
-- column: count_end_date: the first date on which it no longer counts: the policy's limit count_months has passed
-- column: doubts: what its lines, as a group, leave open, and whether it may be one visit with the injection before
-- column: applicability: applies, precedence (another coverage takes precedence) or not_in_force (before the policy's date)
-- column: line_count: live lines
-- column: paid_amount: US dollars paid for them
-- column: claim_ids: their claims

select
    injections.policy_id,
    injections.person_id,
    injections.service_date,
    policies.injection_family as family,
    injections.site,
    injections.is_certain_left,
    injections.is_certain_right,
    injections.is_possible_left,
    injections.is_possible_right,
    injections.series_seq,
    injections.series_start_date,
    injections.is_diagnostic,
    not injections.is_diagnostic
    and (
        injections.may_be_diagnostic_left or injections.may_be_diagnostic_right
        or not (injections.is_certain_left or injections.is_certain_right)
    ) as may_be_diagnostic,
    injections.interval_end_date,
    injections.count_end_date,
    injections.doubts,
    injections.applicability,
    injections.line_count,
    injections.paid_amount::decimal(14, 2) as paid_amount,
    injections.claim_ids,
from policy_injections as injections
inner join policies on injections.policy_id = policies.policy_id
order by injections.policy_id, injections.person_id, injections.service_date
