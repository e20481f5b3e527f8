"""The tables that functions of ingest leave for one another are listed as the code makes and reads them."""

import re
from pathlib import Path

import sij_audit.transforms.ingest as package

FOLDER = Path(package.__file__).parent
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py")) if path.stem != "__init__"}
MAKES = re.compile(r"create (?:or replace )?temp (?:table|view) (?:if not exists )?(\S+)")


def listed() -> dict[str, tuple[set[str], set[str]]]:
    """The tables of the docstring, each with the modules that make it and those that read it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in (package.__doc__ or "").splitlines() if line.startswith("|")]
    return {name: (set(made.split(", ")), set(read.split(", "))) for name, _, made, read in rows[2:]}


def test_every_table_is_listed_with_the_modules_that_make_it() -> None:
    made: dict[str, set[str]] = {}
    for module, source in SOURCES.items():
        for name in MAKES.findall(source):
            made.setdefault(name, set()).add(module)
    assert {name: makers for name, (makers, _) in listed().items()} == made


def test_every_table_is_listed_with_the_modules_that_read_it() -> None:
    for name, (_, readers) in listed().items():
        reads = re.compile(rf"\b(?:from|join|update) {name}\b")
        assert readers == {module for module, source in SOURCES.items() if reads.search(source)}, name


def test_a_table_is_made_once_and_for_one_connection_alone() -> None:
    assert not [module for module, source in SOURCES.items() if re.search(r"create (?:or replace )?(?:table|view)", source)]
