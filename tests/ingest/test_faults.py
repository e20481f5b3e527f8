"""What quarantined rows have in common is said by reason and column, with first rows and forms, and never with a value."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sij_audit.transforms.columns import QUARANTINE_REASONS, REMEDIES, Fault
from sij_audit.transforms.duck import fetch_one
from sij_audit.transforms.ingest.csv_lines import FIELD_LIMIT
from sij_audit.transforms.ingest.faults import FIRST_ROWS, FORMS, advise_on_faults, describe_faults, warn_of_faults
from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.outcomes import Loaded, Refused
from sij_audit.transforms.ingest.readings import FORM_LENGTH, form_of
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store

CODES = [Code("27096", None, None), Code("64451", date(2020, 1, 1), None)]

GOOD = {
    "claim_id": "C1",
    "claim_line_number": "1",
    "member_id": "M1",
    "claim_line_start_date": "2024-01-15",
    "hcpcs_code": "27096",
    "paid_amount": "100.00",
}
PLAIN = GOOD | {"hcpcs_code": "99213"}

FORMS_ALONE = duckdb.connect()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT")
    store.prepare()
    return store


def as_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    text = io.StringIO(newline="")
    names = list(dict.fromkeys(name for row in rows for name in row))
    csv.writer(text, lineterminator="\n").writerows([names, *([row.get(name, "") for name in names] for row in rows)])
    path.write_text(text.getvalue(), encoding="utf-8")


def as_parquet(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)


WRITERS = {"x.csv": as_csv, "x.parquet": as_parquet}


def ingest(store: Store, rows: Sequence[Mapping[str, str]], name: str = "x.csv", max_quarantined: float = 1) -> Any:
    WRITERS[name](store.root / name, rows)
    return ingest_extract(store, store.root / name, CODES, terms=Terms(max_quarantined=max_quarantined))


def faults(store: Store, rows: Sequence[Mapping[str, str]], name: str = "x.csv") -> list[Fault]:
    outcome = ingest(store, rows, name)
    assert isinstance(outcome, Loaded)
    [kept] = store.batches()
    assert kept.faults == outcome.batch.faults
    return kept.faults


def unreadable(store: Store, *records: bytes) -> list[Fault]:
    header, row = (",".join(part).encode() for part in (GOOD, GOOD.values()))
    path = store.root / "x.csv"
    path.write_bytes(b"\n".join((header, row, *records, b"")))
    outcome = ingest_extract(store, path, CODES)
    assert isinstance(outcome, Loaded)
    return outcome.batch.faults


@pytest.mark.parametrize("name", WRITERS)
def test_reason_and_column_have_their_count_first_rows_and_forms(store: Store, name: str) -> None:
    bad = [GOOD | {"paid_amount": amount} for amount in ("12,34", "98,76", "1e5", "12,34", "abc")]
    assert faults(store, [PLAIN, *bad, GOOD], name) == [
        Fault("invalid_amount", "paid_amount", 5, [2, 3, 4], ["99,99", "9A9", "AAA"]),
    ]


@pytest.mark.parametrize("name", WRITERS)
def test_an_extract_without_quarantined_rows_has_none(store: Store, name: str) -> None:
    assert faults(store, [GOOD, PLAIN], name) == []


@pytest.mark.parametrize("name", WRITERS)
def test_a_row_counts_for_its_first_reason_and_there_for_each_column_at_fault(store: Store, name: str) -> None:
    rows = [
        GOOD | {"paid_date": "2024-02-30", "paid_amount": "x"},
        GOOD | {"paid_date": "2024-02-01", "claim_line_start_date": "soon"},
        GOOD | {"paid_date": "later", "claim_line_start_date": "soon"},
        GOOD | {"paid_date": "2024-02-01"},
    ]
    assert [(fault.reason, fault.column, fault.row_count) for fault in faults(store, rows, name)] == [
        ("invalid_date", "claim_line_start_date", 2),
        ("invalid_date", "paid_date", 2),
    ]


def test_of_a_date_it_is_said_in_which_form_the_column_is_read(store: Store) -> None:
    rows = [GOOD | {"claim_line_start_date": day} for day in ("01/15/2024", "01/16/2024", "2024-01-15")]
    [fault] = faults(store, rows)
    assert (fault.date_form, fault.forms, fault.first_rows) == ("MM/DD/YYYY", ["9999-99-99"], [3])


def test_an_empty_cell_has_no_form(store: Store) -> None:
    assert faults(store, [GOOD, GOOD | {"member_id": " "}]) == [Fault("missing_member", "member_id", 1, [2], [])]


def test_first_rows_are_in_the_order_of_the_file_whoever_reads_them(store: Store) -> None:
    rows = [GOOD | {"member_id": ""}, GOOD | {"member_id": "", "payer": 'a "quoted"\nname'}, GOOD, GOOD | {"member_id": ""}]
    [fault] = faults(store, rows)
    assert fault.first_rows == [1, 2, 4]


@pytest.mark.parametrize(
    ("record", "form"),
    [
        (b"C2,1,M1,2024-01-15,27096,100.00,", "7 fields, not 6, the last of them empty"),
        (b"C2,1,M1,2024-01-15,27096,100.00,x", "7 fields, not 6"),
        (b"TRAILER,7", "2 fields, not 6"),
        (b"7 rows", "1 field, not 6"),
        (b'C2,1,"M1"x,2024-01-15,27096,100.00', "a quote out of place"),
        (rb'C2,1,"M\"1",2024-01-15,27096,100.00', "a quote out of place, escaped by a backslash in place of doubled"),
        (b"C2,1,M1\rM2,2024-01-15,27096,100.00", "a carriage return within it"),
        (b"C2,1," + b"M" * (FIELD_LIMIT + 1) + b",2024-01-15,27096,100.00", "a field of more than 64 kB"),
    ],
)
def test_of_a_row_that_cannot_be_read_it_is_said_why(store: Store, record: bytes, form: str) -> None:
    assert unreadable(store, record) == [Fault("unparseable_row", None, 1, [2], [form])]


def test_rows_that_an_unclosed_quote_swallows_say_so(store: Store) -> None:
    [fault] = unreadable(store, b'C2,1,"M1,2024-01-15,27096,100.00', b"C3,1,M1,2024-01-15,27096,100.00")
    assert (fault.row_count, fault.forms) == (2, ["a quote out of place", "within a quote that is not closed"])


def test_at_most_a_few_rows_and_forms_are_named(store: Store) -> None:
    [fault] = faults(store, [GOOD | {"claim_status": "X" * length} for length in range(2, 9)])
    assert (len(fault.first_rows), len(fault.forms), fault.row_count) == (FIRST_ROWS, FORMS, 7)


def test_columns_that_are_alike_are_named_together_and_the_remedy_once(store: Store) -> None:
    found = faults(store, [GOOD | {"claim_line_start_date": "15JAN2024", "paid_date": "15JAN2024"}])
    assert describe_faults(found) == "invalid_date 1 in claim_line_start_date, paid_date (row 1; form 99AAA9999; read as YYYY-MM-DD)"
    assert advise_on_faults(found).startswith("write dates as YYYY-MM-DD (or")


def test_each_reason_has_a_remedy() -> None:
    assert list(REMEDIES) == list(QUARANTINE_REASONS)


def test_a_long_form_is_cut(store: Store) -> None:
    [fault] = faults(store, [GOOD, GOOD | {"claim_status": "X" * FORM_LENGTH}, GOOD | {"claim_status": "X" * 99}])
    assert sorted(fault.forms) == ["A" * FORM_LENGTH, f"{'A' * FORM_LENGTH}…"]


def test_a_refused_extract_keeps_them(store: Store) -> None:
    outcome = ingest(store, [GOOD | {"claim_line_number": "one"}], max_quarantined=0.1)
    assert isinstance(outcome, Refused)
    assert outcome.faults == (Fault("invalid_number", "claim_line_number", 1, [1], ["AAA"]),)
    assert describe_faults(outcome.faults) in outcome.reason


@pytest.mark.parametrize("name", WRITERS)
def test_a_column_that_was_read_month_first_and_has_rows_with_the_day_first_is_warned_of(store: Store, name: str) -> None:
    days = ("05/06/2023", "03/05/2023", "08/09/2023", "20/10/2023", "25/07/2023")
    [fault] = faults(store, [GOOD | {"claim_line_start_date": day} for day in days], name)
    assert fault.is_warning
    assert fault.note is not None
    assert fault.note.startswith("In 2 rows the day of claim_line_start_date comes first. No row shows that the month comes first")
    assert warn_of_faults([fault]) == [fault.note]


def test_where_other_rows_show_that_the_month_comes_first_the_warning_says_that_both_are_there(store: Store) -> None:
    days = ("05/06/2023", "03/25/2023", "08/09/2023", "20/10/2023 10:15")
    [fault] = faults(store, [GOOD | {"claim_line_start_date": day} for day in days])
    assert fault.is_warning
    assert "dates of both kinds" in (fault.note or "")


@pytest.mark.parametrize("day", ["25/07/2023", "25.07.2023", "25-7-2023", "25.07.23"])
def test_where_no_row_was_read_the_day_first_is_no_warning_but_is_said(store: Store, day: str) -> None:
    [fault] = faults(store, [GOOD, GOOD, GOOD | {"claim_line_start_date": day}])
    assert not fault.is_warning
    assert "Dates with the day first are not read." in (fault.note or "")


def test_a_date_that_is_none_is_no_day_first(store: Store) -> None:
    [fault] = faults(store, [GOOD | {"claim_line_start_date": day} for day in ("01/15/2024", "13/13/2024", "32/01/2024")])
    assert fault.note is None


@given(value=st.text(min_size=1, max_size=60))
def test_a_form_has_no_letter_and_no_digit_of_a_value(value: str) -> None:
    form = fetch_one(FORMS_ALONE, f"select {form_of('text')} from (select ? as text)", [value.replace("\0", "")])
    assert not re.search(r"[^\W\d_A]|[^\D9]", form)
    assert len(form) <= FORM_LENGTH + 1
