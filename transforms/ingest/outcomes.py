"""What became of an extract that was given."""

from dataclasses import dataclass
from pathlib import Path

from sij_audit.transforms.columns import Fault
from sij_audit.transforms.store.folder import Batch


@dataclass(frozen=True)
class Loaded:
    """An extract whose lines are in a new batch."""

    batch: Batch


@dataclass(frozen=True)
class LoadedBefore:
    """An extract whose content is in a batch that OUT had already."""

    batch: Batch
    path: Path


@dataclass(frozen=True)
class Refused:
    """An extract that cannot be used.

    `is_remembered`: it was refused before, by this version and with the same bytes. `may_pass`: it may be read another time, as it is.
    """

    extract: str
    sha256: str | None
    reason: str
    is_remembered: bool = False
    may_pass: bool = False
    faults: tuple[Fault, ...] = ()
    """What its rows have in common that would be quarantined, where it was refused for them."""


@dataclass(frozen=True)
class NotReady:
    """An extract that somebody still writes."""

    extract: str
    reason: str


@dataclass(frozen=True)
class Retracted:
    """An extract that was retracted and whose batch is deleted: it is not loaded again, until that is undone."""

    extract: str
    sha256: str


Outcome = Loaded | LoadedBefore | Refused | NotReady | Retracted
