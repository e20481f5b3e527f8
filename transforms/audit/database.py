"""`audit.duckdb`: the reports as tables, with comments, the auditors' views and macros, and a view that explains them all."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from sij_audit.transforms.duck import quote_name, quote_text, select_report
from sij_audit.transforms.errors import AuditError

Comments = Mapping[str | tuple[str, str], str]
"""What tables and views (by name) and their columns (by both names) mean."""

DICTIONARY = """
create view dictionary as
with home as (
    select database_name from duckdb_views() where view_name = 'dictionary' and not internal
    order by database_name <> current_database(), database_name limit 1
)
select table_name, column_name, data_type, comment
from (
    select table_name, 0 as position, null as column_name, 'table' as data_type, comment
    from duckdb_tables() where database_name in (from home) and schema_name = 'main'
    union all
    select view_name, 0, null, 'view', comment
    from duckdb_views() where database_name in (from home) and schema_name = 'main' and not internal and view_name <> 'dictionary'
    union all
    select function_name, 0, null, 'macro', comment
    from duckdb_functions() where database_name in (from home) and schema_name = 'main' and not internal
    union all
    select table_name, column_index, column_name, data_type, comment
    from duckdb_columns() where database_name in (from home) and schema_name = 'main' and not internal and table_name <> 'dictionary'
)
order by table_name, position;
comment on view dictionary is 'What all tables, views, macros and columns mean; a row without column_name speaks of the whole';
"""
"""Finds its own database, whichever is in use: in `sij-audit sql` that is one in memory."""


def write_database(con: duckdb.DuckDBPyConnection, path: Path, tables: Sequence[str], comments: Comments, auditor_sql: str) -> None:
    """Write finished tables to a new database file, with comments, the auditors' views and macros, and the view `dictionary`.

    Views are made while the file is the default database, so that they name no database: the file is renamed later. That happens in a
    cursor, so that `con` keeps its own default and can publish again where a full disk has made the new database unusable.
    """
    selects = {table: select_report(con, table) for table in tables}
    con.execute(f"attach {quote_text(str(path))} as published")
    try:
        with con.cursor() as cursor:
            cursor.execute("use published")
            for table, select in selects.items():
                cursor.execute(f"create table {quote_name(table)} as {select}")
            cursor.execute(auditor_sql)
            views = {
                name for (name,) in cursor.execute("select view_name from duckdb_views() where database_name = 'published'").fetchall()
            }
            for subject, text in comments.items():
                if isinstance(subject, tuple):
                    target = f"column {quote_name(subject[0])}.{quote_name(subject[1])}"
                else:
                    target = f"{'view' if subject in views else 'table'} {quote_name(subject)}"
                cursor.execute(f"comment on {target} is {quote_text(text)}")
            cursor.execute(DICTIONARY)
            cursor.execute("checkpoint published")
    finally:
        con.execute("detach published")
    if path.with_name(f"{path.name}.wal").exists():
        raise AuditError("DuckDB left a .wal beside audit.duckdb, so the file is not complete. Nothing was published.")
