"""Read and run the cases of `tests/sql/`: what a query yields for the rows that a case gives.

    - case: an interval of exactly two months complies
      params: {min_months: 2}
      given:
        injections: |
          | person_id | service_date | claim_ids |
          | P1        | 2024-01-31   | [a, b]    |
      expect: |
          | person_id | is_violation |

An empty cell is null, `\\|` is a bar; lists, dates and booleans are as DuckDB casts them from text. Only the columns written are set or
compared. Every case holds in any order of the rows, and, where it names left or right, with the two exchanged; one for which it cannot says
why in `not_mirrored`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from sij_audit.transforms.duck import quote_name, quote_text

FOLDER = Path(__file__).parent / "sql"

SIDE = re.compile(r"(?<![A-Za-z])(left|right|LT|RT)(?![A-Za-z])")
OTHER_SIDE = {"left": "right", "right": "left", "LT": "RT", "RT": "LT"}


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
    not_mirrored: str | None = None


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
    unknown = entry.keys() - {"case", "given", "expect", "params", "not_mirrored"}
    if unknown or not {"case", "expect"} <= entry.keys():
        raise ValueError(
            f"{path.name}: a case has case, expect and where needed given, params and not_mirrored; "
            f"not {', '.join(sorted(unknown)) or 'less'}"
        )
    try:
        given = {table: parse_table(text) for table, text in entry.get("given", {}).items()}
        return Case(entry["case"], given, parse_table(entry["expect"]), entry.get("params", {}), entry.get("not_mirrored"))
    except ValueError as error:
        raise ValueError(f"{path.name}, {entry['case']}: {error}") from None


# --- what a case says in other words


def variants(case: Case) -> dict[str, Case]:
    """The case as written, with its rows the other way round, and with left and right exchanged."""
    found = {"rows as written": case, "rows reversed": _with_given(case, lambda table: replace(table, rows=table.rows[::-1]))}
    mirrored = replace(_with_given(case, _mirrored), expect=_mirrored(case.expect))
    if mirrored != case and case.not_mirrored is None:
        found["left and right exchanged"] = mirrored
    return found


def _with_given(case: Case, change: Callable[[PipeTable], PipeTable]) -> Case:
    return replace(case, given={name: change(table) for name, table in case.given.items()})


def _mirrored(table: PipeTable) -> PipeTable:
    rows = tuple(tuple(map(_mirrored_cell, row)) for row in table.rows)
    return PipeTable(tuple(map(_mirrored_text, table.columns)), rows)


def _mirrored_text(text: str) -> str:
    return SIDE.sub(lambda match: OTHER_SIDE[match.group()], text)


def _mirrored_cell(cell: str | None) -> str | None:
    """Exchange the sides in a cell; a list that was sorted stays so."""
    if cell is None:
        return None
    mirrored = _mirrored_text(cell)
    if not (cell.startswith("[") and cell.endswith("]")):
        return mirrored
    before, after = (text[1:-1].split(", ") for text in (cell, mirrored))
    return f"[{', '.join(sorted(after))}]" if before == sorted(before) else mirrored


# --- running a case


@contextmanager
def given_rows(con: duckdb.DuckDBPyConnection, case: Case) -> Iterator[None]:
    """Put what the case gives, and nothing else, into its tables; leave them as they were."""
    con.begin()
    try:
        for name, table in case.given.items():
            _fill(con, name, table)
        yield
    finally:
        con.rollback()


def run_case(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any], case: Case) -> PipeTable:
    """Run the SELECT on what the case gives and nothing else; leave the tables as they were."""
    with given_rows(con, case):
        return select_rows(con, sql, values, case)


def select_rows(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any], case: Case) -> PipeTable:
    """Give those columns of what the SELECT yields that the case compares."""
    return _select_texts(con, f"({sql}\n)", case.expect.columns, _bound(sql, values, case))


def expected_rows(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any], case: Case) -> PipeTable:
    """Give what the case expects, each cell as DuckDB writes a value of the query's type."""
    con.begin()
    try:
        con.execute(f"create or replace temp table expected as select * from ({sql}\n) limit 0", _bound(sql, values, case))
        _insist(case.expect, _column_types(con, "expected"), "the query")
        _fill(con, "expected", case.expect)
        return _select_texts(con, "expected", case.expect.columns, {})
    finally:
        con.rollback()


def _bound(sql: str, values: Mapping[str, Any], case: Case) -> dict[str, Any]:
    known = {**values, **case.params}
    return {name: known[name] for name in duckdb.extract_statements(sql)[0].named_parameters}


IS_VIEW = """
select is_view from (
    select schema_name, table_name as name, false as is_view from duckdb_tables() union all
    select schema_name, view_name, true from duckdb_views() where not internal
)
where name = ?
order by list_position(string_split(?, ','), schema_name) nulls last limit 1
"""


@cache
def _is_view(con: duckdb.DuckDBPyConnection, name: str, search_path: str) -> bool:
    """Say whether a name means a view, where the schemas of the search path are looked through in their order; cases leave that as it was."""
    [(is_view,)] = con.execute(IS_VIEW, [name, search_path]).fetchall()
    return bool(is_view)


def _fill(con: duckdb.DuckDBPyConnection, name: str, table: PipeTable) -> None:
    """Put the rows, and no others, into a table or in the place of a view."""
    _insist(table, _column_types(con, name), name)
    [(search_path,)] = con.execute("select current_setting('search_path')").fetchall()
    if not _is_view(con, name, search_path):
        con.execute(f"delete from {name}")
    else:
        con.execute(f"create temp table shape as select * from {name} limit 0")
        con.execute(f"drop view {name}")
        con.execute(f"create table {name} as select * from shape")
        con.execute("drop table shape")
    if table.rows:  # as literals, which are planned in a third of the time of parameters
        rows = ", ".join(f"({', '.join('null' if cell is None else quote_text(cell) for cell in row)})" for row in table.rows)
        con.execute(f"insert into {name} ({', '.join(map(quote_name, table.columns))}) values {rows}")


def _column_types(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    return {column: kind for column, kind, *_ in con.execute(f"describe {name}").fetchall()}


def _insist(table: PipeTable, types: Mapping[str, str], name: str) -> None:
    for column in table.columns:
        if column not in types:
            raise ValueError(f"{name} has no column {column}; it has {', '.join(types)}")


def _select_texts(con: duckdb.DuckDBPyConnection, source: str, columns: tuple[str, ...], values: Mapping[str, Any]) -> PipeTable:
    texts = ", ".join(f"cast({quote_name(column)} as varchar)" for column in columns)
    return PipeTable(columns, tuple(con.execute(f"select {texts} from {source}", values).fetchall()))
