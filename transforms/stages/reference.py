"""The tables that people maintain, `sql/0_reference/`: read here alone, as text for Python, typed for the SQL stages."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from sij_audit.transforms.duck import insert_rows
from sij_audit.transforms.stages.queries import SQL

REFERENCE = SQL / "0_reference"


@dataclass(frozen=True)
class Code:
    """A procedure code and the dates, both inclusive and None where open, from and to which it belongs to its family."""

    hcpcs_code: str
    effective_from: date | None
    effective_to: date | None


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


def load_reference(con: duckdb.DuckDBPyConnection) -> None:
    """Make a table of each reference CSV: dates where a name begins with effective_, booleans with is_, whole numbers for _bit and _order."""
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
    return "BIGINT" if name.endswith(("_bit", "_order")) else "VARCHAR"


def _open_date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
