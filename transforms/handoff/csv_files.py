"""The hand-off's findings and requests as CSV that a spreadsheet takes for no formula."""

from pathlib import Path

import duckdb

from sij_audit.transforms.handoff.handed_columns import INPUTS
from sij_audit.transforms.handoff.rows import read_rows
from sij_audit.transforms.spreadsheets import write_csv

SEPARATOR = "; "


def write_findings_csv(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write all handed findings, with empty columns for reviewers to fill in; gives their number."""
    inputs = ", ".join(f"null::varchar as {name}" for name in INPUTS)
    return write_csv(read_rows(con, f"select *, {inputs} from handed_findings", SEPARATOR), path)


def write_requests_csv(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write the claims whose records are asked for; gives their number."""
    return write_csv(read_rows(con, "from records_request", SEPARATOR), path)
