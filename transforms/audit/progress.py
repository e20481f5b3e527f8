"""What a run reports while it is under way, for whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass

from sij_audit.transforms.ingest.outcomes import Outcome


@dataclass(frozen=True)
class ExtractBegun:
    """An extract is about to be read."""

    number: int
    of: int
    name: str


@dataclass(frozen=True)
class ExtractRead:
    """`done` of `total` bytes or rows; the total is None where nobody knows it."""

    unit: str
    done: int
    total: int | None


@dataclass(frozen=True)
class ExtractEnded:
    """What became of an extract."""

    name: str
    outcome: Outcome


@dataclass(frozen=True)
class StageBegun:
    """A stage of the audit begins."""

    name: str


Event = ExtractBegun | ExtractRead | ExtractEnded | StageBegun

Reporter = Callable[[Event], None]


def report_nothing(_event: Event) -> None:
    """Report to nobody."""
