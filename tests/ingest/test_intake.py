"""Ingest: every row and cent is accounted for, whatever the bytes; what is kept, refused, a duplicate; files that are refused whole."""

import csv
import gzip
import io
import json
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sij_audit.transforms.columns import BATCH_SCHEMA, COLUMNS
from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.ingest import csv_part, kept_lines, row_checks
from sij_audit.transforms.ingest import intake as ingest
from sij_audit.transforms.ingest.batch_codes import lacking_codes
from sij_audit.transforms.ingest.controls import COUNTED
from sij_audit.transforms.ingest.csv_lines import FIELD_LIMIT
from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, NotReady, Refused
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store

CODES = [Code("27096", None, None), Code("G0260", None, None), Code("64451", date(2020, 1, 1), None)]

HEADER = ["claim_id", "claim_line_number", "member_id", "claim_line_start_date", "hcpcs_code", "paid_amount"]
GOOD = ["C1", "1", "M1", "2024-01-15", "27096", "100.00"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT [x]*")
    store.prepare()
    return store


def csv_bytes(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def take(store: Store, content: bytes, name: str = "x.csv", codes: Sequence[Code] = CODES, max_quarantined: float = 1) -> Any:
    path = store.root / name
    path.write_bytes(content)
    return ingest_extract(store, path, codes, terms=Terms(max_quarantined=max_quarantined))


def taken(store: Store, content: bytes, name: str = "x.csv", codes: Sequence[Code] = CODES) -> Loaded:
    outcome = take(store, content, name, codes)
    assert isinstance(outcome, Loaded), outcome
    return outcome


def refused(store: Store, content: bytes, name: str = "x.csv") -> str:
    outcome = take(store, content, name)
    assert isinstance(outcome, Refused), outcome
    assert outcome.extract == name
    assert outcome.reason.startswith(f"{name}: ")
    assert not list(store.claims.iterdir())
    return outcome.reason


def lines(outcome: Loaded) -> list[dict[str, Any]]:
    return list(pq.ParquetFile(outcome.batch.path).read().to_pylist())


def quarantine(store: Store, outcome: Loaded) -> list[tuple[int, str, bytes]]:
    table = pq.ParquetFile(store.quarantine / f"{outcome.batch.batch_id}.parquet").read()
    assert set(table["source_file"].to_pylist()) <= {outcome.batch.extract}
    return list(zip(*(table[name].to_pylist() for name in ("row_number", "reason", "raw_row")), strict=True))


def counts(outcome: Loaded) -> tuple[int, ...]:
    return tuple(outcome.batch.controls[f"rows_{name}"] for name in COUNTED)


def parquet_bytes(columns: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


# What is kept


def test_a_batch_has_the_layout_and_says_what_it_is(store: Store) -> None:
    outcome = taken(
        store, csv_bytes([GOOD, ["C1", "2", "M1", "2024-01-15", "99213", "50"], ["C2", "1", "M2", "2024-01-16", "99213", "7.5"]])
    )
    batch = outcome.batch
    file = pq.ParquetFile(batch.path)
    assert file.schema_arrow.remove_metadata() == BATCH_SCHEMA
    assert (batch.extract, batch.size, batch.latest_service_date) == ("x.csv", (store.root / "x.csv").stat().st_size, "2024-01-16")
    assert batch.controls == {
        "rows_read": 3,
        "rows_kept": 2,
        "rows_not_relevant": 1,
        "rows_quarantined": 0,
        "rows_duplicate": 0,
        "paid_read": "157.50",
        "paid_kept": "150.00",
        "paid_not_relevant": "7.50",
        "paid_quarantined": "0.00",
        "paid_duplicate": "0.00",
    }
    assert store.batches() == [batch]
    assert len(batch.batch_id) == 32
    assert (batch.path.stat().st_mode & 0o777) == 0o600
    assert not list(store.work.iterdir())


RELEVANT = [
    {"hcpcs_code": " 27096 "},
    {"hcpcs_code": "g0260"},
    {"claim_frequency_code": "7"},
    {"claim_frequency_code": "008"},
    {"claim_frequency_code": "7", "claim_status": "Denied"},
    {"bill_type_code": "0137", "claim_type": "INSTITUTIONAL"},
    {"claim_status": " Reversed "},
    {"paid_amount": "-0.01"},
    {"charge_amount": "-5"},
    {"service_unit_quantity": "-1.5"},
]
IRRELEVANT = [
    {"hcpcs_code": "2709"},
    {"hcpcs_code": "27096x"},
    {"claim_frequency_code": "77"},
    {"claim_frequency_code": "2", "bill_type_code": "0137", "claim_type": "institutional"},
    {"bill_type_code": "0137", "claim_type": "professional"},
    {"bill_type_code": "0137"},
    {"bill_type_code": "0131", "claim_type": "institutional"},
    {"paid_amount": "-0.00"},
    {"claim_status": "denied"},
    {"claim_end_date": "rubbish", "allowed_amount": "-1"},
]


@pytest.mark.parametrize(("facts", "kept"), [(facts, 1) for facts in RELEVANT] + [(facts, 0) for facts in IRRELEVANT])
def test_relevant_rows(store: Store, facts: dict[str, str], kept: int) -> None:
    row = dict(zip(HEADER, GOOD, strict=True)) | {"hcpcs_code": "99213"} | facts
    assert counts(taken(store, csv_bytes([list(row.values())], list(row)))) == (1, kept, 1 - kept, 0, 0)


def test_null_is_a_data_source_like_any_other(store: Store) -> None:
    header = [*HEADER, "data_source"]
    rows = [[*GOOD, ""], ["C1", "2", "M1", "2024-01-15", "1", "1", " "], ["C1", "3", "M1", "2024-01-15", "1", "1", "A"]]
    assert counts(taken(store, csv_bytes(rows, header))) == (3, 2, 1, 0, 0)


def test_claims_loaded_before_are_kept(store: Store) -> None:
    taken(store, csv_bytes([GOOD]), "mon.csv")
    correction = csv_bytes([["C1", "1", "M1", "2024-01-15", "99213", "1"], ["C9", "1", "M1", "2024-01-15", "99213", "1"]])
    assert counts(taken(store, correction, "tue.csv")) == (2, 1, 1, 0, 0)


def test_refused_rows_make_no_claim_relevant(store: Store) -> None:
    rows = [["C1", "1", "", "2024-01-15", "27096", "1"], ["C1", "2", "M1", "2024-01-15", "99213", "1"]]
    assert counts(taken(store, csv_bytes(rows))) == (2, 0, 1, 1, 0)


def test_a_claim_is_known_by_its_own_number_where_hashes_collide(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [GOOD, ["C2", "1", "M1", "2024-01-15", "99213", "1"]]
    for module in (kept_lines, row_checks):
        monkeypatch.setattr(module, "CLAIM_HASH", "length(claim_id)::ubigint")
    assert counts(taken(store, csv_bytes(rows))) == (2, 1, 1, 0, 0)


def test_cells_are_normalised(store: Store) -> None:
    row = dict.fromkeys(BATCH_SCHEMA.names, "")
    row |= dict(zip(HEADER, GOOD, strict=True))
    row |= {"claim_id": " 00 1 ", "hcpcs_code": " g0260", "hcpcs_modifier_1": "rt ", "claim_status": "PAID", "line_of_business": " MaPd"}
    row |= {
        "claim_frequency_code": "000",
        "payer": "\tÄ ",
        "service_unit_quantity": "1.5",
        "claim_end_date": "2024-02-30",
        "allowed_amount": "1e3",
    }
    row |= {"claim_line_number": "007", "charge_amount": "3", "plan": "   ", "claim_start_date": " 2024-01-14 ", "paid_amount": " -1.5 "}
    (line,) = lines(taken(store, csv_bytes([list(row.values())], list(row))))
    expected: dict[str, Any] = {"claim_id": "00 1", "hcpcs_code": "G0260", "hcpcs_modifier_1": "RT", "claim_status": "paid"}
    expected["line_of_business"] = "mapd"
    expected |= {"claim_frequency_code": "0", "payer": "Ä", "service_unit_quantity": Decimal("1.5"), "claim_line_number": 7}
    expected |= {"charge_amount": Decimal(3), "claim_start_date": date(2024, 1, 14), "paid_amount": Decimal("-1.5"), "member_id": "M1"}
    expected |= {"claim_line_start_date": date(2024, 1, 15)}
    assert {name: value for name, value in line.items() if value is not None} == expected


def test_columns_report_what_is_filled(store: Store) -> None:
    header = [
        " Claim_ID ",
        "CLAIM_LINE_NUMBER",
        "member_id",
        "claim_line_start_date",
        "hcpcs_code",
        "paid_amount",
        "Extra",
        "claim_end_date",
    ]
    rows = [[*GOOD, "x", "20240101"], [*GOOD, " ", "rubbish"], [*GOOD, "", ""], ["C2", "", "", "", "", "", "y", ""]]
    outcome = taken(store, csv_bytes(rows, header) + b"too,few\n")
    columns = {column["column"]: column for column in outcome.batch.columns}
    assert list(columns) == [*(column.name for column in COLUMNS), "Extra"]
    assert columns["Extra"] == {"column": "Extra", "is_canonical": False, "is_present": True, "filled_count": 2}
    assert columns["claim_id"]["filled_count"] == 4
    assert columns["claim_end_date"]["filled_count"] == 2
    assert columns["plan"] == {"column": "plan", "is_canonical": True, "is_present": False, "filled_count": 0}


# Duplicates


def test_exact_duplicates_are_one_row_with_the_earliest_file_date(store: Store) -> None:
    header = [*HEADER, "file_name", "file_date"]
    rows = [[*GOOD, "a", "2024-03-02"], [*GOOD, "b", "2024-03-01"], [*GOOD[:5], "100", "c", "2024-03-03"], [*GOOD[:5], "100.01", "d", ""]]
    outcome = taken(store, csv_bytes(rows, header))
    assert counts(outcome) == (4, 2, 0, 0, 2)
    assert [(line["file_name"], line["file_date"]) for line in lines(outcome)] == [("b", date(2024, 3, 1)), ("d", None)]
    assert outcome.batch.controls["paid_duplicate"] == "200.00"


def test_null_is_the_earliest_file_date(store: Store) -> None:
    header = [*HEADER, "file_date"]
    outcome = taken(store, csv_bytes([[*GOOD, "2024-03-02"], [*GOOD, ""]], header))
    assert [line["file_date"] for line in lines(outcome)] == [None]


def test_a_status_that_is_there_and_one_that_is_taken_for_granted_are_two_rows(store: Store) -> None:
    assert counts(taken(store, csv_bytes([[*GOOD, "paid"], [*GOOD, ""]], [*HEADER, "claim_status"]))) == (2, 2, 0, 0, 0)


def test_repeats_of_rows_that_are_not_kept_are_not_relevant(store: Store) -> None:
    row = ["C2", "1", "M1", "2024-01-15", "99213", "1"]
    assert counts(taken(store, csv_bytes([row, row]))) == (2, 0, 2, 0, 0)


# Refused rows

BAD_CELLS = [
    ("claim_id", "  ", "missing_claim_id"),
    ("claim_line_number", "", "missing_claim_line_number"),
    ("claim_line_number", "1.5", "invalid_number"),
    ("claim_line_number", "-1", "invalid_number"),
    ("claim_line_number", "1234567890", "invalid_number"),
    ("member_id", "", "missing_member"),
    ("claim_line_start_date", "", "missing_service_date"),
    *[
        ("claim_line_start_date", cell, "invalid_date")
        for cell in (
            "2023-02-29",
            "1989-12-31",
            "2100-01-01",
            "infinity",
            "epoch",
            "2024-1-5",
            "2024/01/05",
            "2024-01-5\t",
            "20240105",
            "0000-01-01",
        )
    ],
    ("paid_date", "10000-01-01", "invalid_date"),
    ("file_date", "2024-01-01 24:00:00", "invalid_date"),
    ("claim_start_date", "+2024-1-05", "invalid_date"),
    *[
        ("paid_amount", cell, "invalid_amount")
        for cell in ("1e3", "1_000", "10.005", "5$", "+5", ".5", "5.", "1,5", "1 0", "1234567890123", "--5", "inf")
    ],
    ("charge_amount", "0.001", "invalid_amount"),
    *[("service_unit_quantity", cell, "invalid_number") for cell in ("1.00001", "1234567890", "1e0", "one", "1.")],
    ("claim_status", "void", "unknown_claim_status"),
]


@pytest.mark.parametrize(("column", "cell", "reason"), BAD_CELLS)
def test_bad_cells_refuse_their_row(store: Store, column: str, cell: str, reason: str) -> None:
    good = dict(zip(HEADER, GOOD, strict=True)) | {
        "paid_date": "2024-02-01",
        "claim_status": "",
        "charge_amount": "1",
        "service_unit_quantity": "1",
    }
    good |= {"claim_start_date": "", "file_date": ""}
    rows = [good, good | {column: cell}, good | {"claim_id": "C3"}]
    content = csv_bytes([list(row.values()) for row in rows], list(good))
    outcome = taken(store, content)
    assert [(number, why) for number, why, _ in quarantine(store, outcome)] == [(2, reason)]
    assert quarantine(store, outcome)[0][2] == content.splitlines()[2]
    assert outcome.batch.reasons == {reason: 1}
    assert outcome.batch.controls["paid_quarantined"] == ("0.00" if column == "paid_amount" else "100.00")


def test_the_first_reason_counts(store: Store) -> None:
    rows = [
        ["", "x", "", "x", "", "x"],
        ["C1", "x", "M1", "x", "", "x"],
        ["C1", "x", "M1", "2024-01-01", "", "x"],
        ["C1", "x", "M1", "2024-01-01", "", ""],
    ]
    reasons = [why for _, why, _ in quarantine(store, taken(store, csv_bytes([GOOD, *rows])))]
    assert reasons == ["missing_claim_id", "invalid_date", "invalid_amount", "invalid_number"]


LINE = ",".join(GOOD).encode() + b"\n"
BAD_RECORDS = [
    (b"C1,1,M1\n", ["unparseable_row"]),
    (LINE[:-1] + b",\n", ["unparseable_row"]),
    (LINE[:-1] + b",x,y,z\n", ["unparseable_row"]),
    (b'"C1"x,1,M1,2024-01-15,27096,1\n', ["unparseable_row"]),
    (b"C1,1,M1,2024-01-15,27\r096,1\n", ["unparseable_row"]),
    (b"C1,1,M1,2024-01-15,27096,1\r\r\n", ["unparseable_row"]),
    (b"C1,1,M\0,2024-01-15,27096,1\n", ["nul_byte"]),
    (b"C1,1,M\xff,2024-01-15,27096,1\n", ["bad_encoding"]),
    (b"C1,1,M\xed\xa0\x80,2024-01-15,27096,1\n", ["bad_encoding"]),
    (b"C" * (FIELD_LIMIT + 1) + LINE[2:], ["unparseable_row"]),
    (b'"x\ny"z,1,M1,2024-01-15,27096,1\n', ["unparseable_row"] * 2),
    (b'C1,1,"M\n1\r2",2024-01-15,27096,1\n', ["unparseable_row"]),
    (",".join(HEADER).encode() + b"\n", ["invalid_date"]),
    (b" \n", ["unparseable_row"]),
]


@pytest.mark.parametrize(("record", "reasons"), BAD_RECORDS)
def test_bad_records_cost_no_other_row(store: Store, record: bytes, reasons: list[str]) -> None:
    outcome = taken(store, csv_bytes([GOOD]) + record + LINE.replace(b"C1", b"C3"))
    found = quarantine(store, outcome)
    assert [why for _, why, _ in found] == reasons
    assert [number for number, _, _ in found] == list(range(2, 2 + len(reasons)))
    assert b"\n".join(raw for _, _, raw in found) in record
    assert [line["claim_id"] for line in lines(outcome)] == ["C1", "C3"]


def test_a_last_row_without_its_newline_may_have_been_cut(store: Store) -> None:
    outcome = taken(store, csv_bytes([GOOD]) + LINE[:-2])
    assert quarantine(store, outcome) == [(2, "unterminated_last_row", LINE[:-2])]
    assert outcome.batch.controls["paid_quarantined"] == "100.00"


def test_an_unclosed_quote_costs_the_rows_that_it_swallows(store: Store) -> None:
    swallowed = b'C1,1,"M1,2024-01-15,27096,1\n' + LINE * 3 + b'C1,1,"M1",2024-01-15,27096,1\n'
    outcome = taken(store, csv_bytes([GOOD]) + swallowed + LINE.replace(b"C1", b"C3"))
    assert counts(outcome) == (7, 2, 0, 5, 0)
    assert outcome.batch.reasons == {"unparseable_row": 5}
    to_the_end = taken(store, csv_bytes([GOOD]) + b'C1,1,"M1\n' + LINE * 2, "y.csv")
    assert counts(to_the_end) == (4, 1, 0, 3, 0)


def test_quoted_cells_may_hold_anything(store: Store) -> None:
    rows = [["C\n1", "1", 'M"1"', "2024-01-15", "27096", "1"], ["C,2", "1", "M\r\n1", "2024-01-15", "27096", "1"], GOOD]
    outcome = taken(store, csv_bytes(rows))
    assert [(line["claim_id"], line["member_id"]) for line in lines(outcome)] == [("C1", "M1"), ("C\n1", 'M"1"'), ("C,2", "M\r\n1")]


def test_a_quote_within_an_unquoted_field_is_text(store: Store) -> None:
    outcome = taken(store, csv_bytes([]) + b'C"1,1,M"1",2024-01-15,27096,1\n')
    assert [(line["claim_id"], line["member_id"]) for line in lines(outcome)] == [('C"1', 'M"1"')]


def test_row_numbers_count_records(store: Store) -> None:
    bad = b"C,,M,2024-01-15,27096,1\n"
    content = (
        csv_bytes([GOOD])
        + bad
        + b"\n\r\n"
        + b'"C\n1",1,M1,2024-01-15,27096,1\n'
        + bad
        + b'"x"y\n'
        + bad
        + b'C,,"M\nN",2024-01-15,27096,1\n'
        + bad
    )
    numbers = [number for number, _, _ in quarantine(store, taken(store, content))]
    assert numbers == [2, 4, 5, 6, 7, 8]


# Accepted files


@pytest.mark.parametrize(
    "name", ["it's.csv", "br[ab].csv", "a b;c.csv", "new\nline.csv", "st*r?.csv", '"q".csv', "{0}.csv", "-x.csv", "$HOME.csv", "ü.csv"]
)
def test_names_are_no_patterns(store: Store, name: str) -> None:
    (store.root / "bra.csv").write_bytes(csv_bytes([["C7", *GOOD[1:]]]))
    outcome = taken(store, csv_bytes([GOOD]), name)
    assert outcome.batch.extract == name
    assert [line["claim_id"] for line in lines(outcome)] == ["C1"]


CONTENT = csv_bytes([GOOD, ["C2", "1", "M2", "2024-01-16", "99213", "7.5"]])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + CONTENT,
        CONTENT.replace(b"\n", b"\r\n"),
        CONTENT.replace(b"\n", b"\r\n", 1),
        CONTENT.replace(b"\n", b"\r\n", 2),
        b"\n\r\n" + CONTENT,
        CONTENT.replace(b"\n", b"\n\n\r\n"),
        b"\xef\xbb\xbf" + b'"claim_id"' + CONTENT[8:],
    ],
)
def test_harmless_differences(store: Store, content: bytes) -> None:
    outcome = taken(store, content)
    assert counts(outcome) == (2, 1, 1, 0, 0)
    assert lines(outcome)[0]["claim_id"] == "C1"


def test_a_header_name_may_be_quoted_and_hold_a_newline(store: Store) -> None:
    outcome = taken(store, b'"x\ny",' + CONTENT.replace(b"\nC", b"\n,C"))
    assert counts(outcome) == (2, 1, 1, 0, 0)


def test_a_header_alone_is_no_rows(store: Store) -> None:
    outcome = taken(store, csv_bytes([]))
    assert counts(outcome) == (0, 0, 0, 0, 0)
    assert outcome.batch.latest_service_date is None
    assert lines(outcome) == []


@pytest.mark.parametrize(("name", "pack"), [("x.csv.gz", gzip.compress), ("x.csv.zst", zstandard.compress)])
def test_compressed_files(store: Store, name: str, pack: Any) -> None:
    plain = lines(taken(store, CONTENT + b'"C\n4",1,M1,2024-01-15,27096,1\n'))
    assert lines(taken(store, pack(CONTENT + b'"C\n4",1,M1,2024-01-15,27096,1\n'), name)) == plain
    assert isinstance(take(store, pack(CONTENT)[:-3], name), Refused)


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2024-01-02", "20240102", "2024-01-03"], "YYYY-MM-DD"),
        (["20240102", "01/02/2024"], "YYYYMMDD"),
        (["01/02/2024", "2024-01-02"], "YYYY-MM-DD"),
        (["01/31/2024", "31/01/2024", "02/01/2024", "2024-01-01"], "MM/DD/YYYY"),
        (["20240230", "20240231", "01/02/2024"], "MM/DD/YYYY"),
    ],
)
def test_a_date_column_has_the_form_that_reads_most(store: Store, cells: list[str], form: str) -> None:
    outcome = taken(store, csv_bytes([["C1", str(n), "M1", cell, "27096", "1"] for n, cell in enumerate(cells)]))
    patterns = {"YYYY-MM-DD": "%Y-%m-%d", "YYYYMMDD": "%Y%m%d", "MM/DD/YYYY": "%m/%d/%Y"}
    readable = []
    for cell in cells:
        try:
            if (found := datetime.strptime(cell, patterns[form])).strftime(patterns[form]) == cell:  # noqa: DTZ007  a date has no zone
                readable.append(found.date())
        except ValueError:
            pass
    assert [line["claim_line_start_date"] for line in lines(outcome)] == readable
    assert outcome.batch.reasons.get("invalid_date", 0) == len(cells) - len(readable)


