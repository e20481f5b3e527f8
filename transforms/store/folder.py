"""The OUT folder: what lies where, who may write, and which batches and runs it holds."""

import fcntl
import grp
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.columns import FORMAT, Fault
from sij_audit.transforms.errors import AuditError, BusyError, UsageError
from sij_audit.transforms.store.durable import TEMPORARY

METADATA_KEY = b"sij_audit"
"""Key of a batch's own metadata in its Parquet footer."""

PRIVATE_UMASK = 0o077

TRAVERSABLE, READABLE_FOLDER, READABLE_FILE, ADDABLE = 0o710, 0o750, 0o640, 0o1730
"""What a group of readers may do: pass through a folder, list it, read a file, add to a folder where nobody takes away what others added."""


@dataclass(frozen=True)
class Batch:
    """The kept lines of one extract, and all that its file says of how they were taken."""

    batch_id: str
    path: Path
    format: int
    extract: str
    """File name, without a folder, under which the extract was first taken."""
    sha256: str
    """Of the extract as delivered, as is `size` in bytes."""
    size: int
    codes: list[dict[str, Any]]
    """The code table that lines were kept by: hcpcs_code, effective_from, effective_to; sorted, dates as ISO text or None."""
    latest_service_date: str | None
    """Over all valid rows of the extract, kept or not; ISO."""
    controls: dict[str, Any]
    """rows_read, rows_kept, rows_not_relevant, rows_quarantined, rows_duplicate; paid_read, … as text with two decimals."""
    columns: list[dict[str, Any]]
    """column, is_canonical, is_present, filled_count: every canonical column, then every ignored one."""
    reasons: dict[str, int]
    """Quarantined rows by reason."""
    ingest: str = ""
    """SHA-256 of the code that kept the lines; empty in batches that do not say it."""
    faults: list[Fault] = field(default_factory=list)
    """What its quarantined rows have in common; empty in batches that do not say it."""
    layout: str | None = None
    """Name of the layout that it was read by, None where it has the canonical columns."""
    quality: list[dict[str, Any]] = field(default_factory=list)
    """check_id, column, row_count, found_count, forms: what was counted for the quality checks; empty in batches that do not say it."""

    def metadata(self) -> dict[bytes, bytes]:
        """Give the key-value metadata that the batch's Parquet file carries."""
        facts = asdict(self)
        del facts["path"]
        return {METADATA_KEY: json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()}


def read_batch(path: Path) -> Batch:
    """Read a batch's footer; its lines stay unread."""
    again = "Move the file out of OUT, and give the extract again that it was made of"
    try:
        metadata = pq.read_metadata(path).metadata or {}
        facts = json.loads(metadata[METADATA_KEY])
        number, extract, batch_id = facts["format"], facts["extract"], facts["batch_id"]
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        raise AuditError(f"claims/{path.name} is damaged, or no batch of sij-audit. {again} (a run's manifest.json names it).") from None
    if number != FORMAT:
        raise AuditError(f"claims/{path.name} has format {number}, and this version reads format {FORMAT}. {again}: {extract}.")
    if batch_id != path.stem:
        raise AuditError(f"claims/{path.name} holds batch {batch_id}: it was renamed or copied. Move it out of OUT, or name it as before.")
    try:
        return Batch(path=path, **{**facts, "faults": [Fault(**fault) for fault in facts.get("faults", [])]})
    except TypeError:
        raise AuditError(f"claims/{path.name} does not say all that a batch must. {again}: {extract}.") from None


LOOK_SECONDS = 0.1
"""Longer than a monitor's look at the lock lasts, which is no reason for a run to give up."""


