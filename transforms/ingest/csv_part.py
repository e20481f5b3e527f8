"""A CSV extract as a part to audit: DuckDB reads the lines that are one record each, the strict reader the rest, and bytes say how many."""

import os
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa

from sij_audit.transforms.columns import QUARANTINE_REASONS, Column
from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_records import (
    Chunk,
    Ints,
    Lines,
    Reader,
    has_lone_return,
    in_order,
    read_record,
    scan_lines,
    strict_records,
)
from sij_audit.transforms.ingest.extracts import BLOCK, Extract, decompress, read_blocks
from sij_audit.transforms.ingest.plain_rows import PAD, PlainRows, Plan, find_plain_lines, make_plan
from sij_audit.transforms.ingest.readings import Reading, missing, read_text
from sij_audit.transforms.stages.reference import Code

REASONS = {reason: number for number, reason in enumerate(QUARANTINE_REASONS, start=1)}
"""Reasons as numbers, in the order in which they are tried; 0 is a valid row."""

STRICT_ROWS = 20_000
"""Strictly read records that are handed to DuckDB at a time."""

PLAIN_CHUNKS = 16
"""Chunks whose plain rows are handed to DuckDB at a time; their bytes are held that long."""

FETCHED_ROWS = 100_000
"""Lines that are copied for DuckDB to read while it reads those before."""