def test_the_form_of_dates_is_not_that_of_the_sample(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_part.CsvPart, "sample", lambda part: [["", "", "", "01/02/2024", "", ""]])
    assert counts(taken(store, csv_bytes([GOOD]))) == (1, 1, 0, 0, 0)


# Files refused whole


def test_bad_files_are_refused(store: Store) -> None:
    assert "empty" in refused(store, b"")
    assert "empty" in refused(store, b"\n\n")
    assert "Save it as UTF-8: in Excel" in refused(store, CONTENT.decode().encode("utf-16"))
    assert "UTF-16" in refused(store, CONTENT.decode().encode("utf-32"))
    assert "NUL" in refused(store, CONTENT.decode().encode("utf-16-le"))
    assert "NUL" in refused(store, CONTENT + b"\0" * 512 + LINE)
    assert "within its header" in refused(store, b",".join(name.encode() for name in HEADER))
    assert "header" in refused(store, b'"claim_id"x\n' + CONTENT)
    assert "header" in refused(store, CONTENT.replace(b"\n", b"\r"))
    assert "not UTF-8" in refused(store, b"\xff," + CONTENT)
    assert "column claim_id twice" in refused(store, b" CLAIM_ID ," + CONTENT)
    assert "no Parquet" in refused(store, CONTENT, "x.parquet")
    assert "compression" in refused(store, CONTENT, "x.csv.gz")


