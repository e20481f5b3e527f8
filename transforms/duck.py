"""DuckDB and its tables: names and texts quoted for SQL, rows as dicts, a finished table as Parquet."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

QUICK = {"disabled_optimizers": "common_subexpressions"}
"""Settings of every database: to look for common subexpressions took half of the time in which a small run is planned, and saved a large one
nothing."""

ONE_THREAD = {"threads": 1}
"""Settings of a database that works on little: a second thread took a third more of the processors' time, and was done no sooner."""

ROW_GROUP = 262_144

PLAIN_TYPES = {"HUGEINT": "BIGINT", "DECIMAL(38,2)": "DECIMAL(14, 2)", "ENUM": "VARCHAR"}
"""What sums and labels are published as: DuckDB's sums are wider than their terms, and its labels would be dictionaries in Parquet."""


def quote_name(name: str) -> str:
    """Write a name so that SQL reads it as one."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Write a text so that SQL reads it as one."""
    return "'" + text.replace("'", "''") + "'"


def scan_parquet(paths: Sequence[Path]) -> str:
    """Write a scan of exactly these files; their names must be ours, so that none is a pattern."""
    return f"read_parquet([{', '.join(quote_text(str(path)) for path in paths)}], hive_partitioning = false)"


def fetch_dicts(con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Run a query and give its rows, each by the names of its columns."""
    cursor = con.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def fetch_as(con: duckdb.DuckDBPyConnection, kind: type[T], source: str) -> tuple[T, ...]:
    """Fetch the rows of a table, or of what may stand behind `from`, each as a dataclass whose fields are columns."""
    columns = ", ".join(quote_name(field.name) for field in fields(kind))
    return tuple(kind(*row) for row in con.execute(f"select {columns} from {source}").fetchall())


def fetch_row(con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...]:
    """Run a query that gives one row. It is fetched to its end: before that a connection of DuckDB 2.0 does nothing else."""
    [row] = con.execute(sql, values).fetchall()
    return tuple(row)


def fetch_one(con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
    """Run a query that gives one row, and give its first cell."""
    return fetch_row(con, sql, values)[0]


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """Let SQL see an Arrow table under a name for a while."""
    con.register(name, table)
    try:
        yield
    finally:
        con.unregister(name)


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Fill a table with rows, which have a value for each of these columns: in one statement, since one a row takes many times as long."""
    if rows:
        cells = [
            [value if value is None or isinstance(value, list) else str(value) for value in values] for values in zip(*rows, strict=True)
        ]
        with registered(con, "given_rows", pa.table(cells, list(columns))):
            con.execute(f"insert into {table} by name from given_rows")


def list_columns(con: duckdb.DuckDBPyConnection, table: str, schema: str = "main") -> dict[str, str]:
    """List the columns of a table, which must not be a view, with their types: DESCRIBE, a query, takes ten times as long.

    `schema` is as SQL names it; without one DuckDB would look into `main` alone, whatever the search path.
    """
    relation = con.table(f"{schema}.{quote_name(table)}")
    return dict(zip(relation.columns, map(str, relation.types), strict=True))


def select_report(con: duckdb.DuckDBPyConnection, table: str, schema: str = "main") -> str:
    """Write the SELECT of a report's rows in their stored order, with the types that are published; `schema` is as SQL names it."""
    columns = []
    for name, data_type in list_columns(con, table, schema).items():
        plain = PLAIN_TYPES.get("ENUM" if data_type.startswith("ENUM(") else data_type)
        columns.append(f"cast({quote_name(name)} as {plain}) as {quote_name(name)}" if plain else quote_name(name))
    return f"select {', '.join(columns)} from {schema}.{quote_name(table)}"


def current_database(con: duckdb.DuckDBPyConnection) -> str:
    """Name the database in use."""
    [(name,)] = con.execute("select current_database()").fetchall()
    return str(name)


def write_report(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Write a finished table as Parquet: the same rows give the same bytes.

    Pages carry checksums: a flipped bit in a compressed page was seen to give wrong data without an error. The Arrow schema is left out,
    for it names a list's elements as DuckDB happens to.
    """
    reader = con.sql(select_report(con, table)).to_arrow_reader(ROW_GROUP)
    with pq.ParquetWriter(path, reader.schema, compression="zstd", write_page_checksum=True, store_schema=False) as writer:
        for group in _row_groups(reader):
            writer.write_table(group, row_group_size=ROW_GROUP)


def _row_groups(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Cut rows into groups that are full but for the last: DuckDB's batches may differ with the number of threads, and so would pages."""
    group = reader.schema.empty_table()
    for batch in reader:
        group = pa.concat_tables([group, pa.Table.from_batches([batch])])
        while group.num_rows >= ROW_GROUP:
            yield group.slice(0, ROW_GROUP).combine_chunks()
            group = group.slice(ROW_GROUP)
    if group.num_rows:
        yield group.combine_chunks()
