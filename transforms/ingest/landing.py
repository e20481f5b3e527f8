"""The landing folder, into which others put extracts: which of them must be read, and what became of the others.

Nothing in landing is opened but what must be read, and nothing there is changed. OUT/landing.json remembers of each extract what became of it,
by path, size, times and inode, those of its sidecars too. A memory that is lost or damaged costs time and nothing else: what was loaded is
known by its content, and what was refused is refused again.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import Any

from sij_audit.transforms.columns import Fault
from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.ingest.batch_codes import ingest_mark, is_as_kept_today
from sij_audit.transforms.ingest.extracts import SIDECAR_SUFFIXES, name_of
from sij_audit.transforms.ingest.feeds import Terms, terms_of
from sij_audit.transforms.ingest.formats import is_extract_name
from sij_audit.transforms.ingest.layouts.layout import LayoutText
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, Outcome, Refused, Retracted
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.retractions import retractions

MEMORY = "landing.json"

MEMORY_FORMAT = 4

BLUR_NS = 5 * 10**9
"""A file that was changed so shortly before it was looked at may be changed again without that its times show it.

A share's own clock may be off by less than this.
"""

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
    """Of a refusal; None where its content is in a batch."""
    ingest: str | None = None
    """SHA-256 of the code that refused it; as all that follows, of a refusal."""
    terms: Terms | None = None
    may_pass: bool = False
    faults: tuple[Fault, ...] = ()
    is_content_held: bool = False
    """OUT had loaded the same bytes under another name, or with other sidecars."""


@dataclass(frozen=True)
class Landing:
    """The extracts in a folder, by name: what is known of some, and which must be read."""

    folder: Path
    looked_ns: int
    settings: Settings
    marks: Mapping[Path, Marks]
    known: Mapping[Path, LoadedBefore | Refused]
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
    def remembered(self) -> tuple[LoadedBefore | Refused, ...]:
        """What is known without a look."""
        return tuple(self.known.values())

    def terms(self, path: Path) -> Terms:
        """What the settings say of an extract of this name."""
        return terms_of(self.settings, name_of(path))

    def recognize(self, path: Path, outcome: Outcome) -> Outcome:
        """Mark a refusal that says what was said before of the same bytes: an extract that was only copied or touched alarms nobody again."""
        entry = self.memory.get(path)
        if not isinstance(outcome, Refused) or entry is None:
            return outcome
        own, *sidecars = self.marks[path]
        known_own, *known_sidecars = entry.marks
        said = (outcome.reason, outcome.sha256, ingest_mark(self.terms(path)), sidecars)
        is_same = said == (entry.reason, entry.extract_sha256, entry.ingest, known_sidecars)
        return replace(outcome, is_remembered=is_same and (outcome.sha256 is not None or own == known_own))

    def outcomes(self, read: Mapping[Path, Outcome]) -> dict[Path, Outcome]:
        """What became of all extracts, by name; those of `read` were."""
        all_known = {**self.known, **read}
        return {path: all_known[path] for path in self.marks if path in all_known}


def look(store: Store, folder: Path, codes: Sequence[Code], settings: Settings) -> Landing:
    """List a folder's extracts and recall what became of them; the caller holds OUT's lock.

    What other code has read or refused is read again. UsageError where there is no such folder.
    """
    looked_ns = time_ns()
    folder = folder.absolute()
    marks = _list_extracts(folder, settings)
    memory = {folder / name: entry for name, entry in _recall(store).get(str(folder), {}).items()}
    batches: dict[str, list[Batch]] = {}
    for batch in store.batches():
        batches.setdefault(batch.sha256, []).append(batch)
    retracted = retractions(store)
    known: dict[Path, LoadedBefore | Refused] = {}
    left: list[Path] = []
    for path, now in marks.items():
        entry = memory.get(path)
        if entry is None or not entry.is_settled or entry.marks != now:
            continue
        found = batches.get(entry.extract_sha256 or "", [])
        terms = terms_of(settings, name_of(path))
        if entry.reason is None:
            if len(found) == 1 and is_as_kept_today(found[0], codes, terms):
                known[path] = LoadedBefore(found[0], path)
            elif not found and entry.extract_sha256 in retracted:
                left.append(path)
        elif not entry.may_pass and entry.is_content_held == bool(found) and entry.terms == terms and entry.ingest == ingest_mark(terms):
            known[path] = Refused(name_of(path), entry.extract_sha256, entry.reason, is_remembered=True, faults=entry.faults)
    return Landing(folder, looked_ns, settings, marks, known, frozenset(left), memory, frozenset(batches))


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


def _list_extracts(folder: Path, settings: Settings) -> dict[Path, Marks]:
    """List a folder's extracts by name, as `discover_extracts` does, with what marks them; none is opened."""
    try:
        with os.scandir(folder) as scan:
            entries = {entry.name: entry for entry in scan}
        names = sorted(name for name, entry in entries.items() if is_extract_name(name, settings) and not entry.is_dir())
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


def _mark_from(status: os.stat_result) -> Mark:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _describe(landing: Landing, path: Path, outcome: Outcome) -> Entry | None:
    """What to remember of an extract that was read; None where that decides nothing yet."""
    marks = landing.marks[path]
    is_settled = all(max(mark[1], mark[2]) < landing.looked_ns - BLUR_NS for mark in marks if mark)
    match outcome:
        case Loaded(batch) | LoadedBefore(batch, _):
            return Entry(marks, is_settled, batch.sha256)
        case Refused():
            return Entry(
                marks,
                is_settled,
                outcome.sha256,
                outcome.reason,
                ingest_mark(landing.terms(path)),
                landing.terms(path),
                outcome.may_pass,
                outcome.faults,
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


def _entry(
    marks: Sequence[Sequence[int] | None], terms: Mapping[str, Any] | None, faults: Sequence[Mapping[str, Any]], **facts: Any
) -> Entry:
    pairs = [None if mark is None else (mark[0], mark[1], mark[2], mark[3]) for mark in marks]
    lists = ("required_columns", "feed_patterns")
    layouts = tuple(LayoutText(*layout) for layout in terms["layouts"]) if terms else ()
    kept = Terms(**{**terms, **{name: tuple(terms[name]) for name in lists}, "layouts": layouts}) if terms else None
    return Entry(marks=tuple(pairs), terms=kept, faults=tuple(Fault(**fault) for fault in faults), **facts)


def _keep(store: Store, folders: Mapping[str, Mapping[str, Entry]]) -> None:
    content = {folder: {name: asdict(entry) for name, entry in entries.items()} for folder, entries in folders.items() if entries}
    text = json.dumps({"format": MEMORY_FORMAT, "sha256": _digest(content), "folders": content})
    try:
        write_durably(store.root / MEMORY, lambda path: path.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise AuditError(f"{MEMORY} in OUT cannot be written: {error.strerror}.") from None


def _digest(folders: Any) -> str:
    return sha256(json.dumps(folders, sort_keys=True).encode()).hexdigest()