@pytest.mark.parametrize("name", HEADER)
def test_a_needed_column_is_missed_by_name(store: Store, name: str) -> None:
    assert f"lacks column {name}" in refused(store, CONTENT.replace(name.encode(), b"other", 1))


def test_every_missing_column_is_named(store: Store) -> None:
    said = refused(store, b"claim_id,claim_start_date\nC1,2024-01-15\n")
    assert said == "x.csv: lacks columns claim_line_number, member_id, hcpcs_code, paid_amount. Add what is lacking to the export."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CONTENT.replace(b",", b";"), "Its columns are separated by semicolons (;); they must be by commas."),
        (CONTENT.replace(b",", b"\t"), "Its columns are separated by tabs; they must be by commas."),
        (CONTENT.replace(b",", b"|"), "Its columns are separated by pipes (|); they must be by commas."),
        (
            b"sep=;\n" + CONTENT.replace(b",", b";"),
            "Row 1 is a line that says the separator (sep=), for Excel alone. The header is in row 2",
        ),
        (CONTENT.split(b"\n", 1)[1], "Row 1 looks like data: "),
        (CONTENT.split(b"\n", 1)[1].replace(b",", b"|"), "separated by pipes (|); they must be by commas. Row 1 looks like data: "),
        (b"Paid claims of the month\n\nJanuary\n" + CONTENT, "The header is in row 4: what stands above it must go."),
        (b"Paid claims of the month\n", "No name in row 1 is that of a column: "),
        (CONTENT.replace(b",", b"     "), "Its columns are of fixed width, without a separator."),
        (
            b"".join(b"%-20s%-20s%s\n" % tuple(row.split(b",")[:3]) for row in CONTENT.split(b"\n")[1:3]) * 2,
            "Its columns are of fixed width, without a separator.",
        ),
        (b'"claim_id"x\n' + CONTENT, "The header is in row 2"),
        (CONTENT.replace(b"\n", b"\r"), "Its lines end in carriage returns without newlines."),
        (b"ICN,LINE,SUBSCRIBER\n", "Names that come near: ICN for claim_id, LINE for claim_line_number, SUBSCRIBER for member_id."),
    ],
)
def test_a_header_that_lacks_columns_is_described_without_a_value(store: Store, content: bytes, said: str) -> None:
    reason = refused(store, content)
    assert said in reason
    for value in (*GOOD, "Paid claims", "January"):
        assert value == "1" or value not in reason


