"""Deletes what OUT need not hold for ever: refused rows as they were read, and lines of extracts that were taken back.

How old a file is its own time says: what lies in claims/ and quarantine/ never changes after it was written, and a copy that is given a later
time is kept longer, not shorter. A retracted extract's time begins with the retraction, so that there is time to undo it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.store.durable import sync
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.journal import append_line
from sij_audit.transforms.store.retractions import retractions

LOG = "deletions.jsonl"
"""File of OUT that says when which files were deleted, and why; lines are only ever added."""


@dataclass(frozen=True)
class Expired:
    """A file whose time is over."""

    path: Path
    extract: str | None
    """None where the batch of a quarantined row is gone."""
    rows: int


def delete_expired(store: Store, retention_days: int, now: datetime) -> list[str]:
    """Delete quarantined rows, and batches of retracted extracts, that are older than so many days; say what was, by count and file name.

    The caller holds OUT's lock. What is deleted is logged before, so that nothing is gone without a word.
    """
    limit = now - timedelta(days=retention_days)
    batches = store.batches()
    extracts = {batch.batch_id: batch.extract for batch in batches}
    standing = retractions(store)
    retracted = [batch for batch in batches if batch.sha256 in standing and standing[batch.sha256].retracted < limit]
    lines = [Expired(batch.path, batch.extract, batch.controls["rows_kept"]) for batch in retracted]
    of_retracted = {batch.batch_id for batch in retracted}
    refused = [
        Expired(path, extracts.get(path.stem), _rows(path))
        for path in sorted(store.quarantine.glob("*.parquet"))
        if path.stem in of_retracted or datetime.fromtimestamp(path.lstat().st_mtime, UTC) < limit
    ]
    _delete(store, [*refused, *lines], retention_days, now)
    sentences = []
    if rows := sum(file.rows for file in refused):
        sentences.append(f"Deleted after {retention_days} days (the setting retention_days): {rows:,} quarantined rows.")
    if lines:
        names = ", ".join(sorted({batch.extract for batch in retracted}))
        sentences.append(f"Deleted {retention_days} days after it was retracted (the setting retention_days): what was kept of {names}.")
    return sentences


def _delete(store: Store, files: Sequence[Expired], retention_days: int, now: datetime) -> None:
    for file in files:
        entry = {
            "deleted": now.isoformat(timespec="seconds"),
            "file": file.path.relative_to(store.root).as_posix(),
            "extract": file.extract,
            "rows": file.rows,
            "retention_days": retention_days,
        }
        append_line(store.root / LOG, entry)
        file.path.unlink()
    for folder in {file.path.parent for file in files}:
        sync(folder)


def _rows(path: Path) -> int:
    """Count a file's rows; one that is damaged has none that anybody could read."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return 0
