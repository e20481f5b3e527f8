"""Dates, amounts and words of a payer's own are read in the form that its layout names, and in no other."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sij_audit.transforms.ingest.layouts.forms import clean, is_date_form, read_amounts, read_dates, translate

DATES = {
    "DD/MM/YYYY": "%d/%m/%Y",
    "DD.MM.YY": "%d.%m.%y",
    "YYYYMMDD": "%Y%m%d",
    "MMDDYYYY": "%m%d%Y",
    "DDMONYYYY": "%d%b%Y",
    "MON DD YYYY": "%b %d %Y",
    "YYYY/DD/MM": "%Y/%d/%m",
}


def read(expression: pl.Expr, *cells: str | None) -> list[str | None]:
    return list(pl.DataFrame({"x": cells}, schema={"x": pl.String}).select(expression.alias("y"))["y"])


@given(st.sampled_from(sorted(DATES)), st.dates(date(1990, 1, 1), date(2068, 12, 31)), st.sampled_from(["", " 00:00:00", "T13:45:10.123Z"]))
def test_a_date_of_the_form_is_read_with_or_without_a_time_of_day(form: str, day: date, time: str) -> None:
    assert read(read_dates(pl.col("x"), form), day.strftime(DATES[form]) + time) == [day.isoformat()]


@given(st.sampled_from(["excel", "sas"]), st.integers(0, 60_000))
def test_a_number_of_days_is_counted_from_the_first_day_of_the_program_that_wrote_it(form: str, days: int) -> None:
    first = {"excel": date(1899, 12, 30), "sas": date(1960, 1, 1)}[form]
    assert read(read_dates(pl.col("x"), form), str(days), f"{days}.0") == [(first + timedelta(days)).isoformat()] * 2


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("DD/MM/YYYY", "01/31/2024"),
        ("DD/MM/YYYY", "2024-01-31"),
        ("DDMONYYYY", "31-Jan-2024"),
        ("YYYYMMDD", "20240230"),
        ("YYYYMMDD", "2024113"),
        ("DD/MM/YYYY", "1/2/24"),
        ("excel", "2024-01-31"),
    ],
)
def test_a_date_of_another_form_is_marked_as_unread(form: str, cell: str) -> None:
    assert read(read_dates(pl.col("x"), form), cell, None) == [f"!{cell}", None]


@given(st.decimals(-999_999, 999_999, places=2))
def test_an_amount_of_the_form_is_read_to_the_cent(amount: Decimal) -> None:
    comma = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
    assert [Decimal(cell or "") for cell in read(read_amounts(pl.col("x"), "1.234,50"), comma, comma.replace(".", ""))] == [amount, amount]
    assert [Decimal(cell or "") for cell in read(read_amounts(pl.col("x"), "cents"), str(int(amount * 100)))] == [amount]


@pytest.mark.parametrize(
    ("form", "cell"), [("1.234,50", "186.40"), ("1.234,50", "1,234.50"), ("1.234,50", "x"), ("cents", "1.00"), ("cents", "--1")]
)
def test_an_amount_of_another_form_is_marked_as_unread(form: str, cell: str) -> None:
    assert read(read_amounts(pl.col("x"), form), cell, None) == [f"!{cell}", None]


def test_an_amount_keeps_how_it_says_that_it_is_negative() -> None:
    assert read(read_amounts(pl.col("x"), "1.234,50"), "(1.234,50)", "1,5-", "-$2,00") == ["(1234.50)", "1.5-", "-$2.00"]


def test_a_word_with_a_meaning_is_translated_and_others_stay() -> None:
    assert read(translate(pl.col("x"), {"p": "paid", "n/a": ""}), "P", "p", "q", "N/A", None) == ["paid", "paid", "q", None, None]


def test_a_text_that_stands_for_nothing_is_null_in_any_case_and_with_blanks_round_it() -> None:
    assert read(clean("x", ["-", " None given "]), " a ", "\u00a0", " - ", "none GIVEN", "", None) == ["a", None, None, None, None, None]


def test_a_form_of_dates_has_a_year_a_month_and_a_day() -> None:
    assert all(map(is_date_form, (*DATES, "excel", "sas")))
    assert not any(map(is_date_form, ("", "MM/DD", "DD/MM/DD", "YYYY-YY-MM", "MM/MON/YYYY", "DD|MM|YYYY", "DD/MM/YYYY HH", "yyyy-mm-dd")))
