"""README.md shows what its commands print, and what any page names is there.

`make docs` writes the output anew. The hash in a run's id is masked: it changes with every change of the program.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generator.outputs import run_in, show_outputs

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_output_shown_is_what_is_printed(tmp_path: Path) -> None:
    assert show_outputs(README, run_in(tmp_path)) == README, "make docs"


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 160


def test_demo_and_test_come_first() -> None:
    commands = re.findall(r"^(?:\$ )?((?:make|sij-audit) .*)$", README, re.MULTILINE)
    assert [command.split("#")[0].strip() for command in commands[:2]] == ["make demo", "make test"]


def test_every_subcommand_named_exists() -> None:
    shown = subprocess.run([Path(sys.executable).with_name("sij-audit"), "--help"], capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"sij-audit ([a-z-]+)", README))
    assert named <= set(re.findall(r"^  ([a-z-]+) ", shown, re.MULTILINE))
    assert {"run", "nightly", "verify"} <= named


PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))


HISTORY = {"CHANGELOG.md", "docs/decisions.md"}
"""What they speak of may be gone."""


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        if path.startswith("https:"):
            continue
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.is_file(), target
        headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, target


@pytest.mark.parametrize("page", [page for page in PAGES if page not in HISTORY])
def test_paths_named_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:sql|tests|transforms|flows|data|docs|benchmarks)/[\w/.]*)`(?!:\n\n```)", text)
    assert [path for path in paths if not (ROOT / path).exists() and not (ROOT / f"{path}.py").exists()] == []
