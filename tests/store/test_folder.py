"""One run at a time holds OUT; what a dead one left is cleared; batches say what they are, or an error says what to do."""

import json
import os
import signal
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.columns import BATCH_SCHEMA, FORMAT
from sij_audit.transforms.errors import AuditError, BusyError, UsageError
from sij_audit.transforms.store.durable import switch_link, write_durably
from sij_audit.transforms.store.folder import METADATA_KEY, Batch, Store

COUNTS = {"read": 7, "kept": 0, "not_relevant": 4, "quarantined": 2, "duplicate": 1}


def make_batch(store: Store, batch_id: str = "a1", **changes: Any) -> Batch:
    batch = Batch(
        batch_id=batch_id,
        path=store.claims / f"{batch_id}.parquet",
        format=FORMAT,
        extract="2024-01.csv",
        sha256="ab" * 32,
        size=1234,
        codes=[{"hcpcs_code": "27096", "effective_from": None, "effective_to": "2030-01-01"}],
        latest_service_date="2024-01-31",
        controls={f"rows_{outcome}": count for outcome, count in COUNTS.items()}
        | {f"paid_{outcome}": f"{n}.50" for outcome, n in COUNTS.items()},
        columns=[{"column": "claim_id", "is_canonical": True, "is_present": True, "filled_count": 7}],
        reasons={"nul_byte": 2},
    )
    return replace(batch, **changes)


def write_batch(batch: Batch) -> None:
    table = BATCH_SCHEMA.empty_table().replace_schema_metadata(batch.metadata())
    write_durably(batch.path, lambda path: pq.write_table(table, path))


