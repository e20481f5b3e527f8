"""Read and run the cases of `tests/sql/`: what a query yields for the rows that a case gives.

    - case: an interval of exactly two months is lawful
      params: {min_months: 2}
      given:
        injections: |
          | person_id | service_date | claim_ids |
          | P1        | 2024-01-31   | [a, b]    |
      expect: |
          | person_id | is_violation |

An empty cell is null, `\\|` is a bar; lists, dates and booleans are as DuckDB casts them from text. Only the columns written are set or
compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml

from sij_audit.transforms.duck import quote_name

FOLDER = Path(__file__).parent / "sql"


@dataclass(frozen=True)
class PipeTable:
    """Rows of text cells, None where a cell is empty."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def __str__(self) -> str:
        """Lay the table out for people, its rows sorted."""
        texts = [self.columns, *sorted(tuple("" if cell is None else cell.replace("|", r"\|") for cell in row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        return "\n".join("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in texts)


@dataclass(frozen=True)
class Case:
    """One example of what a query must yield."""

    name: str
    given: dict[str, PipeTable]
    expect: PipeTable
    params: dict[str, Any] = field(default_factory=dict)


def parse_table(text: str) -> PipeTable:
    """Parse a pipe table; ValueError names the line that is none."""
    lines = [line.strip() for line in text.strip().splitlines()]
    parsed = [_cells(line) for line in lines]
    if not parsed:
        raise ValueError("a table needs at least its header line")
    header, *rows = parsed
    if not all(header) or len(set(header)) < len(header):
        raise ValueError(f"a column without a name, or two of one name: {lines[0]}")
    for line, row in zip(lines[1:], rows, strict=True):
        if len(row) != len(header):
            raise ValueError(f"{len(row)} cells under {len(header)} columns: {line}")
    return PipeTable(tuple(str(name) for name in header), tuple(rows))


def _cells(line: str) -> tuple[str | None, ...]:
    if len(line) < 2 or not (line.startswith("|") and line.endswith("|")):
        raise ValueError(f"a line of a table begins and ends with a bar: {line}")
    cells = line[1:-1].replace(r"\|", "\0").split("|")
    return tuple(cell.strip().replace("\0", "|") or None for cell in cells)


def read_cases(path: Path) -> list[Case]:
    """Read one file of cases; ValueError says what is wrong with which."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    cases = [_read_case(path, entry) for entry in entries]
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        raise ValueError(f"{path.name}: two cases have one name")
    return cases


def _read_case(path: Path, entry: dict[str, Any]) -> Case:
    unknown = entry.keys() - {"case", "given", "expect", "params"}
    if unknown or not {"case", "expect"} <= entry.keys():
        raise ValueError(
            f"{path.name}: a case has case, expect and where needed given and params; not {', '.join(sorted(unknown)) or 'less'}"
        )
    try:
        given = {table: parse_table(text) for table, text in entry.get("given", {}).items()}
        return Case(entry["case"], given, parse_table(entry["expect"]), entry.get("params", {}))
    except ValueError as error:
        raise ValueError(f"{path.name}, {entry['case']}: {error}") from None


def run_case(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any], case: Case, is_reversed: bool) -> PipeTable:
    """Run the SELECT on what the case gives and nothing else; leave the tables as they were."""
    con.begin()
    try:
        for name, table in case.given.items():
            _fill(con, name, table, is_reversed)
        names = duckdb.extract_statements(sql)[0].named_parameters
        known = {**values, **case.params}
        con.execute(f"create or replace temp table found as {sql}", {name: known[name] for name in names})
        types = _column_types(con, "found")
        _insist(case.expect, types, "the query")
        return _select_texts(con, "found", case.expect.columns)
    finally:
        con.rollback()


def expected_rows(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any], case: Case) -> PipeTable:
    """Give what the case expects, each cell as DuckDB writes a value of the query's type."""
    con.begin()
    try:
        names = duckdb.extract_statements(sql)[0].named_parameters
        known = {**values, **case.params}
        con.execute(f"create or replace temp table expected as select * from ({sql}) limit 0", {name: known[name] for name in names})
        _fill(con, "expected", case.expect, is_reversed=False)
        return _select_texts(con, "expected", case.expect.columns)
    finally:
        con.rollback()


def _fill(con: duckdb.DuckDBPyConnection, name: str, table: PipeTable, is_reversed: bool) -> None:
    """Put the rows, and no others, into a table or in the place of a view."""
    types = _column_types(con, name)
    _insist(table, types, name)
    own_tables = {
        table for (table,) in con.execute("select table_name from duckdb_tables() where schema_name = current_schema()").fetchall()
    }
    views = {view for (view,) in con.execute("select view_name from duckdb_views()").fetchall()}
    if name in views - own_tables:
        con.execute(f"create temp table shape as select * from {name} limit 0")
        con.execute(f"drop view {name}")
        con.execute(f"create table {name} as select * from shape")
        con.execute("drop table shape")
    con.execute(f"delete from {name}")
    cells = ", ".join(f"cast(? as {types[column]})" for column in table.columns)
    for row in reversed(table.rows) if is_reversed else table.rows:
        con.execute(f"insert into {name} ({', '.join(map(quote_name, table.columns))}) values ({cells})", row)


def _column_types(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    return {column: kind for column, kind, *_ in con.execute(f"describe {name}").fetchall()}


def _insist(table: PipeTable, types: Mapping[str, str], name: str) -> None:
    for column in table.columns:
        if column not in types:
            raise ValueError(f"{name} has no column {column}; it has {', '.join(types)}")


def _select_texts(con: duckdb.DuckDBPyConnection, name: str, columns: tuple[str, ...]) -> PipeTable:
    texts = ", ".join(f"cast({quote_name(column)} as varchar)" for column in columns)
    return PipeTable(columns, tuple(con.execute(f"select {texts} from {name}").fetchall()))
