"""Extracts that never should have come, test data or a wrong sign: from the next run on they count no more, until that is undone.

Each word on an extract is a file of OUT/reviews/retractions that never changes; the last word on an extract counts.
"""

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.numbered import NumberedFiles

FOLDER = "retractions"


@dataclass(frozen=True)
class Retraction:
    """One extract, by the name under which it was first taken and its content, and why it counts no more."""

    extract: str
    extract_sha256: str
    reason: str
    retracted: datetime


def retract(store: Store, extract: str, reason: str) -> Retraction:
    """Take an extract back; `extract` is its name, or its SHA-256 where OUT took several of that name.

    UsageError where OUT holds no such extract, or more than one.
    """
    with store.lock():
        taken = {batch.sha256: batch.extract for batch in store.batches() if extract in (batch.extract, batch.sha256)}
        standing = retractions(store)
        open_ones = {sha256: name for sha256, name in taken.items() if sha256 not in standing}
        if not taken:
            raise UsageError(f"{store.root} has taken no extract of that name or SHA-256; the report controls lists those that it has.")
        if not open_ones:
            raise UsageError("It is retracted already; --undo takes that back.")
        [(sha256, name)] = _only_one(open_ones).items()
        return _append(store, Retraction(name, sha256, reason, datetime.now(UTC)), is_undone=False)


def undo(store: Store, extract: str, reason: str) -> Retraction:
    """Let a retracted extract count again; UsageError where it is not retracted."""
    with store.lock():
        found = {
            retraction.extract_sha256: retraction.extract
            for retraction in retractions(store).values()
            if extract in (retraction.extract, retraction.extract_sha256)
        }
        if not found:
            raise UsageError(f"{store.root} has no retracted extract of that name or SHA-256; the report controls lists those that it has.")
        [(sha256, name)] = _only_one(found).items()
        return _append(store, Retraction(name, sha256, reason, datetime.now(UTC)), is_undone=True)


def _only_one(found: dict[str, str]) -> dict[str, str]:
    if len(found) > 1:
        raise UsageError(f"{len(found)} extracts have that name. Name the one by its SHA-256: {', '.join(sorted(found))}.")
    return found


def retractions(store: Store) -> dict[str, Retraction]:
    """What is retracted now, by the extract's SHA-256; AuditError where an entry is damaged."""
    standing: dict[str, Retraction] = {}
    files = _files(store)
    for path in files.paths():
        entry = files.read_entry(path)
        try:
            retraction = Retraction(entry["extract"], entry["extract_sha256"], entry["reason"], datetime.fromisoformat(entry["retracted"]))
            is_undone = entry["is_undone"]
        except (ValueError, KeyError, TypeError):
            raise files.damaged(path) from None
        standing.pop(retraction.extract_sha256, None)
        if not is_undone:
            standing[retraction.extract_sha256] = retraction
    return standing


def list_retractions(store: Store) -> list[Path]:
    """The files, in the order in which they came."""
    return _files(store).paths()


def _files(store: Store) -> NumberedFiles:
    return NumberedFiles(store, FOLDER, ".json")


def _append(store: Store, retraction: Retraction, is_undone: bool) -> Retraction:
    entry = {
        "extract": retraction.extract,
        "extract_sha256": retraction.extract_sha256,
        "reason": retraction.reason,
        "is_undone": is_undone,
        "retracted": retraction.retracted.isoformat(timespec="seconds"),
        "by": getpass.getuser(),
    }
    files = _files(store)
    files.add_entry(files.next_number(), entry)
    return retraction
