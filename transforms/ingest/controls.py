"""The control totals of an extract: rows and dollars of each outcome, refused rows by reason, and how far its columns are filled."""

from decimal import Decimal
from typing import Any

from sij_audit.transforms.columns import COLUMNS, QUARANTINE_REASONS, ROW_OUTCOMES
from sij_audit.transforms.duck import fetch_one, fetch_row
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.ingest.part import Part
from sij_audit.transforms.ingest.row_checks import ScannedRows

COUNTED = ("read", *ROW_OUTCOMES)
"""What the controls of a batch count, in rows and in dollars."""


def balance_rows(name: str, part: Part) -> tuple[dict[str, Any], dict[str, int]]:
    """Count rows and dollars of each outcome, each on its own; AuditError where they do not sum to what was read."""
    con = part.con
    refused = len(part.refused_rows()[0])
    reasons = {
        tuple(QUARANTINE_REASONS)[reason - 1]: count
        for reason, count in con.execute("select reason, count(*) from checked where reason > 0 group by 1 order by 1").fetchall()
    }
    if refused:
        reasons["unparseable_row"] = reasons.get("unparseable_row", 0) + refused
    rows = {"read": part.rows_read, "quarantined": sum(reasons.values())}
    paid = {}
    paid["read"] = fetch_one(con, "select coalesce(sum(paid_cents), 0) from checked")
    paid["quarantined"] = fetch_one(con, "select coalesce(sum(paid_cents), 0) from checked where reason > 0")
    for outcome, query in (
        ("kept", "from kept where not is_repeat"),
        ("duplicate", "from kept where is_repeat"),
    ):
        rows[outcome], paid[outcome] = fetch_row(con, f"select count(*), coalesce(sum(paid_amount) * 100, 0) {query}")
    rows["not_relevant"], paid["not_relevant"] = fetch_row(
        con,
        "select count(*), coalesce(sum(paid_cents), 0) from checked where reason = 0 and position not in (select position from kept_rows)",
    )
    for what, counts in (("rows", rows), ("paid dollars", paid)):
        if counts["read"] != sum(counts[outcome] for outcome in ROW_OUTCOMES):
            raise AuditError(
                f"{name}: its {what} do not balance: " + ", ".join(f"{outcome} {counts[outcome]}" for outcome in COUNTED) + "."
            )
    controls: dict[str, Any] = {f"rows_{outcome}": int(rows[outcome]) for outcome in COUNTED}
    controls |= {f"paid_{outcome}": f"{Decimal(paid[outcome]) / 100:.2f}" for outcome in COUNTED}
    return controls, reasons


def describe_columns(part: Part, rows: ScannedRows) -> list[dict[str, Any]]:
    """Say of every canonical column, then of every ignored one, whether it is there and how often it is filled."""
    columns: list[dict[str, Any]] = []
    for column in COLUMNS:
        index = part.columns.get(column.name)
        filled = 0 if index is None else rows.filled_counts[index]
        columns.append({"column": column.name, "is_canonical": True, "is_present": index is not None, "filled_count": filled})
    columns += [
        {"column": part.names[index], "is_canonical": False, "is_present": True, "filled_count": rows.filled_counts[index]}
        for index in part.ignored
    ]
    return columns
