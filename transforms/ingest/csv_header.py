"""The header row of a CSV extract: its names, and where it ends."""

import os
from collections.abc import Sequence

import numpy as np

from sij_audit.transforms.columns import Column
from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_lines import Lines
from sij_audit.transforms.ingest.csv_records import Reader, has_lone_return, read_record
from sij_audit.transforms.ingest.header_advice import HEAD, SAVE_AS_UTF8, advise
from sij_audit.transforms.ingest.part import match_columns
from sij_audit.transforms.ingest.readings import clean_name

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Header:
    """A header row: its names, which columns are canonical, and the lines up to its end."""

    def __init__(self, name: str, descriptor: int, lines: Lines, wanted: Sequence[Column]) -> None:
        start = os.pread(descriptor, 4, 0)
        if start[:2] in (b"\xff\xfe", b"\xfe\xff") or start == b"\0\0\xfe\xff":
            raise ExtractRefused(f"{name}: is UTF-16 or UTF-32; an extract must be UTF-8. {SAVE_AS_UTF8}")
        offset = len(BYTE_ORDER_MARK) if start.startswith(BYTE_ORDER_MARK) else 0
        others = np.flatnonzero(lines.blank != np.arange(len(lines.blank)))
        self.first_line = int(others[0]) if len(others) else len(lines.blank)
        if self.first_line:
            offset = lines.start(self.first_line)
        if offset >= lines.size:
            raise ExtractRefused(f"{name}: is empty, not even a header row.")
        record = read_record(Reader(descriptor), offset)
        raw = os.pread(descriptor, record.end - offset, offset)
        head = os.pread(descriptor, HEAD, 0).decode("utf-8-sig", "replace")
        if b"\0" in raw:
            raise ExtractRefused(f"{name}: has NUL bytes in its header row; an extract must be UTF-8, not UTF-16. {SAVE_AS_UTF8}")
        if record.fields is None or has_lone_return(raw):
            cause = " Its lines end in carriage returns without newlines." if has_lone_return(raw) else ""
            raise ExtractRefused(f"{name}: its header row cannot be read as comma-separated names.{cause}{advise((), (), head)}")
        if not raw.endswith(b"\n"):
            raise ExtractRefused(f"{name}: ends within its header row.")
        try:
            self.names = [clean_name(field.decode()) for field in record.fields]
        except UnicodeDecodeError:
            raise ExtractRefused(f"{name}: its header row is not UTF-8. {SAVE_AS_UTF8}") from None
        self.columns, self.ignored = match_columns(name, self.names, wanted, head)
        self.line_count = self.first_line + record.line_count
