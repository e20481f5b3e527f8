"""A plan does a whole run, and leaves OUT as it was."""

import os
from pathlib import Path

import pytest

from sij_audit.transforms.audit.plan import plan_audit
from sij_audit.transforms.audit.run import Request
from sij_audit.transforms.errors import BusyError
from sij_audit.transforms.store.folder import Store
from tests.runs import AS_OF, SAMPLE, command, line, run_reports, write_extract

EARLY = [line(claim, day) for claim, day in (("A", "2023-01-10"), ("B", "2023-04-10"), ("C", "2023-05-10"))]


def contents(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every file and link of a folder, with its mode; what a lock leaves aside."""
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_mode, os.readlink(path) if path.is_symlink() else path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file()) and path.name != ".lock"
    }


def test_what_is_planned_is_what_is_run_next_and_out_stays_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(out, write_extract(tmp_path / "1.parquet", EARLY))
    more = write_extract(tmp_path / "2.parquet", [{**row, "person_id": "P2", "claim_id": f"2{row['claim_id']}"} for row in EARLY])
    before = contents(out)
    with plan_audit(Request(out=out, extracts=(more,), as_of=AS_OF)) as planned:
        assert planned.run is not None
        planned_id = planned.run.name
    assert contents(out) == before
    assert run_reports(out, more).current.name == planned_id


def test_a_plan_for_an_out_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with plan_audit(Request(out=tmp_path / "out", extracts=(SAMPLE,), as_of=AS_OF)) as planned:
        assert planned.run is not None
    assert not (tmp_path / "out").exists()


def test_no_plan_while_a_run_is_under_way(tmp_path: Path) -> None:
    run_reports(tmp_path / "out")
    with Store(tmp_path / "out").lock(), pytest.raises(BusyError), plan_audit(Request(out=tmp_path / "out")):
        pass


def test_the_command_shows_what_would_change_and_ends_as_the_run_would(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(out, write_extract(tmp_path / "1.parquet", EARLY))
    before = contents(out)
    done = command("plan", SAMPLE, "--out", out, "--as-of", "2024-06-30")
    assert done.returncode == 0, done.stderr
    assert "interval_under_two_months" in done.stdout
    assert "WARNING " in done.stdout
    assert "Note: orphan_adjustments: " in done.stdout
    (tmp_path / "empty.csv").touch()
    assert command("plan", tmp_path / "empty.csv", "--out", out, "--as-of", "2024-06-30").returncode == 3
    assert contents(out) == before
