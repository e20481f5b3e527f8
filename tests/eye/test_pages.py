"""The report page and a member's page as Chromium draws them."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.eye.browser import beyond, overlapping, see, tab_through
from tests.eye.office import read_words
from tests.eye.sample import Published
from tests.runs import read_report

WAYS = [("light", "screen"), ("dark", "screen"), ("dark", "print")]
WIDTHS = [1100, 390]


def test_no_request_leaves_the_page(chromium: Browser, page: Path) -> None:
    with see(chromium, page) as sight:
        sight.open_all()
        sight.page.mouse.wheel(0, 100_000)
        sight.page.wait_for_timeout(500)
        assert sight.requests == [page.resolve().as_uri()]


@pytest.mark.parametrize(("scheme", "media"), WAYS)
def test_nothing_is_complained_of(chromium: Browser, page: Path, scheme: str, media: str) -> None:
    with see(chromium, page, scheme=scheme, media=media) as sight:
        sight.open_all()
        sight.page.wait_for_timeout(200)
        assert sight.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_charts_are_drawn_within_their_frames(chromium: Browser, page: Path, width: int) -> None:
    with see(chromium, page, width=width) as sight:
        charts = sight.measure("charts")
        assert charts
        for chart in charts:
            frame = chart["frame"]
            assert frame["right"] - frame["left"] > 150, chart["name"]
            assert frame["bottom"] - frame["top"] > 40, chart["name"]
            painted = [mark for mark in chart["marks"] if mark["painted"]]
            sizes = [(mark["right"] - mark["left"], mark["bottom"] - mark["top"]) for mark in painted]
            assert any(wide > 2 and high > 2 for wide, high in sizes), chart["name"]
            assert beyond(painted, frame) == [], chart["name"]


@pytest.mark.parametrize("width", WIDTHS)
def test_words_of_charts_are_neither_cut_nor_on_each_other(chromium: Browser, page: Path, width: int) -> None:
    with see(chromium, page, width=width) as sight:
        sight.open_all()
        for chart in sight.measure("charts"):
            assert len(chart["words"]) >= 4, chart["name"]
            assert beyond(chart["words"], chart["frame"]) == [], chart["name"]
            assert overlapping(chart["words"]) == [], chart["name"]


def test_charts_have_names_and_tables_behind_them(chromium: Browser, page: Path) -> None:
    with see(chromium, page) as sight:
        charts, tables = sight.measure("charts"), sight.measure("tables")
        assert all(chart["role"] in {"img", "group"} and chart["name"] for chart in charts)
        assert [chart["name"] for chart in charts if not chart["hasTable"]] == []
        assert [table["text"] for table in tables if not table["heads"] or table["rows"] < 2] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_scrolled_sideways(chromium: Browser, page: Path, width: int) -> None:
    with see(chromium, page, width=width) as sight:
        sight.open_all()
        assert sight.measure("width") == {"content": width, "window": width}
        assert sight.measure("cutOnTheRight") == []


@pytest.mark.parametrize(("scheme", "media"), WAYS)
def test_every_word_stands_out_from_its_ground(chromium: Browser, page: Path, scheme: str, media: str) -> None:
    with see(chromium, page, scheme=scheme, media=media) as sight:
        sight.open_all()
        words = sight.measure("contrasts")
        assert len(words) > 50
        assert [word for word in words if word["contrast"] < 4.5] == []


def test_dark_is_dark_and_paper_is_white(chromium: Browser, page: Path) -> None:
    grounds: dict[tuple[str, str], Any] = {}
    for scheme, media in [*WAYS, ("light", "print")]:
        with see(chromium, page, scheme=scheme, media=media) as sight:
            grounds[scheme, media] = sight.measure("ground")
    assert grounds["dark", "screen"]["luminance"] < 0.05
    assert grounds["dark", "screen"]["ink"] > 0.5
    assert grounds["light", "screen"]["luminance"] > 0.85
    for scheme in ("light", "dark"):
        assert grounds[scheme, "print"]["luminance"] == 1
        assert grounds[scheme, "print"]["ink"] < 0.1


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(chromium: Browser, page: Path, scheme: str, width: int) -> None:
    with see(chromium, page, width=width, scheme=scheme) as sight:
        sight.open_all()
        found = Axe().run(sight.page).response["violations"]
        assert [(fault["id"], [node["html"][:160] for node in fault["nodes"]]) for fault in found] == []


def test_headings_go_down_by_one(chromium: Browser, page: Path) -> None:
    with see(chromium, page) as sight:
        levels = [level for level, _ in sight.measure("headings")]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(lower <= upper + 1 for upper, lower in pairwise(levels))


def test_the_keyboard_reaches_and_opens_everything(chromium: Browser, page: Path) -> None:
    with see(chromium, page) as sight:
        reached = set(tab_through(sight))
        assert set(sight.measure("marksToReach")) <= reached
        for summary in sight.page.locator("summary").all():
            before = sight.measure("openDetails")
            summary.focus()
            sight.page.keyboard.press("Enter")
            assert abs(sight.measure("openDetails") - before) == 1


def test_the_focus_can_be_seen(chromium: Browser, page: Path) -> None:
    with see(chromium, page) as sight:
        sight.page.keyboard.press("Tab")
        while sight.page.evaluate("document.activeElement !== document.body && !document.activeElement.dataset.seen"):
            assert sight.measure("focusIsSeen"), sight.page.evaluate("document.activeElement.outerHTML.slice(0, 160)")
            sight.page.evaluate("document.activeElement.dataset.seen = 'yes'")
            sight.page.keyboard.press("Tab")


def test_paper_holds_the_tables_too(chromium: Browser, page: Path, tmp_path: Path) -> None:
    """What is folded away on the screen can be read on paper."""
    pdf = tmp_path / "page.pdf"
    with see(chromium, page, media="print") as sight:
        sight.page.pdf(path=pdf, format="Letter")
        cells = " ".join(cell for table in sight.page.locator("table").all() for cell in table.locator("th, td").all_text_contents())
    printed = read_words(pdf)
    assert {word for word in cells.split() if len(word) < 12 and word not in printed} == set()


def test_the_report_page_names_no_member(chromium: Browser, published: Published) -> None:
    people = {row["person_id"] for row in read_report(published.out, "injections")}
    source = published.pages["report"].read_text(encoding="utf-8")
    assert [person for person in people if person in source] == []
