"""What reviewers filled in, read back from a workbook as Excel or LibreOffice saves it, from CSV or from Parquet."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.spreadsheets import take_back
from sij_audit.transforms.text import printable

DISPOSITIONS = ("upheld", "overturned")

NEEDED = ("finding_id", "disposition")
"""A sheet that has these columns is read; all others are not."""

COLUMNS = (*NEEDED, "run_id", "recovered_amount", "reviewer", "note")

HEADER_ROWS = 10
"""The header is one of the first so many rows."""

NAMED = 10
"""So many problems of a file are named."""

FINDING_ID = re.compile("[0-9a-f]{32}")

AMOUNT = re.compile(r"\$?\s*(\d+|\d{1,3}(,\d{3})+)(\.\d{1,2})?", re.ASCII)
"""An amount as text: with or without a dollar sign and thousands' commas, the decimals after a point."""

MOST = Decimal(10) ** 12
"""What amounts stay below: they are kept with 12 digits before the point."""

NOISE = Decimal("0.00001")
"""How far a number of a spreadsheet may be from cents that were meant."""

BLANKS = " \t\r\n\u00a0"


@dataclass(frozen=True)
class Disposition:
    """What a reviewer says of a finding."""

    finding_id: str
    run_id: str | None
    """The run whose finding was reviewed."""
    disposition: str
    """upheld or overturned."""
    recovered_amount: Decimal | None
    reviewer: str | None
    note: str | None


@dataclass(frozen=True)
class _Row:
    """The cells that count of a row, by the name of their column, and where it stands."""

    place: str
    cells: Mapping[str, Any]


class _NotReadable(Exception):
    """A cell holds something else than its column may; says what the column may hold."""


def read_dispositions(path: Path) -> list[Disposition]:
    """Read all reviews of a file: .xlsx (every sheet with the columns finding_id and disposition), .csv or .parquet.

    CSV is UTF-8, with or without a byte-order mark, between commas or semicolons; amounts have a decimal point in both. Rows whose disposition,
    recovered_amount and note are all empty are no review. UsageError names up to ten problems of the file by sheet, row and column, and never
    what a cell holds.
    """
    problems: list[str] = []
    found: dict[str, tuple[str, Disposition]] = {}
    for row in _read_rows(path):
        disposition = _read_row(row, problems)
        if disposition is None:
            continue
        place, first = found.setdefault(disposition.finding_id, (row.place, disposition))
        if first != disposition:
            problems.append(f"{row.place}, column finding_id: the same finding as in {place}, with another answer; leave one of them")
    if problems:
        more = [f"and {len(problems) - NAMED:,} more"] if len(problems) > NAMED else []
        raise UsageError("\n  ".join([f"{path.name}: cannot be used as it is; nothing of it was read.", *problems[:NAMED], *more]))
    return [disposition for _, disposition in found.values()]


