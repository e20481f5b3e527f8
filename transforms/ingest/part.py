"""What ingest asks of an extract, whatever its format: a part whose rows SQL can read, and what a module of a format declares.

`formats.py` lists the formats. Whoever adds one writes a module with a class that is a `Part` and a `Format`, and adds it to that list.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import duckdb
import numpy as np
import numpy.typing as npt

from sij_audit.transforms.columns import QUARANTINE_REASONS, Column
from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_dialect import COMMAS, Dialect
from sij_audit.transforms.ingest.extracts import Extract
from sij_audit.transforms.ingest.header_advice import advise
from sij_audit.transforms.ingest.readings import Reading
from sij_audit.transforms.stages.reference import Code

Positions = npt.NDArray[np.int64]
"""Of rows in a part, each a number from 0."""

Progress = Callable[[str, int, int | None], None]
"""Called with a unit (bytes, rows), how many are read, and of how many; None where nobody knows."""

REASONS = {reason: number for number, reason in enumerate(QUARANTINE_REASONS, start=1)}
"""Reasons as numbers, in the order in which they are tried; 0 is a valid row."""


class PartMisread(Exception):
    """A parser's rows are not those that were counted; no row may be lost, so a slower one must read them."""


@dataclass(frozen=True)
class PlainFacts:
    """What is known together of rows that were set apart: filled cells by column of the file, and the latest date of service."""

    filled_counts: npt.NDArray[np.int64]
    latest_service_date: date | None


class Part(Protocol):
    """One extract, or a stretch of one, opened and its columns found.

    A position numbers the rows that can be read. Positions below `plain_count`, and those from it on, each follow the order of the file. In
    the SQL that a part gives, a row has the cells c0, c1, …, one for each column of the file.
    """

    con: duckdb.DuckDBPyConnection
    names: Sequence[str]
    """Columns of the file."""
    columns: Mapping[str, int]
    """Canonical columns that are there, each with its place among `names`."""
    ignored: Sequence[int]
    """Places of the other columns."""
    filled_counts: Mapping[int, int]
    """Filled cells of those columns that need not be counted."""
    rows_read: int
    """All rows, whether they can be read or not."""
    row_count: int
    """Rows that can be read."""
    plain_count: int

    def reading(self, column: Column, date_form: str) -> Reading:
        """Say how a canonical column is read."""

    def filled(self, index: int) -> str:
        """Say, as SQL, whether a column's cell is filled."""

    def sources(self) -> list[str]:
        """Give, as SQL, what holds the rows, each with `preset`, the reason why it is refused whatever its cells say, else 0.

        All rows are there, by position; once plain rows are set apart only the others are, each with its `position`.
        """

    def set_plain_rows_apart(self, date_forms: Mapping[str, str], codes: Sequence[Code], claim_hash: str) -> PlainFacts | None:
        """Put rows that are valid and not relevant at first sight into the table `plain_rows`; None where the part leaves all to `sources`."""

    def take_plain_rows_back(self) -> None:
        """Let `sources` have all rows again."""

    def row_numbers(self, positions: Positions) -> Positions:
        """Number the rows at sorted positions as they stand in the file, from 1."""

    def raw_rows(self, positions: Positions) -> Iterator[bytes]:
        """Give the rows at sorted positions as they were delivered, for the quarantine."""

    def refused_rows(self) -> tuple[Positions, Iterator[bytes]]:
        """Give row numbers and bytes of the rows that cannot be read, which have no position."""

    def describe_unreadable(self, raw: bytes) -> str:
        """Say why the bytes of a row that cannot be read are no row; nothing of what they say."""

    def fetch(self, positions: Positions, table: str, select: Callable[[str], str]) -> None:
        """Add what `select` makes of the rows at sorted positions, with their cells and `position`, to a table."""

    def sample(self, rows: int = 2000) -> Sequence[Sequence[str | None]]:
        """Give the cells of some rows, to guess from."""


@dataclass(frozen=True)
class PartInput:
    """What a part is opened from; without trust in a quick parser, a format that has a slower one reads by that alone."""

    con: duckdb.DuckDBPyConnection
    extract: Extract
    columns: Sequence[Column]
    """Those that are looked for: the canonical ones, or none."""
    work: Path
    """A private folder, which is gone when the extract is done."""
    progress: Progress
    is_trusted: bool = True
    dialect: Dialect = COMMAS
    """How a text is written."""


FIRST_ROWS = 200
"""So many rows are read to see what a file is."""


@dataclass(frozen=True)
class FirstRows:
    """The names of an extract's columns and the cells of its first rows, read without a look at the rest."""

    names: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Format:
    """A format of extracts: by which names it is known, how a part is opened, and what an error of DuckDB's means."""

    suffixes: Mapping[str, str]
    """Endings of file names, each with the compression (gzip, zstd) or nothing."""
    open_part: Callable[[PartInput], AbstractContextManager[Part]]
    """Raises ExtractRefused where the extract cannot be used."""
    explain: Callable[[Extract, duckdb.Error], Exception]
    """Gives the error to raise for one of DuckDB's: PartMisread, or ExtractRefused."""
    read_first_rows: Callable[[Extract, Dialect], FirstRows]
    """Gives neither names nor rows where they cannot be read."""
    is_text: bool
    has_strict_reader: bool
    """Whether a part that was misread is opened again without trust."""


def match_columns(name: str, names: Sequence[str], wanted: Sequence[Column], text: str = "") -> tuple[dict[str, int], list[int]]:
    """Find the canonical columns among names, in any case, and which are ignored; ExtractRefused for one twice or a needed one missing.

    `text` is how the file begins, where it is text: a refusal says what stands there in place of a header. Where no column is wanted, all
    are ignored.
    """
    canonical = {column.name for column in wanted}
    columns: dict[str, int] = {}
    ignored = []
    for index, given in enumerate(names):
        column = given.lower()
        if column not in canonical:
            ignored.append(index)
        elif column in columns:
            raise ExtractRefused(f"{name}: has column {column} twice.")
        else:
            columns[column] = index
    lacking = {column.name: column.name for column in wanted if column.needed.startswith("column") and column.name not in columns}
    if wanted and "claim_line_start_date" not in columns and "claim_start_date" not in columns:
        lacking["claim_line_start_date"] = "claim_line_start_date (or claim_start_date)"
    if lacking:
        named = f"{name}: lacks column{'s' * (len(lacking) > 1)} {', '.join(lacking.values())}."
        raise ExtractRefused(f"{named}{advise(lacking, names, text)}")
    return columns, ignored
