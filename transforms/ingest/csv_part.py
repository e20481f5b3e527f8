"""A CSV extract as a part to audit: DuckDB reads the lines that are one record each, the strict reader the rest, and bytes say how many."""

import codecs
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa

from sij_audit.transforms.columns import Column
from sij_audit.transforms.duck import quote_text, registered
from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_dialect import COMMAS, Dialect
from sij_audit.transforms.ingest.csv_header import BYTE_ORDER_MARK, Header, read_first_rows
from sij_audit.transforms.ingest.csv_lines import Chunk, Ints, Lines, scan_lines
from sij_audit.transforms.ingest.csv_records import Reader, describe_unreadable, read_record
from sij_audit.transforms.ingest.csv_strict_rows import read_strictly
from sij_audit.transforms.ingest.extracts import BLOCK, Extract, decompress, read_blocks
from sij_audit.transforms.ingest.file_kinds import BEGINNING, kind_of_bytes
from sij_audit.transforms.ingest.part import REASONS, Format, PartInput, PartMisread, PlainFacts, Positions
from sij_audit.transforms.ingest.plain_rows import PAD, PlainRows, Plan, find_plain_lines, make_plan
from sij_audit.transforms.ingest.readings import BLANK_LETTERS, Reading, is_filled, missing, read_text
from sij_audit.transforms.ingest.threads import in_order
from sij_audit.transforms.stages.reference import Code

PLAIN_CHUNKS = 16
"""Chunks whose plain rows are handed to DuckDB at a time; their bytes are held that long."""

FETCHED_ROWS = 100_000
"""Lines that are copied for DuckDB to read while it reads those before."""

NO_TEXTS = ("\x01\x02\x03", "\x04\x05\x06")
"""What DuckDB reads as null, and what else where the separator stands in it: nothing that stands in a file."""


