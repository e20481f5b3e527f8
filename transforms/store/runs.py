"""The published runs that OUT holds: found by id, and compared with their manifests."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.store.durable import hash_file
from sij_audit.transforms.store.folder import Store

RUN_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}")


def hash_json(value: Any) -> str:
    """Compute the SHA-256 of a value as JSON, in hex; the order of keys does not count."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def find_run(store: Store, run_id: str | None = None) -> Path:
    """Find a published run, by default the current one; UsageError where there is no such run, AuditError where this user may not look."""
    try:
        if run_id is None:
            run = store.current_run()
            if run is None:
                raise UsageError(f"{store.root} holds no published run yet.")
        else:
            run = store.runs / run_id
            if not RUN_ID.fullmatch(run_id) or not run.is_dir():
                raise UsageError(f"{store.root} holds no run of that id; runs/ lists those that it has.")
    except PermissionError:
        raise store.closed() from None
    return run


def verify_run(store: Store, run_id: str | None = None) -> list[str]:
    """Compare a published run, by default the current one, with its manifest: one sentence for each difference.

    Of the batches that it was made of, those that OUT still holds are compared too. UsageError where there is no such run.
    """
    run = find_run(store, run_id)
    manifest = store.manifest(run)
    if manifest.pop("sha256", None) != hash_json(manifest):
        return [f"runs/{run.name}/manifest.json is not what was written, so nothing can be compared with it."]
    differences = []
    if manifest["run_id"] != run.name:
        differences.append(f"runs/{run.name}/manifest.json is that of another run.")
    for output in manifest["outputs"]:
        differences += _compare_file(run / output["path"], f"runs/{run.name}/{output['path']}", output)
    expected = {"manifest.json", *(output["path"] for output in manifest["outputs"])}
    found = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_symlink() or not path.is_dir()}
    differences += [f"runs/{run.name}/{path} is no part of the run." for path in sorted(found - expected)]
    for batch in manifest["inputs"]:
        path = store.root / batch["path"]
        if path.exists():
            differences += _compare_file(path, batch["path"], batch)
    return differences


def _compare_file(path: Path, name: str, entry: Mapping[str, Any]) -> list[str]:
    """Compare one file with its manifest entry; a symbolic link is not the file that was written."""
    try:
        if path.is_symlink() or not path.is_file():
            return [f"{name} is missing."]
        if hash_file(path) != entry["sha256"]:
            return [f"{name} is not what was written: its SHA-256 differs."]
        if entry["rows"] is not None and pq.read_metadata(path).num_rows != entry["rows"]:
            return [f"{name} has another number of rows than the manifest says."]
    except OSError as error:
        return [f"{name} cannot be read: {error.strerror}."]
    return []
