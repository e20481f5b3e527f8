"""`audit.duckdb`: the reports as tables, with comments, the auditors' views and macros, and a view that explains them all."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from sij_audit.transforms.duck import quote_name, quote_text, select_report
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages.planning import explain_mistakes
from sij_audit.transforms.stages.queries import Query

STORAGE_VERSION = "v1.5.0"
"""The format of the file, whatever version of DuckDB writes it: left to itself, 2.0 writes files that no shell of 1.5 opens."""

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


def write_database(con: duckdb.DuckDBPyConnection, path: Path, reports: Sequence[Query], auditor: Sequence[Query]) -> None:
    """Write finished reports to a new database file, with the comments of their headers, the auditors' views and macros, and `dictionary`.

    Views are made while the file is the default database, so that they name no database: the file is renamed later. That happens in a
    cursor, so that `con` keeps its own default and can publish again where a full disk has made the new database unusable.
    """
    selects = {report.table: select_report(con, report.table) for report in reports}
    con.execute(f"attach {quote_text(str(path))} as published (storage_version {quote_text(STORAGE_VERSION)})")
    try:
        with con.cursor() as cursor:
            cursor.execute("use published; begin")
            for table, select in selects.items():
                cursor.execute(f"create table {quote_name(table)} as {select}")
            for query in auditor:
                with explain_mistakes(query):
                    cursor.execute(query.sql)
            for report in reports:
                _comment_on(cursor, report)
            cursor.execute(DICTIONARY)
            cursor.execute("commit; checkpoint published")
    finally:
        con.execute("detach published")
    if path.with_name(f"{path.name}.wal").exists():
        raise AuditError("DuckDB left a .wal beside audit.duckdb, so the file is not complete. Nothing was published.")


def _comment_on(con: duckdb.DuckDBPyConnection, report: Query) -> None:
    """Say in the database what a report and its columns mean."""
    table = quote_name(report.table)
    con.execute(f"comment on table {table} is {quote_text(f'{report.title}: {report.grain}')}")
    for name, meaning in report.columns.items():
        con.execute(f"comment on column {table}.{quote_name(name)} is {quote_text(meaning)}")
