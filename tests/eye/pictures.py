"""Draws docs/img: what people see of the sample's run."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.eye.browser import open_chromium, see
from tests.eye.office import open_office, read_words
from tests.eye.sample import publish_sample
from tests.runs import ROOT

FOLDER = ROOT / "docs" / "img"


def draw_all(folder: Path) -> None:
    """Draw the report in light and dark, a member's page and the violations of the workbook."""
    with TemporaryDirectory() as temporary:
        published = publish_sample(Path(temporary))
        with open_chromium() as chromium:
            draw_page(chromium, published.pages["report"], folder / "report.png", charts=5)
            draw_page(chromium, published.pages["report"], folder / "report_dark.png", charts=5, scheme="dark")
            draw_page(chromium, published.pages["member"], folder / "member.png", charts=2)
        office = open_office(Path(temporary))
        draw_violations(office.print_to_pdf(published.workbook, Path(temporary)), folder / "workbook.png")


def draw_page(chromium: Browser, page: Path, picture: Path, *, charts: int, scheme: str = "light") -> None:
    """Draw a page down to so many charts."""
    with see(chromium, page, scheme=scheme) as sight:
        end = sight.measure("charts")[charts - 1]["frame"]["bottom"]
        sight.page.screenshot(path=picture, full_page=True, clip={"x": 0, "y": 0, "width": 1100, "height": end + 16})


def draw_violations(pdf: Path, picture: Path) -> None:
    """Draw the upper part of the printed page on which the violations begin."""
    pages = read_words(pdf).split("\f")
    number = next(
        number for number, words in enumerate(pages, 1) if "disposition" in words and "Violations" in words.lstrip().splitlines()[0]
    )
    part = f"-png -singlefile -f {number} -l {number} -scale-to-x 1760 -scale-to-y -1 -x 30 -y 52 -W 1700 -H 560"
    subprocess.run(["pdftoppm", *part.split(), pdf, picture.with_suffix("")], check=True)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    draw_all(FOLDER)
