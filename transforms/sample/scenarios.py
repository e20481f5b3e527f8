"""People of the sample whose claims break a rule, or only look as if they did: each with what the audit must say of them.

What must be found is written down by hand next to the lines, from the contract, and never computed, but for determination and strength: they
follow from the doubts and presumptions. `PLANTED` is the list; dates are judged on `AS_OF`. A claim's local name becomes a claim number when
the sample is written.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

AS_OF = date(2024, 6, 30)

PROFESSIONAL, FACILITY, CORRECTIONS = "claims_1_professional.csv", "claims_2_facility.parquet", "claims_3_corrections.csv.gz"
"""The extracts, in the order in which they are taken: what corrects a claim comes after it."""

PRICES = {
    "27096": "186.40",
    "G0260": "612.75",
    "64451": "241.10",
    "64625": "498.30",
    "62323": "254.90",
    "64493": "172.15",
    "20552": "52.60",
    "64450": "88.20",
    "99213": "92.40",
    "77003": "61.05",
}

INTERVAL, SECOND, FIFTH = "interval_under_two_months", "second_injection_under_two_weeks", "fifth_injection_in_twelve_months"
BEYOND, VISIT = "injections_beyond_twelve_months", "multiple_procedures_per_visit"
NERVE, RADIO = "nerve_block_not_necessary", "radiofrequency_not_necessary"

OPEN_CONDITIONS = {"side_open", "other_site", "purpose_open", "visit_open", "exception_possible"}
"""Doubts that say that a rule's own condition for a violation does not hold."""


@dataclass(frozen=True)
class Finding:
    """Say what the audit must report; the names are those of the report's columns."""

    rule_id: str
    service_date: date
    determination: str
    strength: str
    scope: str | None = None
    doubts: tuple[str, ...] = ()
    presumptions: tuple[str, ...] = ()
    site: str = "right"
    interval_days: int | None = None
    prior_count: int | None = None
    earliest_compliant_date: date | None = None
    paid_amount: str = PRICES["27096"]


@dataclass(frozen=True)
class Scenario:
    """Tie one person's lines to what must be found in them; `why` says what makes it a finding, or why it complies."""

    name: str
    why: str
    lines: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...] = field(default=())


def day(text: str) -> date:
    """Read a date as it is written in the list below."""
    return date.fromisoformat(text)


def bill(claim: str, service_date: str, code: str = "27096", *modifiers: str, **changes: Any) -> dict[str, Any]:
    """Make a physician's line, paid three weeks later; `changes` are columns that differ, and `extract` the file that it comes in."""
    service_day = day(service_date)
    paid = changes.get("paid_amount", PRICES[code])
    one, two = (*modifiers, None, None)[:2]
    return {
        "extract": PROFESSIONAL,
        "claim_id": claim,
        "claim_line_number": 1,
        "claim_type": "professional",
        "payer": "Sample Health",
        "plan": "Gold, open access",
        "claim_start_date": service_day,
        "claim_end_date": service_day,
        "claim_line_start_date": service_day,
        "place_of_service_code": "11",
        "service_unit_quantity": 1,
        "hcpcs_code": code,
        "hcpcs_modifier_1": one,
        "hcpcs_modifier_2": two,
        "rendering_npi": "9100090001",
        "billing_npi": "9200090001",
        "paid_date": service_day + timedelta(days=21),
        "paid_amount": paid,
        "allowed_amount": paid,
        "charge_amount": "900.00",
        "diagnosis_code_1": "M533",
        "data_source": "core",
        "claim_status": "paid",
        "claim_frequency_code": "1",
        "line_of_business": "commercial",
    } | changes


def bill_facility(claim: str, service_date: str, code: str = "G0260", *modifiers: str, **changes: Any) -> dict[str, Any]:
    """Make a facility's line."""
    facility = {
        "extract": FACILITY,
        "claim_type": "institutional",
        "place_of_service_code": None,
        "bill_type_code": "131",
        "rendering_npi": None,
        "billing_npi": "9200090500",
        "facility_npi": "9300090500",
    }
    return bill(claim, service_date, code, *modifiers, **(facility | changes))


