"""Every query of `sql/` does what its cases in `tests/sql/` say, whatever the order of the rows, and with left and right exchanged."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.cases import Case, expected_rows, run_case, variants
from tests.queries import all_cases, case_files, empty_tables, queries, set_schema

CASES = [pytest.param(name, case, id=f"{name}: {case.name}") for name in case_files() for case in all_cases(name)]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with empty_tables(threads=2) as connection:
        yield connection


@pytest.mark.parametrize("name", sorted(queries()))
def test_every_query_has_cases(name: str) -> None:
    assert name in case_files()
    if queries()[name][0].header.get("rank"):
        cases = all_cases(name)
        assert len(cases) >= 3, "one found, one just inside the limit, one of similar billing that complies"
        assert any(case.expect.rows for case in cases)


def test_every_file_of_cases_has_a_query() -> None:
    assert sorted(case_files().keys() - queries().keys()) == []


@pytest.mark.parametrize(("name", "case"), CASES)
def test_query(con: duckdb.DuckDBPyConnection, name: str, case: Case) -> None:
    query, values = queries()[name]
    set_schema(con, query)
    for wording, variant in variants(case).items():
        expected = str(expected_rows(con, query.sql, values, variant))
        assert str(run_case(con, query.sql, values, variant)) == expected, wording