NO_TEXT = "\x01\x02\x03"
"""What DuckDB is told to read as null: nothing."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")

Progress = Callable[[str, int, int | None], None]


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

    def taken_lines(self) -> Ints:
        """List all lines of all records."""
        before = np.cumsum(self.line_counts) - self.line_counts
        return np.arange(self.line_counts.sum()) + np.repeat(self.first_lines - before, self.line_counts)


@dataclass(frozen=True)
class PlainFacts:
    """What is known of plain rows together: filled cells by column, and the latest date of service."""

    filled_counts: Ints
    latest_service_date: date | None


class CsvPart:
    """One CSV file, its lines found and its header read.

    Positions count the rows that can be read: first those that are one plain line each, in order, then those read strictly.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, descriptor: int, lines: Lines, header: "Header", work: Path) -> None:
        self.con = con
        self.names = header.names
        self.columns = header.columns
        self.ignored = header.ignored
        self.filled_counts: dict[int, int] = {}
        self._descriptor = descriptor
        self._lines = lines
        self._work = work
        strict = self._strict = read_strictly(con, descriptor, lines, header)
        taken = np.unique(np.concatenate([np.arange(header.line_count), strict.taken_lines(), lines.blank]))
        self._taken = taken
        self._shift = taken - np.arange(len(taken))
        self._others: Ints | None = None
        self.plain_count = lines.count - len(taken)
        self.row_count = self.plain_count + len(strict.read)
        self.rows_read = self.plain_count + len(strict.starts)
        self._strict_numbers = 1 + np.arange(len(strict.lines)) + strict.lines - np.searchsorted(taken, strict.lines)
        self._copy = None
        if len(strict.first_lines) or header.line_count != 1:
            self._copy = self._copy_plain_lines(taken)

    def reading(self, column: Column, date_form: str) -> Reading:
        """Say how a canonical column is read."""
        if column.name not in self.columns:
            return missing(column)
        return read_text(column, f"c{self.columns[column.name]}", date_form)

    def filled(self, index: int) -> str:
        """Say, as SQL, whether a column's cell is filled."""
        return f"case when c{index} >= '!' then true else coalesce(trim(c{index}, ' '), '') <> '' end"

    def sources(self) -> list[str]:
        """Give, as SQL, what holds the rows, each with `preset`, the reason why it is refused whatever its cells say.

        Once plain rows have been told from their bytes, only the others are there, with their `position`; else all are, by position.
        """
        width = len(self.names)
        cells = [f"c{i}" for i in range(width + 1)]
        preset = (
            f"(case when c{width} is not null or c{width - 1} is null then {REASONS['unparseable_row']} else 0 end)::utinyint as preset"
        )
        sources = []
        if self._others is not None:
            if len(self._others):
                self._others_file = self._numbered_lines(self._others)
                source = _read_csv(self._others_file.fileno(), ["position", *cells])
                sources.append(f"(select {preset}, position::bigint as position, * exclude position from {source})")
        elif self.plain_count:
            source = _read_csv(self._copy.fileno() if self._copy else self._descriptor, cells)
            sources.append(f"(select {preset}, * from {source})")
        if len(self._strict.read) or not sources:
            sources.append(f"(select * replace (position + {self.plain_count} as position) from strict_cells order by position)")
        return sources

    def tell_plain_rows(self, date_forms: dict[str, str], codes: Sequence[Code], claim_hash: str) -> PlainFacts | None:
        """Tell plainly valid and irrelevant rows from their bytes; they go to the table `plain_rows`, and `sources` has only the others.

        None where a part of the file has few of them.
        """
        plan = make_plan(self.columns, len(self.names), date_forms, codes)
        if plan is None or not self.plain_count:
            return None
        self.con.execute("create or replace temp table plain_rows (position bigint, claim_hash ubigint, paid_cents bigint)")
        filled = np.zeros(len(self.names), np.int64)
        latest = 0
        others = []
        waiting: list[pa.Table] = []

        def hand_over() -> None:
            with registered(self.con, "handed_over", pa.concat_tables(waiting)):
                self.con.execute(f"insert into plain_rows select position, {claim_hash}, cents from handed_over")
            waiting.clear()

        with ThreadPoolExecutor(2) as pool:
            for rest, positions, plain in in_order(pool, lambda job: self._tell_chunk(plan, *job), self._lines.chunks()):
                if len(rest) > len(positions):
                    return None
                others.append(rest)
                filled += plain.filled_counts
                latest = max(latest, plain.latest_service_date)
                columns = {"position": positions, "claim_id": plain.claim_ids, "data_source": plain.data_sources, "cents": plain.cents}
                waiting.append(pa.table(columns))
                if len(waiting) == PLAIN_CHUNKS:
                    hand_over()
        if waiting:
            hand_over()
        self._others = np.concatenate(others)
        return PlainFacts(filled, date(latest // 10000, latest // 100 % 100, latest % 100) if latest else None)

    def forget_plain_rows(self) -> None:
        """Let `sources` have all rows again."""
        self._others = None

    def _tell_chunk(self, plan: Plan, first: int, chunk: Chunk) -> tuple[Ints, Ints, PlainRows]:
        """Give the positions of a chunk's rows that are not plain, and of those that are, with what they say."""
        padded = bytearray(b"\n") * (2 * PAD + int(chunk.ends[-1]))
        os.preadv(self._descriptor, [memoryview(padded)[PAD:-PAD]], chunk.start)
        count = len(chunk.ends)
        low, high = np.searchsorted(self._taken, (first, first + count))
        is_row = np.ones(count, bool)
        is_row[self._taken[low:high] - first] = False
        rows, plain = find_plain_lines(padded, chunk.ends.astype(np.int32) + PAD, is_row, plan)
        positions = first - low + np.cumsum(is_row) - 1
        is_plain = np.zeros(count, bool)
        is_plain[rows] = plain.is_plain
        return positions[is_row & ~is_plain], positions[is_plain], plain

    def _numbered_lines(self, positions: Ints) -> IO[bytes]:
        """Copy the lines at sorted positions, each behind its position, behind one line to skip."""
        lines = self._plain_lines(positions)
        rows = _read_spans(self._descriptor, self._lines.starts(lines), self._lines.ends(lines))
        file = TemporaryFile(dir=self._work)  # noqa: SIM115  # it is read as long as its reader needs it
        file.write(b"\n")
        file.writelines(b"%d,%b\n" % row for row in zip(positions.tolist(), rows, strict=True))
        file.flush()
        return file

    def row_numbers(self, positions: Ints) -> Ints:
        """Number the rows at sorted positions as they stand in the file, from 1."""
        cut = np.searchsorted(positions, self.plain_count)
        lines = self._plain_lines(positions[:cut])
        plain = positions[:cut] + 1 + np.searchsorted(self._strict.lines, lines)
        return np.concatenate([plain, self._strict_numbers[self._strict.read[positions[cut:] - self.plain_count]]])

    def raw_rows(self, positions: Ints) -> Iterator[bytes]:
        """Give the bytes of the rows at sorted positions, without their line ends."""
        cut = np.searchsorted(positions, self.plain_count)
        lines = self._plain_lines(positions[:cut])
        yield from _read_spans(self._descriptor, self._lines.starts(lines), self._lines.ends(lines))
        strict = self._strict.read[positions[cut:] - self.plain_count]
        yield from _read_spans(self._descriptor, self._strict.starts[strict], self._strict.ends[strict])

    def refused_rows(self) -> tuple[Ints, Iterator[bytes]]:
        """Give row numbers and bytes of what is no record at all: unparseable_row."""
        rows = self._strict.refused
        return self._strict_numbers[rows], _read_spans(self._descriptor, self._strict.starts[rows], self._strict.ends[rows])

    def fetch(self, positions: Ints, table: str, select: Callable[[str], str]) -> None:
        """Add what is selected of the rows at sorted positions, with their cells and `position`, to a table that may exist."""
        self.con.execute(f"create temp table if not exists {table} as {select('strict_cells')} limit 0")
        cut = np.searchsorted(positions, self.plain_count)
        stretches = np.array_split(positions[:cut], range(FETCHED_ROWS, cut, FETCHED_ROWS)) if cut else []
        with ThreadPoolExecutor(1) as pool:
            for lines in in_order(pool, self._numbered_lines, stretches, ahead=1):
                with lines as file:
                    source = _read_csv(file.fileno(), ["position", *(f"c{i}" for i in range(len(self.names)))])
                    self.con.execute(f"insert into {table} {select(f'(select * replace (position::bigint as position) from {source})')}")
        if cut < len(positions):
            wanted = pa.table({"position": positions[cut:]})
            with registered(self.con, "wanted_positions", wanted):
                source = f"(select * replace (position + {self.plain_count} as position) from strict_cells)"
                self.con.execute(f"insert into {table} {select(f'(from {source} semi join wanted_positions using (position))')}")

    def sample(self, rows: int = 2000) -> Sequence[Sequence[str | None]]:
        """Give cells of some rows from all over the file, to guess from."""
        positions = np.unique(np.linspace(0, self.plain_count - 1, min(rows, self.plain_count)).astype(np.int64))
        lines = self._plain_lines(positions)
        reader = Reader(self._descriptor, 1 << 12)
        records = (read_record(reader, start) for start in self._lines.starts(lines).tolist())
        sample = [[field.decode(errors="replace").strip(" ") for field in record.fields] for record in records if record.fields]
        if len(self._strict.read):
            sample += [list(row[2:]) for row in self.con.execute(f"select * from strict_cells limit {rows}").fetchall()]
        return [row for row in sample if len(row) >= len(self.names)]

    def _plain_lines(self, positions: Ints) -> Ints:
        return positions + np.searchsorted(self._shift, positions, side="right")

    def _copy_plain_lines(self, taken: Ints) -> IO[bytes]:
        """Copy what lies between the lines that DuckDB must not read, behind one line to skip."""
        file = TemporaryFile(dir=self._work)  # noqa: SIM115  # it is read as long as the part is
        file.write(b"\n")
        stops = taken[~np.isin(taken, self._lines.blank, assume_unique=True)]
        starts = np.concatenate([np.zeros(1, np.int64), self._lines.ends(stops)])
        ends = np.append(self._lines.starts(stops), self._lines.size)
        is_there = starts < ends
        for start, end in zip(starts[is_there].tolist(), ends[is_there].tolist(), strict=True):
            while start < end:
                block = os.pread(self._descriptor, min(BLOCK, end - start), start)
                file.write(block)
                start += len(block)
        file.flush()
        return file


class Header:
    """A header row: its names, which columns are canonical, and the lines up to its end."""

    def __init__(self, name: str, descriptor: int, lines: Lines, wanted: Sequence[Column]) -> None:
        start = os.pread(descriptor, 4, 0)
        if start[:2] in (b"\xff\xfe", b"\xfe\xff") or start == b"\0\0\xfe\xff":
            raise ExtractRefused(f"{name}: is UTF-16 or UTF-32; an extract must be UTF-8.")
        offset = len(BYTE_ORDER_MARK) if start.startswith(BYTE_ORDER_MARK) else 0
        others = np.flatnonzero(lines.blank != np.arange(len(lines.blank)))
        self.first_line = int(others[0]) if len(others) else len(lines.blank)
        if self.first_line:
            offset = lines.start(self.first_line)
        if offset >= lines.size:
            raise ExtractRefused(f"{name}: is empty, not even a header row.")
        record = read_record(Reader(descriptor), offset)
        raw = os.pread(descriptor, record.end - offset, offset)
        if b"\0" in raw:
            raise ExtractRefused(f"{name}: has NUL bytes in its header row; an extract must be UTF-8.")
        if record.fields is None or has_lone_return(raw):
            raise ExtractRefused(f"{name}: its header row cannot be read as comma-separated names.")
        if not raw.endswith(b"\n"):
            raise ExtractRefused(f"{name}: ends within its header row.")
        try:
            self.names = [field.decode().strip(" ") for field in record.fields]
        except UnicodeDecodeError:
            raise ExtractRefused(f"{name}: its header row is not UTF-8.") from None
        self.columns, self.ignored = match_columns(name, self.names, wanted)
        self.line_count = self.first_line + record.line_count


def match_columns(name: str, names: Sequence[str], wanted: Sequence[Column]) -> tuple[dict[str, int], list[int]]:
    """Find the canonical columns among names, in any case, and which are ignored; ExtractRefused for one twice or a needed one missing."""
    canonical = {column.name for column in wanted}
    columns: dict[str, int] = {}
    ignored = []
    for index, given in enumerate(names):
        column = given.strip(" ").lower()
        if column not in canonical:
            ignored.append(index)
        elif column in columns:
            raise ExtractRefused(f"{name}: has column {column} twice.")
        else:
            columns[column] = index
    for needed in wanted:
        if needed.needed.startswith("column") and needed.name not in columns:
            raise ExtractRefused(f"{name}: lacks column {needed.name}.")
    if "claim_line_start_date" not in columns and "claim_start_date" not in columns:
        raise ExtractRefused(f"{name}: lacks column claim_line_start_date (or claim_start_date).")
    return columns, ignored


@contextmanager
def open_csv_part(
    con: duckdb.DuckDBPyConnection, extract: Extract, wanted: Sequence[Column], work: Path, progress: Progress, trusting: bool = True
) -> Iterator[CsvPart]:
    """Find an extract's lines and read its header; ExtractRefused where it cannot be used.

    Without trust in the parser every line counts as odd, and is read strictly.
    """
    total = None if extract.compression else extract.size

    def tell(done: int) -> None:
        progress("bytes", done, total)

    with TemporaryFile(dir=work) as file:
        descriptor = extract.descriptor
        blocks = read_blocks(descriptor)
        if extract.compression:
            descriptor = file.fileno()
            blocks = _written(decompress(extract), file)
        lines = scan_lines(blocks, extract.name, tell)
        file.flush()
        if not trusting:
            lines.odd = np.setdiff1d(np.arange(lines.count), lines.blank, assume_unique=True)
        yield CsvPart(con, descriptor, lines, Header(extract.name, descriptor, lines, wanted), work)


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
    for line, record in strict_records(lines, Reader(descriptor), header.line_count):
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


def _read_csv(descriptor: int, names: Sequence[str], skip: int = 1) -> str:
    """Say, as SQL, how DuckDB reads a file of lines that are one record each.

    By descriptor, since a path would be a glob. Not strictly, since strict reading fails on mixed line ends, and all that it would find has
    been found: a line with fewer fields is padded with nulls, one with more fills the last name.
    """
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    return (
        f"read_csv('/dev/fd/{descriptor}', columns = {{{columns}}}, auto_detect = false, header = false, skip = {skip}, delim = ',', "
        f"""quote = '"', escape = '"', comment = '', nullstr = '{NO_TEXT}', null_padding = true, strict_mode = false, """
        "max_line_size = 2097152, compression = 'none', hive_partitioning = false)"
    )


def _read_spans(descriptor: int, starts: Ints, ends: Ints) -> Iterator[bytes]:
    """Read sorted spans of a file, each without its line end."""
    done = 0
    while done < len(starts):
        base = int(starts[done])
        stop = max(done + 1, int(np.searchsorted(ends, base + BLOCK, side="right")))
        data = os.pread(descriptor, int(ends[stop - 1]) - base, base)
        for start, end in zip((starts[done:stop] - base).tolist(), (ends[done:stop] - base).tolist(), strict=True):
            yield data[start:end].removesuffix(b"\n").removesuffix(b"\r")
        done = stop


def _written(blocks: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    """Write blocks to a file as they pass."""
    for block in blocks:
        file.write(block)
        yield block


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """Let SQL see an Arrow table under a name for a while."""
    con.register(name, table)
    try:
        yield
    finally:
        con.unregister(name)
