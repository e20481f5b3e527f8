"""What OUT need not hold for ever is deleted in its time, is told and logged, and old runs stay as they are."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sij_audit.transforms.ingest.outcomes import Loaded
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.retention import LOG, delete_expired
from sij_audit.transforms.store.retractions import retract, undo
from sij_audit.transforms.store.runs import verify_run
from tests.runs import command, line, reports, run_reports, write_extract

DAYS = 30

LATER = datetime.now(UTC) + timedelta(days=DAYS + 1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """OUT after a run of two extracts; of the first, one row is quarantined."""
    rows = [line("C1", "2024-01-02"), line("C2", "2024-01-05"), line("C3", "2024-01-05") | {"claim_id": None}]
    write_extract(tmp_path / "a.csv", rows)
    write_extract(tmp_path / "b.csv", [line("C4", "2024-01-02", person="P2"), line("C5", "2024-01-05", person="P2")])
    run_reports(tmp_path / "out", tmp_path / "a.csv", tmp_path / "b.csv")
    return Store(tmp_path / "out")


def batch_of(store: Store, extract: str) -> Path:
    [path] = [batch.path for batch in store.batches() if batch.extract == extract]
    return path


def deletions(store: Store) -> list[dict[str, Any]]:
    return [json.loads(entry) for entry in (store.root / LOG).read_text().splitlines()]


def test_nothing_is_deleted_before_its_time(store: Store) -> None:
    retract(store, "b.csv", "test data")
    before = sorted(store.root.rglob("*"))
    with store.lock():
        assert delete_expired(store, DAYS, datetime.now(UTC) + timedelta(days=DAYS - 1)) == []
    assert sorted(store.root.rglob("*")) == before


def test_quarantined_rows_are_deleted_and_kept_lines_stay(store: Store) -> None:
    quarantined = store.quarantine / batch_of(store, "a.csv").name
    with store.lock():
        told = delete_expired(store, DAYS, LATER)
        assert told == ["Deleted after 30 days (the setting retention_days): 1 quarantined rows."]
        assert delete_expired(store, DAYS, LATER) == []
    assert list(store.quarantine.iterdir()) == []
    assert len(store.batches()) == 2
    logged = {entry["file"]: entry for entry in deletions(store)}
    assert logged[f"quarantine/{quarantined.name}"] == {
        "deleted": LATER.isoformat(timespec="seconds"),
        "file": f"quarantine/{quarantined.name}",
        "extract": "a.csv",
        "rows": 1,
        "retention_days": DAYS,
    }
    assert (store.root / LOG).stat().st_mode & 0o777 == 0o600


def test_what_was_kept_of_a_retracted_extract_goes_with_its_quarantine(store: Store) -> None:
    retract(store, "a.csv", "test data")
    path = batch_of(store, "a.csv")
    new = datetime.now(UTC).timestamp() + 10 * DAYS * 86_400
    os.utime(store.quarantine / path.name, (new, new))
    with store.lock():
        told = delete_expired(store, DAYS, LATER)
    assert told[-1] == "Deleted 30 days after it was retracted (the setting retention_days): what was kept of a.csv."
    assert not path.exists()
    assert not (store.quarantine / path.name).exists()
    assert [batch.extract for batch in store.batches()] == ["b.csv"]


def test_a_retraction_that_was_undone_deletes_nothing(store: Store) -> None:
    retract(store, "a.csv", "test data")
    undo(store, "a.csv", "it was not")
    with store.lock():
        delete_expired(store, DAYS, LATER)
    assert len(store.batches()) == 2


def test_old_runs_are_as_they_were_and_new_ones_are_as_without_the_extract(store: Store, tmp_path: Path) -> None:
    first = store.current_run()
    assert first is not None
    retract(store, "a.csv", "test data")
    second = run_reports(store.root)
    with store.lock():
        delete_expired(store, DAYS, LATER)
    assert verify_run(store, first.name) == []
    assert verify_run(store) == []
    assert run_reports(store.root).run is None
    assert second.run is not None


def test_a_killed_deletion_is_ended_by_the_next(store: Store) -> None:
    retract(store, "a.csv", "test data")
    path = batch_of(store, "a.csv")
    (store.quarantine / path.name).unlink()
    (store.root / LOG).write_bytes(b'{"deleted": "20')
    with store.lock():
        delete_expired(store, DAYS, LATER)
    assert not path.exists()
    text = (store.root / LOG).read_text()
    assert f"claims/{path.name}" in text


# --- in a run


def age(store: Store, days: int) -> None:
    """Let all files that are kept for a time, and all retractions, be so many days older."""
    for path in [*store.quarantine.iterdir(), *store.claims.iterdir()]:
        then = path.stat().st_mtime - days * 86_400
        os.utime(path, (then, then))
    for path in (store.reviews / "retractions").glob("*.json"):
        entry = json.loads(path.read_text())
        entry["retracted"] = (datetime.fromisoformat(entry["retracted"]) - timedelta(days=days)).isoformat()
        path.write_text(json.dumps(entry))


def test_a_run_deletes_says_so_and_needs_nobody_for_it(store: Store) -> None:
    age(store, 401)
    result = run_reports(store.root)
    assert result.remarks == ("Deleted after 400 days (the setting retention_days): 1 quarantined rows.",)
    assert (result.notices, result.exit_code) == ((), 0)
    assert run_reports(store.root).remarks == ()


def test_the_setting_says_when(store: Store) -> None:
    age(store, 5)
    assert run_reports(store.root).remarks == ()
    assert len(run_reports(store.root, settings=Settings(retention_days=4)).remarks) == 1


def test_an_extract_whose_batch_was_deleted_is_not_loaded_again_until_that_is_undone(store: Store, tmp_path: Path) -> None:
    before = reports(store.root)
    retract(store, "a.csv", "test data")
    age(store, 401)
    assert run_reports(store.root).run is not None
    done = command("run", tmp_path / "a.csv", "--out", store.root, "--as-of", "2024-06-30")
    assert done.returncode == 0
    assert "a.csv: retracted, not read" in done.stdout
    assert [batch.extract for batch in store.batches()] == ["b.csv"]
    done = command("retract", "a.csv", "--out", store.root, "--reason", "it was right", "--undo")
    assert (done.returncode, done.stdout) == (0, "a.csv: counts again once it is given again, since what was kept of it is deleted.\n")
    again = run_reports(store.root, tmp_path / "a.csv")
    assert isinstance(again.outcomes[0], Loaded)
    assert reports(store.root).keys() == before.keys()
    assert len(store.batches()) == 2


def test_a_plan_deletes_nothing(store: Store) -> None:
    age(store, 401)
    assert command("plan", "--out", store.root, "--as-of", "2024-06-30").returncode == 0
    assert len(list(store.quarantine.iterdir())) == 2
