"""A monitor learns in one line, and by the exit code, whether the runs are well and what they need."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sij_audit.transforms.operations.status import Status, describe_status
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.journal import begin, end
from tests.runs import AS_OF, command, run

DAY = timedelta(hours=26)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    store.prepare()
    return store


def status(store: Store, hours_later: float = 0) -> Status:
    return describe_status(store, DAY, datetime.now(UTC) + timedelta(hours=hours_later))


def test_before_the_first_run_it_needs_one(store: Store) -> None:
    said = status(store)
    assert not said.is_good
    assert said.line == "ATTENTION: no run was published yet; none ended well within 26.0 h: see whether the schedule runs."


def test_a_published_run_is_well_until_it_is_too_old(store: Store) -> None:
    end(store, begin(store, "nightly", AS_OF), "published", "R1")
    assert status(store).is_good
    assert status(store).line.startswith("OK: run R1 was published ")
    assert not status(store, hours_later=27).is_good
    end(store, begin(store, "nightly", AS_OF), "nothing_new", "R1")
    assert status(store, hours_later=25).is_good


@pytest.mark.parametrize(("outcome", "told"), [("held", "was put on hold: Too much."), ("failed", "failed: Too much.")])
def test_a_run_that_was_held_or_failed_needs_somebody(store: Store, outcome: str, told: str) -> None:
    end(store, begin(store, "nightly", AS_OF), "published", "R1")
    end(store, begin(store, "nightly", AS_OF), outcome, message="Too much.")
    said = status(store)
    assert not said.is_good
    assert told in said.line


def test_a_run_that_died_needs_somebody_and_one_under_way_does_not(store: Store) -> None:
    end(store, begin(store, "nightly", AS_OF), "published", "R1")
    begin(store, "nightly", AS_OF)
    assert "never ended" in status(store).line
    with store.lock():
        said = status(store)
    assert said.is_good
    assert "a nightly is under way since" in said.line


def test_to_look_keeps_no_run_out(store: Store) -> None:
    with store.lock():
        assert store.is_held()
    assert not store.is_held()
    with store.lock():
        pass


def test_the_command_ends_with_0_or_1_and_says_one_line(tmp_path: Path) -> None:
    run(tmp_path / "out")
    well = command("status", "--out", tmp_path / "out", "--max-age", "26h")
    assert (well.returncode, len(well.stdout.splitlines())) == (0, 1)
    late = command("status", "--out", tmp_path / "out", "--max-age", "0h")
    assert (late.returncode, len(late.stdout.splitlines())) == (1, 1)
    assert command("status", "--out", tmp_path / "out", "--max-age", "soon").returncode == 2
    assert command("status", "--out", tmp_path / "none").returncode == 1
