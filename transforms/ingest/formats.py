"""The formats that extracts come in, known by their names; a new one is a module of its own and a line in `FORMATS`."""

import os
from collections.abc import Sequence
from pathlib import Path

from sij_audit.transforms.errors import ExtractRefused, UsageError
from sij_audit.transforms.ingest import csv_part, parquet_part
from sij_audit.transforms.ingest.extracts import name_of
from sij_audit.transforms.ingest.part import Format

FORMATS: tuple[Format, ...] = (csv_part.FORMAT, parquet_part.FORMAT)

SUFFIXES = tuple(suffix for known in FORMATS for suffix in known.suffixes)


def format_of(path: Path) -> tuple[Format, str]:
    """Find an extract's format and compression by its name; ExtractRefused where it is of none."""
    for known in FORMATS:
        for suffix, compression in known.suffixes.items():
            if path.name.lower().endswith(suffix):
                return known, compression
    raise ExtractRefused(f"{name_of(path)}: is no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file.")


def is_extract_name(name: str) -> bool:
    """Say whether a folder's file of this name is an extract."""
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def discover_extracts(arguments: Sequence[Path]) -> list[Path]:
    """List the extracts that the arguments mean, in their order: a file is itself, a folder its files of our formats by name."""
    extracts: list[Path] = []
    for argument in arguments:
        if argument.is_dir():
            names = sorted(entry.name for entry in os.scandir(argument) if not entry.is_dir() and is_extract_name(entry.name))
            extracts += [argument / name for name in names]
        elif argument.exists() or argument.is_symlink():
            extracts.append(argument)
        else:
            raise UsageError(f"{argument} does not exist.")
    return extracts
