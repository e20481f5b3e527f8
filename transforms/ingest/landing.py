"""The landing folder, into which others put extracts: which of them must be read, which feeds did not come, and what a feed has lost.

Nothing in landing is opened but what must be read, and nothing there is changed. OUT/landing.json remembers of each extract what became of it,
by path, size, times and inode, those of its sidecars too. A memory that is lost or damaged costs time and nothing else: what was taken is
known by its content, and what was refused is refused again.
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import Any

from sij_audit.transforms import program
from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.ingest.extracts import SIDECAR_SUFFIXES, is_extract_name, name_of
from sij_audit.transforms.ingest.intake import Held, Outcome, Refused, Retracted, Taken, is_as_kept_today
from sij_audit.transforms.settings import Feed
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.retractions import retractions

MEMORY = "landing.json"

MEMORY_FORMAT = 2

BLUR_NS = 5 * 10**9
"""A file that was changed so shortly before it was looked at may be changed again without that its times show it.

A share's own clock may be off by less than this.
"""

RECENT = 5
"""Earlier extracts that show what a feed has as a rule: a loss that somebody accepted is the rule after so many more at the latest."""

CHANCE = 1e-4
"""A column is lost where it would be empty less often than this, had its rows the share of filled cells that the feed has as a rule."""

Mark = tuple[int, int, int, int]
"""Size, time of content, time of change, inode: they stay only where a file does. The device is none of it: shares are mounted anew."""

Marks = tuple[Mark | None, ...]
"""Of an extract and of each sidecar that it may have."""


@dataclass(frozen=True)
class Entry:
    """What is remembered of one path."""

    marks: Marks
    is_settled: bool
    """All of its files were older than the blur of their times."""
    extract_sha256: str | None
    reason: str | None = None
    """Of a refusal; None where the extract was taken or its content held."""
    ingest: str | None = None
    """SHA-256 of the code that refused it; as all that follows, of a refusal."""
    required_columns: tuple[str, ...] = ()
    may_pass: bool = False
    is_content_held: bool = False
    """OUT had taken the same bytes under another name, or with other sidecars."""


@dataclass(frozen=True)
class Landing:
    """The extracts in a folder, by name: what is known of some, and which must be read."""

    folder: Path
    looked_ns: int
    feeds: tuple[Feed, ...]
    marks: Mapping[Path, Marks]
    known: Mapping[Path, Held | Refused]
    """Those that need not be opened."""
    retracted: frozenset[Path]
    """Those that were retracted and whose batches are deleted: they are not read, until that is undone."""
    memory: Mapping[Path, Entry]
    contents: frozenset[str]
    """SHA-256 of all that OUT held when the folder was looked at."""

    @property
    def to_read(self) -> tuple[Path, ...]:
        """The extracts that OUT must look into."""
        return tuple(path for path in self.marks if path not in self.known and path not in self.retracted)

    @property
    def remembered(self) -> tuple[Held | Refused, ...]:
        """What is known without a look."""
        return tuple(self.known.values())

    def required_columns(self, path: Path) -> tuple[str, ...]:
        """The columns without which an extract of this name is refused."""
        return required_columns(self.feeds, name_of(path))

    def recognize(self, path: Path, outcome: Outcome) -> Outcome:
        """Mark a refusal that says what was said before of the same bytes: an extract that was only copied or touched alarms nobody again."""
        entry = self.memory.get(path)
        if not isinstance(outcome, Refused) or entry is None:
            return outcome
        own, *sidecars = self.marks[path]
        known_own, *known_sidecars = entry.marks
        said = (outcome.reason, outcome.sha256, program.ingest_hash(), sidecars)
        is_same = said == (entry.reason, entry.extract_sha256, entry.ingest, known_sidecars)
        return replace(outcome, is_remembered=is_same and (outcome.sha256 is not None or own == known_own))

    def outcomes(self, read: Mapping[Path, Outcome]) -> dict[Path, Outcome]:
        """What became of all extracts, by name; those of `read` were."""
        all_known = {**self.known, **read}
        return {path: all_known[path] for path in self.marks if path in all_known}


def look(store: Store, folder: Path, codes: Sequence[Code], feeds: Sequence[Feed] = ()) -> Landing:
    """List a folder's extracts and recall what became of them; the caller holds OUT's lock.

    What other code has read or refused is read again. UsageError where there is no such folder.
    """
    looked_ns = time_ns()
    folder = folder.absolute()
    marks = _list_extracts(folder)
    memory = {folder / name: entry for name, entry in _recall(store).get(str(folder), {}).items()}
    batches: dict[str, list[Batch]] = {}
    for batch in store.batches():
        batches.setdefault(batch.sha256, []).append(batch)
    retracted = retractions(store)
    known: dict[Path, Held | Refused] = {}
    left: list[Path] = []
    for path, now in marks.items():
        entry = memory.get(path)
        if entry is None or not entry.is_settled or entry.marks != now:
            continue
        found = batches.get(entry.extract_sha256 or "", [])
        if entry.reason is None:
            if len(found) == 1 and is_as_kept_today(found[0], codes):
                known[path] = Held(found[0], path)
            elif not found and entry.extract_sha256 in retracted:
                left.append(path)
        elif (
            not entry.may_pass
            and entry.is_content_held == bool(found)
            and (entry.ingest, entry.required_columns) == (program.ingest_hash(), required_columns(feeds, name_of(path)))
        ):
            known[path] = Refused(name_of(path), entry.extract_sha256, entry.reason, is_remembered=True)
    return Landing(folder, looked_ns, tuple(feeds), marks, known, frozenset(left), memory, frozenset(batches))


def remember(store: Store, landing: Landing, outcomes: Mapping[Path, Outcome]) -> None:
    """Keep what became of the extracts that were read, for the next look; the caller holds OUT's lock.

    A file is known by what it was when it was looked at: one that was changed before it was read, or since, is not known the next time. What
    is gone from the folder is forgotten, but not where all is gone: then its share may be away.
    """
    entries = {path: entry for path, entry in landing.memory.items() if path in landing.marks or not landing.marks}
    for path in landing.to_read:
        entry = _describe(landing, path, outcomes[path]) if path in outcomes else None
        if entry is not None:
            entries[path] = entry
    if entries != landing.memory:
        folders = _recall(store)
        folders[str(landing.folder)] = {path.name: entry for path, entry in entries.items()}
        _keep(store, folders)


def required_columns(feeds: Sequence[Feed], extract: str) -> tuple[str, ...]:
    """The columns that the feeds of an extract, by its name, must have."""
    return tuple(sorted({column for feed in feeds if is_of(feed, extract) for column in feed.required_columns}))


def is_of(feed: Feed, extract: str) -> bool:
    """Tell whether an extract is of a feed, by its name."""
    return fnmatchcase(extract, feed.pattern)


def missing_feeds(feeds: Sequence[Feed], batches: Sequence[Batch], outcomes: Iterable[Outcome], now: datetime) -> list[str]:
    """Name the feeds of which nothing came within their latest age; sentences for people.

    An extract came when its batch was written. One whose content was taken before, as of a feed without news, has no batch of its own: it
    came when its file was put there. `batches` are those that count.
    """
    came = [(batch.extract, datetime.fromtimestamp(batch.path.stat().st_mtime, UTC)) for batch in batches]
    counting = {batch.sha256 for batch in batches}
    for outcome in outcomes:
        if isinstance(outcome, Held) and outcome.batch.sha256 in counting and any(is_of(feed, name_of(outcome.path)) for feed in feeds):
            mark = _mark_of(outcome.path)
            if mark is not None:
                came.append((name_of(outcome.path), datetime.fromtimestamp(mark[2] / 1e9, UTC)))
    sentences = []
    for feed in feeds:
        if feed.latest_age_hours is None:
            continue
        last = max((when for extract, when in came if is_of(feed, extract)), default=None)
        if last is None:
            sentences.append(f"The feed {feed.name} ({feed.pattern}) never came.")
        elif now - last > timedelta(hours=feed.latest_age_hours):
            sentences.append(
                f"The feed {feed.name} ({feed.pattern}) did not come: its last extract came at {last:%Y-%m-%d %H:%M} UTC, "
                f"and latest_age_hours is {feed.latest_age_hours}."
            )
    return sentences


def lost_columns(feeds: Sequence[Feed], batches: Sequence[Batch], published: Collection[str]) -> list[str]:
    """Name what extracts no longer have that their feed has as a rule; sentences for people.

    Only extracts that no run has published yet are judged; `published` has the SHA-256 of the others. Each is held against the last extracts
    of its feed before it that have rows. A column is lost where it is not there and they have it and fill it, or where it is empty and each
    of them fills it, so that chance does not explain it.
    """
    taken = sorted(
        (batch for batch in batches if batch.controls["rows_read"]),
        key=lambda batch: (batch.sha256 not in published, batch.path.stat().st_mtime_ns, batch.extract, batch.sha256),
    )
    sentences = []
    for feed in feeds:
        extracts = [batch for batch in taken if is_of(feed, batch.extract)]
        for place, batch in enumerate(extracts):
            earlier = extracts[max(0, place - RECENT) : place]
            if batch.sha256 in published or not earlier:
                continue
            lost = _lost(batch, earlier)
            if lost:
                sentences.append(f"The feed {feed.name} lost {', '.join(lost)}: {batch.extract} has none, and its earlier extracts do.")
    return sentences


def _lost(batch: Batch, earlier: Sequence[Batch]) -> list[str]:
    """List the canonical columns that a batch's extract has lost."""
    rows = sum(other.controls["rows_read"] for other in earlier)
    rule = [{column["column"]: column for column in other.columns if column["is_canonical"]} for other in earlier]
    lost = []
    for column in batch.columns:
        if not column["is_canonical"] or column["filled_count"]:
            continue
        before = [columns[column["column"]] for columns in rule if column["column"] in columns]
        filled = [other["filled_count"] for other in before]
        if not column["is_present"]:
            is_lost = any(filled) and all(other["is_present"] for other in before)
        else:
            is_lost = all(filled) and (1 - sum(filled) / rows) ** batch.controls["rows_read"] < CHANCE
        if is_lost:
            lost.append(column["column"])
    return lost


