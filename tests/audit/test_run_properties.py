"""What decides nothing: the same claim lines give the same findings, however they are delivered and on whatever machine they are audited."""

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sij_audit.transforms.columns import BATCH_SCHEMA, COLUMNS
from sij_audit.transforms.sample.generator import make_background
from sij_audit.transforms.stages.reference import load_codes
from tests.nasty import make_rows
from tests.runs import ROOT, Row, findings, line, reports, run_reports, write_csv, write_extract

HOUSEHOLDS = 25

few = settings(max_examples=2, derandomize=True, database=None)
seeds = st.integers(0, 3)
"""Of the claim lines: few, so that their findings are worked out once."""
chances = st.integers(0, 2**32 - 1)
"""Of what is done to them."""


@cache
def lines_of(seed: int) -> tuple[Row, ...]:
    return tuple(make_rows(seed, HOUSEHOLDS))


@cache
def findings_of(seed: int) -> list[Row]:
    """What is found in the lines as one Parquet file."""
    found = audit([lines_of(seed)])
    assert len({finding["rule_id"] for finding in found}) >= 6, "too little is found to prove anything"
    return found


def audit(parts: Sequence[Sequence[Row]], suffix: str = ".parquet", row_group_size: int = 1_000_000) -> list[Row]:
    """Audit lines that come in so many files, given in this order."""
    with TemporaryDirectory() as folder:
        paths = [write_extract(Path(folder) / f"{number}{suffix}", part, row_group_size) for number, part in enumerate(parts)]
        run_reports(Path(folder) / "out", *paths)
        return findings(Path(folder) / "out")


def shuffled(chance: random.Random, rows: Sequence[Row]) -> list[Row]:
    return chance.sample(list(rows), len(rows))


def is_kept_alone(row: Row) -> bool:
    """Say whether a line is kept whatever else is there: the others are kept for their claim's sake (section 6)."""
    frequency = row["claim_frequency_code"]
    if frequency is None and (row["claim_type"] or "").lower() == "institutional":
        frequency = (row["bill_type_code"] or "")[-1:]
    is_reversal = row["claim_status"] == "reversed" or any(
        (row[name] or 0) < 0 for name in ("paid_amount", "charge_amount", "service_unit_quantity")
    )
    return row["hcpcs_code"] in {code.hcpcs_code for code in load_codes()} or frequency in ("7", "8") or is_reversal


def deal(chance: random.Random, rows: Sequence[Row], count: int) -> list[list[Row]]:
    """Deal lines to files; those of a claim with an unmarked correction stay together, which is the exception that the contract names."""
    parts: list[list[Row]] = [[] for _ in range(count)]
    bound = {(row["data_source"], row["claim_id"]) for row in rows if not is_kept_alone(row)}
    places = {claim: chance.choice(parts) for claim in sorted(bound, key=repr)}
    for row in rows:
        places.get((row["data_source"], row["claim_id"]), chance.choice(parts)).append(row)
    return parts


@few
@given(seed=seeds, chance=chances)
def test_the_order_of_rows_decides_nothing(seed: int, chance: int) -> None:
    assert audit([shuffled(random.Random(chance), lines_of(seed))]) == findings_of(seed)


@few
@given(seed=seeds, chance=chances, count=st.sampled_from([2, 3, 6]))
def test_how_lines_are_split_over_extracts_and_in_what_order_these_come_decides_nothing(seed: int, chance: int, count: int) -> None:
    assert audit(deal(random.Random(chance), lines_of(seed), count)) == findings_of(seed)


@few
@given(seed=seeds, chance=chances)
def test_the_order_of_extracts_decides_no_report(seed: int, chance: int) -> None:
    parts = deal(random.Random(chance), lines_of(seed), 3)
    published = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = [write_extract(folder / f"{number}.parquet", part) for number, part in enumerate(parts)]
        for turn in ([0, 1, 2], [2, 1, 0]):
            out = folder / "".join(map(str, turn))
            result = run_reports(out, *(paths[number] for number in turn))
            published.append((result.current.name, reports(out)))
    assert published[0] == published[1]


@few
@given(seed=seeds, chance=chances)
def test_lines_delivered_over_two_nights_are_found_the_same(seed: int, chance: int) -> None:
    def without_history(rows: list[Row]) -> list[Row]:
        told = [row for row in rows if row["status"] != "withdrawn"]
        return [{name: value for name, value in row.items() if name not in ("status", "first_reported")} for row in told]

    with TemporaryDirectory() as folder:
        for night, part in enumerate(deal(random.Random(chance), lines_of(seed), 2)):
            run_reports(Path(folder) / "out", write_extract(Path(folder) / f"{night}.parquet", part))
        assert without_history(findings(Path(folder) / "out")) == without_history(findings_of(seed))


@few
@given(seed=seeds, chance=chances)
def test_exact_duplicates_add_nothing(seed: int, chance: int) -> None:
    rows, dice = lines_of(seed), random.Random(chance)
    within = [*rows, *dice.sample(rows, 60)]
    assert audit([shuffled(dice, within), dice.sample(rows, 60)]) == findings_of(seed)


@few
@given(seed=seeds, chance=chances)
def test_a_duplicate_in_a_later_delivery_adds_nothing(seed: int, chance: int) -> None:
    """Neither the file's name nor a later date of it makes another line of a row that has one."""
    rows, dice = lines_of(seed), random.Random(chance)
    dated = [row for row in rows if row["file_date"] is not None]
    again = [row | {"file_name": "later", "file_date": row["file_date"] + timedelta(days=400)} for row in dice.sample(dated, 60)]
    assert audit([rows, again]) == findings_of(seed)


