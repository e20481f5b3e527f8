"""A run that an earlier version published is named as such, before anything of it is read."""

from pathlib import Path

import duckdb
import pytest

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.query.versions import check_columns

RUN = Path("2024-06-30-000000000000")


def test_a_run_with_all_that_is_needed_passes() -> None:
    with duckdb.connect() as con:
        con.execute("create table limits (limit_name varchar, limit_value varchar)")
        check_columns(con, RUN, {("limits", "limit_value")}, "a hand-off")


@pytest.mark.parametrize("table", ["create table other (limit_value varchar)", "create table limits (limit_name varchar)"])
def test_a_table_or_column_that_is_not_there_is_an_earlier_versions(table: str) -> None:
    with duckdb.connect() as con:
        con.execute(table)
        with pytest.raises(AuditError, match=r"runs/2024-06-30-000000000000 was published by an earlier version, .* a hand-off needs"):
            check_columns(con, RUN, {("limits", "limit_value")}, "a hand-off")
