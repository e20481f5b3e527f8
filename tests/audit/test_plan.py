"""A plan does a whole run, and leaves OUT as it was."""

import os
from pathlib import Path

import pytest

from sij_audit.transforms.audit.plan import plan_audit
from sij_audit.transforms.audit.run import Request
from sij_audit.transforms.errors import BusyError
from sij_audit.transforms.store.folder import Store
from tests.runs import AS_OF, EARLY, SAMPLE, command, run_reports, write_extract


def contents(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every file and link of a folder, with its mode; what a lock leaves aside."""
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_mode, os.readlink(path) if path.is_symlink() else path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file()) and path.name != ".lock"
    }


def test_what_is_planned_is_what_is_run_next_and_out_stays_as_it_was(early: Path, tmp_path: Path) -> None:
    more = write_extract(tmp_path / "2.parquet", [{**row, "person_id": "P2", "claim_id": f"2{row['claim_id']}"} for row in EARLY])
    before = contents(early)
    with plan_audit(Request(out=early, extracts=(more,), as_of=AS_OF)) as planned:
        assert planned.run is not None
        planned_id = planned.run.name
    assert contents(early) == before
    assert run_reports(early, more).current.name == planned_id


def test_a_plan_for_an_out_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with plan_audit(Request(out=tmp_path / "out", extracts=(SAMPLE,), as_of=AS_OF)) as planned:
        assert planned.run is not None
    assert not (tmp_path / "out").exists()


def test_no_plan_while_a_run_is_under_way(tmp_path: Path) -> None:
    run_reports(tmp_path / "out")
    with Store(tmp_path / "out").lock(), pytest.raises(BusyError), plan_audit(Request(out=tmp_path / "out")):
        pass


def test_the_command_shows_what_would_change_and_ends_as_the_run_would(early: Path, tmp_path: Path) -> None:
    before = contents(early)
    done = command("plan", SAMPLE, "--out", early, "--as-of", "2024-06-30")
    assert done.returncode == 0, done.stderr
    assert "interval_under_two_months" in done.stdout
    assert "WARNING " in done.stdout
    assert "Note: orphan_adjustments: " in done.stdout
    (tmp_path / "empty.csv").touch()
    assert command("plan", tmp_path / "empty.csv", "--out", early, "--as-of", "2024-06-30").returncode == 3
    assert contents(early) == before
