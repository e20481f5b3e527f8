"""The OUT folder: what lies where, who may write, and which batches and runs it holds."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.durable import TEMPORARY
from transforms.errors import AuditError, BusyError, UsageError
from transforms.layout import FORMAT

METADATA_KEY = b"sij_audit"
"""Key of a batch's own metadata in its Parquet footer."""

PRIVATE_UMASK = 0o077


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
        return Batch(path=path, **facts)
    except TypeError:
        raise AuditError(f"claims/{path.name} does not say all that a batch must. {again}: {extract}.") from None


class Store:
    """One OUT folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.claims = root / "claims"
        self.quarantine = root / "quarantine"
        self.runs = root / "runs"
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
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(f"Another run holds {self.root}. Nothing was changed; try again when it has ended.") from None
            umask = os.umask(PRIVATE_UMASK)
            try:
                self._clear()
                yield
            finally:
                os.umask(umask)
        finally:
            os.close(descriptor)

    def _clear(self) -> None:
        """Remove what is not finished; only the holder of the lock may."""
        shutil.rmtree(self.work)
        self.work.mkdir(mode=0o700)
        for building in self.runs.glob("*.building"):
            shutil.rmtree(building)
        for folder in (self.root, self.claims, self.quarantine, self.runs):
            for path in folder.iterdir():
                if TEMPORARY.fullmatch(path.name):
                    path.unlink()

    def batches(self) -> list[Batch]:
        """Read the footers of all batches, sorted by batch id; AuditError where one cannot be used."""
        return [read_batch(path) for path in sorted(self.claims.glob("*.parquet")) if not path.name.startswith(".")]

    def current_run(self) -> Path | None:
        """Find the folder of the last complete run, by its own name: `current` may be switched at any time."""
        try:
            name = Path(os.readlink(self.current)).name
        except FileNotFoundError:
            return None
        except OSError:
            raise AuditError(f"{self.current} is not a symbolic link to a run. Move it away.") from None
        run = self.runs / name
        if not (run / "manifest.json").is_file():
            raise AuditError(f"{self.current} points at runs/{name}, which is not there or not complete. Point it at a complete run.")
        return run

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
