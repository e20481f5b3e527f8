"""Reviewers change what is true, played over four nights, each with its delivery.

P1's third and fourth injections each came too early after the one before. P2's fifth injection came too early and is one too many: two findings
cite one line, and the stronger has its dollars.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.handoff.deliveries import Delivery, deliver
from sij_audit.transforms.handoff.reviews import import_dispositions
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.store.folder import Store
from tests.runs import Row, line, read_report, run, write_csv, write_extract

PRICE = Decimal("186.40")
FREE = Decimal("0.00")
INTERVAL, FIFTH = "interval_under_two_months", "fifth_injection_in_twelve_months"
THIRD, FOURTH, TOO_EARLY, ONE_TOO_MANY = ("C", INTERVAL), ("D", INTERVAL), ("I", INTERVAL), ("I", FIFTH)
BILLED = {
    "P1": {"A": "2023-01-10", "B": "2023-04-10", "C": "2023-05-10", "D": "2023-06-05"},
    "P2": {"E": "2023-01-10", "F": "2023-03-15", "G": "2023-05-20", "H": "2023-07-25", "I": "2023-08-20"},
}

Key = tuple[str, str]


class Nights:
    """OUT, run night after night, and what is delivered from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "out")
        self.number = 0

    def night(self, *rows: Row) -> None:
        self.number += 1
        run(self.store.root, *([write_extract(self.folder / f"{self.number}.parquet", rows)] if rows else []))

    def findings(self) -> dict[Key, Row]:
        """The findings that hold, by the claim that they cite and their rule."""
        return {key_of(row): row for row in read_report(self.store.root) if row["status"] != "withdrawn"}

    def at_risk(self) -> dict[Key, Decimal]:
        return {key: row["amount_at_risk"] for key, row in self.findings().items()}

    def open_findings(self) -> set[Key]:
        """What auditors see as open."""
        with duckdb.connect(self.store.current / "audit.duckdb", read_only=True) as con:
            rows = con.execute("select claim_id, rule_id from finding_lines semi join open_findings using (finding_id)").fetchall()
        return {(claim, rule) for claim, rule in rows}

    def line_statuses(self) -> dict[str, str]:
        return {row["claim_id"]: row["line_status"] for row in read_report(self.store.root, "lines")}

    def deliver(self) -> tuple[Delivery, dict[Key, str]]:
        to = self.folder / f"to-{self.number}"
        delivery = deliver(self.store, to, Settings())
        rows = pq.read_table(to / "findings.parquet").to_pylist() if to.exists() else []
        return delivery, {key_of(row): row["change"] for row in rows}

    def review(self, **dispositions: str) -> None:
        rows = [
            [row["finding_id"], disposition]
            for claim, disposition in dispositions.items()
            for key, row in self.findings().items()
            if key == (claim, INTERVAL)
        ]
        import_dispositions(self.store, write_csv(self.folder / f"reviewed-{self.number}.csv", ["finding_id", "disposition"], rows))


def key_of(row: Row) -> Key:
    return row["claim_lines"][0]["claim_id"], row["rule_id"]


def totals(delivery: Delivery) -> Mapping[str, tuple[int, Decimal]]:
    return {row["part"]: (row["findings"], row["amount_at_risk"]) for row in delivery.totals if row["findings"]}


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    """The first night: all is billed, found, and delivered."""
    nights = Nights(tmp_path)
    nights.night(*(line(claim, day, person=person) for person, claims in BILLED.items() for claim, day in claims.items()))
    return nights


def test_what_reviewers_decide_is_true_in_the_nights_that_follow(nights: Nights) -> None:
    assert nights.at_risk() == {THIRD: PRICE, FOURTH: PRICE, TOO_EARLY: PRICE, ONE_TOO_MANY: FREE}
    delivery, handed = nights.deliver()
    assert handed == dict.fromkeys((THIRD, FOURTH, TOO_EARLY, ONE_TOO_MANY), "new")
    assert totals(delivery) == {"new proven violations": (2, 2 * PRICE), "new presumed violations": (2, PRICE)}

    # one is upheld and one overturned, whose dollars fall to the other finding on its line
    nights.review(C="upheld", I="overturned")
    nights.night()
    assert nights.at_risk() == {THIRD: PRICE, FOURTH: PRICE, TOO_EARLY: FREE, ONE_TOO_MANY: PRICE}
    assert nights.open_findings() == {THIRD, FOURTH, ONE_TOO_MANY}
    delivery, handed = nights.deliver()
    assert handed == {ONE_TOO_MANY: "changed"}
    assert totals(delivery) == {"changed presumed violations": (1, PRICE), "overturned": (1, FREE)}

    # the payment for the upheld one is taken back: it was given all the same, and the next one still came too early after it
    nights.night(line("C", BILLED["P1"]["C"], person="P1", claim_status="reversed", paid_amount="-186.40", paid_date=date(2024, 3, 1)))
    assert nights.line_statuses()["C"] == "recovered"
    assert nights.at_risk() == {THIRD: FREE, FOURTH: PRICE, TOO_EARLY: FREE, ONE_TOO_MANY: PRICE}
    assert nights.findings()[FOURTH]["prior_claim_ids"] == ["C"]
    delivery, handed = nights.deliver()
    assert handed.keys() == {THIRD}

    # the overturned one is paid otherwise: reviewers have not seen that, so it is found anew and has its dollars again
    nights.night(line("I", BILLED["P2"]["I"], person="P2", claim_frequency_code="7", paid_amount="150.00", paid_date=date(2024, 4, 1)))
    assert nights.at_risk() == {THIRD: FREE, FOURTH: PRICE, TOO_EARLY: Decimal("150.00"), ONE_TOO_MANY: FREE}
    assert nights.open_findings() == {THIRD, FOURTH, TOO_EARLY, ONE_TOO_MANY}
    delivery, handed = nights.deliver()
    assert (handed[TOO_EARLY], handed[ONE_TOO_MANY]) == ("new", "changed")
