"""Charts are what they say: to scale, labelled, escaped, and distinguished by more than colour."""

import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from sij_audit.transforms.pages.charts import Axis, Bar, BarRow, Bin, Caption, Column, Look, Mark, draw_bars, draw_columns, draw_histogram

CAPTION = Caption("c1", "Findings by rule", "What each rule found.")
COUNTS = Axis("findings", lambda value: f"{value:,.0f}", is_whole=True)
DOLLARS = Axis("dollars", lambda value: f"${value:,.2f}")
TWO_MONTHS = Mark(59, 62, "two months")

amounts = st.integers(0, 10**11).map(lambda cents: cents / 100)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("<>&\"'"), max_size=40)


def parse(chart: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(chart))


def said(chart: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in chart.iter("text")]


def drawn(chart: ElementTree.Element, look: str) -> list[dict[str, float]]:
    bars = [element for element in chart.findall("rect") if element.get("class") == look]
    return [{name: float(bar.attrib[name]) for name in ("x", "y", "width", "height")} for bar in bars]


def bars_of(values: Sequence[float]) -> list[BarRow]:
    return [BarRow(f"rule {n}", [Bar(value, f"{value:g}")]) for n, value in enumerate(values)]


def charts_of(values: Sequence[float]) -> list[ElementTree.Element]:
    bins = [Bin(59 + 15 * n, 59 + 15 * n + 14, value) for n, value in enumerate(values)]
    return [
        parse(draw_bars(CAPTION, DOLLARS, bars_of(values))),
        parse(draw_columns(CAPTION, "month", DOLLARS, [Column(str(n), value) for n, value in enumerate(values)])),
        parse(draw_histogram(CAPTION, "days", DOLLARS, [*bins, Bin(59 + 15 * len(values), None, 1)], TWO_MONTHS)),
    ]


@given(st.lists(amounts, min_size=1, max_size=12))
def test_nothing_is_drawn_outside_of_the_picture(values: list[float]) -> None:
    for chart in charts_of(values):
        _, _, width, height = (float(number) for number in chart.attrib["viewBox"].split())
        for element in chart.iter("rect"):
            if element.get("class") in ("plain", "band"):
                assert float(element.attrib["x"]) >= 0
                assert float(element.attrib["x"]) + float(element.attrib["width"]) <= width + 0.02
                assert float(element.attrib["y"]) >= 0
                assert float(element.attrib["y"]) + float(element.attrib["height"]) <= height + 0.02


@given(st.lists(amounts, min_size=2, max_size=12))
def test_a_bar_is_as_long_as_its_value(values: list[float]) -> None:
    bars = drawn(parse(draw_bars(CAPTION, DOLLARS, bars_of(values))), "plain")
    longest = max(values)
    whole = max(bar["width"] for bar in bars)
    for value, bar in zip(values, bars, strict=True):
        assert longest == 0 or bar["width"] == pytest.approx(whole * value / longest, abs=0.52), "half a unit is drawn of nothing"


@given(st.integers(1, 10**7))
def test_an_axis_begins_at_zero_and_ends_at_or_after_the_highest_value(value: int) -> None:
    chart = parse(draw_columns(CAPTION, "month", Axis("findings", lambda tick: f"tick {tick:.0f}", is_whole=True), [Column("May", value)]))
    ticks = [int(text.removeprefix("tick ")) for text in said(chart) if text.startswith("tick ")]
    assert ticks[0] == 0
    assert ticks[-1] >= value
    assert ticks == sorted(set(ticks))
    assert 2 <= len(ticks) <= 7


@given(texts)
def test_any_text_comes_out_as_it_went_in_and_as_no_markup(text: str) -> None:
    caption = Caption("c1", text, text)
    charts = [
        parse(draw_bars(caption, DOLLARS, [BarRow("rule", [Bar(1, text)])], Mark(1, 1, text))),
        parse(draw_columns(caption, text, DOLLARS, [Column(text, 1, text)])),
        parse(draw_histogram(caption, text, DOLLARS, [Bin(-1, 13, 1)], Mark(59, 62, text))),
    ]
    for chart in charts:
        assert text in said(chart)
        assert [element.text or "" for element in chart.iter("title")] == [text]
        assert {element.tag for element in chart.iter()} <= {"svg", "title", "desc", "defs", "pattern", "rect", "line", "text"}
        assert not [name for element in chart.iter() for name in element.attrib if name.startswith("on")]


