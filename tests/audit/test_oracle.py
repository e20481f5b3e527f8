"""The audit and a naive one in plain Python say the same of claim lines made to be nasty."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sij_audit.transforms.columns import BATCH_SCHEMA
from sij_audit.transforms.store.folder import Store
from tests.nasty import make_rows, split_rows
from tests.oracle import Audit, Row, audit
from tests.runs import run_reports

KEYS = {
    "findings": ["finding_id"],
    "injections": ["person_id", "service_date"],
    "payees": ["finding_id", "billing_npi", "claim_type"],
    "rules": ["rule_id"],
    "timelines": ["person_id", "track", "service_date"],
    "lines": ["data_source", "claim_id", "claim_line_number"],
}


def index(table: str, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    indexed = {tuple(row[name] for name in KEYS[table]): row for row in rows}
    assert len(indexed) == len(rows), f"{table}: a key is there twice"
    return indexed


def differences(out: Path, expected: Audit) -> Iterator[str]:
    """Every difference between what a run published and what the oracle says, one a line."""
    current = Store(out).current_run()
    assert current is not None
    for table in KEYS:
        found = pl.read_parquet(current / f"{table}.parquet").to_dicts()
        if table == "findings":
            for row in found:
                row["precedence_note"] = row["precedence_note"] is not None
        elif table == "rules":
            found = [row for row in found if row["rule_id"] != "bilateral_injection"]
        mine = index(table, getattr(expected, table))
        theirs = index(table, found)
        for key in sorted(mine.keys() | theirs.keys(), key=repr):
            if key not in theirs:
                yield f"{table} lacks {key}: {mine[key]}"
            elif key in mine:
                for name, value in mine[key].items():
                    if theirs[key][name] != value:
                        yield f"{table}.{name} of {key} is {theirs[key][name]!r}, not {value!r}; row {mine[key]}"
            elif table != "lines" or theirs[key]["line_status"] == "live":
                yield f"{table} has {key}: {theirs[key]}"
    totals = Store(out).manifest(current)["totals"]
    for name, total in expected.totals.items():
        if totals[name] != total:
            yield f"total {name} is {totals[name]}, not {total}"


def play(folder: Path, nights: Sequence[Sequence[Row]], as_of: date, line_of_business: str | None = None) -> Iterator[str]:
    """Audit extracts night after night, and give the differences of the first night that has any."""
    out = folder / "out"
    previous: list[Row] = []
    for number in range(1, len(nights) + 1):
        extract = folder / f"night{number}.parquet"
        pq.write_table(pa.Table.from_pylist(list(nights[number - 1]), BATCH_SCHEMA), extract)
        run_reports(out, extract, as_of=as_of, line_of_business=line_of_business)
        expected = audit(nights[:number], as_of, previous, line_of_business)
        found = list(differences(out, expected))
        if found:
            yield from (f"night {number}: {line}" for line in found)
            return
        previous = expected.findings


@pytest.mark.parametrize("nights", [1, 3])
@settings(max_examples=4, derandomize=True, database=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32 - 1), as_of=st.sampled_from([date(2024, 6, 30), date(2020, 1, 15)]))
def test_audit_agrees_with_the_oracle(nights: int, seed: int, as_of: date) -> None:
    with TemporaryDirectory() as folder:
        rows = make_rows(seed, households=60)
        assert list(play(Path(folder), split_rows(seed, rows, nights), as_of)) == []
