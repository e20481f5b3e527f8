"""Rows of a CSV extract that no quick parser must be trusted with, read record by record."""

import os
import re
from array import array

import duckdb
import numpy as np
import pyarrow as pa

from sij_audit.transforms.duck import registered
from sij_audit.transforms.ingest.csv_header import Header
from sij_audit.transforms.ingest.csv_lines import Ints, Lines
from sij_audit.transforms.ingest.csv_records import Reader, has_lone_return, strict_records
from sij_audit.transforms.ingest.part import REASONS

STRICT_ROWS = 20_000
"""Strictly read records that are handed to DuckDB at a time."""

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")


class StrictRows:
    """Rows that the strict reader found, in order: where each lies, the line that its record begins on, and whether it is refused."""

    def __init__(self) -> None:
        self._starts, self._ends, self._lines, self._refused = array("q"), array("q"), array("q"), array("b")
        self._first_lines, self._line_counts = array("q"), array("q")

    def add(self, start: int, end: int, line: int, is_refused: bool) -> None:
        """Add a row."""
        self._starts.append(start)
        self._ends.append(end)
        self._lines.append(line)
        self._refused.append(is_refused)

    def add_stretch(self, line: int, line_count: int) -> None:
        """Add the lines of a record, which nobody else may read."""
        self._first_lines.append(line)
        self._line_counts.append(line_count)

    def finish(self) -> None:
        """Make arrays of what was added."""
        self.starts = np.array(self._starts, dtype=np.int64)
        self.ends = np.array(self._ends, dtype=np.int64)
        self.lines = np.array(self._lines, dtype=np.int64)
        is_refused = np.array(self._refused, dtype=bool)
        self.refused = np.flatnonzero(is_refused)
        self.read = np.flatnonzero(~is_refused)
        self.first_lines = np.array(self._first_lines, dtype=np.int64)
        self.line_counts = np.array(self._line_counts, dtype=np.int64)

    def all_lines(self) -> Ints:
        """List all lines of all records."""
        before = np.cumsum(self.line_counts) - self.line_counts
        lines: Ints = np.arange(self.line_counts.sum()) + np.repeat(self.first_lines - before, self.line_counts)
        return lines


def read_strictly(con: duckdb.DuckDBPyConnection, descriptor: int, lines: Lines, header: Header) -> StrictRows:
    """Read the records that begin on odd lines; those that are rows go to the table `strict_cells`."""
    width = len(header.names)
    names = ["preset", "position", *(f"c{i}" for i in range(width))]
    schema = pa.schema(
        [pa.field("preset", pa.uint8()), pa.field("position", pa.int64()), *(pa.field(name, pa.string()) for name in names[2:])]
    )
    con.execute(f"create temp table strict_cells (preset utinyint, position bigint, {', '.join(f'{name} varchar' for name in names[2:])})")
    found = StrictRows()
    cells: list[list[object]] = []

    def hand_over() -> None:
        if cells:
            table = pa.table([pa.array(values, field.type) for values, field in zip(zip(*cells, strict=True), schema, strict=True)], schema)
            with registered(con, "handed_over", table):
                con.execute("insert into strict_cells select * from handed_over")
            cells.clear()

    count = 0
    for line, record in strict_records(lines, Reader(descriptor), header.line_count, header.dialect):
        raw = os.pread(descriptor, record.end - record.start, record.start)
        found.add_stretch(line, record.line_count)
        if record.fields is None:
            start = record.start
            for piece in _LINES.findall(raw):
                found.add(start, start + len(piece), line, True)
                start += len(piece)
        elif len(record.fields) != width or has_lone_return(raw):
            found.add(record.start, record.end, line, True)
        else:
            found.add(record.start, record.end, line, False)
            cells.append([_preset(raw), count, *(field.decode(errors="replace") for field in record.fields)])
            count += 1
            if len(cells) == STRICT_ROWS:
                hand_over()
    hand_over()
    found.finish()
    return found


def _preset(raw: bytes) -> int:
    """Find why a record that can be read is refused whatever its cells say; 0 for no reason."""
    if not raw.endswith(b"\n"):
        return REASONS["unterminated_last_row"]
    if b"\0" in raw:
        return REASONS["nul_byte"]
    try:
        raw.decode()
    except UnicodeDecodeError:
        return REASONS["bad_encoding"]
    return 0
