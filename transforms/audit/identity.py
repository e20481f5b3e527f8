"""What decides what a run says: the same identity gives the same run id, and the same reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.runs import hash_json


@dataclass(frozen=True)
class RunIdentity:
    """All that decides what a run says: the same identity gives the same run id, and the same reports."""

    as_of: date
    previous_run_id: str | None
    batches: tuple[str, ...]
    """Ids, in any order."""
    refused: tuple[str, ...]
    """SHA-256 of the extracts that this run refused, or the names of those that could not be read; in any order."""
    files: Mapping[str, str]
    """SHA-256 of each policy and reference file, by its path relative to `sql/`."""
    reviews: tuple[str, ...]
    """SHA-256 of what OUT/reviews holds of dispositions and suppressions, in the order in which it came."""
    settings: Mapping[str, Any]
    """Those that can change a report or a hand-off; as JSON has them."""
    program: str
    """SHA-256 over the files of the program: a report, a page or the hand-off that is written otherwise is another run."""
    version: str
    """The program's, for people to read: whatever it decides is in `program`."""

    @property
    def fingerprint(self) -> str:
        """Hash what decides besides the as-of date and the previous run: where both runs have the same, and one date, nothing is new."""
        return hash_json(
            [sorted(self.batches), sorted(self.refused), dict(self.files), list(self.reviews), dict(self.settings), self.program]
        )

    @property
    def run_id(self) -> str:
        """Name the run: its as-of date and a hash over everything else."""
        return f"{self.as_of.isoformat()}-{hash_json([self.fingerprint, self.previous_run_id])[:12]}"


def is_current(store: Store, identity: RunIdentity) -> bool:
    """Say whether the current run already says all that a run of this identity would."""
    run = store.current_run()
    if run is None:
        return False
    manifest = store.manifest(run)
    return bool(manifest["as_of"] == identity.as_of.isoformat() and manifest["fingerprint"] == identity.fingerprint)
