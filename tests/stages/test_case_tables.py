"""The reader of pipe tables and the comparison are right before anything is judged by them."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.cases import Case, PipeTable, expected_rows, parse_table, read_cases, run_case

SQL = "select person_id, count(*) as line_count, list(code order by code) as codes from lines where day >= $first group by all"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create table lines (person_id varchar, day date, code varchar)")
        connection.execute("insert into lines values ('kept', '2024-01-01', 'x')")
        yield connection


def test_an_empty_cell_is_null_and_a_bar_can_be_written() -> None:
    assert parse_table("| a | b |\n| 1 |   |\n| x\\|y | [p, q] |") == PipeTable(("a", "b"), (("1", None), ("x|y", "[p, q]")))


@pytest.mark.parametrize("text", ["", "| a | a |", "| a | |", "| a |\n| 1 | 2 |", "a | b", "| a |\nnothing"])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"table|column|cells"):
        parse_table(text)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_case_sees_its_own_rows_only_and_leaves_none(con: duckdb.DuckDBPyConnection, is_reversed: bool) -> None:
    given = parse_table("| person_id | day | code |\n| P | 2024-02-01 | b |\n| P | 2024-02-02 | a |\n| Q | 2023-01-01 | c |")
    expect = parse_table("| codes | person_id |\n| [a,b] | P |")
    case = Case("two lines", {"lines": given}, expect, {"first": "2024-01-15"})
    found = run_case(con, SQL, {"first": "1990-01-01"}, case, is_reversed)
    assert str(found) == str(expected_rows(con, SQL, {"first": "1990-01-01"}, case))
    assert con.execute("select person_id from lines").fetchall() == [("kept",)]


def test_rows_are_compared_with_their_multiplicity(con: duckdb.DuckDBPyConnection) -> None:
    case = Case("twice", {"lines": parse_table("| code |\n| a |\n| a |")}, parse_table("| code |\n| a |"))
    sql = "select code from lines"
    assert str(run_case(con, sql, {}, case, is_reversed=False)) != str(expected_rows(con, sql, {}, case))


def test_a_view_can_be_given_rows(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create view seen_lines as select * from lines")
    case = Case("a view", {"seen_lines": parse_table("| code |\n| v |")}, parse_table("| code |"))
    assert run_case(con, "select code from seen_lines", {}, case, is_reversed=False).rows == (("v",),)
    assert con.execute("select code from seen_lines").fetchall() == [("x",)]


def test_an_unknown_column_is_named(con: duckdb.DuckDBPyConnection) -> None:
    case = Case("typo", {"lines": parse_table("| persn_id |\n| a |")}, parse_table("| code |"))
    with pytest.raises(ValueError, match="lines has no column persn_id"):
        run_case(con, "select code from lines", {}, case, is_reversed=False)


def test_a_file_of_cases_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("- case: one\n  given:\n    lines: |\n      | code |\n      | a    |\n  expect: |\n    | code |\n")
    assert [(case.name, case.given["lines"].rows, case.expect.rows) for case in read_cases(path)] == [("one", (("a",),), ())]
    path.write_text("- case: one\n  gives: {}\n  expect: |\n    | code |\n")
    with pytest.raises(ValueError, match="gives"):
        read_cases(path)
