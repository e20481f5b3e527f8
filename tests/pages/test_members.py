"""What a page shows of a person is what the run's own tables hold, each injection with what counts before it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from sij_audit.transforms.pages.member_page import render_member
from sij_audit.transforms.pages.members import Family, add_counts, read_member
from sij_audit.transforms.query.session import open_run
from tests.runs import line, run, write_extract

STEP = {"policy_id": pl.String, "service_date": pl.Date, "track": pl.String, "count_12_months": pl.Int64, "days_since_previous": pl.Int64}


def test_counts_of_all_tracks_are_laid_beside_each_injection() -> None:
    days = [date(2023, 1, 2), date(2023, 3, 5)]
    injections = pl.DataFrame({"policy_id": ["P", "P", "A"], "service_date": [days[1], days[0], days[0]]})
    steps = pl.DataFrame(
        [
            ("P", days[0], "any", 0, None),
            ("P", days[0], "left", 0, None),
            ("P", days[1], "any", 1, 62),
            ("P", days[1], "possible_right", 0, 99),
        ],
        STEP,
        orient="row",
    )
    counted = add_counts(injections, steps)
    columns = ["policy_id", "service_date", "count_left", "count_right", "count_possible_right", "count_any", "days_since_previous"]
    assert counted.select(columns).rows() == [
        ("A", days[0], None, None, None, None, None),
        ("P", days[0], 0, None, None, 0, None),
        ("P", days[1], None, None, 0, 1, 62),
    ]


def test_families_are_described_in_the_words_of_the_run(tmp_path: Path) -> None:
    rows = [line("A", "2023-03-01"), line("B", "2023-04-01", "62323")]
    run(tmp_path / "out", write_extract(tmp_path / "x.parquet", rows))
    folder = (tmp_path / "out" / "current").resolve()
    with open_run(folder) as con:
        member = read_member(con, folder, "P1")
        known = con.execute("select family, family_group, description from family_meanings").fetchall()
    assert member.families == {family: Family(group, description) for family, group, description in known}
    assert [timeline.family_group for timeline in member.timelines] == ["sij"]
    words = {name: replace(family, description=f"what this run calls {name}") for name, family in member.families.items()}
    page = render_member(replace(member, families=words))
    assert "what this run calls sij_injection" in page
    assert "what this run calls epidural_injection" in page
    assert 'class="procedure possible"' in page
    elsewhere = {name: replace(family, group="sij") for name, family in member.families.items()}
    assert 'class="procedure certain"' in render_member(replace(member, families=elsewhere))