@few
@given(seed=seeds, chance=chances)
def test_irrelevant_lines_change_nothing(seed: int, chance: int) -> None:
    names = [column.name for column in COLUMNS]
    ordinary = [{name: row.get(name) for name in names} for row in make_background(chance, 200).iter_rows(named=True)]
    some = random.Random(chance).sample(lines_of(seed), 100)
    neighbours = [
        row | {"claim_id": f"N{number}", "hcpcs_code": code, "claim_frequency_code": "1", "replaced_claim_id": None}
        for number, (row, code) in enumerate(zip(some, ["99213", None, "2709", "27096X"] * 25, strict=True))
    ]
    assert audit([shuffled(random.Random(chance), [*lines_of(seed), *ordinary, *neighbours])]) == findings_of(seed)


@few
@given(seed=seeds, chance=chances)
def test_another_members_claims_change_no_finding_of_others(seed: int, chance: int) -> None:
    days = [date(2023, 1, 10) + timedelta(days=20 * number) for number in range(7)]
    other = [line(f"X{day}", str(day), person="ANOTHER", billing_npi="1003000126") for day in days]
    alone = audit([other])
    assert len(alone) > 5
    found = audit([shuffled(random.Random(chance), [*lines_of(seed), *other])])
    assert [row for row in found if row["person_id"] == "ANOTHER"] == alone
    assert [row for row in found if row["person_id"] != "ANOTHER"] == findings_of(seed)


@few
@given(seed=seeds, size=st.sampled_from([1, 7, 100]))
def test_row_groups_decide_nothing(seed: int, size: int) -> None:
    assert audit([lines_of(seed)], row_group_size=size) == findings_of(seed)


@few
@given(seed=seeds)
def test_csv_says_what_parquet_says(seed: int) -> None:
    assert audit([lines_of(seed)], ".csv") == findings_of(seed)


@few
@given(seed=seeds, chance=chances)
def test_how_csv_is_written_decides_nothing(seed: int, chance: int) -> None:
    """Columns in any order, names in any case, columns of others' between them, dates and codes as another system writes them."""
    dice = random.Random(chance)
    names = dice.sample([column.name for column in COLUMNS], len(COLUMNS))
    dates = {column.name: dice.choice(["%Y-%m-%d", "%Y%m%d", "%m/%d/%Y"]) for column in COLUMNS if column.kind == "date"}

    def write(name: str, value: Any) -> Any:
        if name in dates and value is not None:
            return value.strftime(dates[name])
        if name.startswith("hcpcs_") and value is not None:
            return f" {value.lower()} "
        return value

    with TemporaryDirectory() as folder:
        header = [f" {name.upper()} " if dice.random() < 0.5 else name for name in names]
        cells = ([*(write(name, row[name]) for name in names), "1,234"] for row in lines_of(seed))
        path = write_csv(Path(folder) / "x.csv", [*header, "our own, a number"], cells)
        run_reports(Path(folder) / "out", path)
        assert findings(Path(folder) / "out") == findings_of(seed)


THREADED = """
import sys
import duckdb

threads, connect = int(sys.argv[1]), duckdb.connect


def connect_with(*arguments, config):
    con = connect(*arguments, config={**config, "threads": threads})
    assert con.execute("select current_setting('threads')").fetchone() == (threads,)
    return con


duckdb.connect = connect_with

from pathlib import Path
from tests.runs import run_reports

run_reports(Path(sys.argv[2]), *map(Path, sys.argv[3:]))
"""


def with_timestamps(rows: Sequence[Row]) -> pa.Table:
    """Lines whose dates of service and of payment are instants of an American's late evening, the day in UTC being the date as stored."""
    table = pa.Table.from_pylist([dict(row) for row in rows], BATCH_SCHEMA)
    for name, zone in (("claim_line_start_date", "America/Los_Angeles"), ("paid_date", "UTC")):
        instants = [None if day is None else datetime.combine(day, time(23, 30), UTC) for day in table[name].to_pylist()]
        table = table.set_column(table.column_names.index(name), name, pa.array(instants, pa.timestamp("us", zone)))
    return table


@pytest.mark.parametrize("seed", [1])
def test_neither_threads_nor_time_zone_decide_a_byte(tmp_path: Path, seed: int) -> None:
    rows = lines_of(seed)
    pq.write_table(with_timestamps(rows[::2]), tmp_path / "a.parquet", row_group_size=50)
    paths = [tmp_path / "a.parquet", write_extract(tmp_path / "b.csv", rows[1::2])]
    places = {"1": "Pacific/Kiritimati", "2": "America/Los_Angeles", "4": "UTC"}
    runs = {
        threads: subprocess.Popen(
            [sys.executable, "-c", THREADED, threads, tmp_path / threads, *paths], cwd=ROOT, env={**os.environ, "TZ": zone}
        )
        for threads, zone in places.items()
    }
    assert [started.wait() for started in runs.values()] == [0, 0, 0]
    here = run_reports(tmp_path / "here", *paths)
    for threads in places:
        assert (tmp_path / threads / "current").resolve().name == here.current.name
        assert reports(tmp_path / threads) == reports(tmp_path / "here")
    write_extract(tmp_path / "plain.parquet", rows[::2])
    run_reports(tmp_path / "plain", tmp_path / "plain.parquet", paths[1])
    assert findings(tmp_path / "plain") == findings(tmp_path / "here")
