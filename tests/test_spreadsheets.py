"""CSV for spreadsheets: nothing in it is a formula, and a reader gets back what was written."""

import csv
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sij_audit.transforms.spreadsheets import defuse, take_back, write_csv

BEGINNINGS = "=+-@\t\r\n'\" ＝＋－＠\u00a0x1"
hostile_texts = st.text(st.sampled_from(BEGINNINGS), max_size=4).flatmap(lambda begin: st.text(max_size=8).map(lambda rest: begin + rest))


def write(path: Path, query: str, *values: object) -> list[list[str]]:
    with duckdb.connect() as con:
        count = write_csv(con.sql(query, params=values).to_arrow_reader(7), path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    assert len(rows) == count + 1
    return rows


@given(hostile_texts)
def test_what_is_put_before_a_text_is_taken_off(text: str) -> None:
    assert take_back(defuse(text)) == text
    assert defuse(text) in (text, f"'{text}")


@given(hostile_texts)
def test_a_text_that_begins_like_a_formula_behind_blanks_and_quotes_has_an_apostrophe(text: str) -> None:
    if text.strip().lstrip("\"'").strip().startswith(tuple("=+-@＝＋－＠")) or text.startswith(("\t", "\r", "\n")):
        assert defuse(text).startswith("'")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", '"=1', "'=1", "＝1", "－1", "\u00a0＠x", "\n=1"])
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert defuse(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "27096", "1-2", "a=b", "'quoted'", " blank", '"said"', "S0000001A/1 27096 $186.40"])
def test_other_texts_are_left(text: str) -> None:
    assert defuse(text) == text


def test_numbers_dates_and_amounts_are_left(tmp_path: Path) -> None:
    query = "select -1 as a, -1.50::decimal(14, 2) as b, date '2024-02-29' as c, true as d, null as e, -0.5::double as f, '-1' as g"
    assert write(tmp_path / "x.csv", query) == [list("abcdefg"), ["-1", "-1.50", "2024-02-29", "true", "", "-0.5", "'-1"]]


def test_lists_are_joined_and_structs_are_json(tmp_path: Path) -> None:
    query = "select ['=a', 'b'] as a, [1, 2] as b, []::varchar[] as c, {'x': 'é', 'y': 1.50} as d, [{'x': date '2024-01-01'}] as e"
    assert write(tmp_path / "x.csv", query)[1] == ["'=a; b", "1; 2", "", '{"x": "é", "y": "1.50"}', '{"x": "2024-01-01"}']


def test_other_types_have_a_text(tmp_path: Path) -> None:
    query = "select '\\x01\\xff'::blob as a, map {'k': 1} as b, time '10:00' as c, timestamp '2024-01-01 10:00' as d, 1::hugeint as e"
    assert write(tmp_path / "x.csv", query)[1] == ["01ff", "('k', 1)", "10:00:00", "2024-01-01 10:00:00", "1"]


def test_excel_sees_utf_8_and_rows_end_as_rfc_4180_says(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", 'select \'é, "x"\ny\' as "=name"')
    assert (tmp_path / "x.csv").read_bytes() == '\ufeff\'=name\r\n"é, ""x""\ny"\r\n'.encode()


@pytest.mark.parametrize("rows", [0, 1, 7, 5000])
def test_rows_keep_their_order_over_batches(tmp_path: Path, rows: int) -> None:
    assert write(tmp_path / "x.csv", "select range as n from range(?)", rows)[1:] == [[str(n)] for n in range(rows)]
