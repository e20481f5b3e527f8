"""The runs that OUT holds: what each found, in what two of them differ, and which may go."""

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sij_audit.transforms.audit.summary import STRENGTHS
from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.store.deliveries import list_deliveries
from sij_audit.transforms.store.durable import CrashPoint, nowhere, sync
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.runs import RUN_ID, find_run

NAMED = 5
"""So many extracts or files are named where two runs differ in more."""

PRUNE_CRASH_POINTS = ("rename run away", "sync folder of runs", "remove run")
"""The steps between which a prune may die; a test kills one before each."""

AGE = re.compile(r"([0-9]{1,5})d")


@dataclass(frozen=True)
class Figures:
    """What a run found; withdrawn findings aside, but for their own number. Dollars of several policies may be of one line."""

    as_of: date
    created: datetime
    previous_run_id: str | None
    findings: int
    strengths: Mapping[str, int]
    """Findings by strength; none in a run of a program that did not know it yet."""
    amount_at_risk: Decimal
    new_findings: int
    changed_findings: int
    withdrawn_findings: int


@dataclass(frozen=True)
class Run:
    """A run's folder; `figures` are None where it is damaged."""

    folder: Path
    figures: Figures | None
    is_current: bool
    is_delivered: bool
    """A delivery was made of it, or counts from it."""
    size: int
    """Bytes."""

    @property
    def run_id(self) -> str:
        return self.folder.name


@dataclass(frozen=True)
class Pruning:
    """Runs that may go, the oldest first, and those that stay though they are old and many came after them."""

    removable: tuple[Run, ...]
    protected: tuple[Run, ...]
    is_done: bool


def list_runs(store: Store) -> list[Run]:
    """All published runs, the first first, damaged ones before all others; UsageError where there is none.

    To whom OUT/reviews is closed, as it is to a group of readers, no run is a delivered one.
    """
    find_run(store)
    current = store.current_run()
    delivered = _list_delivered(store)
    runs = [
        Run(folder, _read_figures(store, folder), folder == current, folder.name in delivered, _measure(folder))
        for folder in store.runs.iterdir()
        if RUN_ID.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
    ]
    generation = _count_ancestors(runs)
    return sorted(runs, key=lambda run: (run.figures.created.timestamp() if run.figures else 0, generation[run.run_id], run.run_id))


def _list_delivered(store: Store) -> set[str]:
    try:
        return {entry[key] for entry in list_deliveries(store) for key in ("run_id", "since_run_id") if entry[key]}
    except PermissionError:
        return set()


def _read_figures(store: Store, folder: Path) -> Figures | None:
    try:
        manifest = store.manifest(folder)
        findings = pq.ParquetFile(folder / "findings.parquet").read(["status", "strength", "amount_at_risk"])
    except (AuditError, pa.ArrowException, OSError):
        return None
    statuses = {entry["values"].as_py(): entry["counts"].as_py() for entry in pc.value_counts(findings["status"])}
    held = findings.filter(pc.not_equal(findings["status"], "withdrawn"))
    strengths = {}
    if "strength" in held.column_names:
        counts = {entry["values"].as_py(): entry["counts"].as_py() for entry in pc.value_counts(held["strength"])}
        strengths = {strength: counts.get(strength, 0) for strength in STRENGTHS}
    return Figures(
        as_of=date.fromisoformat(manifest["as_of"]),
        created=datetime.fromisoformat(manifest["created"]),
        previous_run_id=manifest["previous_run_id"],
        findings=held.num_rows,
        strengths=strengths,
        amount_at_risk=pc.sum(held["amount_at_risk"]).as_py() or Decimal("0.00"),
        new_findings=statuses.get("new", 0),
        changed_findings=statuses.get("changed", 0),
        withdrawn_findings=statuses.get("withdrawn", 0),
    )


