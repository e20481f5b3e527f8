"""The columns of what is handed over: which come first, which reviewers fill in, and what those mean that no report explains."""

INPUTS = {
    "disposition": "yours to fill in: upheld (the finding stands) or overturned (it does not)",
    "recovered_amount": "yours to fill in: US dollars that came back, 0 or more, with at most two decimals",
    "reviewer": "yours to fill in: who decided",
    "note": "yours to fill in: why, in your words",
}
"""The columns that reviewers fill in, and what they mean."""

ADDED_COLUMNS = {
    "change": "new, changed or withdrawn since the hand-off before",
    "records": "what to ask the provider for",
    "open_adjustments": "adjustments and reversals that found nothing to act on and may be about a cited line: look before you write",
    "earlier_disposition": "the disposition that reviewers gave this finding when its evidence was another",
}
"""What columns of findings mean that the report findings does not have."""

PROVIDER_COLUMNS = {
    "billing_npi": "who billed a cited line",
    "findings": "new and changed findings with a cited line of this NPI",
    "proven": "violations among them that presume nothing",
    "presumed": "violations among them that presume something",
    "likely": "reviews among them that only their doubts keep from being violations",
    "possible": "other reviews among them",
    "withdrawn": "findings of the hand-off before that no longer hold",
    "persons": "persons of new and changed findings",
    "claims": "claims of new and changed findings",
    "amount_at_risk": "US dollars at risk in this NPI's lines of new and changed findings",
    "injections": "injections of which a line was billed under the NPI, whether anything is wrong with them or not",
    "findings_per_100_injections": "all findings that hold, not only those handed over, for each hundred injections; empty without injections",
    "findings_per_100_injections_of_all": "the same of all providers together",
    "claims_left_out": "claims whose records are not asked for yet: the cap on requests left them out; of all policies together",
}
"""What the columns of the sheet Providers mean."""

MAIN_COLUMNS = (
    "member_id",
    "service_date",
    "change",
    "policy_section",
    "rule_id",
    "strength",
    "procedure_codes",
    "site",
    "rationale",
    "doubts",
    "presumptions",
    "records",
    "amount_at_risk",
    "is_upper_bound",
    "claim_lines",
    "billing_npi",
)
"""What a reviewer reads first, and what is printed, before the columns to fill in; all others come after them."""

NEXT_COLUMNS = (
    "earlier_disposition",
    "open_adjustments",
    "paid_amount",
    "prior_claim_ids",
    "person_id",
    "interval_days",
    "prior_service_date",
    "prior_count",
)
"""The first of the others."""

ONLY_FOR_REVIEW = ("doubts", "records")
"""Main columns of the sheet Review alone."""
