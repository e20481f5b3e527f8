"""A jump in quarantine against a feed's own history is reported, and so are dates that may have day and month swapped."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sij_audit.transforms.ingest.feeds import RECENT, quarantine_jumps, swapped_dates
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.outcomes import Loaded
from sij_audit.transforms.settings import Feed, Settings
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Batch, Store
from tests.runs import write_csv

CODES = [Code("27096", None, None)]
HEADER = ["claim_id", "claim_line_number", "member_id", "claim_line_start_date", "hcpcs_code", "paid_amount"]
FEED = Feed(name="claims", pattern="claims*.csv")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT")
    store.prepare()
    return store


def take(store: Store, name: str, rows: int, bad: int, day: str = "2024-01-15") -> Batch:
    """Load an extract of so many rows, of which some lack the member; it comes after those before."""
    lines = [[f"{name}{number}", "1", "" if number < bad else "M1", day, "27096", "1.00"] for number in range(rows)]
    outcome = ingest_extract(store, write_csv(store.root / name, HEADER, lines), CODES)
    assert isinstance(outcome, Loaded)
    when = 10**9 + len(store.batches())
    os.utime(outcome.batch.path, (when, when))
    return outcome.batch


def jumps(store: Store, published: Sequence[Batch] = (), feeds: Sequence[Feed] = (FEED,), **settings: Any) -> list[str]:
    return quarantine_jumps(Settings(feeds=tuple(feeds), **settings), store.batches(), {batch.sha256 for batch in published})


@pytest.mark.parametrize(
    ("before", "now", "is_jump"),
    [
        ([(100, 0)], (100, 8), True),
        ([(100, 0)], (100, 0), False),
        ([(2000, 0)], (2000, 2), False),
        ([(2000, 0)], (2000, 3), True),
        ([(100, 4)], (100, 8), False),
        ([(100, 4)], (100, 9), True),
        ([(100, 4), (100, 0)], (100, 8), False),
        ([], (100, 50), False),
        ([(0, 0)], (100, 50), False),
        ([], (100, 100), True),
        ([], (100, 99), False),
        ([(100, 10), *[(100, 1)] * RECENT], (100, 9), True),
    ],
)
def test_more_than_twice_the_largest_share_of_the_last_extracts_of_the_feed_is_a_jump(
    store: Store, before: Sequence[tuple[int, int]], now: tuple[int, int], is_jump: bool
) -> None:
    published = [take(store, f"claims_{number}.csv", rows, bad) for number, (rows, bad) in enumerate(before)]
    take(store, "claims_now.csv", *now)
    assert bool(jumps(store, published)) == is_jump


def test_the_sentence_says_which_extract_of_which_feed_and_why(store: Store) -> None:
    published = [take(store, f"claims_{number}.csv", 100, 1) for number in range(3)]
    take(store, "claims_now.csv", 100, 7)
    assert jumps(store, published) == [
        (
            "Quarantine jumped: 7 of the 100 rows of claims_now.csv (7.0%), against 1.0% at most in the last 3 extracts of the feed claims. "
            "missing_member 7 (first rows 1, 2, 3)."
        )
    ]


def test_what_was_published_before_is_not_reported_again(store: Store) -> None:
    assert jumps(store, [take(store, "claims_1.csv", 100, 0), take(store, "claims_2.csv", 100, 50)]) == []


def test_of_two_new_extracts_the_earlier_one_is_history(store: Store) -> None:
    take(store, "claims_1.csv", 100, 0)
    take(store, "claims_2.csv", 100, 50)
    take(store, "claims_3.csv", 100, 50)
    [sentence] = jumps(store)
    assert "claims_2.csv" in sentence


def test_extracts_of_no_feed_are_compared_with_those_whose_names_differ_in_digits_alone(store: Store) -> None:
    take(store, "facility_2024-01.csv", 100, 0)
    take(store, "facility_2024-02.csv", 100, 20)
    take(store, "other_1.csv", 100, 20)
    [sentence] = jumps(store, feeds=())
    assert "of facility_2024-02.csv (20.0%), against 0.0% at most in the last 1 extract named like facility_9-9.csv" in sentence


def test_the_settings_say_what_a_jump_is(store: Store) -> None:
    published = [take(store, "claims_1.csv", 100, 4)]
    take(store, "claims_2.csv", 100, 9)
    assert jumps(store, published, quarantine_jump=2.5) == []
    assert jumps(store, published, quarantine_jump_share=0.1) == []


def test_dates_that_may_be_swapped_are_reported_until_a_run_published_them(store: Store) -> None:
    lines = [[f"C{number}", "1", "M1", day, "27096", "1.00"] for number, day in enumerate(("05/06/2023", "03/05/2023", "20/10/2023"))]
    outcome = ingest_extract(store, write_csv(store.root / "x.csv", HEADER, lines), CODES)
    assert isinstance(outcome, Loaded)
    [sentence] = swapped_dates(store.batches(), set())
    assert sentence.startswith("x.csv: In 1 row the day of claim_line_start_date comes first.")
    assert swapped_dates(store.batches(), {outcome.batch.sha256}) == []
