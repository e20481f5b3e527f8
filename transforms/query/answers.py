"""How an answer is written: as a table or blocks of lines on a terminal, as plain columns in a pipe, as CSV or Parquet in a file.

DuckDB itself can write no file in a locked session: what a query gives is written from outside of it.
"""

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.spreadsheets import write_csv
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.text import count_of

SHOWN_ROWS = 200
"""Rows that a terminal is shown of one result; a pipe and a file get all."""

SHOWN_RECORDS = 20
"""The same where a row is a block of lines."""

CELL_WIDTH = 48
"""A column that is wider is folded."""


@dataclass(frozen=True)
class Answer:
    """What a statement gave: rows up to as many as are shown, and how many there were."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]
    count: int


@dataclass
class Display:
    """Where answers are shown, and how they are shown now."""

    console: Console
    is_expanded: bool | None = None
    """Whether rows are blocks of lines; None: where a table would be too wide."""
    has_shown: bool = False
    """Whether a result stands above the next one in a pipe."""


# --- on a terminal and in a pipe


def show_answer(display: Display, result: Answer, seconds: float) -> None:
    """Show rows: on a terminal as a table, or as blocks where it would be too wide; in a pipe as plain columns, all of them."""
    cells = [[format_value(value) for value in row] for row in result.rows]
    console = display.console
    if not console.is_terminal:
        if display.has_shown:
            sys.stdout.write("\n")
        display.has_shown = True
        sys.stdout.writelines(f"{line}\n" for line in align(result, cells))
        sys.stdout.flush()
        return
    is_expanded = display.is_expanded
    if is_expanded is None:
        is_expanded = bool(cells) and table_width(result.names, cells) > console.width
    if is_expanded:
        cells = cells[:SHOWN_RECORDS]
        show_records(console, result.names, cells)
    else:
        show_table(console, result, cells)
    summary = f"{count_of(result.count, 'row')}, {seconds:.2f} s"
    if len(cells) < result.count:
        summary += f"; {result.count - len(cells):,} more than are shown here: \\o FILE.csv or --to FILE.csv has all"
    console.print(Text(summary, style="dim"))


def show_table(console: Console, result: Answer, cells: Sequence[Sequence[str | None]]) -> None:
    """Draw rows as a table, numbers to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for position, name in enumerate(result.names):
        is_right = is_number([row[position] for row in result.rows])
        table.add_column(Text(escape(name)), justify="right" if is_right else "left", overflow="fold", max_width=CELL_WIDTH)
    for row in cells:
        table.add_row(*(Text("null", style="dim") if cell is None else Text(cell) for cell in row))
    console.print(table)


def show_records(console: Console, names: Sequence[str], cells: Sequence[Sequence[str | None]]) -> None:
    """Draw each row as a block, one line a column."""
    for number, row in enumerate(cells, 1):
        console.rule(Text(f"row {number}"), align="left", style="dim")
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, cell in zip(names, row, strict=True):
            grid.add_row(Text(escape(name)), Text("null", style="dim") if cell is None else Text(cell))
        console.print(grid)


def table_width(names: Sequence[str], cells: Sequence[Sequence[str | None]]) -> int:
    """How wide the table of some cells is drawn where the terminal sets no bound."""
    widths = [max(map(cell_len, column)) for column in zip(names, *([cell or "null" for cell in row] for row in cells), strict=True)]
    return sum(min(width, CELL_WIDTH) for width in widths) + 2 * (len(widths) - 1)


def align(result: Answer, cells: Sequence[Sequence[str | None]]) -> Iterator[str]:
    """Write rows under their header in columns, numbers to the right; an empty cell is null."""
    columns = []
    for position, name in enumerate(result.names):
        column = [escape(name), *(row[position] or "" for row in cells)]
        width = max(map(cell_len, column))
        pads = [" " * (width - cell_len(cell)) for cell in column]
        is_right = is_number([row[position] for row in result.rows])
        columns.append([pad + cell if is_right else cell + pad for cell, pad in zip(column, pads, strict=True)])
    return ("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def is_number(values: Sequence[Any]) -> bool:
    """Say whether a column holds numbers alone, and one at least."""
    present = [value for value in values if value is not None]
    return bool(present) and all(type(value) in (int, float, Decimal) for value in present)


def format_value(value: Any) -> str | None:
    """Write a value as people read it; null stays None. No character of it can steer a terminal or begin another line."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case list():
            return ", ".join(format_value(part) or "" for part in value)
        case dict():
            return "{" + ", ".join(f"{escape(name)}: {format_value(part) or ''}" for name, part in value.items()) + "}"
        case bytes():
            return value.hex()
        case pa.MonthDayNano():
            return f"{value.months} months {value.days} days {value.nanoseconds / 1e9:g} seconds"
        case _:
            return escape(str(value))


def escape(text: str, keep: str = "") -> str:
    """Write control characters, and those that turn text around, as escapes: a cell must not steer the terminal."""
    return "".join(
        character
        if character in keep or unicodedata.category(character)[0] != "C"
        else character.encode("unicode_escape", "replace").decode()
        for character in text
    )


def notify(text: str) -> None:
    """Say what was done, on standard error: standard output holds results alone."""
    sys.stderr.write(f"{escape(text)}\n")


def show_words(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table of words whose last column is folded between them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, no_wrap=name in ("name", "kind", "column"), max_width=None if name != "type" else 24, overflow="fold")
    for row in rows:
        table.add_row(*(Text(escape(cell)) for cell in row))
    if rows:
        console.print(table)


def show_error(console: Console, text: str) -> None:
    """Show what went wrong; the session goes on."""
    console.print(Text(text, style="red" if console.is_terminal else ""))


# --- in a file


def check_output(path: Path, out: Path) -> Path:
    """Make sure that a result can be written there: as CSV or Parquet, and not into OUT. UsageError where not."""
    path = path.expanduser()
    if path.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{escape(path.name)}: a result is written to a file that ends in .csv or .parquet.")
    if not path.parent.is_dir():
        raise UsageError(f"{escape(str(path.parent))} is no folder.")
    if path.parent.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"{escape(path.name)} would lie in OUT, where nothing but the audit writes. Name a folder of your own.")
    if path.is_dir():
        raise UsageError(f"{escape(path.name)} is a folder.")
    return path


def write_answer(reader: pa.RecordBatchReader, path: Path) -> int:
    """Write rows as CSV or Parquet to a file that is complete or not there, and count them."""
    counts = []

    def write(temporary: Path) -> None:
        counts.append(write_csv(reader, temporary) if path.suffix == ".csv" else _write_parquet(reader, temporary))

    write_durably(path, write)
    return counts[0]


def _write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    count = 0
    with pq.ParquetWriter(path, reader.schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count
