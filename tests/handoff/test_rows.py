"""Rows of the hand-off as cells: lists become texts, sums are those of their parts."""

from decimal import Decimal

import duckdb
import polars as pl
import pytest

from sij_audit.transforms.columns import ROW_OUTCOMES
from sij_audit.transforms.handoff.notes import list_rules, sum_by_outcome, sum_to_work_on
from sij_audit.transforms.handoff.rows import CHUNK, join_lists, read_rows

LINE = pl.Struct({"claim_id": pl.String, "claim_line_number": pl.Int64, "hcpcs_code": pl.String, "paid_amount": pl.Decimal(14, 2)})


def claim_line(claim_id: str | None, number: int | None, paid: str | None) -> dict[str, object]:
    return {"claim_id": claim_id, "claim_line_number": number, "hcpcs_code": "27096", "paid_amount": paid and Decimal(paid)}


@pytest.mark.parametrize(
    ("separator", "lines"),
    [(", ", "C1/1 27096 $186.40\nC2 27096 $-1.00\n/2 27096"), ("; ", "C1/1 27096 $186.40; C2 27096 $-1.00; /2 27096")],
)
def test_lists_are_joined_and_what_a_claim_line_lacks_is_left_out(separator: str, lines: str) -> None:
    frame = pl.DataFrame(
        {
            "doubts": [["authorized", "discontinued"], []],
            "claim_lines": [[claim_line("C1", 1, "186.40"), claim_line("C2", None, "-1.00"), claim_line(None, 2, None)], None],
            "site": ["left", None],
        },
        {"doubts": pl.List(pl.String), "claim_lines": pl.List(LINE), "site": pl.String},
    )
    assert join_lists(frame, separator).rows() == [(f"authorized{separator}discontinued", lines, "left"), ("", None, None)]


@pytest.mark.parametrize("count", [0, 1, CHUNK + 1])
def test_all_rows_are_read_in_their_order(count: int) -> None:
    with duckdb.connect() as con:
        rows = read_rows(con, f"select range as n, [range::varchar, 'x'] as names from range({count})", "; ").read_all()
    assert rows.column("n").to_pylist() == list(range(count))
    assert rows.column("names").to_pylist() == [f"{n}; x" for n in range(count)]


def test_to_work_on_is_what_is_new_or_changed() -> None:
    parts = pl.DataFrame(
        {
            "part": [
                "new proven violations",
                "changed presumed violations",
                "new likely reviews",
                "changed possible reviews",
                "withdrawn",
                "suppressed",
            ],
            "findings": [1, 2, 4, 8, 16, 32],
            "amount_at_risk": [Decimal("0.01")] * 6,
        }
    )
    assert sum_to_work_on(parts) == (15, Decimal("0.04"))


def test_extracts_are_summed_by_outcome_and_all_together() -> None:
    counts = {f"rows_{outcome}": [1, 2, 4] for outcome in ("read", *ROW_OUTCOMES)}
    controls = pl.DataFrame({"outcome": ["taken", "held", "taken"], **counts})
    assert sum_by_outcome(controls, "rows").rows() == [("held", 1, *[2] * 5), ("taken", 2, *[5] * 5), ("all", 3, *[7] * 5)]


def test_a_rule_is_listed_with_its_limits_and_the_policys_own_come_last() -> None:
    rules = pl.DataFrame(
        [("P", "two", "I.B", "Second"), ("P", "one", "I.A", "First")], ["policy_id", "rule_id", "policy_section", "title"], orient="row"
    )
    limits = pl.DataFrame(
        [("P", "one", "min_months", "3"), ("P", "one", "min_days", "14"), ("P", None, "count_months", "12")],
        ["policy_id", "rule_id", "limit_name", "limit_value"],
        orient="row",
    )
    assert list_rules(rules, limits).rows() == [
        ("two", "P I.B: Second"),
        ("one", "P I.A: First (min_days 14, min_months 3)"),
        ("all of P", "count_months 12"),
    ]
