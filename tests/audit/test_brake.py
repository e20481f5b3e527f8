"""A night that would change too much is put on hold until somebody has looked; a run that is asked for is not, unless asked."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from sij_audit.transforms.errors import HeldBack
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.journal import attempts
from tests.runs import Row, command, line, read_report, run_reports, write_extract


def too_early(persons: Sequence[int], **changes: str) -> list[Row]:
    """Three injections a person, the third a month too early: one finding each."""
    days = ("2023-01-10", "2023-04-10", "2023-05-10")
    return [line(f"{person}-{day}", day, person=f"P{person}", **changes) for person in persons for day in days]


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hundred")
    run_reports(folder / "out", write_extract(folder / "hundred.parquet", too_early(range(100))))
    return folder / "out"


@pytest.fixture
def out(hundred: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(hundred, tmp_path / "out", symlinks=True))


def extract(out: Path, persons: int) -> Path:
    return write_extract(out.with_name(f"{persons}.parquet"), too_early(range(1000, 1000 + persons)))


def test_more_than_the_set_share_is_held_and_nothing_published(out: Path) -> None:
    before = (out / "current").resolve()
    with pytest.raises(HeldBack, match="51 findings would be new, changed or withdrawn, against 100 of the run before"):
        run_reports(out, extract(out, 51), max_change=0.5)
    assert (out / "current").resolve() == before
    assert attempts(Store(out))[-1].outcome == "held"
    assert run_reports(out, max_change=0.5, accept_change=True).run is not None
    assert len(read_report(out)) == 151


def test_the_set_share_itself_is_published(out: Path) -> None:
    assert run_reports(out, extract(out, 50), max_change=0.5).run is not None


def test_fewer_than_a_hundred_findings_before_say_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(out, write_extract(tmp_path / "99.parquet", too_early(range(99))))
    assert run_reports(out, extract(out, 200), max_change=0.5).run is not None


def test_run_puts_nothing_on_hold_unless_asked(out: Path) -> None:
    given = extract(out, 150)
    held = command("run", given, "--out", out, "--as-of", "2024-06-30", "--max-change", "0.5")
    assert (held.returncode, held.stderr.splitlines()[-1][:33]) == (5, "sij-audit: On hold, nothing was p")
    assert command("run", given, "--out", out, "--as-of", "2024-06-30").returncode == 0
