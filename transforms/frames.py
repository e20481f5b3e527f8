"""Rows of DuckDB as Polars frames."""

from collections.abc import Sequence
from typing import Any

import duckdb
import polars as pl


def fetch_frame(con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()) -> pl.DataFrame:
    """Run a query and give its rows; as a relation, since a connection of DuckDB 2.0 gives no frames."""
    frame = pl.from_arrow(con.sql(sql, params=list(values)).to_arrow_table())
    assert isinstance(frame, pl.DataFrame), "a table is no series"
    return frame