def test_a_chart_has_a_title_and_a_description_that_it_is_labelled_by() -> None:
    for chart in charts_of([1, 2]):
        assert chart.attrib["role"] == "img"
        by_id = {element.attrib["id"]: element.text for element in chart.iter() if "id" in element.attrib}
        assert by_id[chart.attrib["aria-labelledby"]] == "Findings by rule"
        assert by_id[chart.attrib["aria-describedby"]] == "What each rule found."


def test_both_axes_say_what_they_measure() -> None:
    assert "dollars" in said(charts_of([1, 2])[0])
    assert {"dollars", "month"} <= set(said(charts_of([1, 2])[1]))
    assert {"dollars", "days"} <= set(said(charts_of([1, 2])[2]))


def test_each_strength_is_drawn_in_a_way_of_its_own() -> None:
    looks: tuple[Look, ...] = ("proven", "presumed", "likely", "possible")
    chart = parse(draw_bars(CAPTION, COUNTS, [BarRow("rule", [Bar(1, "1", look) for look in looks])]))
    fills = {element.get("class"): element.get("fill") for element in chart.findall("rect")}
    assert fills == {"proven": None, "presumed": "url(#c1-violation-hatch)", "likely": "url(#c1-review-hatch)", "possible": None}
    assert {pattern.get("id") for pattern in chart.iter("pattern")} == {"c1-violation-hatch", "c1-review-hatch"}


def test_what_is_not_shown_has_a_cross_and_what_is_zero_has_nothing() -> None:
    shown = parse(draw_columns(CAPTION, "month", COUNTS, [Column("May", 0), Column("June", 1)]))
    hidden = parse(draw_columns(CAPTION, "month", COUNTS, [Column("May", None), Column("June", 1)]))
    crosses = [[element for element in chart.iter("line") if element.get("class") == "absent"] for chart in (shown, hidden)]
    assert [len(lines) for lines in crosses] == [0, 2]
    assert len(drawn(shown, "plain")) == len(drawn(hidden, "plain")) == 1


def test_the_band_of_two_months_begins_with_day_59_and_ends_with_day_62() -> None:
    bins = [Bin(-1, 13, 1), Bin(14, 28, 2), Bin(29, 43, 3), Bin(44, 58, 4), Bin(59, 73, 5), Bin(74, None, 6)]
    chart = parse(draw_histogram(CAPTION, "days", COUNTS, bins, TWO_MONTHS))
    day = (drawn(chart, "plain")[1]["x"] - drawn(chart, "plain")[0]["x"]) / 15
    fifth = drawn(chart, "plain")[4]
    (band,) = drawn(chart, "band")
    assert band["x"] == pytest.approx(fifth["x"] - 1.5, abs=0.02), "bars stand 1.5 apart from their bounds"
    assert band["width"] == pytest.approx(4 * day, abs=0.05)
    assert "two months" in said(chart)


def test_bins_are_named_by_their_first_and_last_day() -> None:
    chart = parse(draw_histogram(CAPTION, "days", COUNTS, [Bin(-1, 13, 1), Bin(14, 28, 2), Bin(29, None, 3)], TWO_MONTHS))
    assert {"1–13", "14–28", "29 and more"} <= set(said(chart))


def test_labels_of_many_columns_do_not_touch() -> None:
    chart = parse(draw_columns(CAPTION, "month", COUNTS, [Column(f"2024-{n:02}", 1) for n in range(1, 49)]))
    places = [float(element.attrib["x"]) for element in chart.iter("text") if re.fullmatch(r"2024-\d\d", element.text or "")]
    assert min(after - before for before, after in pairwise(places)) > 7 * 7.2