def test_either_date_column_will_do(store: Store) -> None:
    assert counts(taken(store, CONTENT.replace(b"claim_line_start_date", b"claim_start_date"))) == (2, 1, 1, 0, 0)


def test_a_refusal_names_the_content(store: Store) -> None:
    outcome = take(store, b"x\n")
    assert isinstance(outcome, Refused)
    assert outcome.sha256 == "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"


def test_sidecars_must_agree(store: Store) -> None:
    totals = store.root / "x.csv.totals.json"
    digest = store.root / "x.csv.sha256"
    totals.write_text(json.dumps({"rows": 3, "paid_amount": 107.5}))
    assert "2 rows" in refused(store, CONTENT)
    totals.write_text(json.dumps({"rows": 2, "paid_amount": 107.49}))
    assert "paid_amount" in refused(store, CONTENT)
    totals.write_text(json.dumps({"rows": 2, "paid_amount": "107.50"}))
    digest.write_text("0" * 64)
    assert "SHA-256" in refused(store, CONTENT)
    digest.unlink()
    assert counts(taken(store, CONTENT)) == (2, 1, 1, 0, 0)


def test_a_file_that_grows_while_it_is_read_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.root / "x.csv"
    real = row_checks.scan_rows

    def grow(*args: Any) -> Any:
        with path.open("ab") as file:
            file.write(LINE)
        return real(*args)

    monkeypatch.setattr(kept_lines, "scan_rows", grow)
    assert isinstance(take(store, CONTENT), NotReady)
    assert not list(store.claims.iterdir())


