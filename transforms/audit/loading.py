"""The extracts of a run, loaded one after another: those that were named, then those in the landing folder that must be read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sij_audit.transforms.audit.progress import ExtractBegun, ExtractEnded, ExtractRead, Reporter
from sij_audit.transforms.ingest.extracts import name_of
from sij_audit.transforms.ingest.feeds import terms_of
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.landing import Landing, remember
from sij_audit.transforms.ingest.outcomes import Outcome, Refused
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store


@dataclass(frozen=True)
class Loading:
    """What is to be loaded into OUT, and how far that is."""

    store: Store
    extracts: Sequence[Path]
    """Those that were named."""
    landing: Landing | None
    codes: Sequence[Code]
    settings: Settings
    report: Reporter
    done: list[Outcome] = field(default_factory=list)
    """What became of the first of `to_read`: whoever tries again after an error goes on behind them."""

    @property
    def to_read(self) -> list[Path]:
        return [*self.extracts, *(self.landing.to_read if self.landing else ())]

    @property
    def landed(self) -> dict[Path, Outcome]:
        """What became of those that were read in landing."""
        return dict(zip(self.landing.to_read, self.done[len(self.extracts) :], strict=False)) if self.landing else {}


def load_extracts(loading: Loading) -> tuple[Outcome, ...]:
    """Load what is not done yet, and give what became of all; those in landing that need not be read are among them, by name.

    What was loaded is remembered at once, what was refused only once a run has ended that reports it.
    """
    to_read = loading.to_read
    for number, path in enumerate(to_read[len(loading.done) :], 1 + len(loading.done)):
        loading.report(ExtractBegun(number, len(to_read), name_of(path)))
        outcome = ingest_extract(
            loading.store,
            path,
            loading.codes,
            lambda unit, done, total: loading.report(ExtractRead(unit, done, total)),
            loading.settings.memory_limit,
            terms_of(loading.settings, name_of(path)),
        )
        if loading.landing and number > len(loading.extracts):
            outcome = loading.landing.recognize(path, outcome)
        loading.done.append(outcome)
        loading.report(ExtractEnded(name_of(path), outcome))
    named = loading.done[: len(loading.extracts)]
    if loading.landing is None:
        return tuple(named)
    landed = loading.landed
    remember(loading.store, loading.landing, {path: outcome for path, outcome in landed.items() if not isinstance(outcome, Refused)})
    for path, known in loading.landing.known.items():
        if isinstance(known, Refused):
            loading.report(ExtractEnded(name_of(path), known))
    return (*named, *loading.landing.outcomes(landed).values())
