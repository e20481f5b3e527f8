"""What can be asked: the tables, views and macros of a run and of the session, their columns, and what a word may become when it is typed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class Entry:
    """A table, view or macro that can be asked, or a column of one."""

    kind: str
    name: str
    of: str = ""
    """The table that a column is of."""
    comment: str = ""
    data_type: str = ""
    parameters: tuple[str, ...] = ()


def read_catalog(con: duckdb.DuckDBPyConnection) -> tuple[Entry, ...]:
    """List what can be asked: of the run, and what was made in memory."""
    rows = con.execute("""
        with relations as (
            select 'table' as kind, database_name, table_name as name, comment
            from duckdb_tables()
            union all
            select 'view', database_name, view_name, comment
            from duckdb_views() where not internal
        )
        select kind, name, '', coalesce(comment, ''), '', []
        from relations where database_name in ('audit', 'memory', 'temp')
        union all
        select 'macro', function_name, '', coalesce(comment, ''), '', parameters
        from duckdb_functions() where database_name in ('audit', 'memory', 'temp') and not internal
        union all
        select 'column', column_name, table_name, coalesce(comment, ''), data_type, []
        from (from duckdb_columns() where database_name in ('audit', 'memory', 'temp') and not internal order by table_name, column_index)
    """).fetchall()
    entries = [Entry(kind, name, of, comment, data_type, tuple(parameters)) for kind, name, of, comment, data_type, parameters in rows]
    return tuple(sorted(entries, key=lambda entry: (entry.kind == "column", entry.of or entry.name)))


def find_words(
    catalog: Sequence[Entry], keywords: Sequence[str], text: str, qualifier: str | None, start: str, is_relation: bool = False
) -> Iterator[tuple[str, str]]:
    """Find what a word may become, with what it is: columns of named tables, then tables and macros, other columns, keywords.

    After a name and a point only columns come: of that table, or, where the name is an alias, of the tables that are named. Where a table
    is to be named, tables come first.
    """
    named = {word.lower() for word in re.findall(r"\w+", text)}
    relations = {entry.name.lower(): entry for entry in catalog if entry.kind != "column"}
    tables = {qualifier.lower()} if qualifier and qualifier.lower() in relations else named & set(relations)
    columns = [entry for entry in catalog if entry.kind == "column"]
    near = [(entry.name, f"{entry.of}: {entry.data_type.lower()}") for entry in columns if entry.of.lower() in tables]
    if qualifier:
        words = near
    else:
        names = [(entry.name + ("(" if entry.kind == "macro" else ""), entry.kind) for entry in relations.values()]
        others = [*((entry.name, f"column of {entry.of}") for entry in columns), *((keyword, "") for keyword in keywords)]
        words = [*names, *near, *others] if is_relation else [*near, *names, *others]
    seen = set()
    for word, meaning in words:
        if word.lower().startswith(start.lower()) and word not in seen:
            seen.add(word)
            yield word, meaning
