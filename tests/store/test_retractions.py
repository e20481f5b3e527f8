"""An extract that never should have come counts no more, is shown in the controls, and comes back when that is undone."""

from pathlib import Path

import pytest

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.retractions import retract, retractions, undo
from tests.runs import Row, command, findings, line, read_report, run_reports, write_extract


def three_injections(person: str) -> list[Row]:
    return [line(f"{person}-{day}", day, person=person) for day in ("2023-01-10", "2023-04-10", "2023-05-10")]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    good = write_extract(tmp_path / "good.parquet", three_injections("P1"))
    test_data = write_extract(tmp_path / "test.parquet", three_injections("P2"))
    run_reports(tmp_path / "out", good, test_data)
    return Store(tmp_path / "out")


def people(store: Store) -> list[tuple[str, str]]:
    return sorted((row["person_id"], row["status"]) for row in findings(store.root))


def test_a_retracted_extract_counts_no_more_until_that_is_undone(store: Store) -> None:
    retract(store, "test.parquet", "test data")
    assert run_reports(store.root).run is not None
    assert people(store) == [("P1", "open"), ("P2", "withdrawn")]
    shown = {row["extract"]: (row["outcome"], row["reason"], row["rows_read"]) for row in read_report(store.root, "controls")}
    assert shown == {"good.parquet": ("held", None, 3), "test.parquet": ("retracted", "test data", 0)}
    assert run_reports(store.root).run is None
    undo(store, "test.parquet", "it was real")
    run_reports(store.root)
    assert people(store) == [("P1", "open"), ("P2", "new")]
    assert [row["outcome"] for row in read_report(store.root, "controls")] == ["held", "taken"]


def test_a_retracted_extract_that_is_given_again_stays_retracted(store: Store, tmp_path: Path) -> None:
    retract(store, "test.parquet", "test data")
    run_reports(store.root, tmp_path / "test.parquet")
    assert people(store) == [("P1", "open"), ("P2", "withdrawn")]


def test_an_extract_is_named_by_its_content_where_two_have_its_name(store: Store, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    run_reports(store.root, write_extract(tmp_path / "again/test.parquet", three_injections("P3")))
    with pytest.raises(UsageError, match="2 extracts have that name"):
        retract(store, "test.parquet", "test data")
    sha256 = next(batch.sha256 for batch in store.batches() if batch.extract == "test.parquet")
    retract(store, sha256, "test data")
    assert set(retractions(store)) == {sha256}


def test_what_is_not_there_or_retracted_already_is_wrong_usage(store: Store) -> None:
    with pytest.raises(UsageError, match="has taken no extract of that name"):
        retract(store, "other.parquet", "x")
    with pytest.raises(UsageError, match="has no retracted extract"):
        undo(store, "test.parquet", "x")
    retract(store, "test.parquet", "x")
    with pytest.raises(UsageError, match="retracted already"):
        retract(store, "test.parquet", "x")


def test_the_command_retracts_and_undoes(store: Store) -> None:
    done = command("retract", "test.parquet", "--reason", "test data", "--out", store.root)
    assert (done.returncode, done.stdout) == (0, "test.parquet: counts no more from the next run on; `--undo` takes that back.\n")
    undone = command("retract", "test.parquet", "--reason", "it was real", "--undo", "--out", store.root)
    assert (undone.returncode, undone.stdout) == (0, "test.parquet: counts again from the next run on.\n")
    assert command("retract", "test.parquet", "--out", store.root).returncode == 2