def _read_rows(path: Path) -> Iterator[_Row]:
    if not path.is_file():
        raise UsageError(f"{path.name}: there is no such file.")
    readers = {".xlsx": _read_workbook, ".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise UsageError(f"{path.name}: dispositions are read from .xlsx, .csv or .parquet; save it as one of these.")
    try:
        yield from readers[path.suffix.lower()](path)
    except (CalamineError, pa.ArrowException, csv.Error, UnicodeDecodeError, OSError):
        kind = "CSV file in UTF-8" if path.suffix.lower() == ".csv" else f"{path.suffix.lower()} file"
        raise UsageError(f"{path.name}: is no {kind} that can be read; save it anew.") from None


def _read_workbook(path: Path) -> Iterator[_Row]:
    book = CalamineWorkbook.from_path(path)
    is_any = False
    for name in (sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet):
        shown = printable(name)
        rows = enumerate(book.get_sheet_by_name(name).iter_rows(), 1)
        columns = _find_header(rows)
        if columns is not None:
            is_any = True
            _check_columns(path, columns, f"sheet {shown}, ")
            yield from _pick_cells(rows, columns, f"sheet {shown}, ")
    if not is_any:
        raise UsageError(f"{path.name}: no sheet has the columns finding_id and disposition in one of its first {HEADER_ROWS} rows.")


def _read_csv(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as file, _any_field_size():
        head = file.readline()
        file.seek(0)
        rows = enumerate(csv.reader(file, delimiter=";" if head.count(";") > head.count(",") else ",", strict=True), 1)
        columns = _find_header(rows)
        if columns is None:
            raise UsageError(f"{path.name}: lacks the columns finding_id and disposition in its first {HEADER_ROWS} rows.")
        _check_columns(path, columns, "")
        yield from _pick_cells(rows, columns, "")


@contextmanager
def _any_field_size() -> Iterator[None]:
    """Let a field be as long as it is: a finding may have thousands of claim lines, and Python's reader stops at 131,072 characters."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _read_parquet(path: Path) -> Iterator[_Row]:
    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    if not set(NEEDED) <= set(names):
        raise UsageError(f"{path.name}: lacks the columns finding_id and disposition.")
    _check_columns(path, names, "")
    present = [name for name in COLUMNS if name in names]
    number = 0
    for batch in file.iter_batches(columns=present):
        for cells in batch.to_pylist():
            number += 1
            yield _Row(f"row {number:,}", cells)


def _find_header(rows: Iterator[tuple[int, Sequence[Any]]]) -> list[str] | None:
    """The names of the columns, with the rows up to them taken; None where no header is found."""
    for number, cells in rows:
        names = [str(cell).strip(BLANKS).lower() for cell in cells]
        if set(NEEDED) <= set(names):
            return names
        if number >= HEADER_ROWS:
            break
    return None


def _check_columns(path: Path, names: Sequence[str], place: str) -> None:
    for name in COLUMNS:
        if names.count(name) > 1:
            raise UsageError(f"{path.name}: {place}column {name} is there twice; remove one of them.")


def _pick_cells(rows: Iterable[tuple[int, Sequence[Any]]], names: Sequence[str], place: str) -> Iterator[_Row]:
    columns = {name: names.index(name) for name in COLUMNS if name in names}
    for number, cells in rows:
        picked = {name: cells[column] if column < len(cells) else None for name, column in columns.items()}
        yield _Row(
            f"{place}row {number:,}",
            {name: take_back(cell) if isinstance(cell, str) else cell for name, cell in picked.items()},
        )


def _read_row(row: _Row, problems: list[str]) -> Disposition | None:
    """Read a row; None where it is no review, or where something is wrong with it, which is added to `problems`."""
    if not any(_read_text(row.cells.get(name)) for name in ("disposition", "recovered_amount", "note")):
        return None
    before = len(problems)

    def read(column: str, reader: Any) -> Any:
        try:
            return reader(row.cells.get(column))
        except _NotReadable as expected:
            problems.append(f"{row.place}, column {column}: {expected}")
            return None

    disposition = Disposition(
        finding_id=read("finding_id", _read_finding_id),
        run_id=read("run_id", _read_text),
        disposition=read("disposition", _read_disposition),
        recovered_amount=read("recovered_amount", _read_amount),
        reviewer=read("reviewer", _read_text),
        note=read("note", _read_text),
    )
    return disposition if len(problems) == before else None


def _read_text(cell: Any) -> str | None:
    """The text of a cell, None where it is empty: a whole number as it looks, a day without a time."""
    if isinstance(cell, datetime) and not any(cell.timetuple()[3:6]):
        cell = cell.date()
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return (str(cell).strip(BLANKS) or None) if cell is not None else None


def _read_finding_id(cell: Any) -> str:
    text = _read_text(cell) or ""
    if not FINDING_ID.fullmatch(text.lower()):
        raise _NotReadable("must be the 32 hex digits that were handed over")
    return text.lower()


def _read_disposition(cell: Any) -> str:
    text = (_read_text(cell) or "").lower()
    if text not in DISPOSITIONS:
        raise _NotReadable("must be upheld or overturned, since the row is filled in")
    return text


def _read_amount(cell: Any) -> Decimal | None:
    text = _read_text(cell)
    if text is None:
        return None
    amount: Decimal | None = None
    if isinstance(cell, str):
        amount = Decimal(text.lstrip("$ ").replace(",", "")) if AMOUNT.fullmatch(text) else None
    elif isinstance(cell, int | float | Decimal) and not isinstance(cell, bool) and abs(float(cell)) < MOST:
        exact = Decimal(cell)
        amount = round(exact, 2)
        if abs(exact - amount) > NOISE:
            amount = None
    if amount is None or not 0 <= amount < MOST:
        raise _NotReadable("must be US dollars, 0 or more, with at most two decimals after a point")
    return amount.quantize(Decimal("0.01"))
