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
    """List what can be asked: of the run, and what was made in memory; what is in another schema than main has it in its name."""
    rows = con.execute("""
        with entries as (
            select 'table' as kind, database_name, schema_name, table_name, null as column_name, comment, '' as data_type, [] as parameters,
                0 as position
            from duckdb_tables()
            union all
            select 'view', database_name, schema_name, view_name, null, comment, '', [], 0
            from duckdb_views() where not internal
            union all
            select 'macro', database_name, schema_name, function_name, null, comment, '', parameters, 0
            from duckdb_functions() where not internal
            union all
            select 'column', database_name, schema_name, table_name, column_name, comment, data_type, [], column_index
            from duckdb_columns() where not internal
        ),
        named_entries as (
            select *, case when schema_name = 'main' then '' else schema_name || '.' end || table_name as name
            from entries
            where database_name in ('audit', 'memory', 'temp')
        )
        select
            kind, coalesce(column_name, name), case when kind = 'column' then name else '' end, coalesce(comment, ''), data_type, parameters
        from named_entries
        order by name, position
    """).fetchall()
    entries = [Entry(kind, name, of, comment, data_type, tuple(parameters)) for kind, name, of, comment, data_type, parameters in rows]
    return tuple(sorted(entries, key=lambda entry: (entry.kind == "column", entry.of or entry.name)))


def find_words(
    catalog: Sequence[Entry], keywords: Sequence[str], text: str, qualifier: str | None, start: str, is_relation: bool = False
) -> Iterator[tuple[str, str]]:
    """Find what a word may become, with what it is: columns of named tables, then tables and macros, other columns, keywords.

    After a name and a point only tables come where it is a schema, else only columns: of that table, or, where the name is an alias, of the
    tables that are named. Where a table is to be named, tables come first.
    """
    named = {word.lower() for pattern in (r"\w+", r"\w+\.\w+") for word in re.findall(pattern, text)}
    relations = {entry.name.lower(): entry for entry in catalog if entry.kind != "column"}
    tables = {qualifier.lower()} if qualifier and qualifier.lower() in relations else named & set(relations)
    columns = [entry for entry in catalog if entry.kind == "column"]
    near = [(entry.name, f"{entry.of}: {entry.data_type.lower()}") for entry in columns if entry.of.lower() in tables]
    of_schema = [
        (name.partition(".")[2], entry.kind) for name, entry in relations.items() if qualifier and name.startswith(f"{qualifier.lower()}.")
    ]
    if of_schema:
        words = of_schema
    elif qualifier:
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
