"""Turn finished report tables into a published run that never changes, and check later that it has not."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import duckdb
import pyarrow.parquet as pq

from sij_audit.transforms.audit.database import Contents, write_database
from sij_audit.transforms.audit.identity import RunIdentity
from sij_audit.transforms.columns import FORMAT, ROW_OUTCOMES
from sij_audit.transforms.duck import write_report
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.store.durable import CrashPoint, hash_file, nowhere, publish_folder, switch_link, write_durably
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.runs import hash_json, verify_run


def _write_nothing(run: Path) -> None:
    """Add no file."""


def publish_run(
    store: Store,
    con: duckdb.DuckDBPyConnection,
    identity: RunIdentity,
    batches: Sequence[Batch],
    totals: Mapping[str, Any],
    contents: Contents,
    at: CrashPoint = nowhere,
    write_more: Callable[[Path], None] = _write_nothing,
) -> Path:
    """Publish the tables that the reports have filled, and make the run current; the caller holds the store's lock.

    `contents` are the reports, and what else the database holds. `write_more` is given the folder with reports and database, and adds files
    for people, which the manifest then lists too.
    A run of the same id that is there was published, or complete when an interrupted run was about to switch to it; it is made current as
    it is. AuditError where a batch does not balance, or that run is no longer as it was written.
    """
    run = store.runs / identity.run_id
    if run.exists():
        if differences := verify_run(store, run.name):
            raise AuditError(f"runs/{run.name} is there and not as it was written: {differences[0]} Move it away and run again.")
    else:
        building = run.with_name(f"{run.name}.building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=0o700)
        try:
            _build_run(store, con, building, identity, batches, totals, contents, at, write_more)
            store.open_run_to_group(building)
            publish_folder(building, run, at)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    switch_link(store.current, f"runs/{run.name}", at)
    return run


def _build_run(
    store: Store,
    con: duckdb.DuckDBPyConnection,
    building: Path,
    identity: RunIdentity,
    batches: Sequence[Batch],
    totals: Mapping[str, Any],
    contents: Contents,
    at: CrashPoint,
    write_more: Callable[[Path], None],
) -> None:
    """Write a run's files, the manifest last: a folder without one is not a run."""
    inputs = describe_batches(store, batches, identity.previous_run_id)
    controls = sum_controls(batches)
    for report in contents.reports:
        write_durably(building / f"{report.table}.parquet", partial(write_report, con, report.table), at)
    write_durably(building / "audit.duckdb", lambda path: write_database(con, path, contents), at)
    write_more(building)
    manifest = {
        "format": FORMAT,
        "run_id": identity.run_id,
        "previous_run_id": identity.previous_run_id,
        "as_of": identity.as_of.isoformat(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "fingerprint": identity.fingerprint,
        "program": identity.program,
        "versions": {"sij-audit": identity.version, "python": python_version()}
        | {library: version(library) for library in ("duckdb", "polars", "pyarrow")},
        "settings": dict(identity.settings),
        "inputs": inputs,
        "refused": sorted(identity.refused),
        "reviews": list(identity.reviews),
        "files": [{"path": path, "sha256": sha256} for path, sha256 in sorted(identity.files.items())],
        "outputs": [
            {
                "path": path.relative_to(building).as_posix(),
                "sha256": hash_file(path),
                "rows": pq.read_metadata(path).num_rows if path.suffix == ".parquet" else None,
            }
            for path in sorted(building.rglob("*"))
            if path.is_file()
        ],
        "controls": controls,
        "totals": dict(totals),
    }
    manifest = json.loads(json.dumps(manifest, default=str))
    text = json.dumps(manifest | {"sha256": hash_json(manifest)}, indent=2) + "\n"
    write_durably(building / "manifest.json", lambda path: _write_text(path, text), at)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def describe_batches(store: Store, batches: Sequence[Batch], previous_run_id: str | None) -> list[dict[str, Any]]:
    """List a run's batches with their SHA-256, which the previous run's manifest lends where it has the file: batches never change."""
    known = {}
    if previous_run_id is not None:
        known = {entry["batch_id"]: entry for entry in store.manifest(store.runs / previous_run_id)["inputs"]}
    inputs = []
    for batch in sorted(batches, key=lambda batch: batch.batch_id):
        file = {"batch_id": batch.batch_id, "path": batch.path.relative_to(store.root).as_posix(), "size": batch.path.stat().st_size}
        before = known.get(batch.batch_id, {})
        is_known = all(before.get(key) == value for key, value in file.items())
        rows = before["rows"] if is_known else pq.read_metadata(batch.path).num_rows
        if rows != batch.controls["rows_kept"]:
            raise AuditError(f"{file['path']} has {rows} rows, and its controls say {batch.controls['rows_kept']}. Nothing was published.")
        sha256 = before["sha256"] if is_known else hash_file(batch.path)
        inputs.append(file | {"sha256": sha256, "rows": rows, "extract": batch.extract, "extract_sha256": batch.sha256})
    return inputs


def sum_controls(batches: Sequence[Batch]) -> dict[str, Any]:
    """Sum rows and dollars over the batches; AuditError where the outcomes of a batch's rows do not add up to what was read."""
    sums: dict[str, Any] = {}
    for measure, number in (("rows", int), ("paid", Decimal)):
        whole, *parts = [f"{measure}_{outcome}" for outcome in ("read", *ROW_OUTCOMES)]
        for batch in batches:
            read, accounted = number(batch.controls[whole]), sum(number(batch.controls[part]) for part in parts)
            if read != accounted:
                counts = f"{measure} read {read}, accounted for {accounted}"
                raise AuditError(f"{batch.extract} does not balance: {counts}. Nothing was published.")
        sums |= {name: sum((number(batch.controls[name]) for batch in batches), number("0")) for name in (whole, *parts)}
    return sums
