"""The reader of pipe tables and the comparison are right before anything is judged by them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.cases import Case, PipeTable, expected_rows, parse_table, read_cases, run_case, variants

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


def test_a_case_sees_its_own_rows_only_and_leaves_none(con: duckdb.DuckDBPyConnection) -> None:
    given = parse_table("| person_id | day | code |\n| P | 2024-02-01 | b |\n| P | 2024-02-02 | a |\n| Q | 2023-01-01 | c |")
    expect = parse_table("| codes | person_id |\n| [a,b] | P |")
    case = Case("two lines", {"lines": given}, expect, {"first": "2024-01-15"})
    for variant in variants(case).values():
        found = run_case(con, SQL, {"first": "1990-01-01"}, variant)
        assert str(found) == str(expected_rows(con, SQL, {"first": "1990-01-01"}, variant))
        assert con.execute("select person_id from lines").fetchall() == [("kept",)]


def test_rows_are_compared_with_their_multiplicity(con: duckdb.DuckDBPyConnection) -> None:
    case = Case("twice", {"lines": parse_table("| code |\n| a |\n| a |")}, parse_table("| code |\n| a |"))
    sql = "select code from lines"
    assert str(run_case(con, sql, {}, case)) != str(expected_rows(con, sql, {}, case))


def test_a_view_can_be_given_rows(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create view seen_lines as select * from lines")
    case = Case("a view", {"seen_lines": parse_table("| code |\n| v |")}, parse_table("| code |"))
    assert run_case(con, "select code from seen_lines", {}, case).rows == (("v",),)
    assert con.execute("select code from seen_lines").fetchall() == [("x",)]


def test_an_unknown_column_is_named(con: duckdb.DuckDBPyConnection) -> None:
    case = Case("typo", {"lines": parse_table("| persn_id |\n| a |")}, parse_table("| code |"))
    with pytest.raises(ValueError, match="lines has no column persn_id"):
        run_case(con, "select code from lines", {}, case)


def test_a_file_of_cases_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("- case: one\n  given:\n    lines: |\n      | code |\n      | a    |\n  expect: |\n    | code |\n")
    assert [(case.name, case.given["lines"].rows, case.expect.rows) for case in read_cases(path)] == [("one", (("a",),), ())]
    path.write_text("- case: one\n  gives: {}\n  expect: |\n    | code |\n")
    with pytest.raises(ValueError, match="gives"):
        read_cases(path)


def test_a_case_that_names_sides_is_run_with_them_exchanged_too() -> None:
    given = parse_table("| person_id | modifiers | is_left |\n| leftover | [KX, RT] | true |\n| right | [RT, LT] | |")
    case = Case("sides", {"lines": given}, parse_table("| site |\n| possible_left |\n| bilateral |"))
    words = variants(case)
    assert list(words) == ["rows as written", "rows reversed", "left and right exchanged"]
    mirrored = words["left and right exchanged"]
    assert mirrored.given["lines"] == parse_table(
        "| person_id | modifiers | is_right |\n| leftover | [KX, LT] | true |\n| left | [LT, RT] | |"
    )
    assert mirrored.expect == parse_table("| site |\n| possible_right |\n| bilateral |")
    assert len(variants(Case("no sides", {}, parse_table("| site |\n| bilateral |")))) == 2
    assert len(variants(replace(case, not_mirrored="a reason"))) == 2
