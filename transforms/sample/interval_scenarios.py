"""Persons of the sample about I.A.3.c, two months between injections: early, in doubt, and compliant though it looks early."""

from sij_audit.transforms.sample.bills import (
    CORRECTIONS,
    EVERY_TWO_MONTHS,
    ONE_RIGHT,
    ORIGINAL,
    bill,
    bill_dates,
    bill_facility,
    bill_third,
    bill_two_then,
    correct,
    day,
    reverse,
)
from sij_audit.transforms.sample.expected import TOO_EARLY, Scenario, find_interval

INTERVALS: tuple[Scenario, ...] = (
    # --- I.A.3.c: two months between injections
    Scenario(
        "interval_third_after_one_month",
        "third injection of the right side, 30 days after the second",
        bill_two_then(bill_third()),
        (find_interval(*TOO_EARLY),),
    ),
    Scenario(
        "interval_second_after_ten_days",
        "second therapeutic injection after ten days: too early by any reading",
        (bill("A", "2023-03-01", "27096", "LT"), bill("B", "2023-03-11", "27096", "LT")),
        (find_interval("2023-03-11", 10, 1, "2023-05-01", site="left"),),
    ),
    Scenario(
        "interval_second_after_a_month",
        "second injection after a month: it may be the second diagnostic one",
        (bill("A", "2023-03-01", "27096", "RT"), bill("B", "2023-04-01", "27096", "RT")),
        (find_interval("2023-04-01", 31, 1, "2023-05-01", "purpose_open", presumptions=()),),
    ),
    Scenario(
        "interval_unspecified_side",
        "the third line names no side",
        bill_two_then(bill("C", "2023-05-10")),
        (find_interval(*TOO_EARLY, "side_open", scope="unspecified_site", site="unspecified", presumptions=()),),
    ),
    Scenario(
        "interval_other_side",
        "left three weeks after right: the interval may be meant per side, and it may be the second diagnostic one",
        (bill("A", "2023-03-01", "27096", "RT"), bill("B", "2023-03-22", "27096", "LT")),
        (find_interval("2023-03-22", 21, 1, "2023-05-01", "other_site", "purpose_open", scope="other_site", site="left", presumptions=()),),
    ),
    Scenario(
        "interval_therapeutic_after_diagnostic",
        "third injection marked as diagnostic: the two before it make it therapeutic, the one before was not",
        (
            bill("A", "2023-01-10", "27096", "RT", "KX"),
            bill("B", "2023-02-10", "27096", "RT", "KX"),
            bill("C", "2023-03-10", "27096", "RT", "KX"),
        ),
        (find_interval("2023-03-10", 28, 2, "2023-04-10", "purpose_open", presumptions=()),),
    ),
    Scenario(
        "interval_day_before_month_end",
        "two months after 31 December end on 29 February of a leap year; this is the 28th",
        (
            bill("A", "2023-10-31", "27096", "LT"),
            bill("B", "2023-12-31", "27096", "LT"),
            bill("C", "2024-02-28", "27096", "LT"),
        ),
        (find_interval("2024-02-28", 59, 2, "2024-02-29", site="left"),),
    ),
    Scenario(
        "interval_bilateral_by_two_lines",
        "a line a side; only the right one came too early, so only its dollars count",
        bill_two_then(bill_third(), bill("C", "2023-05-10", "27096", "LT", claim_line_number=2, paid_amount="93.20")),
        (find_interval(*TOO_EARLY, site="bilateral"),),
    ),
    Scenario(
        "interval_bilateral_by_modifier",
        "modifier 50: both sides in one line, and one of them too early",
        bill_two_then(bill_third("2023-05-10", "50", paid_amount="279.60")),
        (find_interval(*TOO_EARLY, site="bilateral", paid_amount="279.60"),),
    ),
    Scenario(
        "interval_physician_and_facility",
        "one visit billed by physician and facility, too early: both claims' dollars",
        bill_two_then(bill_third(), bill_facility("CF", "2023-05-10", "G0260", "RT")),
        (find_interval(*TOO_EARLY, paid_amount="799.15"),),
    ),
    Scenario(
        "interval_billed_twice",
        "one injection under two claim numbers is one injection, with both claims' dollars",
        bill_two_then(bill_third(), bill("C2", "2023-05-10", "27096", "RT", paid_amount="100.00")),
        (find_interval(*TOO_EARLY, paid_amount="286.40"),),
    ),
    Scenario(
        "interval_member_number_stands_for_person",
        "no person number: data source, payer and member number stand for the person",
        tuple(line | {"person_id": None} for line in bill_two_then(bill_third())),
        (find_interval(*TOO_EARLY),),
    ),
    Scenario(
        "interval_medicaid",
        "the policy applies to Medicaid, with a note on precedence: the state's own rules are presumed not to conflict",
        tuple(line | {"line_of_business": "medicaid"} for line in bill_two_then(bill_third())),
        (find_interval(*TOO_EARLY, presumptions=("purpose_unmarked", "state_rules_unchecked")),),
    ),
    Scenario(
        "interval_after_medicare_injection",
        "history counts under any line of business; the last injection is commercial",
        (
            bill("A", "2023-01-10", "27096", "RT", line_of_business="medicare"),
            bill("B", "2023-04-10", "27096", "RT", line_of_business="medicare"),
            bill_third(),
        ),
        (find_interval(*TOO_EARLY),),
    ),
    Scenario(
        "interval_corrected_amount",
        "an unmarked later version of the line counts once, with its own amount",
        bill_two_then(ORIGINAL, correct(ORIGINAL, "2023-07-01", paid_amount="150.00", allowed_amount="150.00")),
        (find_interval(*TOO_EARLY, paid_amount="150.00"),),
    ),
    Scenario(
        "interval_replaced_amount",
        "a replacement under another claim number stands instead of the original",
        bill_two_then(
            ORIGINAL,
            correct(
                ORIGINAL,
                "2023-07-01",
                claim_id="C7",
                claim_frequency_code="7",
                replaced_claim_id="C",
                paid_amount="160.00",
                allowed_amount="160.00",
            ),
        ),
        (find_interval(*TOO_EARLY, paid_amount="160.00"),),
    ),
    Scenario(
        "interval_reversed_and_reposted",
        "reversed and paid again: the line stands, with the last amount",
        bill_two_then(
            ORIGINAL,
            reverse(ORIGINAL, "2023-07-01"),
            correct(ORIGINAL, "2023-07-01", paid_amount="170.00", allowed_amount="170.00"),
        ),
        (find_interval(*TOO_EARLY, paid_amount="170.00"),),
    ),
    Scenario(
        "interval_denied_adjustment",
        "a replacement that was denied takes no part: the original stands",
        bill_two_then(
            ORIGINAL,
            correct(
                ORIGINAL,
                "2023-07-01",
                claim_frequency_code="07",
                claim_status="denied",
                paid_amount="0.00",
                claim_line_start_date=day("2023-06-20"),
            ),
        ),
        (find_interval(*TOO_EARLY),),
    ),
    Scenario(
        "interval_duplicate_in_another_file",
        "the same row again in the file of corrections counts once",
        bill_two_then(ORIGINAL, ORIGINAL | {"extract": CORRECTIONS}),
        (find_interval(*TOO_EARLY),),
    ),
    Scenario(
        "interval_duplicate_in_one_file",
        "the same row twice in one file counts once",
        bill_two_then(ORIGINAL, ORIGINAL),
        (find_interval(*TOO_EARLY),),
    ),
    # --- what makes a violation a review
    Scenario(
        "doubt_authorized",
        "approved beforehand",
        bill_two_then(bill_third(prior_authorization_number="AUTH-1")),
        (find_interval(*TOO_EARLY, "authorized"),),
    ),
    Scenario(
        "doubt_line_of_business",
        "no line of business: Medicare cannot be ruled out",
        bill_two_then(bill_third(line_of_business=None)),
        (find_interval(*TOO_EARLY, "line_of_business_unknown"),),
    ),
    Scenario(
        "doubt_discontinued",
        "modifier 53: it was stopped",
        bill_two_then(bill_third("2023-05-10", "RT", "53")),
        (find_interval(*TOO_EARLY, "discontinued"),),
    ),
    Scenario(
        "doubt_denial_unclear",
        "nothing paid and nothing allowed: perhaps denied",
        bill_two_then(bill_third(paid_amount="0.00")),
        (find_interval(*TOO_EARLY, "denial_unclear", paid_amount="0.00"),),
    ),
    Scenario(
        "doubt_date_uncertain",
        "the line has no date and the claim spans several days",
        bill_two_then(bill_third(claim_line_start_date=None, claim_end_date=day("2023-05-14"))),
        (find_interval(*TOO_EARLY, "date_uncertain"),),
    ),
    Scenario(
        "doubt_replacement_unmatched",
        "a replacement whose original is not here",
        bill_two_then(bill_third(claim_frequency_code="7", replaced_claim_id="GONE")),
        (find_interval(*TOO_EARLY, "replacement_unmatched"),),
    ),
    Scenario(
        "doubt_may_be_one_visit",
        "physician and facility two days apart: perhaps one needle, dated twice",
        (bill("A", "2023-05-10", "27096", "RT"), bill_facility("AF", "2023-05-12", "G0260", "RT")),
        (find_interval("2023-05-12", 2, 1, "2023-07-10", "may_be_one_visit", paid_amount="612.75"),),
    ),
    Scenario(
        "doubt_policy_text_not_held",
        "before June 2021 the wording of the day is not at hand",
        bill_dates(("2020-01-10", "2020-04-10", "2020-05-10"), "RRR"),
        (find_interval("2020-05-10", 30, 2, "2020-06-10", "policy_text_not_held"),),
    ),
    Scenario(
        "doubt_of_the_injection_before",
        "the injection before is the one in doubt",
        (bill("A", "2023-01-10", "27096", "RT"), bill("B", "2023-04-10", "27096", "RT", paid_amount="0.00"), bill_third()),
        (find_interval(*TOO_EARLY, "denial_unclear"),),
    ),
    # --- complies, and looks like too early
    Scenario(
        "complies_exactly_two_months",
        "two months to the day",
        bill_dates(EVERY_TWO_MONTHS[:4], "RRRR"),
    ),
    Scenario(
        "complies_end_of_month",
        "31 December plus two months is 28 February in 2023",
        bill_dates(("2022-10-31", "2022-12-31", "2023-02-28"), "LLL"),
    ),
    Scenario(
        "complies_leap_day",
        "31 December plus two months is 29 February in 2024",
        bill_dates(("2023-10-31", "2023-12-31", "2024-02-29"), "LLL"),
    ),
    Scenario(
        "complies_one_visit_two_bills",
        "physician and facility bill one visit",
        (bill("A", "2023-05-10", "27096", "RT"), bill_facility("AF", "2023-05-10", "G0260", "RT")),
    ),
    Scenario("complies_single", "one injection", (bill("A", "2024-01-15", "27096", "RT"),)),
    Scenario(
        "complies_bilateral_lines",
        "one visit, a line a side: the rule for it is off",
        (bill("A", "2024-01-15", "27096", "RT"), bill("A", "2024-01-15", "27096", "LT", claim_line_number=2)),
    ),
    Scenario("complies_bilateral_modifier", "one visit, modifier 50: the rule for it is off", (bill("A", "2024-01-15", "27096", "50"),)),
    Scenario(
        "complies_bilateral_two_modifiers",
        "one line with RT and LT: the rule for it is off",
        (bill("A", "2024-01-15", "27096", "RT", "LT"),),
    ),
    Scenario("complies_units", "two units say nothing of sides", (bill("A", "2024-01-15", "27096", "LT", service_unit_quantity=2),)),
    Scenario(
        "complies_second_diagnostic",
        "second diagnostic injection after two weeks, then a therapeutic one two months later",
        (ONE_RIGHT, bill("B", "2023-03-15", "27096", "RT", "KX"), bill("C", "2023-05-15", "27096", "RT")),
    ),
    Scenario(
        "complies_medicare",
        "CMS coverage takes precedence on Medicare lines",
        tuple(line | {"line_of_business": "medicare"} for line in bill_two_then(bill_third())),
    ),
    Scenario(
        "complies_medicare_advantage",
        "Medicare Advantage is Medicare, under any of its names",
        (
            bill("A", "2023-01-10", "27096", "RT", line_of_business="Medicare Advantage"),
            bill("B", "2023-02-10", "27096", "RT", line_of_business="MA-PD"),
            bill("C", "2023-03-10", "27096", "RT", line_of_business="DSNP"),
        ),
    ),
    Scenario(
        "complies_crossover",
        "Medicaid pays what Medicare left: both lines are Medicare's",
        (
            bill("A", "2023-01-10", "27096", "RT", line_of_business="medicaid"),
            bill("B", "2023-04-10", "27096", "RT", line_of_business="medicaid"),
            bill("C", "2023-05-10", "27096", "RT", line_of_business="medicare"),
            bill("CX", "2023-05-10", "27096", "RT", line_of_business="medicaid", paid_amount="30.00"),
        ),
    ),
    Scenario("complies_not_done", "modifier 73: stopped before anaesthesia, not done", bill_two_then(bill_third("2023-05-10", "RT", "73"))),
    Scenario("complies_denied", "denied, so not paid for", bill_two_then(bill_third(claim_status="denied", paid_amount="0.00"))),
    Scenario("complies_pending", "not adjudicated yet", bill_two_then(bill_third(claim_status="Pending"))),
    Scenario(
        "complies_voided",
        "voided under its own number",
        bill_two_then(ORIGINAL, correct(ORIGINAL, "2023-07-01", claim_frequency_code="8")),
    ),
    Scenario(
        "complies_voided_by_another_claim",
        "voided by a claim with another number",
        bill_two_then(ORIGINAL, correct(ORIGINAL, "2023-07-01", claim_id="C8", claim_frequency_code="8", replaced_claim_id="C")),
    ),
    Scenario(
        "complies_voided_by_bill_type",
        "a facility's void says so in the last digit of its bill type",
        (
            bill_facility("A", "2023-01-10", "G0260", "RT"),
            bill_facility("B", "2023-04-10", "G0260", "RT"),
            bill_facility("C", "2023-05-10", "G0260", "RT"),
            correct(bill_facility("C", "2023-05-10", "G0260", "RT"), "2023-07-01", bill_type_code="138", claim_frequency_code=None),
        ),
    ),
    Scenario(
        "complies_replaced_date",
        "replaced under its own number with a date two months after",
        bill_two_then(
            ORIGINAL,
            correct(
                ORIGINAL,
                "2023-07-01",
                claim_frequency_code="7",
                claim_start_date=day("2023-06-10"),
                claim_end_date=day("2023-06-10"),
                claim_line_start_date=day("2023-06-10"),
            ),
        ),
    ),
    Scenario(
        "complies_replaced_code",
        "replaced by an office visit: the injection was a mistake",
        bill_two_then(
            ORIGINAL,
            correct(
                ORIGINAL,
                "2023-07-01",
                claim_id="C7",
                claim_frequency_code="7",
                replaced_claim_id="C",
                hcpcs_code="99213",
                hcpcs_modifier_1=None,
            ),
        ),
    ),
    Scenario(
        "complies_replaced_member",
        "billed for the wrong member, and replaced by the right one's claim",
        bill_two_then(
            ORIGINAL,
            correct(
                ORIGINAL,
                "2023-07-01",
                claim_id="C7",
                claim_frequency_code="7",
                replaced_claim_id="C",
                person_id="P80000000",
                member_id="M80000000",
            ),
        ),
    ),
    Scenario("complies_reversed", "reversed under the same claim number", bill_two_then(ORIGINAL, reverse(ORIGINAL, "2023-07-01"))),
    Scenario(
        "complies_reversed_elsewhere",
        "reversed under another claim number",
        bill_two_then(ORIGINAL, reverse(ORIGINAL, "2023-07-01", claim_id="CR")),
    ),
    Scenario(
        "complies_corrected_date",
        "an unmarked later version has a date two months after",
        bill_two_then(
            ORIGINAL,
            correct(
                ORIGINAL,
                "2023-07-01",
                claim_start_date=day("2023-06-12"),
                claim_end_date=day("2023-06-12"),
                claim_line_start_date=day("2023-06-12"),
            ),
        ),
    ),
    Scenario(
        "complies_after_as_of",
        "the third injection lies after the as-of date and waits",
        bill_dates(("2024-03-01", "2024-06-01", "2024-07-01"), "LLL"),
    ),
    Scenario(
        "complies_before_the_policy",
        "before August 2018 the policy was not in force",
        bill_dates(("2018-05-01", "2018-06-01", "2018-07-01"), "RRR"),
    ),
    Scenario(
        "complies_date_of_the_claim",
        "no line date, and a claim of one day: the claim's date is the line's",
        bill_two_then(bill_third("2023-06-10", claim_line_start_date=None)),
    ),
)
