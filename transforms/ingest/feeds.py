"""The feeds that the settings name: what they say of an extract, which did not come, what one has lost, where quarantine jumped."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.ingest.extracts import name_of
from sij_audit.transforms.ingest.faults import describe_faults, warn_of_faults
from sij_audit.transforms.ingest.layouts.layout import LayoutText, read_layout
from sij_audit.transforms.ingest.outcomes import LoadedBefore, Outcome
from sij_audit.transforms.settings import BY_ADJUDICATION_DATE, Feed, Settings
from sij_audit.transforms.store.folder import Batch
from sij_audit.transforms.text import count_of

RECENT = 5
"""Earlier extracts that show what a feed has as a rule: a loss that somebody accepted is the rule after so many more at the latest."""

SUFFIXED = "version_suffix:"

CHANCE = 1e-4
"""A column is lost where it would be empty less often than this, had its rows the share of filled cells that the feed has as a rule."""


@dataclass(frozen=True)
class Terms:
    """What the settings say of an extract.

    The columns that it must fill, the share of its rows that may be quarantined, the plan's own words of claim_status, the file names of its
    feeds, how its rows are versions of a claim line, and the layouts that it may be of, or is of where its feed names one.
    """

    required_columns: tuple[str, ...] = ()
    max_quarantined: float = 1
    claim_statuses: Mapping[str, str] = field(default_factory=dict)
    feed_patterns: tuple[str, ...] = ()
    versioning: str = BY_ADJUDICATION_DATE
    layouts: tuple[LayoutText, ...] = ()
    is_layout_given: bool = False

    @property
    def suffix_length(self) -> int:
        """How many last digits of a claim number count its versions."""
        return int(self.versioning.partition(SUFFIXED)[2] or 0)


def terms_of(settings: Settings, extract: str) -> Terms:
    """Find the terms of an extract by its name: what any of its feeds asks for, and the least of their shares.

    UsageError where two of its feeds read versions in different ways, or name different layouts; one that leaves them as they are by default
    says nothing of them.
    """
    feeds = [feed for feed in settings.feeds if is_of(feed, extract)]
    shares = [feed.max_quarantined for feed in feeds if feed.max_quarantined is not None]
    readings = {feed.versioning: feed for feed in feeds if feed.versioning != BY_ADJUDICATION_DATE}
    if len(readings) > 1:
        named = " and ".join(f"{feed.name} (versioning {versioning})" for versioning, feed in readings.items())
        raise UsageError(
            f"{extract} is of the feeds {named}, and its versions can be read in one way only: change a pattern in the settings."
        )
    layouts = {feed.layout: feed for feed in feeds if feed.layout}
    if len(layouts) > 1:
        named = " and ".join(f"{feed.name} (layout {layout})" for layout, feed in layouts.items())
        raise UsageError(f"{extract} is of the feeds {named}, and can be read by one layout only: change a pattern in the settings.")
    return Terms(
        required_columns=tuple(sorted({column for feed in feeds for column in feed.required_columns})),
        max_quarantined=min(shares, default=settings.max_quarantined),
        claim_statuses=settings.claim_statuses,
        versioning=next(iter(readings), BY_ADJUDICATION_DATE),
        feed_patterns=tuple(feed.pattern for feed in feeds),
        layouts=tuple(map(read_layout, layouts or settings.layouts)),
        is_layout_given=bool(layouts),
    )


def check_layouts(settings: Settings) -> None:
    """Read the layouts of the settings; UsageError names the setting of one that cannot be used, and two of one name."""
    named = [("layouts", path) for path in settings.layouts]
    named += [(f"the feed {feed.name}", feed.layout) for feed in settings.feeds if feed.layout]
    for place, path in named:
        try:
            read_layout(path)
        except UsageError as error:
            raise UsageError(f"{error} It is named by {place} in the settings, or by --layout.") from None
    texts = {read_layout(path) for path in settings.layouts}
    if len({layout.name for layout in texts}) < len(texts):
        raise UsageError("Two layouts that extracts may be of have one file name: rename one, so that messages can say which.")


def is_of(feed: Feed, extract: str) -> bool:
    """Say whether an extract is of a feed, by its name."""
    return fnmatchcase(extract, feed.pattern)


def last_extracts(terms: Terms, batches: Sequence[Batch]) -> list[Batch]:
    """List the extracts with rows that came last of the feeds of an extract with these terms."""
    of_feeds = [
        batch
        for batch in batches
        if batch.controls["rows_read"] and any(fnmatchcase(batch.extract, pattern) for pattern in terms.feed_patterns)
    ]
    return sorted(of_feeds, key=lambda batch: (batch.path.stat().st_mtime_ns, batch.extract, batch.sha256))[-RECENT:]


def missing_feeds(feeds: Sequence[Feed], batches: Sequence[Batch], outcomes: Iterable[Outcome], now: datetime) -> list[str]:
    """Name the feeds of which nothing came within their latest age; sentences for people.

    An extract came when its batch was written. One whose content was loaded before, as of a feed without news, has no batch of its own: it
    came when its file was put there. `batches` are those that count.
    """
    came = [(batch.extract, datetime.fromtimestamp(batch.path.stat().st_mtime, UTC)) for batch in batches]
    counting = {batch.sha256 for batch in batches}
    for outcome in outcomes:
        if isinstance(outcome, LoadedBefore) and outcome.batch.sha256 in counting:
            name = name_of(outcome.path)
            when = _put_there(outcome.path) if any(is_of(feed, name) for feed in feeds) else None
            if when is not None:
                came.append((name, when))
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


def _put_there(path: Path) -> datetime | None:
    """Say when a file was put where it is, by the time of its last change; None where it is gone."""
    try:
        return datetime.fromtimestamp(path.lstat().st_ctime, UTC)
    except OSError:
        return None


def lost_columns(feeds: Sequence[Feed], batches: Sequence[Batch], published: Collection[str]) -> list[str]:
    """Name what extracts no longer have that their feed has as a rule; sentences for people.

    Only extracts that no run has published yet are looked at; `published` has the SHA-256 of the others. Each is compared with the last extracts
    of its feed before it that have rows. A column is lost where it is not there and they have it and fill it, or where it is empty and each
    of them fills it, so that chance does not explain it.
    """
    loaded = _in_order(batches, published)
    sentences = []
    for feed in feeds:
        for batch, earlier in _new_ones([batch for batch in loaded if is_of(feed, batch.extract)], published):
            lost = _lost(batch, earlier) if earlier else []
            if lost:
                sentences.append(f"The feed {feed.name} lost {', '.join(lost)}: {batch.extract} has none, and its earlier extracts do.")
    return sentences


def quarantine_jumps(settings: Settings, batches: Sequence[Batch], published: Collection[str]) -> list[str]:
    """Name the extracts of which far more rows were quarantined than of those before, or all; sentences for people, with the reasons.

    Compared are the extracts that no run has published yet, each with the last ones of its feed before it that have rows. Those of no feed are
    compared with those whose names differ in digits alone.
    """
    loaded = _in_order(batches, published)
    groups = {f"of the feed {feed.name}": [batch for batch in loaded if is_of(feed, batch.extract)] for feed in settings.feeds}
    for batch in loaded:
        if not any(is_of(feed, batch.extract) for feed in settings.feeds):
            groups.setdefault(f"named like {re.sub('[0-9]+', '9', batch.extract)}", []).append(batch)
    sentences = []
    for group, extracts in groups.items():
        for batch, earlier in _new_ones(extracts, published):
            share, usual = _quarantined_share(batch), max(map(_quarantined_share, earlier), default=1.0)
            if not earlier and share == 1:
                sentences.append(
                    f"All {batch.controls['rows_read']:,} rows of {batch.extract} were quarantined. {describe_faults(batch.faults)}."
                )
            elif share > settings.quarantine_jump_share and share > settings.quarantine_jump * usual:
                sentences.append(
                    f"Quarantine jumped: {batch.controls['rows_quarantined']:,} of the {batch.controls['rows_read']:,} rows of {batch.extract} "
                    f"({share:.1%}), against {usual:.1%} at most in the last {count_of(len(earlier), 'extract')} {group}. "
                    f"{describe_faults(batch.faults)}."
                )
    return sentences


def _quarantined_share(batch: Batch) -> float:
    return float(batch.controls["rows_quarantined"] / batch.controls["rows_read"])


def swapped_dates(batches: Sequence[Batch], published: Collection[str]) -> list[str]:
    """Say of extracts that no run has published yet where dates that were read may have day and month swapped; sentences for people."""
    return [f"{batch.extract}: {note}" for batch in batches if batch.sha256 not in published for note in warn_of_faults(batch.faults)]


def _in_order(batches: Sequence[Batch], published: Collection[str]) -> list[Batch]:
    """Sort the extracts that have rows by when they came, those that were published before the others."""
    return sorted(
        (batch for batch in batches if batch.controls["rows_read"]),
        key=lambda batch: (batch.sha256 not in published, batch.path.stat().st_mtime_ns, batch.extract, batch.sha256),
    )


def _new_ones(extracts: Sequence[Batch], published: Collection[str]) -> Iterator[tuple[Batch, Sequence[Batch]]]:
    """Give each extract that no run has published yet with the last ones before it."""
    for place, batch in enumerate(extracts):
        if batch.sha256 not in published:
            yield batch, extracts[max(0, place - RECENT) : place]


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