# The same content again


def test_known_content_is_not_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = taken(store, CONTENT)
    monkeypatch.setattr(ingest, "_load", None)
    again = take(store, CONTENT, "again.csv")
    assert isinstance(again, LoadedBefore)
    assert again.batch == first.batch


def test_a_code_that_was_in_force_asks_for_the_extract_again(store: Store) -> None:
    first = taken(store, CONTENT)
    later = [*CODES, Code("99213", date(2024, 1, 17), None)]
    in_force = [*CODES, Code("99213", date(2024, 1, 16), None)]
    assert lacking_codes(first.batch, later) == []
    assert isinstance(take(store, CONTENT, codes=later), LoadedBefore)
    assert lacking_codes(first.batch, in_force) == ["99213"]
    second = taken(store, CONTENT, "renamed.csv", in_force)
    assert counts(second) == (2, 2, 0, 0, 0)
    assert second.batch.extract == "x.csv"
    assert store.batches() == [second.batch]
    assert [path.name for path in store.quarantine.iterdir()] == [second.batch.path.name]


# Parquet

TYPED = {
    "claim_id": pa.array(["C1", "C2", " C1"]),
    "claim_line_number": pa.array([1, 1, 2], pa.int32()),
    "member_id": pa.array(["M1", "M2", "M1"]).dictionary_encode(),
    "claim_line_start_date": pa.array([date(2024, 1, 15)] * 3),
    "hcpcs_code": pa.array(["27096", "99213", None]),
    "paid_amount": pa.array([Decimal("100.00"), Decimal("7.50"), Decimal(-1)], pa.decimal128(18, 2)),
}


def test_parquet_of_its_own_types(store: Store) -> None:
    outcome = taken(store, parquet_bytes(TYPED), "x.parquet")
    assert counts(outcome) == (3, 2, 1, 0, 0)
    assert outcome.batch.controls["paid_read"] == "106.50"
    assert [(line["claim_id"], line["claim_line_number"]) for line in lines(outcome)] == [("C1", 1), ("C1", 2)]


TIMES = [datetime.fromisoformat("2024-01-15T23:59:59")] * 3


