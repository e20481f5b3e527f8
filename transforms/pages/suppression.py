"""Merge cells of too few members, so that a page shows none of fewer than 11 and none can be had by subtraction.

- A breakdown has one dimension. Rows of too few members are merged into one, which then takes in the smallest of the others until it has
  enough; where no row is left beside it, the breakdown is left out. Rows sum to the total, so nothing can be had by subtraction: no total is
  shown that has a part, missing from the breakdown beside it, of fewer than 11 members.
- Rule and determination are two breakdowns by rule, one within each determination and each with a row "other" of its own. One "other" for both
  would be split by the totals of the determinations. Where these cannot be told apart, there is one breakdown by rule.
- A row's numbers come from one set of findings, and all of its numbers are held to the same: a provider is shown where both the members with
  injections and those with findings are enough, an overturn rate where the members of both outcomes are.
- How many members a row has is not shown: members stand in several rows, and two overlapping rows and their total give away who is in one alone.
- Rows are parts of a whole. What stands in two of them would be their sum less the total: so a finding with several doubts has a row of its own,
  and providers that do not stand out have none (a finding may stand under two NPIs). Those that do are shown as far as what none of them had a
  part in, the total less their rows, is of enough members.
- Withdrawn findings are in no total, and are counted by themselves.
- Dollars at risk are distinct within a policy, so nothing is summed over policies.

What no page can prevent is that pages of two runs, or the parts of two policies that differ little, are laid side by side.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

LEAST_MEMBERS = 11

OTHER = ""
"""The key of a cell that others were merged into: no rule, status or NPI has it."""

Value = int | Decimal


@dataclass(frozen=True)
class Cell:
    """A row of a breakdown. `members` has the persons behind each count that is told, the first of which is never empty; they are not shown."""

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
    """Cells that can be shown, and one of all others, where there are such. `merged` are the keys of these."""

    shown: tuple[Cell, ...]
    other: Cell | None = None
    merged: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        return self.shown if self.other is None else (*self.shown, self.other)

    def height(self, key: str, name: str) -> float | None:
        """What is drawn of a key: its value, nothing where it is merged, and zero where there is no such cell."""
        return next((float(cell.values[name]) for cell in self.shown if cell.key == key), None if key in self.merged else 0.0)

    def total(self, name: str) -> Value:
        return sum((cell.values[name] for cell in self.cells), start=0)


def merge_small_cells(cells: Iterable[Cell]) -> Breakdown | None:
    """Merge cells of too few members into one, and the smallest others into it until it has enough.

    None where that leaves no cell beside it: then a breakdown would say no more than its total, or less than may be said. Cells without any
    member, of which there is nothing to tell, are for the caller to leave out.
    """
    waiting = sorted(cells, key=lambda cell: (cell.is_small, cell.size, cell.key), reverse=True)
    small = [cell for cell in waiting if cell.is_small]
    shown = [cell for cell in waiting if not cell.is_small]
    while small and merge_cells(small).is_small and shown:
        small.append(shown.pop())
    if not shown or (small and merge_cells(small).is_small):
        return None
    keys = tuple(sorted(cell.key for cell in small))
    return Breakdown(tuple(sorted(shown, key=lambda cell: cell.key)), merge_cells(small) if small else None, keys)


def merge_cells(cells: Sequence[Cell], key: str = OTHER) -> Cell:
    """Make one cell of several: values are summed, persons put together."""
    first = cells[0]
    return Cell(
        key,
        {name: sum((cell.values[name] for cell in cells), start=0) for name in first.values},
        {name: frozenset().union(*(cell.members[name] for cell in cells)) for name in first.members},
    )


def regroup_cells(cells: Iterable[Cell], key_of: Callable[[str], str]) -> list[Cell]:
    """Make fewer cells of many: one for each new key."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key_of(cell.key), []).append(cell)
    return [merge_cells(group, key) for key, group in sorted(groups.items())]


def choose_level(cells: Sequence[Cell], levels: Sequence[Callable[[str], str]], least_share: float) -> tuple[int, Breakdown] | None:
    """Regroup cells as finely as leaves at least this share of their first value unmerged; else where most of it does.

    Levels are given from fine to coarse. None where no level can be shown.
    """
    found = [(n, merge_small_cells(regroup_cells(cells, level))) for n, level in enumerate(levels)]
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
