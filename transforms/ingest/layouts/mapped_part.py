"""An extract of a layout as a part: what its source holds, made canonical cell by cell, and row by row where it stood."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from tempfile import TemporaryFile

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_lines import LINE_LIMIT
from sij_audit.transforms.ingest.layouts.expressions import Evaluator, FailedExpression, open_evaluator
from sij_audit.transforms.ingest.layouts.forms import clean, cut, read_amounts, read_dates, translate
from sij_audit.transforms.ingest.layouts.layout import KINDS, Layout, LayoutText, parse_layout
from sij_audit.transforms.ingest.layouts.mapping import ColumnMap, LayoutMisfit, map_columns
from sij_audit.transforms.ingest.parquet_part import ParquetPart
from sij_audit.transforms.ingest.part import REASONS, Format, Part, PartInput, PartMisread, Positions
from sij_audit.transforms.ingest.readings import BLANK_LETTERS

ROWS = 50_000
"""Rows that are made canonical at a time."""

NUMBERS = frozenset(
    ("BIGINT", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT")
)

DATES = frozenset(("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"))

KEPT_TYPES = {"text": None, "date": DATES, "integer": NUMBERS, "amount": NUMBERS, "units": NUMBERS}
"""Types of DuckDB in which a canonical column of a kind is read, all others as text; None where it must be made of text."""

PRESET = "preset"
"""The last column of what is written: the reason why a row is refused whatever its cells say."""


class MappedPart(ParquetPart):
    """The canonical cells of an extract, in a file of its own; positions, row numbers and raw rows are those of its source."""

    def __init__(
        self,
        given: PartInput,
        file: pq.ParquetFile,
        descriptor: int,
        source: Part,
        mapped: ColumnMap,
        names: Sequence[str],
        is_fixed_width: bool,
    ) -> None:
        super().__init__(given.con, replace(given.extract, descriptor=descriptor), file, given.columns)
        self.expressions = mapped.expressions
        """What each canonical column is made of, as SQL over the columns of the source."""
        self.source = source
        self.read = {name: place for place, name in mapped.read.items()}
        """Places of the source's columns that are read, by the names that expressions have for them."""
        self.is_fixed_width = is_fixed_width
        self._preset = len(self.names) - 1
        self.ignored = self.ignored[:-1]
        self.names = [*self.names[: len(self.columns)], *(names[place] for place in mapped.ignored)]
        self.rows_read = source.rows_read
        self.plain_count = source.plain_count

    def sources(self) -> list[str]:
        """Give, as SQL, what holds the rows by position."""
        return [f"(select c{self._preset} as preset, * from {self._scan()})"]

    def row_numbers(self, positions: Positions) -> Positions:
        """Number the rows at sorted positions as they stand in the source, from 1."""
        return self.source.row_numbers(positions)

    def raw_rows(self, positions: Positions) -> Iterator[bytes]:
        """Give the rows at sorted positions as they were delivered."""
        return self.source.raw_rows(positions)

    def refused_rows(self) -> tuple[Positions, Iterator[bytes]]:
        """Give row numbers and bytes of the rows that the source cannot read."""
        return self.source.refused_rows()

    def describe_unreadable(self, raw: bytes) -> str:
        """Say why the bytes of a row that cannot be read are no row."""
        return "characters behind the last column" if self.is_fixed_width else self.source.describe_unreadable(raw)

    def sample(self, rows: int = 2000) -> Sequence[Sequence[str | None]]:
        """Give the texts of some rows, of all columns."""
        return self._sample(rows, range(len(self.names)))


def read_by(layout: LayoutText, source: Format) -> Format:
    """Make of a format the one of its files that are written by a layout."""

    def open_part(given: PartInput) -> AbstractContextManager[Part]:
        return _open_mapped_part(given, layout, source)

    return replace(source, open_part=open_part)


@contextmanager
def _open_mapped_part(given: PartInput, named: LayoutText, source_format: Format) -> Iterator[MappedPart]:
    """Open a source and write its canonical cells; ExtractRefused where the layout does not fit it."""
    layout = parse_layout(named)
    with ExitStack() as stack:
        source = stack.enter_context(source_format.open_part(replace(given, columns=(), dialect=layout.dialect)))
        names = list(layout.widths) or source.names
        try:
            mapped = map_columns(layout, names)
        except LayoutMisfit as error:
            raise ExtractRefused(f"{given.extract.name}: does not fit the layout {named.name}: it {error}.") from None
        file = stack.enter_context(TemporaryFile(dir=given.work))
        kept_types = {name: KEPT_TYPES[KINDS[name]] if layout.form_of(name) != "cents" else frozenset[str]() for name in mapped.expressions}
        with open_evaluator(mapped.expressions, kept_types) as evaluator:
            try:
                count = _write_cells(source, layout, mapped, evaluator, file.fileno())
            except FailedExpression as error:
                raise ExtractRefused(_describe_failure(given.extract.name, named.name, error, source)) from None
            except duckdb.OutOfMemoryException:
                raise ExtractRefused(f"{given.extract.name}: what the layout {named.name} makes of its rows is too large.") from None
        if count != source.row_count:
            raise PartMisread(f"{source.row_count} rows are there, and {count} were made canonical.")
        raw = stack.enter_context(open(file.fileno(), "rb", closefd=False))
        yield MappedPart(given, pq.ParquetFile(raw), file.fileno(), source, mapped, names, bool(layout.widths))