def write_metadata(path: Path, metadata: dict[bytes, bytes]) -> None:
    pq.write_table(pa.table({"claim_id": ["SECRET"]}).replace_schema_metadata(metadata), path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    store.prepare()
    return store


def test_folders_are_private(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        store = Store(tmp_path / "out")
        with store.lock():
            (store.work / "spill").write_text("")
    finally:
        os.umask(umask)
    for path in (store.root, *store.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert os.umask(umask) == umask


def test_access_that_was_given_stays(store: Store) -> None:
    store.runs.chmod(0o750)
    store.prepare()
    assert stat.S_IMODE(store.runs.stat().st_mode) == 0o750


def test_a_file_is_no_out_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="cannot be used as the OUT folder"):
        Store(tmp_path / "out").prepare()


def test_a_second_run_is_kept_out(store: Store) -> None:
    with store.lock(), pytest.raises(BusyError, match="Another run holds") as caught, Store(store.root).lock():
        pass
    assert caught.value.exit_code == 75


def test_a_second_run_clears_nothing(store: Store) -> None:
    with store.lock():
        (store.work / "spill").write_text("")
        with pytest.raises(BusyError), Store(store.root).lock():
            pass
        assert (store.work / "spill").exists()


def test_the_lock_is_free_after_a_run_and_after_a_failure(store: Store) -> None:
    with store.lock():
        pass
    with pytest.raises(ValueError, match="x"), store.lock():
        raise ValueError("x")
    with store.lock():
        pass


def test_the_lock_is_free_after_a_kill(store: Store) -> None:
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with store.lock():
            os.write(tell, b"x")
            time.sleep(60)
        os._exit(1)
    os.read(told, 1)
    with pytest.raises(BusyError), store.lock():
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with store.lock():
        pass


def test_what_an_interrupted_run_left_is_cleared(store: Store) -> None:
    left = [
        store.work / "sub" / "spill.tmp",
        store.runs / "2024-01-01-0123456789ab.building" / "findings.parquet",
        store.claims / ".a1.parquet.0123456789abcdef.part",
        store.quarantine / ".a1.parquet.0123456789abcdef.part",
        store.root / ".current.0123456789abcdef.part",
    ]
    stays = [
        store.claims / "a1.parquet",
        store.quarantine / "a1.parquet",
        store.runs / "2024-01-01-0123456789ab" / "findings.parquet",
        store.claims / ".hidden",
        store.root / "mine.part",
    ]
    for path in left + stays:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    store.current.symlink_to("runs/2024-01-01-0123456789ab")
    with store.lock():
        assert not [path for path in left if path.exists()]
        assert not (store.runs / "2024-01-01-0123456789ab.building").exists()
        assert not list(store.work.iterdir())
        assert [path for path in stays if path.exists()] == stays
        assert store.current.is_symlink()


def test_batches_come_back_as_they_were_written(store: Store) -> None:
    batches = [make_batch(store, name) for name in ("a1", "b2", "c3")]
    for batch in reversed(batches):
        write_batch(batch)
    (store.claims / ".d4.parquet.0123456789abcdef.part").write_text("half")
    assert store.batches() == batches


def test_a_file_name_that_is_not_utf_8_comes_back(store: Store) -> None:
    batch = make_batch(store, extract=os.fsdecode(b"caf\xe9.csv"))
    write_batch(batch)
    assert store.batches() == [batch]


def test_an_empty_store_has_no_batches(store: Store) -> None:
    assert store.batches() == []


def test_a_batch_of_another_format_says_which_extract_to_give_again(store: Store) -> None:
    write_batch(make_batch(store, format=FORMAT + 1))
    with pytest.raises(AuditError, match=r"claims/a1\.parquet has format 2, .* give the extract again .*: 2024-01\.csv\.") as caught:
        store.batches()
    assert caught.value.exit_code == 4


def test_a_later_format_may_hold_other_facts(store: Store) -> None:
    facts = {"format": FORMAT + 1, "extract": "x.csv", "batch_id": "a1", "news": 1}
    write_metadata(store.claims / "a1.parquet", {METADATA_KEY: json.dumps(facts).encode()})
    with pytest.raises(AuditError, match="has format"):
        store.batches()


@pytest.mark.parametrize("metadata", [{}, {METADATA_KEY: b"{"}, {METADATA_KEY: b"[]"}, {METADATA_KEY: b'{"format": 1}'}])
def test_a_file_that_is_no_batch(store: Store, metadata: dict[bytes, bytes]) -> None:
    write_metadata(store.claims / "a1.parquet", metadata)
    with pytest.raises(AuditError, match="is damaged, or no batch") as caught:
        store.batches()
    assert "SECRET" not in str(caught.value)


def test_a_cut_batch(store: Store) -> None:
    write_batch(make_batch(store))
    path = store.claims / "a1.parquet"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(AuditError, match=r"claims/a1\.parquet is damaged"):
        store.batches()


def test_a_batch_with_facts_missing(store: Store) -> None:
    facts = {"format": FORMAT, "extract": "x.csv", "batch_id": "a1"}
    write_metadata(store.claims / "a1.parquet", {METADATA_KEY: json.dumps(facts).encode()})
    with pytest.raises(AuditError, match=r"does not say all .*: x\.csv\."):
        store.batches()


def test_a_copied_batch_is_not_counted_twice(store: Store) -> None:
    write_batch(make_batch(store))
    (store.claims / "copy.parquet").write_bytes((store.claims / "a1.parquet").read_bytes())
    with pytest.raises(AuditError, match="renamed or copied"):
        store.batches()


def test_no_current_run(store: Store) -> None:
    assert store.current_run() is None


def test_the_current_run_by_its_own_name(store: Store) -> None:
    run = store.runs / "2024-01-01-0123456789ab"
    run.mkdir()
    (run / "manifest.json").write_text(json.dumps({"format": FORMAT, "run_id": run.name}))
    switch_link(store.current, f"runs/{run.name}")
    assert store.current_run() == run
    assert store.manifest(run)["run_id"] == run.name


def test_current_points_nowhere(store: Store) -> None:
    store.current.symlink_to("runs/gone")
    with pytest.raises(AuditError, match="points at runs/gone"):
        store.current_run()


def test_current_is_a_folder(store: Store) -> None:
    store.current.mkdir()
    with pytest.raises(AuditError, match="is not a symbolic link"):
        store.current_run()


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"format": 2}'])
def test_a_manifest_that_cannot_be_used(store: Store, text: str | None) -> None:
    run = store.runs / "2024-01-01-0123456789ab"
    run.mkdir()
    if text is not None:
        (run / "manifest.json").write_text(text)
    with pytest.raises(AuditError, match=r"runs/2024-01-01-0123456789ab"):
        store.manifest(run)


def test_scratch_is_private_and_gone_at_the_end(store: Store) -> None:
    before = sorted(store.root.rglob("*"))
    with store.lock(), store.scratch() as one, store.scratch() as other:
        assert one != other
        assert stat.S_IMODE(one.stat().st_mode) == 0o700
        (one / "spill").write_text("")
    assert [path for path in sorted(store.root.rglob("*")) if path.name != ".lock"] == before


@pytest.mark.parametrize("next_one", [Store.scratch, Store.lock])
def test_scratch_that_a_killed_process_left_is_cleared_and_that_of_a_living_one_is_not(store: Store, next_one: Any) -> None:
    with store.scratch() as living:
        told, tell = os.pipe()
        if (child := os.fork()) == 0:
            with store.scratch() as folder:
                (folder / "spill").write_text("")
                os.write(tell, folder.name.encode())
                os.kill(os.getpid(), signal.SIGKILL)
        left = store.root / os.read(told, 100).decode()
        os.waitpid(child, 0)
        assert (left / "spill").exists()
        with next_one(store):
            assert not left.exists()
            assert living.exists()