def correct(line: dict[str, Any], paid_date: str, **changes: Any) -> dict[str, Any]:
    """Make a later version of a line, in the file of corrections."""
    return line | {"extract": CORRECTIONS, "paid_date": day(paid_date)} | changes


def reverse(line: dict[str, Any], paid_date: str, **changes: Any) -> dict[str, Any]:
    """Take back a line with the same amounts below zero."""
    negative = {name: f"-{line[name]}" for name in ("paid_amount", "allowed_amount", "charge_amount")}
    return correct(line, paid_date, claim_status="reversed", service_unit_quantity=-1, **(negative | changes))


def find(rule_id: str, service_date: str, *doubts: str, presumptions: tuple[str, ...] = (), **facts: Any) -> Finding:
    """Say what must be found: a violation, or a review where something is in doubt."""
    if doubts:
        determination, strength = "review", "possible" if OPEN_CONDITIONS & set(doubts) else "likely"
    else:
        determination, strength = "violation", "presumed" if presumptions else "proven"
    return Finding(rule_id, day(service_date), determination, strength, doubts=doubts, presumptions=presumptions, **facts)


def find_interval(service_date: str, days: int, count: int, compliant: str, *doubts: str, **changes: Any) -> Finding:
    """Say that an injection came too soon after one at the same site, both unmarked, unless `changes` say otherwise."""
    facts: dict[str, Any] = {"scope": "same_site", "presumptions": UNMARKED} | changes
    return find(INTERVAL, service_date, *doubts, interval_days=days, prior_count=count, earliest_compliant_date=day(compliant), **facts)


def find_second(service_date: str, days: int, compliant: str, *doubts: str, **changes: Any) -> Finding:
    """Say that a second diagnostic injection came within two weeks."""
    facts: dict[str, Any] = {"scope": "same_site"} | changes
    return find(SECOND, service_date, *doubts, interval_days=days, prior_count=1, earliest_compliant_date=day(compliant), **facts)


def find_fifth(service_date: str, count: int, compliant: str, *doubts: str, **changes: Any) -> Finding:
    """Say that four injections or more, unmarked, went before within twelve months, unless `changes` say otherwise."""
    facts: dict[str, Any] = {"scope": "same_site", "presumptions": UNMARKED} | changes
    return find(FIFTH, service_date, *doubts, prior_count=count, earliest_compliant_date=day(compliant), **facts)


def find_beyond(service_date: str, *doubts: str, **changes: Any) -> Finding:
    """Say that the series went on for more than twelve months; exceptions are case by case, so it is always a review."""
    return find(BEYOND, service_date, "exception_possible", *doubts, **changes)


def find_code(rule_id: str, service_date: str, code: str, *doubts: str, **changes: Any) -> Finding:
    """Say that a procedure was billed that the policy never holds necessary."""
    facts: dict[str, Any] = {"paid_amount": PRICES[code]} | changes
    return find(rule_id, service_date, *doubts, **facts)


def find_visit(service_date: str, *doubts: str, **changes: Any) -> Finding:
    """Say that one visit had several procedures."""
    return find(VISIT, service_date, *doubts, **changes)