def _describe_failure(extract: str, layout: str, error: FailedExpression, source: Part) -> str:
    where = f"{extract}: the layout {layout} makes {error.name} by an expression that"
    if error.position is None:
        return f"{where} cannot be evaluated: {error.reason.rstrip('.')}."
    [row] = source.row_numbers(np.array([error.position])).tolist()
    return f"{where} fails on row {row:,}. Where a cell may be other than expected, write try_cast and try_strptime in it."


def _write_cells(source: Part, layout: Layout, mapped: ColumnMap, evaluator: Evaluator, descriptor: int) -> int:
    """Write the canonical cells of all rows by position; count the rows."""
    done = 0
    tables = _read_cells(source, mapped, bool(layout.widths))
    first = next(tables)
    with open(descriptor, "wb", closefd=False) as raw, ExitStack() as stack:
        writer = None
        for table in chain([first.schema.empty_table(), first], tables):
            canonical = _make_canonical(table, layout, mapped, evaluator, done)
            writer = writer or stack.enter_context(pq.ParquetWriter(raw, canonical.schema, compression="zstd"))
            writer.write_table(canonical)
            done += len(table)
    return done


def _read_cells(source: Part, mapped: ColumnMap, is_fixed_width: bool) -> Iterator[pa.Table]:
    """Read the cells of a source: those of columns that are read, and of the others whether they are filled; of an unreadable row, none."""
    cells = {0: "c0"} if is_fixed_width else {place: f"c{place}" for place in mapped.read}
    if not is_fixed_width:
        cells |= {place: f"case when {source.filled(place)} then 'x' end" for place in mapped.ignored}
    is_row = f"{PRESET} <> {REASONS['unparseable_row']}"
    columns = ", ".join(f"case when {is_row} then {cell} end as c{place}" for place, cell in cells.items())
    for query in source.sources():
        reader = source.con.sql(f"select {PRESET}, {columns} from {query}").to_arrow_reader(ROWS)
        yield reader.schema.empty_table()
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _make_canonical(table: pa.Table, layout: Layout, mapped: ColumnMap, evaluator: Evaluator, position: int) -> pa.Table:
    """Make the canonical cells of some rows, the first of which has this position."""
    frame = pl.DataFrame(table)
    if layout.widths:
        slices = [cut("c0", *width).alias(f"c{place}") for place, width in enumerate(layout.widths.values())]
        end = max(start + count for start, count in layout.widths.values())
        is_longer = cut("c0", end, LINE_LIMIT).str.strip_chars(BLANK_LETTERS) != ""
        frame = frame.with_columns(
            pl.when(is_longer).then(None).otherwise("c0").alias("c0"),
            pl.when(is_longer).then(pl.lit(REASONS["unparseable_row"], pl.UInt8)).otherwise(PRESET).alias(PRESET),
        ).select(PRESET, *slices)
    texts = [name for name, dtype in frame.schema.items() if dtype in (pl.String, pl.Categorical, pl.Enum)]
    frame = frame.with_columns(pl.col(texts).cast(pl.String)).with_columns(clean(name, layout.nulls) for name in texts)
    made = evaluator.evaluate(frame.select(pl.col(f"c{place}").alias(name) for place, name in mapped.read.items()).to_arrow(), position)
    canonical = pl.DataFrame(made)
    forms = [_read_form(layout, name) for name, dtype in canonical.schema.items() if dtype == pl.String]
    others = frame.select(*(pl.col(f"c{place}").alias(f"ignored {place}") for place in mapped.ignored), PRESET)
    return pl.concat([canonical.with_columns(forms), others], how="horizontal").to_arrow()


def _read_form(layout: Layout, name: str) -> pl.Expr:
    """Read a canonical column of text as the layout says that it is written."""
    column = pl.col(name)
    form = layout.form_of(name)
    if meanings := layout.meanings_of(name):
        column = translate(column, meanings)
    elif form and KINDS[name] == "date":
        column = read_dates(column, form)
    elif form and KINDS[name] == "amount" and form != "1,234.50":
        column = read_amounts(column, form)
    return column.alias(name)
