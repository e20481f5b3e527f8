"""The hand-off as a workbook that reviewers fill in.

Nothing is cut: a sheet or file that would pass Excel's limits goes on in the next. The same tables give the same bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from sij_audit.transforms.handoff.book import Book, Limits, Note, Numbers, Sheet
from sij_audit.transforms.handoff.handed_columns import INPUTS, MAIN_COLUMNS, NEXT_COLUMNS, ONLY_FOR_REVIEW
from sij_audit.transforms.handoff.notes import describe_handoff
from sij_audit.transforms.handoff.rows import read_rows
from sij_audit.transforms.store.durable import write_durably

SEPARATOR = ", "


def write_workbook(con: duckdb.DuckDBPyConnection, path: Path, since: str | None) -> list[Path]:
    """Write `handed_findings` and all that belongs to them; gives the files, the first of them `path`.

    `since` is the run that was served before, None where none was.
    """
    return write_parts(con, path, since, Limits())


@dataclass
class _Rows:
    """The rows of all sheets, one after the other, of which the next can be looked at."""

    rows: Iterator[tuple[Sheet, pa.Schema, tuple[Any, ...] | None]]
    """A row that is None begins its sheet, so that a sheet without rows is made too."""
    head: tuple[Sheet, pa.Schema, tuple[Any, ...] | None] | None = None

    def __post_init__(self) -> None:
        self.step()

    def step(self) -> None:
        self.head = next(self.rows, None)


def write_parts(con: duckdb.DuckDBPyConnection, path: Path, since: str | None, limits: Limits) -> list[Path]:
    """Write the workbook within these limits."""
    notes = describe_handoff(con, since)
    run_id, as_of = con.execute("select run_id, as_of from run_facts").fetchall()[0]
    rows = _Rows(_read_sheets(con))
    numbers = Numbers()
    parts: list[Path] = []
    while rows.head is not None:
        part = path if not parts else path.with_stem(f"{path.stem}_{len(parts) + 1}")
        parts.append(part)
        following = path.with_stem(f"{path.stem}_{len(parts) + 1}").name
        note = ("line", (f"Part {len(parts)} of the hand-off; one that is too large for a file goes on in {following}.",))
        write_durably(part, partial(_write_part, rows, numbers, limits, run_id, as_of, [*notes[:2], note, *notes[2:]]))
    return parts


def _read_sheets(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[Sheet, pa.Schema, tuple[Any, ...] | None]]:
    handed = con.table("handed_findings").columns
    for name, condition in (
        ("Violations", "change <> 'withdrawn' and determination = 'violation'"),
        ("Review", "change <> 'withdrawn' and determination = 'review'"),
        ("Withdrawn", "change = 'withdrawn'"),
    ):
        main = [column for column in MAIN_COLUMNS if column in handed and (name == "Review" or column not in ONLY_FOR_REVIEW)]
        inputs = list(INPUTS) if name != "Withdrawn" else []
        others = [column for column in dict.fromkeys((*NEXT_COLUMNS, *handed)) if column in handed and column not in main]
        empty = [f"null::{'decimal(14, 2)' if column == 'recovered_amount' else 'varchar'} as {column}" for column in inputs]
        columns = ", ".join([*main, *empty, *others])
        sheet = Sheet(name, (*main, *inputs, *others), printed=len(main) + len(inputs), frozen=2)
        yield from _read_sheet(con, sheet, f"select {columns} from handed_findings where {condition}")
    provider_columns = con.table("handed_providers").columns
    query = (
        "select handed_providers.*, coalesce(left_out_requests.claims, 0) as claims_left_out from handed_providers"
        " left join left_out_requests on handed_providers.billing_npi is not distinct from left_out_requests.billing_npi"
        " order by handed_providers.rowid"
    )
    yield from _read_sheet(con, Sheet("Providers", (*provider_columns, "claims_left_out"), len(provider_columns) + 1, 2), query)


def _read_sheet(con: duckdb.DuckDBPyConnection, sheet: Sheet, query: str) -> Iterator[tuple[Sheet, pa.Schema, tuple[Any, ...] | None]]:
    reader = read_rows(con, query, SEPARATOR)
    yield sheet, reader.schema, None
    for batch in reader:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield sheet, reader.schema, row


def _write_part(rows: _Rows, numbers: Numbers, limits: Limits, run_id: str, as_of: date, notes: Sequence[Note], path: Path) -> None:
    """Write one file, with as many of the rows that are left as it can hold, at least one."""
    with TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        book = Book(path, Path(folder), numbers, limits, run_id, as_of)
        book.write_notes(notes)
        is_begun = False
        while rows.head is not None:
            sheet, schema, row = rows.head
            if is_begun and book.is_full():
                break
            if row is None:
                book.begin_sheet(sheet, schema)
            else:
                book.write_row(sheet, schema, row)
                is_begun = True
            rows.step()
        book.close()
