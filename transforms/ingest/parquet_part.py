"""A Parquet extract as a part to audit: DuckDB reads it, its own footer says how many rows there are and what the types are."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.columns import COLUMNS, Column
from sij_audit.transforms.duck import registered
from sij_audit.transforms.errors import ExtractRefused, ExtractUnreadable
from sij_audit.transforms.ingest.csv_dialect import Dialect
from sij_audit.transforms.ingest.extracts import Extract
from sij_audit.transforms.ingest.part import FIRST_ROWS, FirstRows, Format, PartInput, PlainFacts, Positions, match_columns
from sij_audit.transforms.ingest.readings import Reading, are_usual, clean_name, is_filled, is_text_type, missing, read_typed
from sij_audit.transforms.stages.reference import Code

STRETCHES = 20
"""Stretches of rows that a sample is made of."""

SAMPLED_COLUMNS = (*(column.name for column in COLUMNS if column.kind == "date"), "claim_id", "person_id", "member_id", "hcpcs_code")
"""What is guessed from a sample: the forms of dates, whether ids and codes are such."""

RAW_ROWS = 1000
"""Refused rows that are turned into JSON at a time."""


class ParquetPart:
    """One Parquet file, its footer read. A position is a row's number in the file, from 0."""

    def __init__(self, con: duckdb.DuckDBPyConnection, extract: Extract, file: pq.ParquetFile, wanted: Sequence[Column]) -> None:
        self.con = con
        self.names: Sequence[str] = [clean_name(name) for name in file.schema_arrow.names]
        self.columns: Mapping[str, int]
        self.ignored: Sequence[int]
        self.columns, self.ignored = match_columns(extract.name, self.names, wanted)
        self.rows_read = self.row_count = self.plain_count = file.metadata.num_rows
        self._types = file.schema_arrow.types
        self._cells = [f"c{i}" for i in range(len(self.names))]
        self._path = f"'/dev/fd/{extract.descriptor}'"
        self.filled_counts: Mapping[int, int] = _filled_counts(file, self._types)
        if "file_row_number" in (name.lower() for name in self.names):
            raise ExtractRefused(f"{extract.name}: has a column file_row_number, whose name is needed to number rows; rename it.")
        for column in wanted:
            index = self.columns.get(column.name)
            if index is not None and read_typed(column, "cell", self._types[index]) is None:
                raise ExtractRefused(
                    f"{extract.name}: column {column.name} is of type {self._types[index]}, where {_expected(column)} is expected."
                )
        relation = con.execute(f"select * from {self._scan()} limit 0").description or []
        if len(relation) != len(self.names):
            raise ExtractRefused(f"{extract.name}: its columns cannot be distinguished.")

    def reading(self, column: Column, date_form: str) -> Reading:
        """Say how a canonical column is read."""
        index = self.columns.get(column.name)
        reading = None if index is None else read_typed(column, f"c{index}", self._types[index], date_form)
        return reading or missing(column)

    def filled(self, index: int) -> str:
        """Say, as SQL, whether a column's cell is filled."""
        if pa.types.is_null(self._types[index]):
            return "false"
        if is_text_type(self._types[index]):
            return is_filled(f"c{index}")
        return f"c{index} is not null"

    def sources(self) -> list[str]:
        """Give, as SQL, what holds the rows by position."""
        return [f"(select 0::utinyint as preset, * from {self._scan()})"]

    def set_plain_rows_apart(self, date_forms: Mapping[str, str], codes: Sequence[Code], claim_hash: str) -> PlainFacts | None:
        """Leave all rows to `sources`: their cells come typed, or cost little to read."""
        return None

    def take_plain_rows_back(self) -> None:
        """Take nothing back: none were set apart."""

    def row_numbers(self, positions: Positions) -> Positions:
        """Number the rows at sorted positions as they stand in the file, from 1."""
        return positions + 1

    def raw_rows(self, positions: Positions) -> Iterator[bytes]:
        """Give the rows at sorted positions as JSON."""
        for start in range(0, len(positions), RAW_ROWS):
            with registered(self.con, "wanted_positions", pa.table({"file_row_number": positions[start : start + RAW_ROWS]})):
                rows = self.con.execute(
                    "select to_json(r) from (select * from read_parquet("
                    f"{self._path}, file_row_number = true, hive_partitioning = false) semi join wanted_positions using (file_row_number)) r "
                    "order by r.file_row_number"
                ).fetchall()
            yield from (row[0].encode() for row in rows)

    def refused_rows(self) -> tuple[Positions, Iterator[bytes]]:
        """Give what is no record at all: nothing."""
        return np.zeros(0, np.int64), iter(())

    def describe_unreadable(self, raw: bytes) -> str:
        """Say nothing: every row of the file can be read."""
        return ""

    def fetch(self, positions: Positions, table: str, select: Callable[[str], str]) -> None:
        """Add what `select` makes of the rows at sorted positions, with their cells and `position`, to a table."""
        rows = f"select *, file_row_number as position from {self._scan(', file_row_number = true')}"
        with registered(self.con, "wanted_positions", pa.table({"file_row_number": positions})):
            self.con.execute(f"insert into {table} {select(f'({rows} semi join wanted_positions using (file_row_number))')}")

    def sample(self, rows: int = 2000) -> Sequence[Sequence[str | None]]:
        """Give the texts of some rows, in stretches from all over the file, to guess from."""
        return self._sample(rows, [self.columns[name] for name in SAMPLED_COLUMNS if name in self.columns])

    def _sample(self, rows: int, wanted: Collection[int]) -> Sequence[Sequence[str | None]]:
        columns = ", ".join(f"c{i}" if i in wanted and is_text_type(t) else "null" for i, t in enumerate(self._types))
        length = -(-rows // STRETCHES) if self.row_count > rows else rows
        starts = np.unique(np.linspace(0, max(self.row_count - length, 0), STRETCHES if self.row_count > rows else 1).astype(np.int64))
        stretches = " or ".join(f"file_row_number between {start} and {start + length - 1}" for start in starts.tolist())
        return self.con.execute(f"select {columns} from {self._scan(', file_row_number = true')} where {stretches}").fetchall()

    def _scan(self, options: str = "") -> str:
        names = [*self._cells, "file_row_number"] if options else self._cells
        return f"read_parquet({self._path}, hive_partitioning = false{options}) as t({', '.join(names)})"


@contextmanager
def open_parquet_part(given: PartInput) -> Iterator[ParquetPart]:
    """Read a Parquet extract's footer; ExtractRefused where it cannot be used."""
    extract = given.extract
    with open(extract.descriptor, "rb", closefd=False) as raw:
        try:
            file = pq.ParquetFile(raw)
            part = ParquetPart(given.con, extract, file, given.columns)
        except (pa.ArrowException, OSError, duckdb.Error) as error:
            # PyArrow's own findings are OSErrors too, without the system's number
            kind = ExtractUnreadable if isinstance(error, OSError) and error.errno else ExtractRefused
            raise kind(f"{extract.name}: is no Parquet file that can be read: it is another kind, cut, damaged or encrypted.") from None
        yield part


def _explain(extract: Extract, error: duckdb.Error) -> Exception:
    kind = ExtractUnreadable if isinstance(error, duckdb.IOException) else ExtractRefused
    return kind(f"{extract.name}: cannot be read as Parquet; it is damaged or encrypted ({type(error).__name__}).")


def read_first_rows(extract: Extract, _dialect: Dialect) -> FirstRows:
    """Read the names of a Parquet file's columns, and its first rows as text."""
    with open(extract.descriptor, "rb", closefd=False) as raw:
        try:
            file = pq.ParquetFile(raw)
            batch = next(file.iter_batches(FIRST_ROWS), None)
        except (pa.ArrowException, OSError):
            return FirstRows((), ())
    rows = zip(*map(_write_cells, batch.columns), strict=True) if batch else ()
    names = [clean_name(name) for name in file.schema_arrow.names]
    return FirstRows(names, list(rows))


def _write_cells(column: pa.Array) -> list[str]:
    """Write a column's cells as text; empty where its type has none."""
    try:
        return [cell or "" for cell in column.cast(pa.string()).to_pylist()]
    except pa.ArrowException:
        return [""] * len(column)


FORMAT = Format({".parquet": ""}, open_parquet_part, _explain, read_first_rows, is_text=False, has_strict_reader=False)


def _expected(column: Column) -> str:
    return {"text": "text", "date": "a date, a timestamp or text", "integer": "an integer or text"}.get(column.kind, "a number or text")


def _filled_counts(file: pq.ParquetFile, types: Sequence[pa.DataType]) -> dict[int, int]:
    """Count filled cells by the footer's statistics, for each column where they are proof of it.

    A text that begins in the usual way is filled; the smallest and the largest value speak for all.
    """
    metadata = file.metadata
    leaves = {metadata.schema.column(leaf).path: leaf for leaf in range(metadata.num_columns)}
    counts: dict[int, int] = {}
    for index, (name, arrow_type) in enumerate(zip(file.schema_arrow.names, types, strict=True)):
        leaf = leaves.get(name)
        if leaf is None or file.schema_arrow.names.count(name) > 1:
            continue
        count = 0
        for group in range(metadata.num_row_groups):
            statistics = metadata.row_group(group).column(leaf).statistics
            rows = metadata.row_group(group).num_rows
            if statistics is None or not statistics.has_null_count or statistics.null_count > rows:
                break
            filled = rows - statistics.null_count
            if filled and is_text_type(arrow_type) and not _are_all_filled(statistics):
                break
            count += filled
        else:
            counts[index] = count
    return counts


def _are_all_filled(statistics: pq.Statistics) -> bool:
    """Say whether every value of a text column is written in the usual way, and so stands for something, by the smallest and the largest."""
    try:
        return bool(statistics.has_min_max and are_usual(str(statistics.min), str(statistics.max)))
    except (UnicodeDecodeError, pa.ArrowException):
        return False