def _measure(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _count_ancestors(runs: Sequence[Run]) -> dict[str, int]:
    """How many of these runs came before each: it gives the order of runs that were published within one second."""
    before = {run.run_id: run.figures.previous_run_id for run in runs if run.figures}
    counts = {}
    for run in runs:
        line = [run.run_id]
        while (earlier := before.get(line[-1])) is not None and earlier not in line:
            line.append(earlier)
        counts[run.run_id] = len(line) - 1
    return counts


def choose_runs(store: Store, run_a: str | None, run_b: str | None) -> tuple[Path, Path]:
    """Choose what to compare: two runs that are named, one against the current run, or the current run against the one before it."""
    after = find_run(store, run_b)
    if run_a is not None:
        return find_run(store, run_a), after
    previous = store.manifest(after)["previous_run_id"]
    if previous is None:
        raise UsageError(f"{after.name} is the first run: there is none before it to compare it with.")
    if not (store.runs / previous / "manifest.json").is_file():
        raise UsageError(f"The run before {after.name} is not there any more: name another; `sij-audit runs` lists them.")
    return store.runs / previous, after


def explain_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say, from their manifests, what two runs were made of that is not the same: file names and settings, nothing of a member."""
    said = []
    if before["as_of"] != after["as_of"]:
        said.append(f"services up to {after['as_of']} instead of {before['as_of']}")
    old, new = ({entry["extract_sha256"]: entry["extract"] for entry in manifest["inputs"]} for manifest in (before, after))
    if came := sorted(new[content] for content in new.keys() - old.keys()):
        said.append(f"extracts that came: {_name_some(came)}")
    if gone := sorted(old[content] for content in old.keys() - new.keys()):
        said.append(f"extracts that count no more: {_name_some(gone)}")
    if before["reviews"] != after["reviews"]:
        said.append("dispositions, suppressions or retractions that came")
    if reread := sorted(new[content] for content in new.keys() & old.keys() if _versioning(before, content) != _versioning(after, content)):
        said.append(f"another versioning in the settings: {_name_some(reread)}")
    files = [{entry["path"]: entry["sha256"] for entry in manifest["files"]} for manifest in (before, after)]
    if changed := sorted(path for path in files[0].keys() | files[1].keys() if files[0].get(path) != files[1].get(path)):
        said.append(f"files that the audit goes by: {_name_some(changed)}")
    settings = [manifest["settings"] for manifest in (before, after)]
    said += [
        f"{name}: {_or_none(settings[1].get(name))} instead of {_or_none(settings[0].get(name))}"
        for name in sorted((settings[0].keys() | settings[1].keys()) - {"versioning"})
        if settings[0].get(name) != settings[1].get(name)
    ]
    versions = [manifest["versions"]["sij-audit"] for manifest in (before, after)]
    if versions[0] != versions[1]:
        said.append(f"version {versions[1]} of the program instead of {versions[0]}")
    elif before.get("program") != after.get("program"):
        said.append("files of the program that were changed")
    return said


def _versioning(manifest: Mapping[str, Any], content: str) -> str | None:
    """How the rows of an extract were versions, None by default."""
    versioning: str | None = manifest["settings"].get("versioning", {}).get(content)
    return versioning


def _name_some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _or_none(value: object) -> object:
    return "none" if value is None else value


def parse_age(text: str) -> timedelta:
    """Read an age in days, such as 90d; UsageError where it is none."""
    if not (age := AGE.fullmatch(text)):
        raise UsageError(f"{text} is no age: say it in days, such as 90d.")
    return timedelta(days=int(age[1]))


def prune(
    store: Store, keep: int, older_than: timedelta, is_wanted: bool = False, now: datetime | None = None, at: CrashPoint = nowhere
) -> Pruning:
    """Find the runs that are older than that and not among the newest `keep`; remove them where that `is_wanted`.

    The current run stays, and so does one that a delivery was made of, or counts from. So does one that is damaged: nobody knows its age.
    Where runs are removed OUT is held: BusyError where another run holds it. A run is renamed before it is removed, so that it is there as
    a whole or not at all; what a killed prune leaves, the next run clears.
    """
    list_runs(store)
    with store.lock() if is_wanted else nullcontext():
        runs = [run for run in list_runs(store) if run.figures]
        limit = (now or datetime.now(UTC)) - older_than
        old = [run for run in runs[: max(len(runs) - keep, 0)] if run.figures and run.figures.created < limit]
        removable = tuple(run for run in old if not (run.is_current or run.is_delivered))
        if is_wanted:
            for run in removable:
                _remove(run.folder, at)
        return Pruning(removable, tuple(run for run in old if run not in removable), is_wanted)


def _remove(folder: Path, at: CrashPoint) -> None:
    at("rename run away")
    going = folder.rename(folder.with_name(f"{folder.name}.building"))
    at("sync folder of runs")
    sync(folder.parent)
    at("remove run")
    shutil.rmtree(going)
