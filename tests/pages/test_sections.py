"""How rows are shaped for the sections of the report page: periods, bins, rates, sums."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sij_audit.transforms.columns import ROW_OUTCOMES
from sij_audit.transforms.pages.data_sections import WHOLE_POLICY, balances, describe_limits, describe_quality, list_extracts
from sij_audit.transforms.pages.finding_sections import PERIODS, list_periods
from sij_audit.transforms.pages.injection_sections import BIN_DAYS, DAYS_BEYOND, bin_start, days_of_months, list_bins
from sij_audit.transforms.pages.parts import Tables
from sij_audit.transforms.pages.provider_section import STANDING_OUT, rank_providers


def months(*days: date) -> pl.DataFrame:
    return pl.DataFrame({"month_start_date": list(days)})


def test_periods_without_a_finding_are_listed_too() -> None:
    rows = months(date(2023, 11, 1), date(2024, 2, 1))
    assert {name: list_periods(rows, period) for name, period in PERIODS.items()} == {
        "month": ["2023-11", "2023-12", "2024-01", "2024-02"],
        "quarter": ["2023 Q4", "2024 Q1"],
        "year": ["2023", "2024"],
    }


@pytest.mark.parametrize(("count", "days"), [(1, (28, 31)), (2, (59, 62)), (3, (89, 92)), (12, (365, 366)), (0, (0, 0))])
def test_months_take_the_days_that_the_calendar_gives_them(count: int, days: tuple[int, int]) -> None:
    assert days_of_months(count) == days


@pytest.mark.parametrize("count", range(1, 37, 5))
def test_months_take_the_days_that_the_rules_give_them(count: int) -> None:
    spans = (
        "select (day + to_months(?))::date - day::date as days from range(date '1990-01-01', date '2090-01-01', interval 1 day) as t(day)"
    )
    assert duckdb.execute(f"select min(days), max(days) from ({spans})", [count]).fetchall() == [days_of_months(count)]


@given(st.integers(1, 3000), st.sampled_from(BIN_DAYS), st.integers(0, 400))
def test_an_interval_is_in_the_bin_that_begins_last_before_it(days: int, width: int, anchor: int) -> None:
    starts = list_bins(width, anchor)
    start = pl.select(bin_start(pl.lit(days), width, anchor)).item()
    assert start == max(begin for begin in starts if begin <= days)
    assert anchor in starts
    assert starts[-1] == anchor + DAYS_BEYOND
    assert {after - before for before, after in pairwise(starts)} == {width}


def providers(*rows: tuple[str, int, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), ["provider", "injections", "findings"], orient="row")


def test_providers_far_above_the_rate_of_all_are_ranked_by_how_far() -> None:
    ranked = rank_providers(providers(("A", 100, 14), ("B", 100, 30), ("C", 100, 18), ("D", 0, 0), ("E", 10, 5)), 10.0)
    assert ranked["provider"].to_list() == ["B", "C", "E"]
    assert ranked["expected"].to_list() == [10.0, 10.0, 1.0]
    assert ranked["rate"].to_list() == [30.0, 18.0, 50.0]


def test_far_above_is_from_twice_the_square_root_on() -> None:
    assert rank_providers(providers(("just", 400, 60), ("short", 400, 52)), 10.0)["provider"].to_list() == ["just"]
    assert rank_providers(providers(("at", 160, 24)), 10.0)["provider"].to_list() == ["at"]
    assert rank_providers(providers(("below", 160, 23)), 10.0)["provider"].to_list() == []


def test_at_most_so_many_providers_stand_out_and_equals_are_in_the_order_of_their_names() -> None:
    ranked = rank_providers(providers(*((f"N{n:02}", 100, 50) for n in range(20, 0, -1))), 10.0)
    assert ranked["provider"].to_list() == [f"N{n:02}" for n in range(1, STANDING_OUT + 1)]


def controls(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "extract": extract,
                "outcome": outcome,
                **{f"rows_{part}": kept if part in ("read", "kept") else 0 for part in ("read", *ROW_OUTCOMES)},
                **{f"paid_{part}": Decimal(kept if part in ("read", "kept") else 0) for part in ("read", *ROW_OUTCOMES)},
            }
            for extract, outcome, kept in rows
        ],
        schema_overrides={f"paid_{part}": pl.Decimal(18, 2) for part in ("read", *ROW_OUTCOMES)},
    )


def test_refused_extracts_come_first_and_those_beyond_the_list_are_one_row() -> None:
    listed = list_extracts(controls(("d", "held", 4), ("c", "taken", 3), ("b", "refused", 0), ("a", "retracted", 0)), 2)
    assert listed.select("extract", "outcome", "rows_read", "paid_kept").rows() == [
        ("b", "refused", 0, Decimal("0.00")),
        ("a", "retracted", 0, Decimal("0.00")),
        ("2 more extracts", "", 7, Decimal("7.00")),
        ("All", "", 7, Decimal("7.00")),
    ]


def test_controls_balance_where_each_extract_does() -> None:
    right = controls(("a", "taken", 4), ("b", "taken", 3))
    assert balances(right)
    assert not balances(right.with_columns(rows_kept=pl.Series([3, 4])))
    assert not balances(right.with_columns(paid_duplicate=pl.lit(Decimal("0.01"))))


def test_notices_of_quality_checks_show_no_number_that_a_page_may_not_show() -> None:
    rows = [
        ("a.csv", "one", 100, 40, True),
        ("b.csv", "one", 100, 60, True),
        ("b.csv", "two", 100, 10, True),
        (None, "three", 100, 90, True),
        ("a.csv", "four", 100, 100, True),
        ("a.csv", "five", 100, 50, False),
    ]
    quality = pl.DataFrame(rows, ["extract", "check_id", "row_count", "found_count", "is_noticed"], orient="row").with_columns(
        pl.lit("x").alias(name) for name in ("column", "counted", "meaning", "effect", "remedy")
    )
    [table] = describe_quality(Tables({"data_quality": quality})).tables
    assert [row[1:3] for row in table.rows] == [
        ["2", "100 of 200 x"],
        ["1", "fewer than 11 x"],
        ["all together", "all x but fewer than 11"],
        ["1", "100 of 100 x"],
    ]
    nothing = describe_quality(Tables({"data_quality": quality.filter(~pl.col("is_noticed"))}))
    assert (nothing.tables, nothing.sentences) == ((), ["No quality check of the extracts gives a notice."])


def test_limits_are_listed_by_rule_without_those_of_rules_that_are_off() -> None:
    rules = pl.DataFrame(
        [("P", "two", "I.B", "Second"), ("P", "one", "I.A", "First")],
        ["policy_id", "rule_id", "policy_section", "title"],
        orient="row",
    )
    limits = pl.DataFrame(
        [("P", "one", "min_days", "14"), ("P", "off", "min_days", "9"), ("P", "two", "min_months", "2"), ("P", None, "count_months", "12")],
        ["policy_id", "rule_id", "limit_name", "limit_value"],
        orient="row",
    )
    [table] = describe_limits(Tables({"rules": rules, "limits": limits})).tables
    assert table.rows == [
        ["P", WHOLE_POLICY, "count_months", "12"],
        ["P", "I.B: Second", "min_months", "2"],
        ["P", "I.A: First", "min_days", "14"],
    ]
