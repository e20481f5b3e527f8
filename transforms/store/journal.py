"""OUT/journal.jsonl: when each run began and how it ended, so that the next run and a monitor know of one that did not.

Lines are only ever added, by whoever holds OUT's lock. A run that was killed leaves a beginning without an end.
"""

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sij_audit.transforms.store.folder import Store

GOOD = ("published", "nothing_new")
"""Outcomes after which nobody needs a notice of what failed before."""


@dataclass(frozen=True)
class Attempt:
    """One run, whatever became of it. Times are UTC."""

    attempt_id: str
    command: str
    as_of: date
    begun: datetime
    ended: datetime | None = None
    outcome: str | None = None
    """published, nothing_new, held or failed; None while it is under way, and for ever where it died."""
    run_id: str | None = None
    message: str | None = None
    """What a failed or held run said; never a member's data."""
    attention: tuple[str, ...] = ()
    """What a run that ended well found that needs somebody: sentences without a member's data."""


def begin(store: Store, command: str, as_of: date) -> Attempt:
    """Write down that a run begins; the caller holds OUT's lock."""
    attempt = Attempt(secrets.token_hex(8), command, as_of, datetime.now(UTC))
    _append(
        store,
        {
            "attempt_id": attempt.attempt_id,
            "begun": attempt.begun.isoformat(timespec="seconds"),
            "command": command,
            "as_of": as_of.isoformat(),
        },
    )
    return attempt


def end(
    store: Store, attempt: Attempt, outcome: str, run_id: str | None = None, message: str | None = None, attention: Sequence[str] = ()
) -> None:
    """Write down how a run ended."""
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    said = {"outcome": outcome, "run_id": run_id, "message": message, "attention": list(attention)}
    _append(store, {"attempt_id": attempt.attempt_id, "ended": ended, **said})


def attempts(store: Store) -> list[Attempt]:
    """All runs of OUT, the first first."""
    found: dict[str, Attempt] = {}
    for entry in _entries(store):
        if "begun" in entry:
            begun = datetime.fromisoformat(entry["begun"])
            attempt = Attempt(entry["attempt_id"], entry["command"], date.fromisoformat(entry["as_of"]), begun)
            found[attempt.attempt_id] = attempt
        elif entry["attempt_id"] in found:
            ended = datetime.fromisoformat(entry["ended"])
            facts = {name: entry[name] for name in ("outcome", "run_id", "message")}
            attention = tuple(entry.get("attention", ()))
            found[entry["attempt_id"]] = replace(found[entry["attempt_id"]], ended=ended, attention=attention, **facts)
    return list(found.values())


def untold(store: Store) -> list[str]:
    """Sentences on the runs that failed or never ended since the last good one; the caller holds OUT's lock and has not begun yet."""
    sentences: list[str] = []
    for attempt in attempts(store):
        when = f"{attempt.begun:%Y-%m-%d %H:%M} UTC"
        if attempt.outcome in GOOD:
            sentences = []
        elif attempt.outcome is None:
            sentences.append(f"The {attempt.command} that began at {when} never ended: it was killed, cancelled or ran out of time.")
        elif attempt.outcome == "failed":
            sentences.append(f"The {attempt.command} that began at {when} failed: {attempt.message}")
    return sentences


def _entries(store: Store) -> Iterator[dict[str, Any]]:
    """Read all lines but one that a crash cut."""
    try:
        lines = (store.root / "journal.jsonl").read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        yield entry


def _append(store: Store, entry: dict[str, Any]) -> None:
    append_line(store.root / "journal.jsonl", entry)


def append_line(path: Path, entry: dict[str, Any]) -> None:
    """Add a line of JSON to a file of OUT, on a line of its own even after one that a crash cut; the caller holds OUT's lock."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (b"\n" if is_cut else b"") + json.dumps(entry).encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