def _list_extracts(folder: Path) -> dict[Path, Marks]:
    """List a folder's extracts by name, as `discover_extracts` does, with what marks them; none is opened."""
    try:
        with os.scandir(folder) as scan:
            entries = {entry.name: entry for entry in scan}
        names = sorted(name for name, entry in entries.items() if is_extract_name(name) and not entry.is_dir())
        found: dict[Path, Marks] = {}
        for name in names:
            own, *sidecars = (_mark(entries.get(name + suffix)) for suffix in ("", *SIDECAR_SUFFIXES))
            if own is not None:
                found[folder / name] = (own, *sidecars)
        return found
    except OSError as error:
        raise UsageError(f"{folder} cannot be used as the landing folder: {error.strerror}.") from None


def _mark(entry: os.DirEntry[str] | None) -> Mark | None:
    try:
        return None if entry is None else _mark_from(entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None


def _mark_of(path: Path) -> Mark | None:
    try:
        return _mark_from(path.lstat())
    except OSError:
        return None


def _mark_from(status: os.stat_result) -> Mark:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _describe(landing: Landing, path: Path, outcome: Outcome) -> Entry | None:
    """What to remember of an extract that was read; None where that decides nothing yet."""
    marks = landing.marks[path]
    is_settled = all(max(mark[1], mark[2]) < landing.looked_ns - BLUR_NS for mark in marks if mark)
    match outcome:
        case Taken(batch) | Held(batch, _):
            return Entry(marks, is_settled, batch.sha256)
        case Refused():
            return Entry(
                marks,
                is_settled,
                outcome.sha256,
                outcome.reason,
                program.ingest_hash(),
                landing.required_columns(path),
                outcome.may_pass,
                outcome.sha256 in landing.contents,
            )
        case Retracted():
            return Entry(marks, is_settled, outcome.sha256)
        case _:
            return None


def _recall(store: Store) -> dict[str, dict[str, Entry]]:
    """Read the memory: entries by folder and file name; nothing where it is not there, damaged or of another format."""
    try:
        kept = json.loads((store.root / MEMORY).read_bytes())
        folders = kept["folders"]
        if (kept["format"], kept["sha256"]) != (MEMORY_FORMAT, _digest(folders)):
            return {}
        return {folder: {name: _entry(**facts) for name, facts in entries.items()} for folder, entries in folders.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _entry(marks: Sequence[Sequence[int] | None], required_columns: Sequence[str], **facts: Any) -> Entry:
    pairs = [None if mark is None else (mark[0], mark[1], mark[2], mark[3]) for mark in marks]
    return Entry(marks=tuple(pairs), required_columns=tuple(required_columns), **facts)


def _keep(store: Store, folders: Mapping[str, Mapping[str, Entry]]) -> None:
    content = {folder: {name: asdict(entry) for name, entry in entries.items()} for folder, entries in folders.items() if entries}
    text = json.dumps({"format": MEMORY_FORMAT, "sha256": _digest(content), "folders": content})
    try:
        write_durably(store.root / MEMORY, lambda path: path.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise AuditError(f"{MEMORY} in OUT cannot be written: {error.strerror}.") from None


def _digest(folders: Any) -> str:
    return sha256(json.dumps(folders, sort_keys=True).encode()).hexdigest()
