"""The journal says of every run that got the lock how it ended, and the next run tells of one that did not end well."""

import os
import signal
from datetime import date
from pathlib import Path

import pytest

from sij_audit.transforms.audit import run as audits
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.journal import attempts, begin, end, untold
from tests.runs import AS_OF, EARLY, command, run_reports, write_extract


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    store.prepare()
    return store


def test_a_run_is_written_down_with_its_outcome(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "1.parquet", EARLY)
    published = run_reports(tmp_path / "out", extract)
    run_reports(tmp_path / "out", extract)
    found = attempts(Store(tmp_path / "out"))
    assert [(attempt.command, attempt.as_of, attempt.outcome, attempt.run_id) for attempt in found] == [
        ("run", AS_OF, "published", published.current.name),
        ("run", AS_OF, "nothing_new", published.current.name),
    ]
    assert all(attempt.ended and attempt.begun <= attempt.ended for attempt in found)


def test_a_failed_run_is_reported_until_a_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extract = write_extract(tmp_path / "1.parquet", EARLY)

    def fail(*_arguments: object) -> None:
        raise AuditError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(audits, "identify_run", fail)
        with pytest.raises(AuditError):
            run_reports(tmp_path / "out", extract)
    [notice] = run_reports(tmp_path / "out", extract).notices
    assert notice.endswith("failed: The disk is full.")
    assert run_reports(tmp_path / "out", extract).notices == ()


def test_a_run_that_was_killed_is_reported(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(out)
    if (child := os.fork()) == 0:
        store = Store(out)
        with store.lock():
            begin(store, "nightly", AS_OF)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    [notice] = run_reports(out).notices
    assert notice.startswith("The nightly that began at ")
    assert "never ended" in notice


def test_a_cut_line_costs_no_other(store: Store) -> None:
    end(store, begin(store, "run", AS_OF), "published", "R1")
    with (store.root / "journal.jsonl").open("ab") as file:
        file.write(b'{"attempt_id": "1234", "beg')
    later = begin(store, "run", date(2024, 7, 1))
    assert [attempt.outcome for attempt in attempts(store)] == ["published", None]
    end(store, later, "held", message="too much")
    assert untold(store) == []
    assert [attempt.message for attempt in attempts(store)] == [None, "too much"]


def test_the_summary_says_what_failed_before(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    store.prepare()
    end(store, begin(store, "nightly", AS_OF), "failed", message="There was no room.")
    done = command("run", "--out", tmp_path / "out", "--as-of", "2024-06-30")
    assert "failed: There was no room." in done.stdout