class CsvPart:
    """One CSV file, its lines found and its header read.

    Positions count the rows that can be read: first those that are one plain line each, in order, then those read strictly.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, descriptor: int, lines: Lines, header: Header, work: Path) -> None:
        self.con = con
        self.names: Sequence[str] = header.names
        self.columns: Mapping[str, int] = header.columns
        self.ignored: Sequence[int] = header.ignored
        self.filled_counts: Mapping[int, int] = {}
        self._descriptor = descriptor
        self._dialect = header.dialect
        self._lines = lines
        self._work = work
        strict = self._strict = read_strictly(con, descriptor, lines, header)
        others = np.unique(np.concatenate([np.arange(header.line_count), strict.all_lines(), lines.blank]))
        self._other_lines = others
        self._shift = others - np.arange(len(others))
        self._unplain: Positions | None = None
        self.plain_count = lines.count - len(others)
        self.row_count = self.plain_count + len(strict.read)
        self.rows_read = self.plain_count + len(strict.starts)
        self._strict_numbers = 1 + np.arange(len(strict.lines)) + strict.lines - np.searchsorted(others, strict.lines)
        self._copy = None
        if len(strict.first_lines) or header.line_count != 1:
            self._copy = self._copy_plain_lines(others)

    def reading(self, column: Column, date_form: str) -> Reading:
        """Say how a canonical column is read."""
        if column.name not in self.columns:
            return missing(column)
        return read_text(column, f"c{self.columns[column.name]}", date_form)

    def filled(self, index: int) -> str:
        """Say, as SQL, whether a column's cell is filled."""
        return is_filled(f"c{index}")

    def sources(self) -> list[str]:
        """Give, as SQL, what holds the rows, each with `preset`, the reason why it is refused whatever its cells say.

        Once plain rows are set apart only the others are there, with their `position`; else all are, by position.
        """
        width = len(self.names)
        cells = [f"c{i}" for i in range(width + 1)]
        preset = (
            f"(case when c{width} is not null or c{width - 1} is null then {REASONS['unparseable_row']} else 0 end)::utinyint as preset"
        )
        sources = []
        if self._unplain is not None:
            if len(self._unplain):
                self._unplain_file = self._numbered_lines(self._unplain)
                source = _read_csv(self._unplain_file.fileno(), ["position", *cells], self._dialect)
                sources.append(f"(select {preset}, position::bigint as position, * exclude position from {source})")
        elif self.plain_count:
            source = _read_csv(self._copy.fileno() if self._copy else self._descriptor, cells, self._dialect)
            sources.append(f"(select {preset}, * from {source})")
        if len(self._strict.read) or not sources:
            sources.append(f"(select * replace (position + {self.plain_count} as position) from strict_cells order by position)")
        return sources

    def set_plain_rows_apart(self, date_forms: Mapping[str, str], codes: Sequence[Code], claim_hash: str) -> PlainFacts | None:
        """Put rows that are valid and not relevant, as their bytes show, into the table `plain_rows`; `sources` has only the others then.

        None where a stretch of the file has few of them.
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
            for rest, positions, plain in in_order(pool, lambda job: self._split_chunk(plan, *job), self._lines.chunks()):
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
        self._unplain = np.concatenate(others)
        return PlainFacts(filled, date(latest // 10000, latest // 100 % 100, latest % 100) if latest else None)

    def take_plain_rows_back(self) -> None:
        """Let `sources` have all rows again."""
        self._unplain = None

    def _split_chunk(self, plan: Plan, first: int, chunk: Chunk) -> tuple[Positions, Positions, PlainRows]:
        """Give the positions of a chunk's rows that are not plain, and of those that are, with what they say."""
        padded = bytearray(b"\n") * (2 * PAD + int(chunk.ends[-1]))
        os.preadv(self._descriptor, [memoryview(padded)[PAD:-PAD]], chunk.start)
        count = len(chunk.ends)
        low, high = np.searchsorted(self._other_lines, (first, first + count))
        is_row = np.ones(count, bool)
        is_row[self._other_lines[low:high] - first] = False
        rows, plain = find_plain_lines(padded, chunk.ends.astype(np.int32) + PAD, is_row, plan)
        positions = first - low + np.cumsum(is_row) - 1
        is_plain = np.zeros(count, bool)
        is_plain[rows] = plain.is_plain
        return positions[is_row & ~is_plain], positions[is_plain], plain

    def _numbered_lines(self, positions: Positions) -> IO[bytes]:
        """Copy the lines at sorted positions, each behind its position, behind one line to skip."""
        lines = self._plain_lines(positions)
        rows = _read_spans(self._descriptor, self._lines.starts(lines), self._lines.ends(lines))
        file = TemporaryFile(dir=self._work)  # noqa: SIM115  # it is read as long as its reader needs it
        file.write(b"\n")
        between = self._dialect.separator
        file.writelines(b"%d%b%b\n" % (position, between, row) for position, row in zip(positions.tolist(), rows, strict=True))
        file.flush()
        return file

    def row_numbers(self, positions: Positions) -> Positions:
        """Number the rows at sorted positions as they stand in the file, from 1."""
        cut = np.searchsorted(positions, self.plain_count)
        lines = self._plain_lines(positions[:cut])
        plain = positions[:cut] + 1 + np.searchsorted(self._strict.lines, lines)
        return np.concatenate([plain, self._strict_numbers[self._strict.read[positions[cut:] - self.plain_count]]])

    def raw_rows(self, positions: Positions) -> Iterator[bytes]:
        """Give the bytes of the rows at sorted positions, without their line ends."""
        cut = np.searchsorted(positions, self.plain_count)
        lines = self._plain_lines(positions[:cut])
        yield from _read_spans(self._descriptor, self._lines.starts(lines), self._lines.ends(lines))
        strict = self._strict.read[positions[cut:] - self.plain_count]
        yield from _read_spans(self._descriptor, self._strict.starts[strict], self._strict.ends[strict])

    def refused_rows(self) -> tuple[Positions, Iterator[bytes]]:
        """Give row numbers and bytes of what is no record at all: unparseable_row."""
        rows = self._strict.refused
        return self._strict_numbers[rows], _read_spans(self._descriptor, self._strict.starts[rows], self._strict.ends[rows])

    def describe_unreadable(self, raw: bytes) -> str:
        """Say why the bytes of a row that cannot be read are no row: how many fields they have, or what stands in the way."""
        return describe_unreadable(raw, len(self.names), self._dialect)

    def fetch(self, positions: Positions, table: str, select: Callable[[str], str]) -> None:
        """Add what `select` makes of the rows at sorted positions, with their cells and `position`, to a table."""
        cut = np.searchsorted(positions, self.plain_count)
        stretches = np.array_split(positions[:cut], range(FETCHED_ROWS, cut, FETCHED_ROWS)) if cut else []
        with ThreadPoolExecutor(1) as pool:
            for lines in in_order(pool, self._numbered_lines, stretches, ahead=1):
                with lines as file:
                    source = _read_csv(file.fileno(), ["position", *(f"c{i}" for i in range(len(self.names)))], self._dialect)
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
        records = (read_record(reader, start, self._dialect) for start in self._lines.starts(lines).tolist())
        sample = [[field.decode(errors="replace").strip(BLANK_LETTERS) for field in record.fields] for record in records if record.fields]
        if len(self._strict.read):
            sample += [list(row[2:]) for row in self.con.execute(f"select * from strict_cells limit {rows}").fetchall()]
        return [row for row in sample if len(row) >= len(self.names)]

    def _plain_lines(self, positions: Positions) -> Ints:
        return positions + np.searchsorted(self._shift, positions, side="right")

    def _copy_plain_lines(self, others: Ints) -> IO[bytes]:
        """Copy what lies between the lines that DuckDB must not read, behind one line to skip."""
        file = TemporaryFile(dir=self._work)  # noqa: SIM115  # it is read as long as the part is
        file.write(b"\n")
        stops = others[~np.isin(others, self._lines.blank, assume_unique=True)]
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


