"""`audit.duckdb`: the reports as tables, what rules read, with comments, the auditors' views and macros, and a view that explains them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from sij_audit.transforms.duck import current_database, quote_name, quote_text, select_report
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages.planning import explain_mistakes
from sij_audit.transforms.stages.policies import Policy
from sij_audit.transforms.stages.queries import Query
from sij_audit.transforms.stages.working import comment_on, write_working

STORAGE_VERSION = "v1.5.0"
"""The format of the file, whatever version of DuckDB writes it: left to itself, 2.0 writes files that no shell of 1.5 opens."""

LARGE_BLOCKS = 262_144
SMALL_BLOCKS = 16_384
"""Bytes of a block of the file. Each of some 300 columns has blocks of its own: large ones make a file of 7 MB that holds three claim lines, in
twice the time. Of 600,000 rows small blocks make a quarter more, which is read more slowly."""

DICTIONARY = """
create view dictionary as
with home as (
    select database_name from duckdb_views() where view_name = 'dictionary' and not internal
    order by database_name <> current_database(), database_name limit 1
),
entries as (
    select database_name, schema_name, table_name, 0 as position, null as column_name, 'table' as data_type, comment
    from duckdb_tables()
    union all
    select database_name, schema_name, view_name, 0, null, 'view', comment
    from duckdb_views() where not internal and view_name <> 'dictionary'
    union all
    select database_name, schema_name, function_name, 0, null, 'macro', comment
    from duckdb_functions() where not internal
    union all
    select database_name, schema_name, table_name, column_index, column_name, data_type, comment
    from duckdb_columns() where not internal and table_name <> 'dictionary'
)
select case when schema_name = 'main' then '' else schema_name || '.' end || table_name as table_name, column_name, data_type, comment
from entries
where database_name in (from home)
order by schema_name <> 'main', schema_name, entries.table_name, position;
comment on view dictionary is 'What all tables, views, macros and columns mean; a row without column_name speaks of the whole';
"""
"""Finds its own database, whichever is in use: in `sij-audit sql` that is one in memory."""


@dataclass(frozen=True)
class Contents:
    """What a database holds: reports, views and macros for auditors, and what the rules of these policies read."""

    reports: Sequence[Query]
    auditor: Sequence[Query]
    policies: Sequence[Policy] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What rules may name besides limits and facts of a policy."""
    block_size: int = SMALL_BLOCKS


def write_database(con: duckdb.DuckDBPyConnection, path: Path, contents: Contents) -> None:
    """Write finished reports to a new database file, with the comments of their headers, the auditors' views and macros, and `dictionary`.

    Views are made while the file is the default database, so that they name no database: the file is renamed later. That happens in a
    cursor, so that `con` keeps its own default and can publish again where a full disk has made the new database unusable.
    """
    source = current_database(con)
    selects = {report.table: select_report(con, report.table, f"{quote_name(source)}.main") for report in contents.reports}
    options = f"storage_version {quote_text(STORAGE_VERSION)}, block_size {contents.block_size}"
    con.execute(f"attach {quote_text(str(path))} as published ({options})")
    try:
        with con.cursor() as cursor:
            cursor.execute("use published; begin")
            for table, select in selects.items():
                cursor.execute(f"create table {quote_name(table)} as {select}")
            if contents.policies:
                write_working(cursor, source, "published", contents.policies, contents.settings)
            for query in contents.auditor:
                with explain_mistakes(query):
                    cursor.execute(query.sql)
            for report in contents.reports:
                comment_on(cursor, "table", report.table, f"{report.title}: {report.grain}", report.columns)
            cursor.execute(DICTIONARY)
            cursor.execute("commit; checkpoint published")
    finally:
        con.execute("detach published")
    if path.with_name(f"{path.name}.wal").exists():
        raise AuditError("DuckDB left a .wal beside audit.duckdb, so the file is not complete. Nothing was published.")
