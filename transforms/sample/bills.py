"""Claim lines of the sample's planted persons: how a physician and a facility bill, and how a claim is corrected or taken back.

A claim's local name becomes a claim number when the sample is written.
"""

from datetime import date, timedelta
from typing import Any

AS_OF = date(2024, 6, 30)

Line = dict[str, Any]
"""A claim line: columns of the extracts, and the extract that it comes in."""

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


def day(text: str) -> date:
    """Read a date as the scenarios write it."""
    return date.fromisoformat(text)


def bill(claim: str, service_date: str, code: str = "27096", *modifiers: str, **changes: Any) -> Line:
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


def bill_facility(claim: str, service_date: str, code: str = "G0260", *modifiers: str, **changes: Any) -> Line:
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


def correct(line: Line, paid_date: str, **changes: Any) -> Line:
    """Make a later version of a line, in the file of corrections."""
    return line | {"extract": CORRECTIONS, "paid_date": day(paid_date)} | changes


def reverse(line: Line, paid_date: str, **changes: Any) -> Line:
    """Take back a line with the same amounts below zero."""
    negative = {name: f"-{line[name]}" for name in ("paid_amount", "allowed_amount", "charge_amount")}
    return correct(line, paid_date, claim_status="reversed", service_unit_quantity=-1, **(negative | changes))


def bill_two_then(*third: Line) -> tuple[Line, ...]:
    """Put two injections that comply before a person's others, so that the next is no second diagnostic one: 10 January and 10 April 2023."""
    return bill("A", "2023-01-10", "27096", "RT"), bill("B", "2023-04-10", "27096", "RT"), *third


def bill_third(service_date: str = "2023-05-10", *modifiers: str, **changes: Any) -> Line:
    """Make the third injection after `bill_two_then`, by default a month too early."""
    return bill("C", service_date, "27096", *(modifiers or ("RT",)), **changes)


EVERY_TWO_MONTHS = ("2023-01-10", "2023-03-10", "2023-05-10", "2023-07-10", "2023-09-10")


def bill_dates(dates: tuple[str, ...], sides: str, **changes: Any) -> tuple[Line, ...]:
    """Make one physician's line a date; each letter of `sides` is R, L or - for a line that names no side."""
    modifiers = {"R": ("RT",), "L": ("LT",), "-": ()}
    return tuple(
        bill(f"D{number}", service_date, "27096", *modifiers[side], **changes)
        for number, (service_date, side) in enumerate(zip(dates, sides, strict=True))
    )


ORIGINAL = bill_third()
ONE_RIGHT = bill("A", "2023-03-01", "27096", "RT", "KX")
