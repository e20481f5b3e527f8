"""How OUT's runs are, in one line, for a monitor from outside."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.journal import GOOD, attempts
from sij_audit.transforms.text import printable


@dataclass(frozen=True)
class Status:
    """One line, and whether all is well."""

    line: str
    is_good: bool
    attention: tuple[str, ...] = ()
    """What the last run that ended well found that needs somebody."""


def describe_status(store: Store, max_age: timedelta, now: datetime) -> Status:
    """Say when the last run was published, whether one is under way or held, and what it needs.

    All is well where the last run that ended ended well, at most `max_age` before `now`, and found nothing that needs somebody: no extract
    refused, no feed late, no jump in quarantine. That it found nothing new is well too.
    """
    done = attempts(store)
    is_busy = store.is_held()
    under_way = done[-1] if is_busy and done and done[-1].outcome is None else None
    ended = [attempt for attempt in done if attempt != under_way]
    published = [attempt for attempt in ended if attempt.outcome == "published"]
    good = [attempt for attempt in ended if attempt.outcome in GOOD]
    last = ended[-1] if ended else None
    sentences = [f"run {published[-1].run_id} was published {_ago(published[-1].ended, now)}" if published else "no run was published yet"]
    if good and good[-1] not in published[-1:]:
        sentences.append(f"nothing was new {_ago(good[-1].ended, now)}")
    if last is not None and last.outcome not in GOOD:
        what = {"held": "was put on hold", "failed": "failed"}.get(
            last.outcome or "", "never ended: it was killed, cancelled or ran out of time"
        )
        sentences.append(f"the last {last.command}, begun {_ago(last.begun, now)}, {what}" + (f": {last.message}" if last.message else ""))
    attention = good[-1].attention if good else ()
    sentences += attention
    is_late = not good or good[-1].ended is None or now - good[-1].ended > max_age
    if is_late:
        sentences.append(f"none ended well within {_hours(max_age)}: see whether the schedule runs")
    if is_busy:
        sentences.append(f"a {under_way.command} is under way since {_ago(under_way.begun, now)}" if under_way else "OUT is in use")
    is_good = not is_late and not attention and last is not None and last.outcome in GOOD
    line = "; ".join(printable(sentence).rstrip(".") for sentence in sentences)
    return Status(f"{'OK' if is_good else 'ATTENTION'}: {line}.", is_good, attention)


def _ago(when: datetime | None, now: datetime) -> str:
    assert when is not None, "only what has ended has a time of its end"
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({_hours(now - when)} ago)"


def _hours(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.0f} days"
