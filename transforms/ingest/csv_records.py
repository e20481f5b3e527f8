"""The strict reader of CSV: records one by one, as RFC 4180 has them, from the odd lines that `csv_lines.py` found."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from sij_audit.transforms.ingest.csv_dialect import COMMAS, Dialect
from sij_audit.transforms.ingest.csv_lines import FIELD_LIMIT, Lines


@dataclass(frozen=True)
class Record:
    """One strictly read record, or the lines of one that cannot be read (`fields` is None)."""

    start: int
    end: int
    line_count: int
    fields: list[bytes] | None


class Reader:
    """Bytes of a file at an offset, through a window."""

    def __init__(self, descriptor: int, window: int = 1 << 20) -> None:
        self._descriptor = descriptor
        self._window = window
        self._start = 0
        self._data = b""
        self._is_last = False

    def at(self, offset: int, grown: bool = False) -> tuple[bytes, int, bool]:
        """Give a buffer, where in it the offset lies, and whether the buffer reaches the end of the file; `grown` asks for more of it."""
        here = offset - self._start
        if grown or not 0 <= here < len(self._data):
            wanted = max(self._window, 2 * (len(self._data) - here)) if grown else self._window
            self._start, self._data = offset, os.pread(self._descriptor, wanted, offset)
            self._is_last = len(self._data) < wanted
            here = 0
        return self._data, here, self._is_last


def read_record(reader: Reader, offset: int, dialect: Dialect = COMMAS) -> Record:
    """Read the record that begins at an offset before the end of the file.

    A quoted field that is not closed before it is over the limit, or is followed by text, makes the record unreadable up to the end of the
    line where that shows; reading goes on with the line after it.
    """
    data, at, is_last = reader.at(offset)
    while True:
        found = _read_record(data, at, is_last, dialect)
        if found is not None:
            fields, end = found
            line_count = data.count(b"\n", at, end) + (data[end - 1 : end] != b"\n")
            return Record(offset, offset + end - at, line_count, fields)
        data, at, is_last = reader.at(offset, grown=True)


def _read_record(data: bytes, start: int, is_last: bool, dialect: Dialect) -> tuple[list[bytes] | None, int] | None:
    """Read a record of a buffer: its fields, or None for an unreadable one, and its end; None where the buffer does not hold it all."""
    fields: list[bytes] = []
    at = start
    is_readable = True
    while True:
        if dialect.quote and data[at : at + 1] == dialect.quote:
            match = dialect.quoted_cell.match(data, at)
            if match is None or match.end() - at > FIELD_LIMIT:
                limit = _limit_in(data, at + 1, match.end() - 1 if match else len(data), dialect)
                if limit is not None:
                    return _unreadable(data, limit, is_last)
                if match is None:
                    return (None, len(data)) if is_last else None
            assert match is not None
            behind = data[match.end() : match.end() + 2]
            if len(behind) < 2 and not is_last:
                return None
            if behind and behind[:1] not in (dialect.separator, b"\n") and behind != b"\r\n":
                return _unreadable(data, match.end(), is_last)
            fields.append(match[1].replace(2 * dialect.quote, dialect.quote))
            at = match.end() + (behind == b"\r\n")
        else:
            match = dialect.bare_cell.match(data, at)
            assert match is not None
            if match.end() == len(data) and not is_last:
                return None
            field = match[0]
            if data[match.end() : match.end() + 1] == b"\n":
                field = field.removesuffix(b"\r")
            is_readable &= len(field) <= FIELD_LIMIT
            fields.append(field)
            at = match.end()
        if data[at : at + 1] != dialect.separator:
            return (fields if is_readable else None), min(at + 1, len(data))
        at += 1


def _limit_in(data: bytes, start: int, end: int, dialect: Dialect) -> int | None:
    """Find where a quoted field's text, doubled quotes counting once, is over the limit."""
    if end - start <= FIELD_LIMIT:
        return None
    at, length = start, 0
    while at < end:
        quote = data.find(2 * dialect.quote, at, end)
        run = (end if quote < 0 else quote + 1) - at
        if length + run > FIELD_LIMIT:
            return at + FIELD_LIMIT - length
        length += run
        at += run + (quote >= 0)
    return None


def _unreadable(data: bytes, at: int, is_last: bool) -> tuple[None, int] | None:
    """End an unreadable record behind the line of `at`."""
    newline = data.find(b"\n", at)
    if newline < 0:
        return (None, len(data)) if is_last else None
    return None, newline + 1


def has_lone_return(raw: bytes) -> bool:
    """Say whether a carriage return stands without its newline."""
    return raw.count(b"\r") != raw.count(b"\r\n")


def strict_records(lines: Lines, reader: Reader, first: int, dialect: Dialect = COMMAS) -> Iterator[tuple[int, Record]]:
    """Read each odd line from line `first` on, with the lines that its record runs on into; give its line and the record."""
    next_line = first
    for line, start in zip(lines.odd.tolist(), lines.starts(lines.odd).tolist(), strict=True):
        if line < next_line:
            continue
        record = read_record(reader, start, dialect)
        yield line, record
        next_line = line + record.line_count


def describe_unreadable(raw: bytes, width: int, dialect: Dialect = COMMAS) -> str:
    """Say why a record, given without its line end, is no row of so many fields; nothing of what it says."""
    found = _read_record(raw, 0, is_last=True, dialect=dialect)
    fields = found[0] if found else None
    if fields is None:
        if any(len(field) > FIELD_LIMIT for field in raw.split(dialect.separator)):
            return f"a field of more than {FIELD_LIMIT >> 10} kB"
        return "a quote out of place, escaped by a backslash in place of doubled" if b'\\"' in raw else "a quote out of place"
    if len(fields) > width and not any(field.strip() for field in fields[width:]):
        return f"{len(fields)} fields, not {width}, the last of them empty"
    if len(fields) != width:
        return f"{len(fields)} field{'s' * (len(fields) != 1)}, not {width}"
    return "a carriage return within it" if has_lone_return(raw) else "within a quote that is not closed"
