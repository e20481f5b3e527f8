"""Suppress small cells, so that a page shows no group of fewer than 11 members and none can be had by subtraction.

CMS cell-size policy: no cell of fewer than 11 (primary suppression), and none that would give such a cell away (complementary suppression).

- A breakdown has one dimension. Its rows of too few members are shown as one, to which the smallest of the others are added until that one has
  enough (complementary suppression); where no row is left beside it, the breakdown is left out. Rows sum to the total, so nothing can be had by
  subtraction: no total is shown that has a part, missing from the breakdown beside it, of fewer than 11 members.
- Rule and strength are several breakdowns by rule, one within each strength and each with a row "other" of its own. One "other" for all would be
  divided by the totals of the strengths. Where the strengths of a determination cannot both be shown, it is one; where the two determinations
  cannot, there is one breakdown by rule.
- A row's numbers come from one set of findings, and each of them must have enough members: a provider is shown where both the members with
  injections and those with findings are enough, an overturn rate where the members of both outcomes are.
- How many members a row has is not shown: members are in several rows, and two overlapping rows and their total give away who is in one alone.
- Rows are parts of a whole. What is in two of them would be their sum less the total: so a finding with several doubts has a row of its own,
  and providers that do not stand out have none (a finding may be under two NPIs). Those that do are shown as far as what none of them had a
  part in, the total less their rows, is of enough members.
- Withdrawn findings are in no total, and are counted by themselves.
- Dollars at risk are distinct within a policy, so nothing is summed over policies.

What no page can prevent is that pages of two runs, or the parts of two policies that differ little, are laid side by side.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

LEAST_MEMBERS = 11
"""A cell of fewer members is small; from the CMS cell-size policy."""

OTHER = ""
"""The key of the cell that stands for those suppressed: no rule, status or NPI has it."""

Value = int | Decimal


@dataclass(frozen=True)
class Cell:
    """A row of a breakdown. `members` has the persons behind each count that is shown, the first of which is never empty; they are not shown."""

    key: str
    values: Mapping[str, Value]
    members: Mapping[str, frozenset[str]]

    @property
    def is_small(self) -> bool:
        (first, persons), *others = self.members.items()
        return len(persons) < LEAST_MEMBERS or any(
            self.values[name] != 0 and len(persons) < LEAST_MEMBERS for name, persons in others if name != first
        )

    @property
    def size(self) -> int:
        return len(next(iter(self.members.values())))


@dataclass(frozen=True)
class Breakdown:
    """Cells that can be shown, and one for all others, where there are such. `suppressed` are the keys of these."""

    shown: tuple[Cell, ...]
    other: Cell | None = None
    suppressed: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        return self.shown if self.other is None else (*self.shown, self.other)

    def height(self, key: str, name: str) -> float | None:
        """Give what is drawn of a key: its value, nothing where it is suppressed, and zero where there is no such cell."""
        return next((float(cell.values[name]) for cell in self.shown if cell.key == key), None if key in self.suppressed else 0.0)

    def total(self, name: str) -> Value:
        return sum((cell.values[name] for cell in self.cells), start=0)


def read_cells(rows: pl.DataFrame, key: pl.Expr, values: Sequence[str], members: Mapping[str, str]) -> list[Cell]:
    """Group rows into cells by a key, in its order: values are summed, persons put together.

    `members` says which column, a list of persons, holds those behind which value.
    """
    grouped = (
        rows.with_columns(key.cast(pl.String).alias("key"))
        .group_by("key")
        .agg(
            *(pl.col(name).sum() for name in values),
            *(pl.col(column).explode().drop_nulls().unique() for column in members.values()),
        )
        .sort("key")
    )
    return [
        Cell(row["key"], {name: row[name] for name in values}, {name: frozenset(row[column]) for name, column in members.items()})
        for row in grouped.iter_rows(named=True)
    ]


def suppress_small_cells(cells: Iterable[Cell]) -> Breakdown | None:
    """Put cells of too few members into one, and the smallest others with them until it has enough.

    None where that leaves no cell beside it: then a breakdown would show no more than its total, or less than may be shown. Cells without any
    member are for the caller to leave out.
    """
    waiting = sorted(cells, key=lambda cell: (cell.is_small, cell.size, cell.key), reverse=True)
    small = [cell for cell in waiting if cell.is_small]
    shown = [cell for cell in waiting if not cell.is_small]
    while small and combine_cells(small).is_small and shown:
        small.append(shown.pop())
    if not shown or (small and combine_cells(small).is_small):
        return None
    keys = tuple(sorted(cell.key for cell in small))
    return Breakdown(tuple(sorted(shown, key=lambda cell: cell.key)), combine_cells(small) if small else None, keys)


def combine_cells(cells: Sequence[Cell], key: str = OTHER) -> Cell:
    """Make one cell of several: values are summed, persons put together."""
    first = cells[0]
    return Cell(
        key,
        {name: sum((cell.values[name] for cell in cells), start=0) for name in first.values},
        {name: frozenset().union(*(cell.members[name] for cell in cells)) for name in first.members},
    )


def choose_level(levels: Sequence[Sequence[Cell]], least_share: float) -> tuple[int, Breakdown] | None:
    """Choose the finest level that shows at least this share of the first value of its cells; else the one that shows most of it.

    Levels are the same rows grouped from fine to coarse. None where no level can be shown.
    """
    found = [(n, suppress_small_cells(cells)) for n, cells in enumerate(levels)]
    can_be_shown = [(n, breakdown) for n, breakdown in found if breakdown is not None]
    if not can_be_shown:
        return None
    return next(
        ((n, breakdown) for n, breakdown in can_be_shown if _shown_share(breakdown) >= least_share),
        max(can_be_shown, key=lambda level: (_shown_share(level[1]), -level[0])),
    )


def _shown_share(breakdown: Breakdown) -> float:
    name = next(iter(breakdown.cells[0].values))
    return float(sum(cell.values[name] for cell in breakdown.shown)) / (float(breakdown.total(name)) or 1.0)
