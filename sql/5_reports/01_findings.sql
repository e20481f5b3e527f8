-- title: Findings
-- grain: finding_id
-- column: finding_id: stays the same from run to run: a hash of policy, rule, person, date of service and, for sections IV and V, the code
-- column: run_id: the run that published this row
-- column: status: new, open, changed or withdrawn, against the run before
-- column: first_reported: as-of date of the run that first reported it, or in which it came back
-- column: policy_id: the clinical policy
-- column: policy_version: revision of the policy that was applied
-- column: policy_section: section of the policy with which the billing does not comply
-- column: rule_id: the rule that found it, see the report rules
-- column: determination: violation: claims show the criterion unmet, given the presumptions; review: it looks unmet, and a doubt decides
-- column: strength: proven or presumed (a violation without or with presumptions), likely (a review but for its doubts a violation) or possible
-- column: scope: same_site, unspecified_site or other_site: what the earlier injections are to this one; empty where the rule has none
-- column: doubts: what claims leave open, sorted; most of them make a violation a review
-- column: presumptions: facts that the policy presumes and claims do not show, sorted; a provider may rebut them
-- column: person_id: the person
-- column: member_id: plan's member number on the lead line (the cited line that paid most)
-- column: line_of_business: of the lead line, in lower case; where the claims have none, the run's setting line_of_business
-- column: payer: of the lead line
-- column: plan: of the lead line
-- column: state: of the lead line
-- column: service_date: date of service
-- column: site: left, right, bilateral or unspecified, as far as it is certain
-- column: procedure_codes: codes of the cited lines; for section I of all invasive pain procedures of that day
-- column: prior_service_date: the earlier injection that is too close; for section III the start of the series
-- column: interval_days: days since prior_service_date, for the interval rules
-- column: prior_count: earlier injections that count for the rule
-- column: earliest_compliant_date: the first date on which the service would have complied with the rule
-- column: claim_lines: the cited lines, each with what was paid and what of it is at risk in this finding
-- column: prior_claim_ids: claims of the earlier injections, or of the other procedures of that day, that the finding rests on
-- column: billing_npi: of the lead line
-- column: rendering_npi: of the lead line
-- column: facility_npi: of the lead line
-- column: paid_amount: US dollars paid for the cited lines
-- column: amount_at_risk: the part of paid_amount that no finding of higher rank has claimed: the column sums to distinct dollars
-- column: is_upper_bound: whether the amount may also cover something that complies with the rule
-- column: precedence_note: set where another payer's rules may take precedence
-- column: rationale: what was billed, what it is measured against, and when it would have complied

select
    finding_id,
    $run_id::varchar as run_id,
    status,
    first_reported,
    policy_id,
    policy_version,
    policy_section,
    rule_id,
    determination,
    strength,
    scope,
    doubts,
    presumptions,
    person_id,
    member_id,
    line_of_business,
    payer,
    plan,
    state,
    service_date,
    site,
    procedure_codes,
    prior_service_date,
    interval_days,
    prior_count,
    earliest_compliant_date,
    claim_lines,
    prior_claim_ids,
    billing_npi,
    rendering_npi,
    facility_npi,
    paid_amount,
    amount_at_risk,
    is_upper_bound,
    precedence_note,
    rationale,
from compared_findings
order by policy_id, person_id, service_date, rule_id, finding_id
