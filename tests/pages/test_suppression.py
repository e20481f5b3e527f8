"""No cell of fewer than 11 members is shown, none can be had by subtraction, and nothing else is lost."""

from collections.abc import Iterable
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sij_audit.transforms.pages.suppression import (
    LEAST_MEMBERS,
    OTHER,
    Cell,
    choose_level,
    combine_cells,
    read_cells,
    suppress_small_cells,
)

CELLS = st.lists(st.tuples(st.integers(0, 40), st.frozensets(st.integers(0, 60), min_size=1, max_size=25)), max_size=12)


def cell(key: str, findings: int, persons: Iterable[int]) -> Cell:
    return Cell(key, {"findings": findings}, {"findings": frozenset(f"P{person}" for person in persons)})


def members(shown: Cell) -> frozenset[str]:
    return shown.members["findings"]


@given(CELLS)
def test_every_cell_that_is_shown_has_enough_members_and_all_sum_to_the_total(given_cells: list[tuple[int, frozenset[int]]]) -> None:
    cells = [cell(f"k{n:02}", findings, persons) for n, (findings, persons) in enumerate(given_cells)]
    breakdown = suppress_small_cells(cells)
    if breakdown is None:
        return
    assert all(len(members(shown)) >= LEAST_MEMBERS for shown in breakdown.cells)
    assert breakdown.total("findings") == sum(findings for findings, _ in given_cells)
    assert sorted((*(shown.key for shown in breakdown.shown), *breakdown.suppressed)) == [one.key for one in cells]
    assert {one.key for one in cells if one.is_small} <= set(breakdown.suppressed)


@given(CELLS)
def test_a_large_cell_is_suppressed_only_where_the_small_ones_together_are_too_few(given_cells: list[tuple[int, frozenset[int]]]) -> None:
    cells = [cell(f"k{n:02}", findings, persons) for n, (findings, persons) in enumerate(given_cells)]
    breakdown = suppress_small_cells(cells)
    small = [one for one in cells if one.is_small]
    if breakdown is not None and small and not combine_cells(small).is_small:
        assert set(breakdown.suppressed) == {one.key for one in small}
    if breakdown is not None and not small:
        assert (breakdown.other, breakdown.suppressed) == (None, ())


def test_the_next_smallest_cell_is_suppressed_where_one_small_cell_would_be_total_less_the_others() -> None:
    breakdown = suppress_small_cells([cell("few", 3, range(3)), cell("more", 20, range(100, 120)), cell("most", 30, range(200, 230))])
    assert breakdown is not None
    assert (breakdown.suppressed, [shown.key for shown in breakdown.shown]) == (("few", "more"), ["most"])
    assert breakdown.other == cell(OTHER, 23, [*range(3), *range(100, 120)])


def test_no_breakdown_is_shown_where_nothing_would_be_left_beside_the_suppressed() -> None:
    assert suppress_small_cells([cell("few", 3, range(3)), cell("more", 20, range(100, 120))]) is None
    assert suppress_small_cells([cell("few", 3, range(3)), cell("fewer", 3, range(2))]) is None
    assert suppress_small_cells([]) is None


def test_a_second_count_of_few_members_makes_a_cell_small_unless_it_is_zero() -> None:
    persons = {"injections": frozenset(f"P{n}" for n in range(20)), "findings": frozenset({"P1"})}
    assert Cell("NPI", {"injections": 20, "findings": 1}, persons).is_small
    assert not Cell("NPI", {"injections": 20, "findings": 0}, persons).is_small


def test_rows_of_one_key_are_one_cell_with_their_values_summed_and_their_persons_counted_once() -> None:
    rows = pl.DataFrame(
        {
            "rule_id": ["b", "a", "b"],
            "findings": [1, 2, 3],
            "amount_at_risk": [Decimal("0.10"), Decimal("1.00"), Decimal("0.25")],
            "members": [["P1", "P2"], [], ["P2", None]],
        },
        {"rule_id": pl.String, "findings": pl.Int64, "amount_at_risk": pl.Decimal(14, 2), "members": pl.List(pl.String)},
    )
    assert read_cells(rows, pl.col("rule_id"), ("findings", "amount_at_risk"), {"findings": "members"}) == [
        Cell("a", {"findings": 2, "amount_at_risk": Decimal("1.00")}, {"findings": frozenset()}),
        Cell("b", {"findings": 4, "amount_at_risk": Decimal("0.35")}, {"findings": frozenset({"P1", "P2"})}),
    ]


def test_the_finest_level_that_shows_enough_is_chosen_else_the_one_that_shows_most() -> None:
    fine = [cell(f"m{n}", 10, range(100 * n, 100 * n + 4)) for n in range(4)] + [cell("m9", 20, range(900, 920))]
    coarse = [cell("q1", 40, range(40)), cell("q2", 20, range(900, 920))]
    small = [cell("one", 3, range(3))]
    assert [found and found[0] for found in (choose_level([fine, coarse], 0.9), choose_level([fine, coarse], 0.1))] == [1, 0]
    chosen = choose_level([small, fine], 0.9)
    assert chosen is not None
    assert chosen[0] == 1
    assert choose_level([small, small], 0.0) is None
