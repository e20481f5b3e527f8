"""The formats that extracts come in, known by their names; a new one is a module of its own and a line in `FORMATS`."""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from sij_audit.transforms.errors import ExtractRefused, UsageError
from sij_audit.transforms.ingest import csv_part, parquet_part
from sij_audit.transforms.ingest.extracts import name_of
from sij_audit.transforms.ingest.feeds import Terms, terms_of
from sij_audit.transforms.ingest.file_kinds import TEXT, describe_unknown, is_like_claims, is_marker, kind_of_name
from sij_audit.transforms.ingest.part import Format
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.text import count_of, list_names, printable

FORMATS: tuple[Format, ...] = (csv_part.FORMAT, parquet_part.FORMAT)

SUFFIXES = tuple(suffix for known in FORMATS for suffix in known.suffixes)

ENDINGS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""Endings of compressed texts."""

NO_TERMS = Terms()

NAMED = 3
"""So many files or folders are named in a sentence."""

DEEP = 1000
"""So many subfolders are looked into for extracts, to name them; what lies there is not loaded."""


def format_of(path: Path, terms: Terms = NO_TERMS) -> tuple[Format, str]:
    """Find an extract's format and compression by its name; ExtractRefused where it is of none.

    A name that says nothing of a format is that of a text where a layout may read it.
    """
    for known in FORMATS:
        for suffix, compression in known.suffixes.items():
            if path.name.lower().endswith(suffix):
                return known, compression
    if terms.layouts and _is_of_text(path.name):
        return csv_part.FORMAT, next((how for ending, how in COMPRESSIONS.items() if path.name.lower().endswith(ending)), "")
    refuse_unknown(path)
    raise AssertionError("a name of no format was refused")


def refuse_unknown(path: Path) -> None:
    """Raise ExtractRefused where a name does not end as those of extracts do."""
    if not path.name.lower().endswith(SUFFIXES):
        raise ExtractRefused(f"{name_of(path)}: {describe_unknown(path, ENDINGS)}")


def is_extract_name(name: str, settings: Settings) -> bool:
    """Say whether a folder's file of this name is an extract."""
    if name.startswith("."):
        return False
    if name.lower().endswith(SUFFIXES):
        return True
    if not _is_of_text(name):
        return False
    terms = terms_of(settings, name)
    return terms.is_layout_given or bool(terms.layouts and kind_of_name(_uncompressed(name)) == TEXT)


def _is_of_text(name: str) -> bool:
    """Say whether a name may be that of a text, compressed or not."""
    return kind_of_name(_uncompressed(name)) in (None, TEXT)


def _uncompressed(name: str) -> Path:
    ending = next((ending for ending in COMPRESSIONS if name.lower().endswith(ending)), "")
    return Path(name[: len(name) - len(ending)])


def discover_extracts(arguments: Sequence[Path], settings: Settings) -> list[Path]:
    """List the extracts that the arguments mean, in their order: a file is itself, a folder its files of our formats by name.

    UsageError for a path that does not exist, and for a folder in which no extract lies.
    """
    extracts: list[Path] = []
    for argument in arguments:
        if argument.is_dir():
            names = sorted(entry.name for entry in os.scandir(argument) if not entry.is_dir() and is_extract_name(entry.name, settings))
            if not names:
                raise UsageError(f"{argument} holds no extract, whose name must end in {ENDINGS}. {_describe_folder(argument, settings)}")
            extracts += [argument / name for name in names]
        elif argument.exists() or argument.is_symlink():
            extracts.append(argument)
        else:
            raise UsageError(f"{argument} does not exist.")
    return extracts


def _describe_folder(folder: Path, settings: Settings) -> str:
    """Say what lies in a folder without extracts, and what to do about it."""
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in paths if not path.is_dir()]
    folders = [path for path in paths if path.is_dir()]
    sentences = []
    if files:
        sentences.append(f"It holds {count_of(len(files), 'file')} of other names: {_list_paths(files)}.")
    if told := next((path for path in files if not is_marker(path)), None):
        sentences.append(f"{printable(name_of(told))} {describe_unknown(told, ENDINGS)}")
    if folders:
        sentences.append(
            _describe_deeper(folders, settings)
            or f"It holds {count_of(len(folders), 'subfolder')}, without extracts: {_list_paths(folders)}."
        )
    return " ".join(sentences) or "It is empty, but for what begins with a point."


def name_left_aside(folders: Sequence[Path], settings: Settings) -> list[str]:
    """Say which files beside the extracts of folders look by their names as if they held claims, a sentence for each folder that has such."""
    sentences = []
    for folder in folders:
        others = sorted(
            path
            for path in folder.iterdir()
            if not path.name.startswith(".") and not is_extract_name(path.name, settings) and is_like_claims(path) and not path.is_dir()
        )
        if others:
            sentences.append(f"Left aside in {printable(folder)}, since their names do not end in {ENDINGS}: {_list_paths(others)}.")
    return sentences


def _describe_deeper(folders: Sequence[Path], settings: Settings) -> str:
    """Say that extracts lie in subfolders; empty where none does."""
    deeper = list(islice(_find_folders(folders, settings), DEEP))
    return f"Extracts lie deeper, and subfolders are not looked into: give {list_names(map(printable, deeper), NAMED)}." if deeper else ""


def _find_folders(folders: Sequence[Path], settings: Settings) -> Iterator[Path]:
    """Find the folders, from these down, in which extracts lie."""
    for start in folders:
        for folder, _, names in os.walk(start):
            if any(is_extract_name(name, settings) for name in names):
                yield Path(folder)


def _list_paths(paths: Sequence[Path]) -> str:
    return list_names((printable(name_of(path)) for path in paths), NAMED)