def _take(descriptor: int, kind: int) -> bool:
    """Take a lock until the descriptor is closed; false where another has it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def find_group(name: str | None) -> int | None:
    """Find the id of a group of readers; UsageError where there is none, or this user cannot give files to it."""
    if name is None:
        return None
    try:
        group = grp.getgrnam(name).gr_gid
    except KeyError:
        raise UsageError(f"The setting group names {name}, which is no group of this system.") from None
    if os.geteuid() != 0 and group not in (os.getegid(), *os.getgroups()):
        raise UsageError(f"The setting group names {name}, to which this user does not belong, so it cannot give it anything to read.")
    return group


class Store:
    """One OUT folder; `group` is the id of the group that may read published runs, None where its user alone may.

    Without a group nothing is closed that was opened before, by a group or by hand: what is published from then on is private, and so are
    new folders. `chmod -R go= OUT` closes the rest.
    """

    def __init__(self, root: Path, group: int | None = None) -> None:
        self.root = root
        self.group = group
        self.claims = root / "claims"
        self.quarantine = root / "quarantine"
        self.runs = root / "runs"
        self.reviews = root / "reviews"
        self.access = root / "access"
        self.current = root / "current"
        self.work = root / ".work"

    def prepare(self) -> None:
        """Make the folders that are not there yet, mode 0700; those that are keep the access that somebody gave them."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.claims, self.quarantine, self.runs, self.work):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.root} cannot be used as the OUT folder: {error.strerror}.") from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold OUT for a whole run, and clear what an interrupted run left; BusyError where another run holds it.

        While it is held, the process makes files and folders that are private to its user. A lock of the system's, so that a killed run
        leaves none behind; the file itself stays, since a lock on a deleted file would keep nobody out.
        """
        self.prepare()
        descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if not _take(descriptor, fcntl.LOCK_EX):
                time.sleep(LOOK_SECONDS)
                if not _take(descriptor, fcntl.LOCK_EX):
                    raise BusyError(f"Another run holds {self.root}. Nothing was changed; try again when it has ended.")
            umask = os.umask(PRIVATE_UMASK)
            try:
                self._clear()
                self._open_to_group()
                yield
            finally:
                os.umask(umask)
        finally:
            os.close(descriptor)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a private folder to work in beside whoever holds OUT; it is gone at the end.

        What a killed process left in its own, which may be members' data, the next one clears, and so does the next run.
        """
        self._clear_scratch()
        descriptor = None
        while descriptor is None:
            folder = self.root / f".work-{secrets.token_hex(8)}"
            folder.mkdir(mode=0o700)
            descriptor = _hold(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
            os.close(descriptor)

    def _clear_scratch(self) -> None:
        for folder in self.root.glob(".work-*"):
            descriptor = _hold(folder)
            if descriptor is not None:
                shutil.rmtree(folder)
                os.close(descriptor)

    def is_held(self) -> bool:
        """Say whether somebody holds OUT now."""
        try:
            descriptor = os.open(self.root / ".lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _take(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def _clear(self) -> None:
        """Remove what is not finished; only the holder of the lock may."""
        shutil.rmtree(self.work)
        self.work.mkdir(mode=0o700)
        self._clear_scratch()
        for building in self.runs.glob("*.building"):
            shutil.rmtree(building)
        for folder in (self.root, self.claims, self.quarantine, self.runs, *self.reviews.glob("*/")):
            for path in folder.iterdir():
                if TEMPORARY.fullmatch(path.name):
                    path.unlink()

    def _open_to_group(self) -> None:
        """Open OUT, all runs and the access log to the group, and nothing else of OUT."""
        if self.group is None:
            return
        for run in self.runs.iterdir():
            if run.is_dir() and not run.is_symlink():
                self.open_run_to_group(run)
        self.access.mkdir(mode=0o700, exist_ok=True)
        _give(self.access, self.group, ADDABLE)
        _give(self.runs, self.group, READABLE_FOLDER)
        _give(self.root, self.group, TRAVERSABLE)

    def open_run_to_group(self, run: Path) -> None:
        """Let the group, where there is one, read all that a run's folder holds; a new run is opened before it is given its name."""
        if self.group is None:
            return
        for folder, _, files in os.walk(run, topdown=False):
            for file in files:
                _give(Path(folder, file), self.group, READABLE_FILE)
            _give(Path(folder), self.group, READABLE_FOLDER)

    def review_folder(self, kind: str) -> Path:
        """Make the folder for what came back of one kind, where it is not there yet."""
        folder = self.reviews / kind
        for place in (self.reviews, folder):
            place.mkdir(mode=0o700, exist_ok=True)
        return folder

    def batches(self) -> list[Batch]:
        """Read the footers of all batches, sorted by batch id; AuditError where one cannot be used."""
        return [read_batch(path) for path in sorted(self.claims.glob("*.parquet")) if not path.name.startswith(".")]

    def current_run(self) -> Path | None:
        """Find the folder of the last complete run, by its own name: `current` may be switched at any time."""
        try:
            name = Path(os.readlink(self.current)).name
        except FileNotFoundError:
            return None
        except PermissionError:
            raise self.closed() from None
        except OSError:
            raise AuditError(f"{self.current} is not a symbolic link to a run. Move it away.") from None
        run = self.runs / name
        if not (run / "manifest.json").is_file():
            raise AuditError(f"{self.current} points at runs/{name}, which is not there or not complete. Point it at a complete run.")
        return run

    def closed(self) -> AuditError:
        """Say that this user may not read OUT."""
        return AuditError(f"{self.root} may not be read by this user; its owner opens it to a group of readers by the setting `group`.")

    def manifest(self, run: Path) -> dict[str, Any]:
        """Read a run's manifest; AuditError where it is missing, broken or of another format."""
        try:
            manifest = json.loads((run / "manifest.json").read_bytes())
            number = manifest["format"]
        except (OSError, ValueError, KeyError, TypeError):
            raise AuditError(f"runs/{run.name}/manifest.json is missing or damaged. Restore the run from a backup.") from None
        if number != FORMAT:
            raise AuditError(f"runs/{run.name} has format {number}, and this version reads format {FORMAT}.")
        return dict(manifest)


def _hold(folder: Path) -> int | None:
    """Lock a folder; None where somebody else holds it, or it is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if _take(descriptor, fcntl.LOCK_EX) and folder.exists():
        return descriptor
    os.close(descriptor)
    return None


def _give(path: Path, group: int, mode: int) -> None:
    """Give a file or folder to a group with these rights; a link is left alone, for what it points at is not ours."""
    if path.is_symlink():
        return
    os.chown(path, -1, group)
    os.chmod(path, mode)
