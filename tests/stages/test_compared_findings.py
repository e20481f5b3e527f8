"""A finding is changed where it differs in any column but those about the run, the policy's version or the wording."""

import duckdb
import pytest

from sij_audit.transforms.stages.inputs import FINDING_COLUMNS
from sij_audit.transforms.stages.running import compare_findings

NOT_COMPARED = ("run_id", "status", "first_reported", "policy_version", "precedence_note", "rationale")

VALUES = {"VARCHAR": "'another'", "DATE": "date '2024-01-10'", "BIGINT": "7", "BOOLEAN": "true", "DECIMAL(14, 2)": "7"}


@pytest.mark.parametrize("column", sorted(FINDING_COLUMNS.keys() - {"finding_id"}))
def test_a_finding_is_changed_where_a_column_that_is_compared_differs(column: str) -> None:
    published = {name: f"null::{kind}" for name, kind in FINDING_COLUMNS.items()} | {"finding_id": "'F'", "status": "'open'"}
    before = ", ".join(f"{value} as {name}" for name, value in published.items())
    other = {column: VALUES.get(FINDING_COLUMNS[column], "[]")}
    now = ", ".join(f"{value} as {name}" for name, value in (published | other).items())
    with duckdb.connect() as con:
        compare_findings(con, f"select {before}", f"select {now}")
        [(status,)] = con.execute("select status from compared_findings").fetchall()
    assert status == ("open" if column in NOT_COMPARED else "changed")