@pytest.mark.parametrize(
    ("column", "values"),
    [
        *[("claim_line_start_date", pa.array(TIMES, pa.timestamp(unit))) for unit in ("s", "ms", "us", "ns")],
        ("claim_line_start_date", pa.array(TIMES, pa.timestamp("us", "America/New_York"))),
        ("claim_line_start_date", pa.array(["01/15/2024"] * 3, pa.large_string())),
        ("claim_line_number", pa.array([1.0, 1.0, 2.0])),
        ("claim_line_number", pa.array([1, 1, 2], pa.uint64())),
        ("claim_line_number", pa.array(["1", "1", "2"], pa.string_view())),
        ("paid_amount", pa.array([100.0, 7.5, -1.0])),
        ("paid_amount", pa.array([100.0, 7.5, -1.0], pa.float32())),
        ("paid_amount", pa.array([Decimal("100.000"), Decimal("7.500"), Decimal(-1)], pa.decimal128(30, 10))),
        ("paid_amount", pa.array(["100", "7.5", "-1"])),
        ("hcpcs_code", pa.array(["27096", "99213", None]).dictionary_encode()),
    ],
)
def test_parquet_types_that_say_the_same(store: Store, column: str, values: pa.Array) -> None:
    expected = lines(taken(store, parquet_bytes(TYPED), "a.parquet"))
    assert lines(taken(store, parquet_bytes(TYPED | {column: values}), "b.parquet")) == expected


@pytest.mark.parametrize(
    ("column", "values", "reasons"),
    [
        ("paid_amount", pa.array([1.005, 7.5, 0.29]), {"invalid_amount": 1}),
        ("paid_amount", pa.array([float("nan"), float("inf"), 1e12]), {"invalid_amount": 2}),
        ("paid_amount", pa.array([999999999999.99, 0.1 + 0.2, -0.000001]), {}),
        ("paid_amount", pa.array([Decimal("1.005"), Decimal("7.500"), None], pa.decimal128(18, 3)), {"invalid_amount": 1}),
        ("paid_amount", pa.array([10**12, 1, None], pa.int64()), {"invalid_amount": 1}),
        ("claim_line_number", pa.array([1.5, 1.0, -2.0]), {"invalid_number": 2}),
        ("claim_line_number", pa.array([10**9, 1, None], pa.int64()), {"invalid_number": 1, "missing_claim_line_number": 1}),
        ("claim_line_start_date", pa.array([date(1989, 12, 31), None, date(2100, 1, 1)]), {"invalid_date": 2, "missing_service_date": 1}),
        ("member_id", pa.array([None, " ", ""]), {"missing_member": 3}),
        ("member_id", pa.nulls(3), {"missing_member": 3}),
    ],
)
def test_parquet_cells_that_refuse_their_row(store: Store, column: str, values: pa.Array, reasons: dict[str, int]) -> None:
    assert taken(store, parquet_bytes(TYPED | {column: values}), "x.parquet").batch.reasons == reasons


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("claim_id", pa.array([1, 2, 3])),
        ("hcpcs_code", pa.array([27096.0, 1.0, 2.0])),
        ("billing_npi", pa.array([1000000000] * 3)),
        ("claim_line_start_date", pa.array([20240115] * 3)),
        ("paid_amount", pa.array([True, False, True])),
        ("member_id", pa.array([["M1"], ["M2"], ["M3"]])),
        ("claim_line_number", pa.array([True] * 3)),
    ],
)
def test_parquet_types_that_refuse_the_file(store: Store, column: str, values: pa.Array) -> None:
    assert f"column {column} is of type" in refused(store, parquet_bytes(TYPED | {column: values}), "x.parquet")


def test_refused_parquet_rows_are_json(store: Store) -> None:
    outcome = taken(
        store, parquet_bytes(TYPED | {"Extra ": pa.array(["a", "b", "c"]), "member_id": pa.array(["M1", "", "ü"])}), "x.parquet"
    )
    ((number, reason, raw),) = quarantine(store, outcome)
    assert (number, reason) == (2, "missing_member")
    row = json.loads(raw.decode())
    assert (row["claim_id"], row["member_id"], row["Extra "]) == ("C2", "", "b")
    assert outcome.batch.columns[-1] == {"column": "Extra", "is_canonical": False, "is_present": True, "filled_count": 3}


def test_filled_cells_of_parquet_are_counted(store: Store) -> None:
    extra = {
        "plan": pa.array(["", None, "x"]),
        "payer": pa.array(["a", None, "b"]),
        "state": pa.array([" ", "  ", None]),
        "n": pa.array([1, None, 2]),
    }
    outcome = taken(store, parquet_bytes(TYPED | extra), "x.parquet")
    filled = {column["column"]: column["filled_count"] for column in outcome.batch.columns}
    assert [filled[name] for name in ("plan", "payer", "state", "n", "hcpcs_code")] == [1, 2, 0, 2, 2]


def test_damaged_parquet_is_refused(store: Store) -> None:
    content = parquet_bytes(TYPED)
    for cut in (0, 4, 100, len(content) - 1):
        outcome = take(store, content[:cut], "x.parquet")
        assert isinstance(outcome, Refused)
    outcome = take(store, content[:8] + b"\xff" * 200 + content[208:], "x.parquet")
    assert isinstance(outcome, Refused)
    assert "C1" not in outcome.reason


