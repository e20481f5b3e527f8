"""What the program is: a hash over its files, so that whatever is mended in it is a change, and what is not is none."""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

TRANSFORMS = Path(__file__).parent

INGEST = (
    *(TRANSFORMS / "ingest", TRANSFORMS / "columns.py", TRANSFORMS / "duck.py"),
    *(TRANSFORMS.parent / f"sql/0_reference/{name}.csv" for name in ("claim_statuses", "quality_checks")),
)
"""What decides which extracts are refused and which lines are kept, and how; the codes that they are kept by are known to each batch."""


@cache
def program_hash() -> str:
    """Hash all that is installed: code, SQL, reference tables, templates."""
    return hash_files([TRANSFORMS.parent])


@cache
def ingest_hash() -> str:
    """Hash the code that makes batches of extracts."""
    return hash_files(INGEST)


def hash_files(places: Iterable[Path]) -> str:
    """Hash files and what lies in folders, by names and contents; what Python and editors leave there (`__pycache__`, hidden files) is none."""
    digest = sha256()
    for place in places:
        for path in sorted(_files(place)):
            name = path.relative_to(place.parent).as_posix().encode()
            content = path.read_bytes()
            digest.update(b"%d %d " % (len(name), len(content)) + name + content)
    return digest.hexdigest()


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    for folder, folders, names in os.walk(place, followlinks=True):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        yield from (Path(folder, name) for name in names if not name.startswith(".") and not name.endswith(".pyc"))
