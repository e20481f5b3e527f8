"""A monitor learns in one line, and by the exit code, whether the runs are well and what they need."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sij_audit.transforms.operations.status import Status, describe_status
from sij_audit.transforms.settings import Feed, Settings
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.journal import begin, end
from tests.runs import AS_OF, Row, command, line, run_reports, write_extract

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
    run_reports(tmp_path / "out")
    well = command("status", "--out", tmp_path / "out", "--max-age", "26h")
    assert (well.returncode, len(well.stdout.splitlines())) == (0, 1)
    late = command("status", "--out", tmp_path / "out", "--max-age", "0h")
    assert (late.returncode, len(late.stdout.splitlines())) == (1, 1)
    assert command("status", "--out", tmp_path / "out", "--max-age", "soon").returncode == 2
    assert command("status", "--out", tmp_path / "none").returncode == 1


def test_what_a_run_found_that_needs_somebody_is_said_until_a_run_finds_nothing(store: Store) -> None:
    end(store, begin(store, "nightly", AS_OF), "published", "R1", attention=["The feed claims never came.", "Refused: a.csv."])
    said = status(store)
    assert not said.is_good
    assert said.line.startswith("ATTENTION: ")
    assert said.line.endswith("; The feed claims never came; Refused: a.csv.")
    end(store, begin(store, "nightly", AS_OF), "nothing_new", "R1")
    assert status(store).is_good


def rows_of(count: int, bad: int, prefix: str) -> list[Row]:
    return [line(f"{prefix}{n}", "2023-01-10") | ({"member_id": None} if n < bad else {}) for n in range(count)]


def test_a_refused_extract_a_late_feed_and_a_jump_in_quarantine_are_not_well_and_it_says_which(store: Store, tmp_path: Path) -> None:
    settings = Settings(feeds=(Feed(name="late", pattern="late_*.csv", latest_age_hours=1),))
    assert run_reports(store.root, write_extract(tmp_path / "a_1.csv", rows_of(20, 0, "A"))).attention == ()
    assert status(store).is_good
    bad = write_extract(tmp_path / "bad.csv", rows_of(1, 1, "B"))
    more = write_extract(tmp_path / "a_2.csv", rows_of(20, 2, "C"))
    run_reports(store.root, bad, more, settings=settings)
    said = status(store)
    assert not said.is_good
    assert "Refused: bad.csv; the report controls says why" in said.line
    assert "The feed late (late_*.csv) never came" in said.line
    assert "Quarantine jumped: 2 of the 20 rows of a_2.csv" in said.line
    run_reports(store.root)
    assert status(store).is_good


def test_an_extract_that_is_still_in_landing_and_refused_is_not_well(store: Store, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    write_extract(landing / "bad.csv", rows_of(1, 1, "B"))
    for _night in range(2):
        run_reports(store.root, landing=landing)
        assert "Refused: bad.csv" in status(store).line
    (landing / "bad.csv").unlink()
    run_reports(store.root, landing=landing)
    assert status(store).is_good
