"""Lines and strictly read records, against Python's csv module and a count of newlines."""

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_lines import FIELD_LIMIT, Lines, scan_lines
from sij_audit.transforms.ingest.csv_records import Reader, read_record, strict_records

PIECES = [b"a", b"bc", b",", b",", b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b"\0", b"\xff", "é".encode(), b" "]
contents = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)


@contextmanager
def a_file(content: bytes) -> Iterator[int]:
    with TemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.fileno()


def naive_records(content: bytes) -> list[tuple[int, list[bytes] | None]]:
    """Read with the csv module: lines of each record, and its fields or None. A lone carriage return is made an ordinary character."""
    csv.field_size_limit(FIELD_LIMIT)
    text = content.decode("latin-1").replace("\r\n", "\x1e").replace("\r", "\x1f").replace("\x1e", "\r\n")
    lines = io.StringIO(text, newline="\n").readlines()
    reader = csv.reader(iter(lines), strict=True)
    records: list[tuple[int, list[bytes] | None]] = []
    before = 0
    while before < len(lines):
        try:
            fields = [field.replace("\x1f", "\r").encode("latin-1") for field in next(reader)]
            records.append((reader.line_num - before, fields))
        except csv.Error:
            records.append((reader.line_num - before, None))
        before = reader.line_num
    return records


def strict_everywhere(content: bytes, window: int) -> list[tuple[int, list[bytes] | None]]:
    found = []
    with a_file(content) as descriptor:
        reader = Reader(descriptor, window)
        at = 0
        while at < len(content):
            record = read_record(reader, at)
            assert record.start == at < record.end
            found.append((record.line_count, record.fields))
            at = record.end
    return found


@settings(max_examples=400)
@given(contents, st.sampled_from([1, 3, 1 << 16]))
def test_strict_reader_agrees_with_the_csv_module(content: bytes, window: int) -> None:
    expected = [(count, [b""] if fields == [] else fields) for count, fields in naive_records(content)]
    assert strict_everywhere(content, window) == expected


@settings(max_examples=400)
@given(contents, st.integers(1, 70))
def test_plain_lines_are_one_record_each(content: bytes, block: int) -> None:
    blocks = [content[start : start + block] for start in range(0, len(content), block)]
    lines = scan_lines(blocks, "x")
    assert lines.count == content.count(b"\n") + (content != b"" and not content.endswith(b"\n"))
    expected = naive_records(content)
    starts = np.cumsum([0, *(count for count, _ in expected)])
    with a_file(content) as descriptor:
        strict = dict(strict_records(lines, Reader(descriptor), 0))
    covered = {line + n for line, record in strict.items() for n in range(record.line_count)}
    for (first, _), (count, fields) in zip(pairwise(starts), expected, strict=True):
        if first in strict:
            assert (strict[first].line_count, strict[first].fields) == (count, fields or ([b""] if fields == [] else None))
        else:
            assert count == 1
            assert fields is not None
            assert first not in covered
            raw = content[lines.start(int(first)) : int(lines.ends(np.array([first]))[0])]
            assert raw.endswith(b"\n")
            assert b"\0" not in raw
            assert raw.count(b"\r") == raw.count(b"\r\n")
            assert raw.decode() is not None
            assert (int(first) in lines.blank) == (raw in (b"\n", b"\r\n"))


def test_a_quoted_field_may_hold_64_kb_and_no_more() -> None:
    fits = b'"' + b"x" * FIELD_LIMIT + b'",b\n'
    over = b'"' + b"x" * (FIELD_LIMIT + 1) + b'",b\n'
    doubled = b'"' + b'""' * FIELD_LIMIT + b'",b\n'
    assert strict_everywhere(fits, 100)[0][1] == [b"x" * FIELD_LIMIT, b"b"]
    assert strict_everywhere(over, 100) == [(1, None)]
    assert strict_everywhere(doubled, 100)[0][1] == [b'"' * FIELD_LIMIT, b"b"]
    assert strict_everywhere(b"x" * (FIELD_LIMIT + 1) + b",b\n", 100) == [(1, None)]


def test_an_unclosed_quote_swallows_no_more_than_a_field_may_hold() -> None:
    line = b"a,b,c\n"
    content = b'a,"b,c\n' + line * 100_000
    found = strict_everywhere(content, 1 << 12)
    assert found == naive_records(content)
    assert found[0] == (1 + -(-(FIELD_LIMIT + 1 - len(b"b,c\n")) // len(line)), None)
    assert found[1] == (1, [b"a", b"b", b"c"])


def test_offsets_reach_over_chunks(tmp_path: Path) -> None:
    content = b"".join(b"%d,%b\n" % (n, b"x" * (n % 50)) for n in range(5000))
    lines = scan_lines([content[start : start + 999] for start in range(0, len(content), 999)], "x")
    starts = lines.starts(np.arange(lines.count))
    ends = lines.ends(np.arange(lines.count))
    assert [content[start:end] for start, end in zip(starts, ends, strict=True)] == content.splitlines(keepends=True)
    some = np.array([0, 17, 18, 4999])
    assert lines.starts(some).tolist() == starts[some].tolist()


def test_a_run_of_nul_bytes_refuses_the_file() -> None:
    assert isinstance(scan_lines([b"a" + b"\0" * 511 + b"\n"], "x"), Lines)
    with pytest.raises(ExtractRefused, match="NUL"):
        scan_lines([b"a" + b"\0" * 300, b"\0" * 212 + b"\n"], "x")


def test_reading_does_not_depend_on_where_the_descriptor_stands() -> None:
    with a_file(b"a,b\nc,d\n") as descriptor:
        os.lseek(descriptor, 5, os.SEEK_SET)
        assert read_record(Reader(descriptor), 4).fields == [b"c", b"d"]
