"""Lines of a CSV file, found and counted without a parser, and which of them are odd.

A line is odd where the record that it begins may be something else than this one line, well formed: it holds a NUL, a lone carriage
return, bytes that are not UTF-8, an odd number of quotes or one at a place where RFC 4180 has none, or may hold a field over 64 kB. All
other lines are one record each, whoever reads them. From an odd line on the strict reader (`csv_records.py`) reads, record by record, until
the next line that begins a record is not odd.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_dialect import COMMAS, Dialect
from sij_audit.transforms.ingest.threads import in_order

FIELD_LIMIT = 1 << 16
"""Bytes that a field may have."""

LINE_LIMIT = 64 << 20
"""Bytes of a line beyond which a file is no claims extract; bounds what is held in memory."""

NUL_RUN = b"\0" * 512

Ints = npt.NDArray[np.int64]
Offsets = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Chunk:
    """The lines of a stretch of the file that begins and ends between lines."""

    start: int
    """Offset of the first line."""
    ends: Offsets
    """Offset of each line's end behind its newline, counted from `start`."""
    odd: Ints
    blank: Ints
    """Lines of the chunk, from 0."""


class Lines:
    """Where the lines of a file are: four bytes a line."""

    def __init__(self, chunks: list[Chunk], size: int, is_terminated: bool) -> None:
        self.size = size
        self.is_terminated = is_terminated
        self._chunks = chunks
        counts = np.array([len(chunk.ends) for chunk in chunks], dtype=np.int64)
        self._first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        self.count = int(self._first[-1])
        self.odd = _concatenated(chunk.odd + first for chunk, first in zip(chunks, self._first, strict=False))
        self.blank = _concatenated(chunk.blank + first for chunk, first in zip(chunks, self._first, strict=False))

    def ends(self, lines: Ints) -> Ints:
        """Give the offset behind each of the lines, which are sorted; line -1 ends where the file begins."""
        found = np.zeros(len(lines), dtype=np.int64)
        bounds = np.searchsorted(lines, self._first)
        for chunk, first, low, high in zip(self._chunks, self._first, bounds, bounds[1:], strict=False):
            if low < high:
                found[low:high] = chunk.ends[lines[low:high] - first]
                found[low:high] += chunk.start
        return found

    def starts(self, lines: Ints) -> Ints:
        """Give the offset of each of the lines, which are sorted."""
        return self.ends(lines - 1)

    def chunks(self) -> Iterator[tuple[int, Chunk]]:
        """Give each chunk behind the number of its first line."""
        return zip(self._first.tolist(), self._chunks, strict=False)

    def start(self, line: int) -> int:
        """Give the offset of one line."""
        return int(self.starts(np.array([line]))[0])


def scan_lines(blocks: Iterable[bytes], name: str, progress: Callable[[int], None] = lambda done: None, dialect: Dialect = COMMAS) -> Lines:
    """Find the lines of a file; ExtractRefused where it can be no text.

    Two threads look at the chunks; most of the work lets go of the interpreter's lock.
    """
    at = 0
    last = b""

    def jobs() -> Iterator[tuple[bytes, int]]:
        nonlocal at, last
        for chunk in _line_aligned(blocks, name):
            yield chunk, at
            at += len(chunk)
            last = chunk[-1:]
            progress(at)

    with ThreadPoolExecutor(2) as pool:
        chunks = list(in_order(pool, lambda job: _scan_chunk(*job, name, dialect), jobs()))
    return Lines(chunks, at, last == b"\n")


