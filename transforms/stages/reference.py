"""The tables that people maintain, `sql/0_reference/`: read here alone, as text for Python, typed for the SQL stages."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from sij_audit.transforms.duck import insert_rows
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.settings import LINE_GROUPS
from sij_audit.transforms.stages.queries import SQL, place_of

REFERENCE = SQL / "0_reference"

LINES_OF_BUSINESS = REFERENCE / "lines_of_business.csv"

QUALITY_CHECKS = REFERENCE / "quality_checks.csv"

LINE_COLUMNS = ["match_order", "match_kind", "line_of_business", "unless_matches", "line_group", "source"]

MATCH_KINDS = ("contains", "begins_with", "equals")
"""How a value of line_of_business is compared with a row; `sql/1_lines/09_line_groups.sql` does it."""


@dataclass(frozen=True)
class Code:
    """A procedure code and the dates, both inclusive and None where open, from and to which it belongs to its family."""

    hcpcs_code: str
    effective_from: date | None
    effective_to: date | None


SHARE = r"0(?:\.[0-9]+)?|1(?:\.0+)?"

QUALITY_LIMITS = {
    "least_row_count": "[0-9]+",
    "least_found_count": "[0-9]+",
    "least_share": SHARE,
    "value_limit": "[0-9]*",
    "refused_row_count": "[0-9]*",
    "refused_share": f"|{SHARE}",
}
"""Patterns of the limits of quality checks, by column."""


@dataclass(frozen=True)
class QualityCheck:
    """One check of what extracts look like: which counts make a notice, which refuse an extract, and what it means for findings."""

    check_id: str
    meaning: str
    effect: str
    remedy: str
    least_share: float
    value_limit: int
    """How many different values are usual; 0 where the check has no such limit."""
    refused_row_count: int
    refused_share: float
    """An extract of at least so many rows is refused where more than this share is found; 1 where the check refuses none."""

    def suspects(self, row_count: int, found_count: int) -> bool:
        """Say whether what was found in a sample is a reason to look at all rows."""
        return found_count > 0 and found_count >= self.least_share / 2 * row_count

    def refuses(self, row_count: int, found_count: int) -> bool:
        """Say whether an extract is refused of which so many rows were found."""
        return row_count >= self.refused_row_count and found_count > self.refused_share * row_count


def reference_files() -> list[Path]:
    """The files of the reference tables, by name."""
    return sorted(REFERENCE.glob("*.csv"))


def read_reference(name: str) -> list[dict[str, str]]:
    """Read a reference table as text."""
    header, rows = _read(REFERENCE / f"{name}.csv")
    return [dict(zip(header, row, strict=True)) for row in rows]


def load_codes() -> list[Code]:
    """The procedure codes that are in some family at any date, by code."""
    return sorted(
        (
            Code(row["hcpcs_code"], _open_date(row["effective_from"]), _open_date(row["effective_to"]))
            for row in read_reference("procedure_codes")
        ),
        key=lambda code: (code.hcpcs_code, code.effective_from or date.min),
    )


def load_claim_statuses() -> dict[str, str]:
    """What claims' status is, by each of the words for it in lower case."""
    return {row["word"]: row["claim_status"] for row in read_reference("claim_statuses")}


def load_quality_checks(path: Path = QUALITY_CHECKS) -> dict[str, QualityCheck]:
    """The checks of what extracts look like, by their ids; AuditError names file and line of a limit that is no number."""
    header, rows = _read(path)
    checks = {}
    for line, cells in enumerate(rows, start=2):
        row = dict(zip(header, cells, strict=True))
        for name, pattern in QUALITY_LIMITS.items():
            if not re.fullmatch(pattern, row[name]):
                raise AuditError(
                    f"{place_of(path)}, line {line}: {name} must be {'a share from 0 to 1' if 'share' in name else 'a whole number'}"
                )
        checks[row["check_id"]] = QualityCheck(
            **{name: row[name] for name in ("check_id", "meaning", "effect", "remedy")},
            least_share=float(row["least_share"]),
            value_limit=int(row["value_limit"] or 0),
            refused_row_count=int(row["refused_row_count"] or 0),
            refused_share=float(row["refused_share"] or 1),
        )
    return checks


def check_lines_of_business(path: Path = LINES_OF_BUSINESS) -> None:
    """Check the table of lines of business; AuditError names file and line of a row that is none, or that contradicts one before it.

    Of the rows that match a value, those of the lowest order decide, so that an order has one group.
    """
    place = place_of(path)
    line_of_value: dict[tuple[str, str], int] = {}
    group_of_order: dict[str, tuple[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if reader.fieldnames != LINE_COLUMNS:
            raise AuditError(f"{place}, line 1: the header must be {','.join(LINE_COLUMNS)}")
        for row in reader:
            here = f"{place}, line {reader.line_num}"
            _check_line_of_business(here, row)
            order, group, value = row["match_order"], row["line_group"], (row["match_kind"], row["line_of_business"])
            if line_of_value.setdefault(value, reader.line_num) != reader.line_num:
                raise AuditError(f"{here}: line {line_of_value[value]} has the same value, matched the same way")
            first_group, first_line = group_of_order.setdefault(order, (group, reader.line_num))
            if group != first_group:
                raise AuditError(
                    f"{here}: match_order {order} is {first_group} in line {first_line}, and {group} here; an order has one group"
                )


def _check_line_of_business(place: str, row: Mapping[str, str]) -> None:
    if None in row or None in row.values():
        raise AuditError(f"{place}: must have {len(LINE_COLUMNS)} cells: {', '.join(LINE_COLUMNS)}")
    if not re.fullmatch("[1-9][0-9]*", row["match_order"]):
        raise AuditError(f"{place}: match_order must be a whole number from 1 on")
    if row["match_kind"] not in MATCH_KINDS:
        raise AuditError(f"{place}: match_kind must be {', '.join(MATCH_KINDS[:-1])} or {MATCH_KINDS[-1]}")
    if row["line_of_business"] != " ".join(row["line_of_business"].lower().split()) or not row["line_of_business"]:
        raise AuditError(f"{place}: line_of_business must be in lower case, with single spaces, and not empty")
    if row["line_group"] not in LINE_GROUPS:
        raise AuditError(f"{place}: line_group must be {', '.join(LINE_GROUPS[:-1])} or {LINE_GROUPS[-1]}")


def load_reference(con: duckdb.DuckDBPyConnection) -> None:
    """Make a table of each reference CSV; what begins or ends a column's name says what type it has."""
    for path in reference_files():
        header, rows = _read(path)
        columns = ", ".join(f"{name} {_column_type(name)}" for name in header)
        con.execute(f"create or replace table {path.stem} ({columns})")
        insert_rows(con, path.stem, header, [[cell or None for cell in row] for row in rows])


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as lines:
        header, *rows = list(csv.reader(lines))
    return header, rows


def _column_type(name: str) -> str:
    if name.startswith("effective_"):
        return "DATE"
    if name.startswith("is_"):
        return "BOOLEAN"
    if name.endswith("_share"):
        return "DOUBLE"
    return "BIGINT" if name.endswith(("_bit", "_order", "_count", "_limit")) else "VARCHAR"


def _open_date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
