"""What the audit must say of the sample's planted persons.

It is written down by hand, from the contract, and never computed, but for determination and strength: they follow from the doubts and
presumptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sij_audit.transforms.sample.bills import PRICES, Line, day

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
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...] = ()
    done_on: Mapping[str, str | None] = field(default_factory=dict)
    """Claims whose service was on another day than they said at first, or, where it is None, was not done at all."""


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


UNMARKED = ("purpose_unmarked",)
"""What a finding presumes where the earlier injection may have been diagnostic: two of a site may be, and nothing marks it."""

TOO_EARLY = ("2023-05-10", 30, 2, "2023-06-10")
"""What the interval rule says of `bill_third()` after `bill_two_then`."""