@contextmanager
def open_csv_part(given: PartInput) -> Iterator[CsvPart]:
    """Find an extract's lines and read its header; ExtractRefused where it cannot be used.

    Without trust in DuckDB's parser every line counts as odd, and is read strictly.
    """
    extract = given.extract
    total = None if extract.compression else extract.size
    if not extract.compression and (kind := kind_of_bytes(os.pread(extract.descriptor, BEGINNING, 0))):
        raise ExtractRefused(f"{extract.name}: is no CSV, it {kind}")
    with TemporaryFile(dir=given.work) as file:
        descriptor = extract.descriptor
        blocks = decompress(extract) if extract.compression else read_blocks(descriptor)
        if given.dialect.encoding != COMMAS.encoding:
            blocks = _transcoded(blocks, extract.name, given.dialect.encoding)
        if extract.compression or given.dialect.encoding != COMMAS.encoding or given.dialect.header_row == 0:
            descriptor = file.fileno()
            blocks = _written(_without_mark(blocks), file)
        lines = scan_lines(blocks, extract.name, lambda done: given.progress("bytes", done, total), given.dialect)
        file.flush()
        if not given.is_trusted:
            lines.odd = np.setdiff1d(np.arange(lines.count), lines.blank, assume_unique=True)
        header = Header(extract.name, descriptor, lines, given.columns, given.dialect)
        yield CsvPart(given.con, descriptor, lines, header, given.work)


def _explain(_extract: Extract, error: duckdb.Error) -> Exception:
    return PartMisread(f"its lines could not be read ({type(error).__name__}).")


FORMAT = Format(
    {".csv": "", ".csv.gz": "gzip", ".csv.zst": "zstd"}, open_csv_part, _explain, read_first_rows, is_text=True, has_strict_reader=True
)


def _read_csv(descriptor: int, names: Sequence[str], dialect: Dialect, skip: int = 1) -> str:
    """Say, as SQL, how DuckDB reads a file of lines that are one record each.

    By descriptor, since a path would be a glob. Not strictly, since strict reading fails on mixed line ends, and all that it would find has
    been found: a line with fewer fields is padded with nulls, one with more fills the last name.
    """
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    no_text = next(text for text in NO_TEXTS if dialect.separator.decode() not in text)
    separator, quote = quote_text(dialect.separator.decode()), quote_text(dialect.quote.decode())
    return (
        f"read_csv('/dev/fd/{descriptor}', columns = {{{columns}}}, auto_detect = false, header = false, skip = {skip}, delim = {separator}, "
        f"quote = {quote}, escape = {quote}, comment = '', nullstr = '{no_text}', null_padding = true, strict_mode = false, "
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


def _without_mark(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out the byte order mark that a file begins with."""
    for number, block in enumerate(blocks):
        yield block if number else block.removeprefix(BYTE_ORDER_MARK)


def _transcoded(blocks: Iterable[bytes], name: str, encoding: str) -> Iterator[bytes]:
    """Write blocks of another encoding as UTF-8; ExtractRefused where they are not of that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    try:
        for block in blocks:
            yield decoder.decode(block).encode()
            done += len(block)
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        done += error.start if isinstance(error, UnicodeDecodeError) else 0
        raise ExtractRefused(
            f"{name}: is not {encoding}, as its layout says: what cannot be read is at byte {done:,} or behind it."
        ) from None