def test_rows_and_columns_of_parquet_survive_many_row_groups(store: Store) -> None:
    rows = 5000
    table = pa.table(
        {
            "claim_id": [f"C{n // 3}" for n in range(rows)],
            "claim_line_number": [n % 3 + 1 for n in range(rows)],
            "member_id": ["M1"] * rows,
            "claim_line_start_date": ["2024-01-01"] * rows,
            "hcpcs_code": ["27096" if n % 97 == 0 else "99213" for n in range(rows)],
            "paid_amount": ["1.00"] * rows,
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=700)
    outcome = taken(store, sink.getvalue(), "x.parquet")
    relevant = {n // 3 for n in range(0, rows, 97)}
    assert [line["claim_id"] for line in lines(outcome)] == [f"C{n // 3}" for n in range(rows) if n // 3 in relevant]


# Whatever the bytes

PIECES = [
    *[
        LINE,
        LINE.replace(b"C1", b"C2"),
        b"C9,1,M1,2024-01-15,99213,1.5\n",
        b"C1,1,M1,2024-01-15,64451,3\r\n",
        b"C1,,M1,2024-01-15,64451,2\n",
    ],
    *[
        b'"C1","1","M1","2024-01-15","27096","4"\n',
        b'C1,1,"M\n1",2024-01-15,27096,5\n',
        b"\n",
        b"\r\n",
        b",",
        b'"',
        b'""',
        b"\n",
        b"\r",
        b"\0",
    ],
    *[
        b"\xff",
        b"\xc3\xa9",
        b" ",
        b"x",
        b"-1",
        b"C1,1,M1,20240115,27096,1\n",
        b"C1,1,M1,2024-02-30,27096,1\n",
        b"C1,1,M1\n",
        LINE[:-1] + b",\n",
    ],
]


def naive_rows(body: bytes, width: int) -> list[tuple[str | None, list[str]]]:
    """Read a body with the csv module: for each row why its bytes refuse it, and its fields."""
    csv.field_size_limit(FIELD_LIMIT)
    text = body.decode("latin-1").replace("\r\n", "\x1e").replace("\r", "\x1f").replace("\x1e", "\r\n")
    raw_lines = io.StringIO(text, newline="\n").readlines()
    reader = csv.reader(iter(raw_lines), strict=True)
    rows: list[tuple[str | None, list[str]]] = []
    before = 0
    while before < len(raw_lines):
        try:
            fields: list[str] | None = next(reader)
        except csv.Error:
            fields = None
        raw = "".join(raw_lines[before : reader.line_num])
        if fields is None:
            rows += [("unparseable_row", [])] * (reader.line_num - before)
        elif fields == []:
            pass
        elif len(fields) != width or "\x1f" in raw:
            rows.append(("unparseable_row", []))
        else:
            reason = None
            if not raw.endswith("\n"):
                reason = "unterminated_last_row"
            elif "\0" in raw:
                reason = "nul_byte"
            else:
                try:
                    raw.encode("latin-1").decode()
                except UnicodeDecodeError:
                    reason = "bad_encoding"
            rows.append((reason, fields))
        before = reader.line_num
    return rows


def naive_paid(fields: list[str]) -> Decimal:
    cell = fields[5].strip(" ") if fields else ""
    whole, _, cents = cell.removeprefix("-").partition(".")
    reads = (
        whole.isascii() and whole.isdigit() and len(whole) < 13 and (not cents if "." not in cell else cents.isdigit() and len(cents) < 3)
    )
    return Decimal(cell) if reads else Decimal(0)


@settings(max_examples=120)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join))
def test_any_bytes_balance(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    store = Store(tmp_path_factory.mktemp("any") / "OUT")
    store.prepare()
    outcome = taken(store, csv_bytes([]) + body)
    expected = naive_rows(body, len(HEADER))
    read, kept, not_relevant, quarantined, duplicate = counts(outcome)
    assert read == len(expected) == kept + not_relevant + quarantined + duplicate
    paid = {name: Decimal(outcome.batch.controls[f"paid_{name}"]) for name in COUNTED}
    assert paid["read"] == sum(naive_paid(fields) for _, fields in expected) == sum(paid.values()) - paid["read"]
    found = {number: reason for number, reason, _ in quarantine(store, outcome)}
    assert len(found) == quarantined
    by_bytes = {number: reason for number, (reason, _) in enumerate(expected, start=1) if reason}
    assert {number: reason for number, reason in found.items() if number in by_bytes} == by_bytes
    assert Counter(found.values()) == outcome.batch.reasons
    assert len(lines(outcome)) == kept


@settings(max_examples=60)
@given(st.binary(max_size=200), st.sampled_from(["x.csv", "x.csv.gz", "x.csv.zst", "x.parquet"]))
def test_rubbish_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    store = Store(tmp_path_factory.mktemp("any") / "OUT")
    store.prepare()
    assert isinstance(take(store, content, name), Refused)
    assert not list(store.claims.iterdir())
    assert not list(store.quarantine.iterdir())


def some_rows(seed: int) -> list[list[str]]:
    rng = random.Random(seed)
    rows = []
    for n in range(3000):
        amount = rng.choice(["1.00", "2.5", "-3", "", "x"])
        day = rng.choice(["2024-01-15", "2024-02-30", "2023-12-31"])
        code = rng.choice(["27096", "99213", "99214", "99215"])
        rows.append([f"C{rng.randrange(1500)}", str(n % 3 + 1), rng.choice(["M1", "M,2", "M\n3", ""]), day, code, amount])
    return rows


def key(line: dict[str, Any]) -> str:
    return repr(sorted(line.items()))


@pytest.mark.parametrize("change", ["reversed", "strictly", "one thread", "columns", "parquet", "small blocks"])
def test_what_is_kept_hangs_on_nothing_else(store: Store, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    rows = some_rows(1)
    expected = taken(store, csv_bytes(rows), "a.csv")
    other = Store(store.root / "other")
    other.prepare()
    name, content = "b.csv", csv_bytes(rows)
    if change == "reversed":
        content = csv_bytes(rows[::-1])
    elif change == "columns":
        content = csv_bytes([row[::-1] for row in rows], HEADER[::-1])
    elif change == "parquet":
        name, content = "b.parquet", parquet_bytes({column: [row[i] for row in rows] for i, column in enumerate(HEADER)})
    elif change == "strictly":
        strict = replace(csv_part.FORMAT, open_part=lambda given: csv_part.open_csv_part(replace(given, is_trusted=False)))
        monkeypatch.setattr(ingest, "format_of", lambda path, terms: (strict, ""))
    elif change == "small blocks":
        monkeypatch.setattr(
            csv_part, "read_blocks", lambda descriptor: iter([content[at : at + 777] for at in range(0, len(content), 777)])
        )
    else:
        connect = duckdb.connect
        monkeypatch.setattr(duckdb, "connect", lambda config: connect(config=config | {"threads": 1}))
    found = taken(other, content, name)
    assert found.batch.controls == expected.batch.controls
    assert found.batch.reasons == expected.batch.reasons
    assert sorted(map(key, lines(found))) == sorted(map(key, lines(expected)))


def test_split_files_keep_what_one_file_keeps(store: Store) -> None:
    rows = [row for row in some_rows(2) if row[4] == "27096"]
    whole = taken(store, csv_bytes(rows), "a.csv")
    other = Store(store.root / "other")
    other.prepare()
    parts = [taken(other, csv_bytes(rows[:700]), "b.csv"), taken(other, csv_bytes(rows[700:]), "c.csv")]
    assert {key(line) for part in parts for line in lines(part)} == {key(line) for line in lines(whole)}


def test_a_parser_that_loses_rows_is_not_trusted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = csv_part._read_csv
    monkeypatch.setattr(csv_part, "_read_csv", lambda *args: f"(select * from {real(*args)} where random() < 0.5)")
    rows = [[f"C{n}", *GOOD[1:]] for n in range(50)]
    monkeypatch.setattr(csv_part.CsvPart, "fetch", strict_fetch(csv_part.CsvPart.fetch, monkeypatch, real))
    assert counts(taken(store, csv_bytes(rows))) == (50, 50, 0, 0, 0)


def strict_fetch(fetch: Any, monkeypatch: pytest.MonkeyPatch, real: Any) -> Any:
    def restored(*args: Any) -> None:
        monkeypatch.setattr(csv_part, "_read_csv", real)
        fetch(*args)

    return restored


def test_controls_that_do_not_balance_fail(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = row_checks.scan_rows

    def lose_a_cent(part: Any, codes: Any) -> Any:
        found = real(part, codes)
        part.con.execute("update scanned set paid_cents = paid_cents - 1 where rowid = 0")
        return found

    monkeypatch.setattr(kept_lines, "scan_rows", lose_a_cent)
    with pytest.raises(AuditError, match="do not balance"):
        take(store, CONTENT)
    assert not list(store.claims.iterdir())


def test_messages_hold_no_cells(store: Store) -> None:
    marker = "ZZMARKER"
    outcome = take(
        store, parquet_bytes(TYPED | {"claim_line_number": pa.array([marker] * 3), "paid_amount": pa.array([True] * 3)}), "x.parquet"
    )
    assert isinstance(outcome, Refused)
    assert marker not in repr(outcome)


def test_a_pipe_does_not_block(store: Store) -> None:
    os.mkfifo(store.root / "x.csv")
    assert isinstance(ingest_extract(store, store.root / "x.csv", CODES), Refused)


# --- too many rows that cannot be used

NO_MEMBER = ["C2", "1", "", "2024-01-15", "27096", "1.00"]
NO_DATE = ["C3", "1", "M1", "13/45/2024", "27096", "1.00"]


@pytest.mark.parametrize(
    ("good", "bad", "share", "is_refused"),
    [
        (89, 11, 0.1, True),
        (99, 11, 0.1, False),
        (0, 1, 0.1, True),
        (1, 10, 0.1, False),
        (1, 11, 0.1, True),
        (0, 11, 1, False),
        (989, 11, 0, True),
        (20, 0, 0, False),
    ],
)
def test_an_extract_is_refused_whole_where_more_than_the_share_is_quarantined_and_these_are_more_than_ten_or_all(
    store: Store, good: int, bad: int, share: float, is_refused: bool
) -> None:
    outcome = take(store, csv_bytes([GOOD] * good + [NO_MEMBER] * bad), max_quarantined=share)
    assert isinstance(outcome, Refused) == is_refused
    assert bool(list(store.claims.iterdir())) != is_refused
    assert bool(list(store.quarantine.iterdir())) != is_refused


def test_the_refusal_names_reasons_with_counts_columns_and_first_rows_and_no_value(store: Store) -> None:
    rows = [GOOD, *[NO_MEMBER] * 10, *[NO_DATE] * 4, ["C4", "1", "M4"]]
    outcome = take(store, csv_bytes(rows), max_quarantined=0.5)
    assert "15 of its 16 rows would be quarantined" in outcome.reason
    assert "missing_member 10 (first rows 2, 3, 4)" in outcome.reason
    assert "invalid_date 4 in claim_line_start_date (first rows 12, 13, 14; form 99/99/9999; read as YYYY-MM-DD)" in outcome.reason
    assert "unparseable_row 1 (row 16; 3 fields, not 6)" in outcome.reason
    assert "C3" not in outcome.reason
    assert "13/45" not in outcome.reason


def test_an_extract_of_which_no_row_parses_is_refused_with_that_as_the_reason(store: Store) -> None:
    outcome = take(store, csv_bytes([["C4", "1", "M4"]] * 11), max_quarantined=0.5)
    assert "11 of its 11 rows would be quarantined" in outcome.reason
    assert "unparseable_row 11 (first rows 1, 2, 3; 3 fields, not 6)" in outcome.reason


def test_what_was_loaded_before_stays_loaded_whatever_the_share(store: Store) -> None:
    content = csv_bytes([GOOD, *[NO_MEMBER] * 11])
    assert isinstance(take(store, content), Loaded)
    assert isinstance(take(store, content, max_quarantined=0.1), LoadedBefore)


def test_a_plans_own_words_of_claim_status_are_read_and_another_word_reads_the_extract_again(store: Store) -> None:
    content = csv_bytes([[*GOOD, "Bezahlt"], ["C2", *GOOD[1:], "Storno"]], [*HEADER, "claim_status"])
    path = store.root / "x.csv"
    path.write_bytes(content)
    first = ingest_extract(store, path, CODES, terms=Terms(claim_statuses={"bezahlt": "paid"}))
    assert isinstance(first, Loaded)
    assert [line["claim_status"] for line in lines(first)] == ["paid"]
    second = ingest_extract(store, path, CODES, terms=Terms(claim_statuses={"bezahlt": "paid", "storno": "reversed"}))
    assert isinstance(second, Loaded)
    assert [line["claim_status"] for line in lines(second)] == ["paid", "reversed"]
    assert [batch.batch_id for batch in store.batches()] == [second.batch.batch_id]


def test_a_plans_word_cannot_mean_what_it_does_not_mean(store: Store) -> None:
    (store.root / "x.csv").write_bytes(CONTENT)
    with pytest.raises(UsageError, match="'p' means paid already, and cannot mean denied"):
        ingest_extract(store, store.root / "x.csv", CODES, terms=Terms(claim_statuses={"p": "denied"}))
