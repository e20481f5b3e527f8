"""What a published run must have for a later version of the program to read it."""

from collections.abc import Set
from pathlib import Path

import duckdb

from sij_audit.transforms.duck import fetch_dicts
from sij_audit.transforms.errors import AuditError


def check_columns(con: duckdb.DuckDBPyConnection, run: Path, needed: Set[tuple[str, str]], what: str) -> None:
    """Make sure that the run that `con` has open holds these columns, each with its table; AuditError where an earlier version published it."""
    columns = {(row["table_name"], row["column_name"]) for row in fetch_dicts(con, "from duckdb_columns() where schema_name = 'main'")}
    if not columns >= needed:
        raise AuditError(f"runs/{run.name} was published by an earlier version, without what {what} needs. Run the audit again.")
