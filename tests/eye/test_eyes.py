"""The eyes themselves: each fault that they look for is seen on a page that has it, and on no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.eye.browser import Sight, beyond, overlapping, see, tab_through

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Eyes</title>
<style>body {{ background: #fff; color: #222 }} {style}</style></head><body><main><h1>Eyes</h1>{body}</main></body></html>"""
CHART = """<figure><svg role="img" aria-label="Two bars" width="300" height="100" viewBox="0 0 300 100">
<rect x="10" y="10" width="40" height="80" fill="#cde"/><rect x="60" y="40" width="40" height="50" fill="#cde"/>{more}</svg>
<details><summary>Table</summary><table><tr><th scope="col">Bar</th></tr><tr><td>1</td></tr></table></details></figure>"""


@contextmanager
def seen(chromium: Browser, folder: Path, body: str, style: str = "") -> Iterator[Sight]:
    page = folder / "page.html"
    page.write_text(PAGE.format(style=style, body=body), encoding="utf-8")
    with see(chromium, page) as sight:
        yield sight


@pytest.mark.parametrize(
    "asking",
    [
        '<img alt="" src="https://example.com/x.png">',
        '<link rel="stylesheet" href="other.css">',
        "<script>fetch('https://example.com/')</script>",
        "<style>main { background: url(//example.com/x.png) }</style>",
    ],
)
def test_requests_are_seen_and_refused(chromium: Browser, tmp_path: Path, asking: str) -> None:
    with seen(chromium, tmp_path, asking) as sight:
        sight.page.wait_for_timeout(300)
        assert len(sight.requests) == 2
        assert sight.complaints


def test_complaints_are_heard(chromium: Browser, tmp_path: Path) -> None:
    with seen(chromium, tmp_path, "<script>console.warn('beware'); nothing.at.all</script>") as sight:
        assert len(sight.complaints) == 2


def test_a_plain_chart_has_no_fault(chromium: Browser, tmp_path: Path) -> None:
    with seen(chromium, tmp_path, CHART.format(more='<text x="10" y="30">One</text><text x="60" y="60">Two</text>')) as sight:
        (chart,) = sight.measure("charts")
        assert (chart["name"], chart["hasTable"], len(chart["marks"])) == ("Two bars", True, 2)
        assert not beyond(chart["marks"] + chart["words"], chart["frame"])
        assert not overlapping(chart["words"])
        assert min(word["contrast"] for word in sight.measure("contrasts")) > 4.5
        assert sight.measure("cutOnTheRight") == []


def test_words_on_each_other_or_cut_are_seen(chromium: Browser, tmp_path: Path) -> None:
    words = '<text x="10" y="30">January</text><text x="30" y="32">February</text><text x="280" y="30">March</text>'
    with seen(chromium, tmp_path, CHART.format(more=words)) as sight:
        (chart,) = sight.measure("charts")
        assert overlapping(chart["words"]) == [("January", "February")]
        assert beyond(chart["words"], chart["frame"]) == ["March"]


def test_marks_outside_or_unpainted_are_seen(chromium: Browser, tmp_path: Path) -> None:
    marks = '<rect x="290" y="0" width="40" height="9"/><rect x="1" y="1" width="9" height="9" fill="none"/>'
    with seen(chromium, tmp_path, CHART.format(more=marks)) as sight:
        (chart,) = sight.measure("charts")
        assert len(beyond(chart["marks"], chart["frame"])) == 1
        assert [mark["painted"] for mark in chart["marks"]] == [True, True, True, False]


@pytest.mark.parametrize(
    ("body", "style"),
    [
        ('<p id="x">pale</p>', "#x { color: #999 }"),
        ('<p id="x">pale</p>', "#x { opacity: 0.4 }"),
        ('<p id="x">pale</p>', "#x { background: #666 }"),
        (CHART.format(more='<text id="x" x="60" y="60">pale</text>'), "#x { fill: #89a }"),
        (CHART.format(more='<rect x="200" y="9" width="90" height="80"/><text id="x" x="210" y="60">dark</text>'), ""),
    ],
)
def test_words_that_do_not_stand_out_are_seen(chromium: Browser, tmp_path: Path, body: str, style: str) -> None:
    with seen(chromium, tmp_path, body, style) as sight:
        assert {word["text"] for word in sight.measure("contrasts") if word["contrast"] < 4.5} in ({"pale"}, {"dark"})


def test_what_is_cut_on_the_right_is_seen(chromium: Browser, tmp_path: Path) -> None:
    scrolled = '<div style="overflow-x: auto"><p style="width: 2000px">in a box that scrolls</p></div>'
    with seen(chromium, tmp_path, scrolled) as sight:
        assert (sight.measure("cutOnTheRight"), sight.measure("width")["content"]) == ([], 1100)
    with seen(chromium, tmp_path, '<p style="width: 2000px">cut</p>', "body { overflow-x: hidden }") as sight:
        assert len(sight.measure("cutOnTheRight")) == 1


def test_what_the_keyboard_cannot_reach_is_seen(chromium: Browser, tmp_path: Path) -> None:
    with seen(chromium, tmp_path, '<a href="#a">a</a><a href="#b" tabindex="-1">b</a><details><summary>c</summary>d</details>') as sight:
        reached = tab_through(sight)
        assert len(reached) == 2
        assert len(set(sight.measure("marksToReach")) - set(reached)) == 1