def bill_two_then(*third: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Put two injections that comply before a person's others, so that the next is no second diagnostic one: 10 January and 10 April 2023."""
    return bill("A", "2023-01-10", "27096", "RT"), bill("B", "2023-04-10", "27096", "RT"), *third


def bill_third(service_date: str = "2023-05-10", *modifiers: str, **changes: Any) -> dict[str, Any]:
    """Make the third injection after `bill_two_then`, by default a month too early."""
    return bill("C", service_date, "27096", *(modifiers or ("RT",)), **changes)


UNMARKED = ("purpose_unmarked",)
"""What a finding presumes where the earlier injection may have been diagnostic: two of a site may be, and nothing marks it."""

TOO_EARLY = ("2023-05-10", 30, 2, "2023-06-10")
"""What the interval rule says of `bill_third()` after `bill_two_then`."""

EVERY_TWO_MONTHS = ("2023-01-10", "2023-03-10", "2023-05-10", "2023-07-10", "2023-09-10")


def bill_dates(dates: tuple[str, ...], sides: str, **changes: Any) -> tuple[dict[str, Any], ...]:
    """Make one physician's line a date; each letter of `sides` is R, L or - for a line that names no side."""
    modifiers = {"R": ("RT",), "L": ("LT",), "-": ()}
    return tuple(
        bill(f"D{number}", service_date, "27096", *modifiers[side], **changes)
        for number, (service_date, side) in enumerate(zip(dates, sides, strict=True))
    )


ORIGINAL = bill_third()
ONE_RIGHT = bill("A", "2023-03-01", "27096", "RT", "KX")

PLANTED: tuple[Scenario, ...] = (
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
    # --- I.A.2: two weeks before a second diagnostic injection
    Scenario(
        "second_diagnostic_after_ten_days",
        "second diagnostic injection after ten days",
        (ONE_RIGHT, bill("B", "2023-03-11", "27096", "RT", "KX")),
        (find_second("2023-03-11", 10, "2023-03-15"),),
    ),
    Scenario(
        "second_diagnostic_day_before",
        "second diagnostic injection after thirteen days",
        (ONE_RIGHT, bill("B", "2023-03-14", "27096", "RT", "KX")),
        (find_second("2023-03-14", 13, "2023-03-15"),),
    ),
    Scenario(
        "second_diagnostic_unspecified_side",
        "second diagnostic injection after ten days, without a side",
        (ONE_RIGHT, bill("B", "2023-03-11", "27096", "KX")),
        (find_second("2023-03-11", 10, "2023-03-15", "side_open", scope="unspecified_site", site="unspecified"),),
    ),
    Scenario(
        "second_diagnostic_authorized",
        "second diagnostic injection after ten days, approved beforehand",
        (ONE_RIGHT, bill("B", "2023-03-11", "27096", "RT", "KX", prior_authorization_number="AUTH-2")),
        (find_second("2023-03-11", 10, "2023-03-15", "authorized"),),
    ),
    # --- I.A.3.d: four injections in twelve months
    Scenario(
        "fifth_same_side",
        "five injections of the right side in eight months, far enough apart",
        bill_dates(EVERY_TWO_MONTHS, "RRRRR"),
        (find_fifth("2023-09-10", 4, "2024-01-10"),),
    ),
    Scenario(
        "fifth_and_sixth_same_side",
        "the sixth is measured against the fourth before it",
        bill_dates((*EVERY_TWO_MONTHS, "2023-11-10"), "LLLLLL"),
        (find_fifth("2023-09-10", 4, "2024-01-10", site="left"), find_fifth("2023-11-10", 5, "2024-03-10", site="left")),
    ),
    Scenario(
        "fifth_day_before_twelve_months",
        "the fifth, one day before the first is twelve months old",
        bill_dates((*EVERY_TWO_MONTHS[:4], "2024-01-09"), "RRRRR"),
        (find_fifth("2024-01-09", 4, "2024-01-10"),),
    ),
    Scenario(
        "fifth_unspecified_side",
        "five injections without a side",
        bill_dates(EVERY_TWO_MONTHS, "-----"),
        (find_fifth("2023-09-10", 4, "2024-01-10", "side_open", scope="unspecified_site", site="unspecified", presumptions=()),),
    ),
    Scenario(
        "complies_fifth_alternating_sides",
        "five injections of changing sides: the limit is per site, and none has four before it",
        bill_dates(EVERY_TWO_MONTHS, "RLRLR"),
    ),
    Scenario(
        "fifth_with_one_in_doubt",
        "without the one that was stopped there are only three before it",
        (
            *bill_dates(EVERY_TWO_MONTHS[:3], "RRR"),
            bill("S", "2023-07-10", "27096", "RT", "53"),
            bill("T", "2023-09-10", "27096", "RT"),
        ),
        (find_fifth("2023-09-10", 4, "2024-01-10", "discontinued"),),
    ),
    Scenario(
        "complies_fifth_after_twelve_months",
        "the fifth exactly twelve months after the first",
        bill_dates((*EVERY_TWO_MONTHS[:4], "2024-01-10"), "LLLLL"),
    ),
    Scenario(
        "complies_fifth_is_reversed",
        "one of five was taken back",
        (*bill_dates(EVERY_TWO_MONTHS, "RRRRR"), reverse(bill_dates(EVERY_TWO_MONTHS, "RRRRR")[2], "2023-10-01")),
    ),
    Scenario(
        "complies_fifth_after_a_diagnostic",
        "a diagnostic injection does not count among the four therapeutic ones",
        (bill("A", "2023-01-10", "27096", "RT", "KX"), *bill_dates(EVERY_TWO_MONTHS[1:], "RRRR")),
    ),
    # --- III: beyond twelve months
    Scenario(
        "beyond_twelve_months",
        "a series that goes on for fourteen months",
        bill_dates(("2022-01-10", "2022-07-10", "2023-03-10"), "RRR"),
        (find_beyond("2023-03-10"),),
    ),
    Scenario(
        "beyond_twelve_months_in_doubt",
        "a series that goes on for fourteen months, without a line of business",
        bill_dates(("2022-01-10", "2022-07-10", "2023-03-10"), "LLL", line_of_business=None),
        (find_beyond("2023-03-10", "line_of_business_unknown", site="left"),),
    ),
    Scenario(
        "complies_last_day_of_twelve_months",
        "the series ends twelve months to the day after it began",
        bill_dates(("2022-01-10", "2022-07-10", "2023-01-10"), "RRR"),
    ),
    Scenario(
        "complies_new_series",
        "twelve months without an injection: a new series",
        bill_dates(("2022-01-10", "2023-01-10", "2024-01-10"), "RRR"),
    ),
    # --- I: one procedure a visit
    Scenario(
        "visit_with_epidural",
        "joint injection and epidural injection by one physician in one visit",
        (bill("A", "2023-08-01", "27096", "RT"), bill("A", "2023-08-01", "62323", claim_line_number=2)),
        (find_visit("2023-08-01"),),
    ),
    Scenario(
        "visit_with_facet_two_claims",
        "joint and facet injection by one physician, on two claims",
        (bill("A", "2023-08-01", "27096", "LT"), bill("B", "2023-08-01", "64493", "LT")),
        (find_visit("2023-08-01", site="left"),),
    ),
    Scenario(
        "visit_by_biller",
        "one practice billed both and names no physician: nothing says that it was the same one",
        (
            bill("A", "2023-08-01", "27096", "RT", rendering_npi=None),
            bill("A", "2023-08-01", "64493", "RT", claim_line_number=2, rendering_npi=None),
        ),
        (find_visit("2023-08-01", "visit_open"),),
    ),
    Scenario(
        "visit_with_modifier_59",
        "modifier 59 says that they were apart",
        (bill("A", "2023-08-01", "27096", "RT"), bill("A", "2023-08-01", "62323", "59", claim_line_number=2)),
        (find_visit("2023-08-01", "visit_open"),),
    ),
    Scenario(
        "visit_by_two_physicians",
        "another physician of another practice did the epidural injection",
        (
            bill("A", "2023-08-01", "27096", "RT"),
            bill("B", "2023-08-01", "62323", rendering_npi="9100090002", billing_npi="9200090002"),
        ),
        (find_visit("2023-08-01", "visit_open"),),
    ),
    Scenario(
        "visit_with_trigger_points",
        "trigger point codes also stand for what goes with a visit",
        (bill("A", "2023-08-01", "27096", "RT"), bill("A", "2023-08-01", "20552", claim_line_number=2)),
        (find_visit("2023-08-01", "visit_open"),),
    ),
    Scenario(
        "visit_authorized",
        "the epidural injection was approved beforehand",
        (
            bill("A", "2023-08-01", "27096", "RT"),
            bill("A", "2023-08-01", "62323", claim_line_number=2, prior_authorization_number="AUTH-3"),
        ),
        (find_visit("2023-08-01", "authorized"),),
    ),
    Scenario(
        "visit_with_nerve_block",
        "joint injection and nerve block in one visit: the block is never necessary, and what is taken away is no second procedure",
        (bill("A", "2023-08-01", "27096", "RT"), bill("A", "2023-08-01", "64451", "RT", claim_line_number=2)),
        (find_code(NERVE, "2023-08-01", "64451"),),
    ),
    Scenario(
        "complies_visit_with_imaging",
        "imaging and an office visit are no further procedure",
        (
            bill("A", "2023-08-01", "27096", "RT"),
            bill("A", "2023-08-01", "77003", "26", claim_line_number=2),
            bill("A", "2023-08-01", "99213", "25", claim_line_number=3),
        ),
    ),
    Scenario(
        "complies_next_day",
        "the epidural injection is a day later",
        (bill("A", "2023-08-01", "27096", "RT"), bill("B", "2023-08-02", "62323")),
    ),
    Scenario(
        "complies_visit_other_denied",
        "the epidural injection was denied",
        (bill("A", "2023-08-01", "27096", "RT"), bill("B", "2023-08-01", "62323", claim_status="denied", paid_amount="0.00")),
    ),
    Scenario(
        "complies_epidural_and_facet",
        "two procedures of one visit, none of the sacroiliac joint: not this policy's",
        (bill("A", "2023-08-01", "62323"), bill("A", "2023-08-01", "64493", "RT", claim_line_number=2)),
    ),
    # --- IV and V: never necessary
    Scenario(
        "nerve_block",
        "a sacroiliac nerve block",
        (bill("A", "2023-08-01", "64451", "LT"),),
        (find_code(NERVE, "2023-08-01", "64451", site="left"),),
    ),
    Scenario(
        "nerve_block_first_day",
        "on the first day on which the policy names it; the wording of IV was the same",
        (bill("A", "2020-02-01", "64451", "RT"),),
        (find_code(NERVE, "2020-02-01", "64451"),),
    ),
    Scenario(
        "nerve_block_line_of_business",
        "a nerve block without a line of business",
        (bill("A", "2023-08-01", "64451", "RT", line_of_business=None),),
        (find_code(NERVE, "2023-08-01", "64451", "line_of_business_unknown"),),
    ),
    Scenario(
        "nerve_block_and_facility",
        "a nerve block billed by physician and facility: one finding, both claims' dollars",
        (bill("A", "2023-08-01", "64451", "RT"), bill_facility("AF", "2023-08-01", "64451", "RT", paid_amount="700.00")),
        (find_code(NERVE, "2023-08-01", "64451", paid_amount="941.10"),),
    ),
    Scenario(
        "complies_nerve_block_before", "before February 2020 the policy did not name the code", (bill("A", "2020-01-20", "64451", "RT"),)
    ),
    Scenario(
        "complies_nerve_block_medicare", "a nerve block under Medicare", (bill("A", "2023-08-01", "64451", "RT", line_of_business="mapd"),)
    ),
    Scenario("complies_other_nerve_block", "another peripheral nerve's code", (bill("A", "2023-08-01", "64450", "RT"),)),
    Scenario(
        "radiofrequency",
        "radiofrequency ablation of the joint's nerves",
        (bill("A", "2023-08-01", "64625", "RT"),),
        (find_code(RADIO, "2023-08-01", "64625"),),
    ),
    Scenario(
        "radiofrequency_authorized",
        "radiofrequency ablation that was approved beforehand",
        (bill("A", "2023-08-01", "64625", "LT", prior_authorization_number="AUTH-4"),),
        (find_code(RADIO, "2023-08-01", "64625", "authorized", site="left"),),
    ),
    Scenario(
        "radiofrequency_denial_unclear",
        "nothing paid and nothing allowed: perhaps denied",
        (bill("A", "2023-08-01", "64625", "RT", paid_amount="0.00"),),
        (find_code(RADIO, "2023-08-01", "64625", "denial_unclear", paid_amount="0.00"),),
    ),
    Scenario(
        "complies_radiofrequency_voided",
        "radiofrequency ablation that was voided",
        (
            bill("A", "2023-08-01", "64625", "RT"),
            correct(bill("A", "2023-08-01", "64625", "RT"), "2023-10-01", claim_frequency_code="8"),
        ),
    ),
    # --- more of all of these, at the end so that the persons above keep their numbers
    Scenario(
        "doubt_version_unclear",
        "two versions name different sides, and one has no date: which came last is not known",
        bill_two_then(bill_third("2023-05-10", "LT", paid_date=None), correct(ORIGINAL, "2023-07-01")),
        (find_interval(*TOO_EARLY, "version_unclear"),),
    ),
    Scenario(
        "doubt_may_be_same_service",
        "far enough apart, and there again two days later with the same code, side, practice and amount: perhaps sent again under another date",
        bill_two_then(bill_third("2023-06-10"), bill("D", "2023-06-12", "27096", "RT")),
        (find_interval("2023-06-12", 2, 3, "2023-08-10", "may_be_same_service", presumptions=()),),
    ),
    Scenario(
        "doubt_medicare_beside",
        "a commercial plan and Medicare both paid: which came first is not said",
        bill_two_then(bill_third(), bill("CM", "2023-05-10", "27096", "RT", line_of_business="medicare", paid_amount="30.00")),
        (find_interval(*TOO_EARLY, "medicare_beside"),),
    ),
    Scenario(
        "interval_after_two_diagnostics",
        "two injections marked as diagnostic, so that the third is surely therapeutic, and the fourth a month after it",
        (
            ONE_RIGHT,
            bill("B", "2023-03-22", "27096", "RT", "KX"),
            bill("C", "2023-06-10", "27096", "RT"),
            bill("D", "2023-07-10", "27096", "RT"),
        ),
        (find_interval("2023-07-10", 30, 3, "2023-08-10", presumptions=()),),
    ),
    Scenario(
        "second_diagnostic_after_an_unmarked_one",
        "diagnostic injection ten days after one that nothing marks: too early by I.A.2, and by I.A.3.c if both were therapeutic",
        (bill("A", "2023-03-01", "27096", "RT"), bill("B", "2023-03-11", "27096", "RT", "KX")),
        (
            find_second("2023-03-11", 10, "2023-03-15"),
            find_interval("2023-03-11", 10, 1, "2023-05-01", "purpose_open", presumptions=()),
        ),
    ),
    Scenario(
        "fifth_after_two_diagnostics",
        "two injections marked as diagnostic, so that the five after them are surely therapeutic",
        (
            bill("A", "2022-12-01", "27096", "LT", "KX"),
            bill("B", "2022-12-20", "27096", "LT", "KX"),
            *bill_dates(("2023-03-01", "2023-05-01", "2023-07-01", "2023-09-01", "2023-11-01"), "LLLLL"),
        ),
        (find_fifth("2023-11-01", 4, "2024-03-01", site="left", presumptions=()),),
    ),
    Scenario(
        "radiofrequency_medicaid",
        "radiofrequency ablation under Medicaid: the state's own rules are presumed not to conflict",
        (bill("A", "2023-08-01", "64625", "RT", line_of_business="medicaid"),),
        (find_code(RADIO, "2023-08-01", "64625", presumptions=("state_rules_unchecked",)),),
    ),
)