def _line_aligned(blocks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Cut blocks behind newlines; the last chunk may lack one."""
    rest: list[bytes] = []
    length = 0
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if cut:
            yield b"".join((*rest, memoryview(block)[:cut]))
            rest, length = [block[cut:]], len(block) - cut
        else:
            rest.append(block)
            length += len(block)
        if length > LINE_LIMIT:
            raise ExtractRefused(f"{name}: has a line of more than {LINE_LIMIT >> 20} MB, so it is no CSV.")
    if length:
        yield b"".join(rest)


def _scan_chunk(chunk: bytes, start: int, name: str, dialect: Dialect) -> Chunk:
    """Find a chunk's lines, and which are odd or blank."""
    data = np.frombuffer(chunk, dtype=np.uint8)
    ends = np.flatnonzero(data == 10).astype(np.uint32)
    ends += 1
    odd: list[Ints] = []
    if not chunk.endswith(b"\n"):
        ends = np.append(ends, np.uint32(len(chunk)))
        odd.append(np.array([len(ends) - 1]))
    starts = np.concatenate([np.zeros(1, np.uint32), ends[:-1]])
    widths = ends - starts
    odd.append(np.flatnonzero(widths > FIELD_LIMIT))
    short = np.flatnonzero(widths <= 2)
    is_blank = (data[starts[short]] == 10) | ((widths[short] == 2) & (data[starts[short]] == 13) & (data[ends[short] - 1] == 10))
    if b"\r" in chunk:
        returns = np.flatnonzero(data == 13)
        lone = returns[np.append(data, 0)[returns + 1] != 10]
        odd.append(np.searchsorted(ends, lone, side="right"))
    if b"\0" in chunk:
        if NUL_RUN in chunk:
            raise ExtractRefused(f"{name}: holds a run of {len(NUL_RUN)} NUL bytes or more; the file is damaged.")
        odd.append(np.searchsorted(ends, np.flatnonzero(data == 0), side="right"))
    if not chunk.isascii():
        odd.append(_badly_encoded(chunk, data, starts, ends))
    if dialect.quote and dialect.quote in chunk:
        odd.append(_oddly_quoted(data, ends, dialect))
    return Chunk(start, ends, np.unique(np.concatenate(odd)).astype(np.int64), short[is_blank])


def _badly_encoded(chunk: bytes, data: npt.NDArray[np.uint8], starts: Offsets, ends: Offsets) -> Ints:
    """Find the lines that are not UTF-8."""
    try:
        chunk.decode()
    except UnicodeDecodeError:
        suspects = np.unique(np.searchsorted(ends, np.flatnonzero(data > 127), side="right"))
        return np.array([line for line in suspects if not _is_utf8(chunk[starts[line] : ends[line]])], dtype=np.int64)
    return np.array([], dtype=np.int64)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _oddly_quoted(data: npt.NDArray[np.uint8], ends: Offsets, dialect: Dialect) -> Ints:
    """Find the lines with an odd number of quotes, or a quote that neither opens nor closes a field nor stands for one.

    Quotes are numbered within their line from 0; one of an even number must open a field or follow a quote, one of an odd number must
    close a field or be followed by a quote.
    """
    quotes = np.flatnonzero(data == ord(dialect.quote))
    counts = np.searchsorted(quotes, ends)
    first = np.concatenate([np.zeros(1, counts.dtype), counts[:-1]])
    if not np.any((counts - first) & 1):
        opening, closing = quotes[0::2], quotes[1::2]
        bad = ~dialect.may_precede_quote[data[opening - 1]]
        if opening[0] == 0:
            bad[0] = False
        bad_closing = ~dialect.may_follow_quote[np.append(data, 10)[closing + 1]]
        if not bad.any() and not bad_closing.any():
            return np.array([], dtype=np.int64)
        return np.searchsorted(ends, np.concatenate([opening[bad], closing[bad_closing]]), side="right")
    lines = np.searchsorted(ends, quotes, side="right")
    is_closing = ((np.arange(len(quotes)) - first[lines]) & 1).astype(bool)
    may_open = dialect.may_precede_quote[data[quotes - 1]] | (quotes == 0)
    may_close = dialect.may_follow_quote[np.append(data, 10)[quotes + 1]]
    return np.concatenate([lines[np.where(is_closing, ~may_close, ~may_open)], np.flatnonzero((counts - first) & 1)])


def _concatenated(arrays: Iterable[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, np.int64), *arrays])
