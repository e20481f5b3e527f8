"""Files of OUT/reviews that are added one after another and never change: imports of reviews, retractions, deliveries."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import Store


@dataclass(frozen=True)
class NumberedFiles:
    """The files of one kind, each named by its number: `000001.json`, or with a mark behind it, `000001-0123456789abcdef.parquet`.

    Whoever adds one holds OUT's lock, so that nobody else uses the number.
    """

    store: Store
    kind: str
    """The folder of OUT/reviews; it is made with its first file."""
    suffix: str

    def paths(self) -> list[Path]:
        """List the files in the order in which they were added."""
        return sorted((self.store.reviews / self.kind).glob(f"[0-9]*{self.suffix}"))

    def next_number(self) -> int:
        """Give the number after the last one."""
        return 1 + max((int(path.stem.partition("-")[0]) for path in self.paths()), default=0)

    def path(self, number: int, mark: str = "") -> Path:
        """Name the file of a number."""
        return self.store.reviews / self.kind / f"{number:06}{f'-{mark}' if mark else ''}{self.suffix}"

    def add(self, number: int, write: Callable[[Path], object], mark: str = "") -> None:
        """Add a file, complete or not at all."""
        self.store.review_folder(self.kind)
        write_durably(self.path(number, mark), write)

    def add_entry(self, number: int, entry: Mapping[str, Any]) -> None:
        """Add a file of one JSON object."""
        text = json.dumps(entry, indent=2, default=str) + "\n"
        self.add(number, lambda path: path.write_text(text, encoding="utf-8"))

    def read_entry(self, path: Path) -> dict[str, Any]:
        """Read a file of one JSON object; AuditError where it is none."""
        try:
            entry = json.loads(path.read_bytes())
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise self.damaged(path)
        return entry

    def damaged(self, path: Path) -> AuditError:
        """Name a file that cannot be used, and say what to do."""
        return AuditError(f"reviews/{self.kind}/{path.name} is damaged. Restore it from a backup.")
