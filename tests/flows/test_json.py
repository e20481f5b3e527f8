"""With --json a command says one object: with the keys of docs/json.md, what people are told, and nothing of a member."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.runs import ROOT, command, line, run, write_extract

PAGE = (ROOT / "docs/json.md").read_text(encoding="utf-8")

SECTIONS = {
    "run": {"": "run", "summary": "summary"},
    "plan": {"": "plan", "summary": "summary", "changes": "changes"},
    "check": {"": "check", "summary": "summary"},
    "status": {"": "status"},
    "runs": {"": "runs"},
    "diff": {"": "diff"},
    "verify": {"": "verify"},
    "what-if": {"": "what-if"},
}
"""Where the keys of a command's object are explained, by the key that holds them."""

WITH = {"plan": "run", "check": "run", "diff": "changes", "what-if": "changes"}
"""Sections that have the keys of another one too."""


def documented(section: str) -> set[str]:
    """The keys of a section."""
    text = re.split(r"^## ", PAGE.split(f"\n## {section}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)) | (documented(WITH[section]) if section in WITH else set())


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The paths of all values in an object; those of nothing at all end where they are."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from paths(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from paths(inner, f"{at}[]")
    else:
        yield at


def ask(*words: str | Path) -> tuple[int, Any, str]:
    """Run a command with --json: its exit code, its object, and what it says on standard error."""
    done = command(*words, "--json")
    [text] = done.stdout.splitlines()
    return done.returncode, json.loads(text), done.stderr


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT with two runs, of which the second has what the summary counts."""
    folder = tmp_path_factory.mktemp("json")
    marked = {"person": "MARKER1", "member_id": "MARKER2"}
    first = [line("MARKER3", "2024-01-10", **marked), line("C2", "2024-02-10", **marked)]
    run(folder / "out", write_extract(folder / "first.parquet", first))
    second = [
        line("C3", "2024-03-10", **marked),
        line("C4", "2024-02-01", person="Q", line_of_business=None),
        line("C5", "2024-02-20", person="Q"),
    ]
    run(folder / "out", write_extract(folder / "second.parquet", second))
    return folder / "out"


def extract(folder: Path) -> Path:
    rows = [
        line("C8", "2024-04-10", person="R"),
        line("C9", "2024-05-01", person="R", claim_frequency_code="7", replaced_claim_id="C0"),
        line("C10", "2024-05-10", person="S", prior_authorization_number="A"),
        line("C11", "2024-05-30", person="S", rendering_npi=None),
        line("C12", "2024-05-30", claim_status="MARKER4"),
    ]
    return write_extract(folder / "third.parquet", rows)


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--as-of", "2024-06-30"),
        ("check", "--as-of", "2024-06-30"),
        ("status",),
        ("runs",),
        ("diff", "--findings"),
        ("verify",),
        ("what-if", "--set", "interval_under_two_months.min_months=3"),
    ],
    ids=lambda words: words[0],
)
def test_the_page_lists_the_keys_of_every_object(out: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    name, *options = words
    place = {"verify": [out], "check": []}.get(name, ["--out", out])
    more = [extract(tmp_path)] if name in ("plan", "check") else []
    code, found, said = ask(name, *more, *place, *options)
    assert (code, found["exit_code"], said) == (0, 0, "")
    assert (found["format"], found["command"]) == (1, name)
    check_keys(name, found)
    assert "MARKER" not in json.dumps(found)


def check_keys(name: str, found: dict[str, Any]) -> None:
    """Every key that is there is listed, and every key that is listed is there, or lies in what is empty here."""
    listed = documented("every object")
    for key, section in SECTIONS[name].items():
        listed |= {f"{key}.{path}" if key else path for path in documented(section)}
    listed -= SECTIONS[name].keys()
    there = set(paths(found))
    assert {path for path in there if not any(begins(one, path) for one in listed)} == set()
    assert {path for path in listed if not any(begins(path, one) for one in there)} == set()


def begins(path: str, other: str) -> bool:
    """Say whether a path is another, or lies within it."""
    return path == other or path.startswith((f"{other}.", f"{other}["))


def test_a_run_says_what_it_published_and_then_that_nothing_is_new(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("claim_id\nC1\n")
    words = ("run", extract(tmp_path), bad, "--out", tmp_path / "out", "--as-of", "2024-06-30")
    code, found, _ = ask(*words)
    assert (code, found["exit_code"], found["is_new"], found["as_of"]) == (3, 3, True, "2024-06-30")
    check_keys("run", found)
    loaded, refused = found["extracts"]
    assert (loaded["outcome"], loaded["rows"]["kept"], refused["outcome"], refused["rows"]) == ("loaded", 4, "refused", None)
    assert refused["reason"].startswith("bad.csv: lacks columns claim_line_number")
    assert re.fullmatch(r"\d+\.\d\d", found["summary"]["amount_at_risk"])
    assert date.fromisoformat(found["as_of"]) == date(2024, 6, 30)
    code, found, _ = ask(*words)
    assert (found["is_new"], found["summary"], found["extracts"][0]["outcome"]) == (False, None, "loaded_before")


def test_an_error_is_an_object_too(tmp_path: Path) -> None:
    code, found, said = ask("runs", "--out", tmp_path / "none")
    sentence = f"{tmp_path}/none holds no published run yet."
    assert (code, said) == (2, f"sij-audit: {sentence}\n")
    assert found == {"format": 1, "command": "runs", "exit_code": 2, "error": sentence}
    assert set(found) == documented("every object") | documented("an error")


def test_what_is_not_as_it_was_published_is_listed(out: Path, tmp_path: Path) -> None:
    code, found, _ = ask("verify", tmp_path)
    assert (code, found["exit_code"]) == (2, 2)
    run(tmp_path / "out", extract(tmp_path))
    (tmp_path / "out/current/lines.parquet").write_bytes(b"")
    code, found, _ = ask("verify", tmp_path / "out")
    assert (code, found["exit_code"], len(found["differences"])) == (4, 4, 1)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_subcommands(shell: str) -> None:
    words = {
        "COMP_WORDS": "sij-audit wha",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "sij-audit wha",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    environment = os.environ | words | {"_SIJ_AUDIT_COMPLETE": f"complete_{shell}"}
    program = Path(sys.executable).with_name("sij-audit")
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    assert "what-if" in done.stdout
    assert "verify" not in done.stdout
