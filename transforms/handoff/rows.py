"""Rows of what is handed over, read for a spreadsheet: lists as texts, one value a cell."""

from collections.abc import Iterator

import duckdb
import polars as pl
import pyarrow as pa

CHUNK = 2048
"""Rows that are fetched at a time."""

LINE_FIELDS = ("claim_id", "claim_line_number", "hcpcs_code", "paid_amount")
"""Fields of a claim line that are written."""


def read_rows(con: duckdb.DuckDBPyConnection, query: str, separator: str) -> pa.RecordBatchReader:
    """Read rows with their lists joined."""
    reader = con.sql(query).to_arrow_reader(CHUNK)
    schema = _join_batch(reader.schema.empty_table(), separator).schema

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            yield from _join_batch(pa.Table.from_batches([batch]), separator).to_batches()

    return pa.RecordBatchReader.from_batches(schema, batches())


def _join_batch(batch: pa.Table, separator: str) -> pa.Table:
    return join_lists(pl.DataFrame(batch), separator).to_arrow()


def join_lists(frame: pl.DataFrame, separator: str) -> pl.DataFrame:
    """Write each list as one text: its texts joined, and claim lines as "claim/line code $paid", of which what is null is left out.

    In a cell, where texts are joined with a comma, each claim line has a line of its own.
    """
    newline = "\n" if separator == ", " else separator
    return frame.with_columns(
        pl.col(name).list.eval(_line_text()).list.join(newline) if kind.inner == pl.Struct else pl.col(name).list.join(separator)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.List)
    )


def _line_text() -> pl.Expr:
    claim_id, number, code, paid = (pl.element().struct.field(name).cast(pl.String) for name in LINE_FIELDS)
    return pl.concat_str(claim_id, "/" + number, " " + code, " $" + paid, ignore_nulls=True)
