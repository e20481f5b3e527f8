"""The header row of a CSV extract: its names, and where it ends."""

import csv
import io
import os
from collections.abc import Sequence
from itertools import islice
from typing import Literal

import numpy as np

from sij_audit.transforms.columns import Column
from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_dialect import COMMAS, Dialect
from sij_audit.transforms.ingest.csv_lines import Lines
from sij_audit.transforms.ingest.csv_records import Reader, has_lone_return, read_record
from sij_audit.transforms.ingest.extracts import Extract, read_head
from sij_audit.transforms.ingest.header_advice import HEAD, SAVE_AS_UTF8, advise
from sij_audit.transforms.ingest.part import FIRST_ROWS, FirstRows, match_columns
from sij_audit.transforms.ingest.readings import clean_name

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Header:
    """A header row: its names, which columns are canonical, and the lines up to its end.

    Where the dialect says that no line has names, they are those that it gives, and no line is skipped.
    """

    def __init__(self, name: str, descriptor: int, lines: Lines, wanted: Sequence[Column], dialect: Dialect = COMMAS) -> None:
        self.dialect = dialect
        start = os.pread(descriptor, 4, 0)
        if start[:2] in (b"\xff\xfe", b"\xfe\xff") or start == b"\0\0\xfe\xff":
            raise ExtractRefused(f"{name}: is UTF-16 or UTF-32; an extract must be UTF-8. {SAVE_AS_UTF8}")
        head = os.pread(descriptor, HEAD, 0).decode("utf-8-sig", "replace")
        self.line_count = 0
        self.names = list(dialect.names)
        if dialect.header_row != 0:
            names, self.line_count = _read_names(name, descriptor, lines, dialect, head)
            self.names = self.names or names
        self.columns, self.ignored = match_columns(name, self.names, wanted, head)


def _read_names(name: str, descriptor: int, lines: Lines, dialect: Dialect, head: str) -> tuple[list[str], int]:
    """Read the names of a header row, and count the lines up to its end."""
    first_line = _find_line(name, lines, dialect)
    offset = lines.start(first_line)
    if not first_line and os.pread(descriptor, len(BYTE_ORDER_MARK), 0) == BYTE_ORDER_MARK:
        offset = len(BYTE_ORDER_MARK)
    if offset >= lines.size:
        raise ExtractRefused(f"{name}: is empty, not even a header row.")
    record = read_record(Reader(descriptor), offset, dialect)
    raw = os.pread(descriptor, record.end - offset, offset)
    if b"\0" in raw:
        raise ExtractRefused(f"{name}: has NUL bytes in its header row; an extract must be UTF-8, not UTF-16. {SAVE_AS_UTF8}")
    if record.fields is None or has_lone_return(raw):
        cause = " Its lines end in carriage returns without newlines." if has_lone_return(raw) else ""
        raise ExtractRefused(f"{name}: its header row cannot be read as comma-separated names.{cause}{advise((), (), head)}")
    if not raw.endswith(b"\n"):
        raise ExtractRefused(f"{name}: ends within its header row.")
    try:
        return [clean_name(field.decode()) for field in record.fields], first_line + record.line_count
    except UnicodeDecodeError:
        raise ExtractRefused(f"{name}: its header row is not UTF-8. {SAVE_AS_UTF8}") from None


def _find_line(name: str, lines: Lines, dialect: Dialect) -> int:
    """Find the line, from 0, that the header row begins on."""
    if dialect.header_row is None:
        others = np.flatnonzero(lines.blank != np.arange(len(lines.blank)))
        return int(others[0]) if len(others) else len(lines.blank)
    if dialect.header_row > lines.count:
        raise ExtractRefused(f"{name}: has {lines.count} lines, and the header row is line {dialect.header_row} by its layout.")
    return dialect.header_row - 1


def read_first_rows(extract: Extract, dialect: Dialect) -> FirstRows:
    """Read the names and the first rows of a text, which may end within the last of them."""
    head = read_head(extract, HEAD)
    text = head.decode(dialect.encoding, "replace").removeprefix("\ufeff")
    lines = text.split("\n")[max((dialect.header_row or 1) - 1, 0) :]
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
    reader = csv.reader(
        io.StringIO("\n".join(lines), newline=""),
        delimiter=dialect.separator.decode(),
        quotechar=dialect.quote.decode() or None,
        quoting=quoting,
    )
    try:
        rows = list(islice((row for row in reader if row), FIRST_ROWS + 1))
    except csv.Error:
        return FirstRows((), ())
    if len(head) == HEAD and len(rows) <= FIRST_ROWS:
        rows = rows[:-1]  # the last may be cut
    names = [] if dialect.header_row == 0 or not rows else [clean_name(name) for name in rows.pop(0)]
    return FirstRows(dialect.names or names, rows)
