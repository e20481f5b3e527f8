"""Headless Chromium, and what it sees of a page: requests, complaints, boxes, colours, the way of the keyboard."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

MEASURES = Path(__file__).with_name("measures.js").read_text(encoding="utf-8")
QUIET = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]


@dataclass(frozen=True)
class Sight:
    """A page that stands open, what it asked for and what it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def measure(self, what: str) -> Any:
        """What a function of measures.js returns."""
        return self.page.evaluate(f"() => {{ {MEASURES}\nreturn {what}(); }}")

    def open_all(self) -> None:
        """Open every `details`."""
        self.page.evaluate("() => document.querySelectorAll('details').forEach(details => { details.open = true; })")


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Start the system's Chromium; none is ever downloaded.

    Its sandbox is left out for root alone, whom it refuses.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise FileNotFoundError("chromium is not installed; .ci/run says what to install")
    arguments = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else QUIET
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()


@contextmanager
def see(chromium: Browser, path: Path, *, width: int = 1100, scheme: Any = "light", media: Any = "screen") -> Iterator[Sight]:
    """Open a file; whatever else it asks for is written down and refused."""
    with chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce") as context:
        sight = Sight(context.new_page())
        own = path.resolve().as_uri()

        def let_only_the_file_through(route: Route) -> None:
            sight.requests.append(route.request.url)
            if route.request.url == own:
                route.continue_()
            else:
                route.abort()

        context.route("**/*", let_only_the_file_through)
        sight.page.on("websocket", lambda socket: sight.requests.append(socket.url))
        sight.page.on("console", lambda message: sight.complaints.append(message.text))
        sight.page.on("pageerror", lambda error: sight.complaints.append(str(error)))
        sight.page.emulate_media(media=media, color_scheme=scheme)
        sight.page.goto(own)
        yield sight


def overlapping(boxes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The words of which the letters lie on each other; a box holds more than letters, above and below."""
    return [
        (one["text"], other["text"])
        for one, other in combinations(boxes, 2)
        if min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1
        and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
        > 0.2 * (one["bottom"] - one["top"] + other["bottom"] - other["top"])
    ]


def beyond(boxes: list[dict[str, Any]], frame: dict[str, Any], tolerance: float = 1.0) -> list[str]:
    """The texts of boxes that stick out of a frame."""
    return [
        box["text"]
        for box in boxes
        if box["left"] < frame["left"] - tolerance
        or box["right"] > frame["right"] + tolerance
        or box["top"] < frame["top"] - tolerance
        or box["bottom"] > frame["bottom"] + tolerance
    ]


def tab_through(sight: Sight, limit: int = 2000) -> list[str]:
    """Press Tab until the page is left: what had the focus, each marked as an element that measures.js can find again."""
    reached: list[str] = []
    sight.measure("markFocusable")
    for _ in range(limit):
        sight.page.keyboard.press("Tab")
        mark = sight.measure("markOfFocus")
        if mark is None or mark in reached:
            return reached
        reached.append(mark)
    raise AssertionError("Tab never leaves the page")
