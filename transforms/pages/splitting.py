"""Divide findings by strength: into violations proven and presumed, and reviews likely and possible, as far as each part can be shown."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from sij_audit.transforms.pages.charts import Look
from sij_audit.transforms.pages.parts import FINDINGS, MEANINGS, STRENGTHS
from sij_audit.transforms.pages.suppression import Cell, read_cells, suppress_small_cells


@dataclass(frozen=True)
class Split:
    """The parts of all findings of a policy, from strong to weak, each of enough members to be shown."""

    cells: Mapping[Look, Cell]
    parts: Mapping[str, Look]
    """Of each strength, the part that it is in: itself, or its determination."""

    @property
    def part(self) -> pl.Expr:
        """The part that a row with a strength is in."""
        return pl.col("strength").replace_strict(self.parts)

    @property
    def legend(self) -> list[tuple[Look, str]]:
        """What the colours of a chart stand for."""
        return [(look, MEANINGS[look]) for look in self.cells]


def list_splits(rows: pl.DataFrame) -> list[Split]:
    """List the divisions of rows, which have a strength each, of which every part can be shown, from fine to coarse.

    Either determination is divided by strength, or is one part.
    """
    splits = []
    for whole in ((), ("review",), ("violation",), ("violation", "review")):
        parts: dict[str, Look] = {
            strength: determination if determination in whole else strength
            for determination, strengths in STRENGTHS.items()
            for strength in strengths
        }
        cells = read_cells(rows, pl.col("strength").replace_strict(parts), *FINDINGS)
        breakdown = suppress_small_cells(cells)
        if breakdown is not None and breakdown.other is None:
            by_key = {cell.key: cell for cell in cells}
            splits.append(Split({look: by_key[look] for look in MEANINGS if look in by_key}, parts))
    return splits
