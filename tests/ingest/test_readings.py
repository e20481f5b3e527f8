"""Cells are read alike whatever they come in: text in CSV and text in Parquet mean the same, and so do Parquet's own types that say it."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.ingest import csv_part
from sij_audit.transforms.ingest import intake as ingest
from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.ingest.outcomes import Loaded
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store

USUAL = {
    "claim_line_number": "1",
    "member_id": "M1",
    "claim_line_start_date": "2024-01-15",
    "hcpcs_code": "27096",
    "paid_amount": "100.00",
    "claim_frequency_code": "7",
}
"""The cells of a row but for the one that is read; a replacement is kept whatever its code is."""

DAY = date(2024, 1, 5)

NO_BREAK = "\u00a0"


class Reason(str):
    """Why a row is quarantined."""

    __slots__ = ()


DATE, AMOUNT, NUMBER, STATUS = (Reason(f"{word}") for word in ("invalid_date", "invalid_amount", "invalid_number", "unknown_claim_status"))

NULLS = dict.fromkeys(("", " ", "NULL", "null", "(null)", "(NULL)", "\\N", "\\n", "NaN", "nan", "None", "~", NO_BREAK, '=""', '="NULL"'))

ISO_DATES: dict[str, Any] = {
    **NULLS,
    **dict.fromkeys(
        (
            "2024-01-05",
            " 2024-01-05\t",
            f"{NO_BREAK}2024-01-05",
            '="2024-01-05"',
            '=" 2024-01-05 "',
            "2024-01-05 00:00",
            "2024-01-05 7:30",
            "2024-01-05T00:00:00",
            "2024-01-05 23:59:59.9999999",
            "2024-01-05T00:00:00Z",
            "2024-01-05 00:00:00+00:00",
            "2024-01-05 12:00:00 AM",
            "2024-01-05 1:05pm",
        ),
        DAY,
    ),
    **dict.fromkeys(("1000-01-01", "1900-01-01", "9999-12-31", "1900-01-01 00:00:00", " 9999-12-31T00:00:00Z"), None),
    **dict.fromkeys(
        (
            "2023-02-29",
            "2024-1-05",
            "2024-01-05 24:00",
            "2024-01-05 13:00 PM",
            "2024-01-05 0:30 AM",
            "2024-01-05  00:00",
            "2024-01-05x",
            "2024/01/05",
            "1989-12-31",
            "2100-01-01",
            "20240105",
            "infinity",
        ),
        DATE,
    ),
}

READINGS: list[tuple[str, dict[str, Any]]] = [
    ("paid_date", ISO_DATES),
    ("claim_end_date", {cell: None if value == DATE else value for cell, value in ISO_DATES.items()}),
    (
        "paid_date",
        {
            **dict.fromkeys(("20240105", "20240105 00:00:00", " 20240105", '="20240105"', "20240105T1:02 am"), DAY),
            **dict.fromkeys(("19000101", "99991231 00:00"), None),
            **dict.fromkeys(("20240230", "2024015", "2024-01-05", "02024010"), DATE),
        },
    ),
    (
        "paid_date",
        {
            **dict.fromkeys(("01/05/2024", "1/5/2024", "01/5/2024", "1/05/2024 12:00:00 AM", '="1/5/2024"', "01/05/2024 0:00"), DAY),
            **dict.fromkeys(("1/1/1900", "12/31/9999", "01/01/1000 00:00"), None),
            **dict.fromkeys(("13/01/2024", "02/30/2024", "1/5/24", "001/05/2024", "01-05-2024"), DATE),
        },
    ),
    (
        "paid_date",
        {
            **dict.fromkeys(
                ("05-JAN-2024", "5-Jan-2024", "05-jan-2024 00:00:00", " 5-JAN-2024", "05-JAN-2024 12:00 am", "5-jAn-2024"), DAY
            ),
            **dict.fromkeys(("01-JAN-1900", "31-Dec-9999"), None),
            **dict.fromkeys(("05-JAN-24", "30-FEB-2024", "05-JANUARY-2024", "05 JAN 2024", "05JAN2024"), DATE),
        },
    ),
    *(
        (
            column,
            {
                **NULLS,
                **dict.fromkeys(
                    ("186.4", "186.40", "186.4000", "0186.40", "00000000000186.40", " 186.40 ", '="186.40"'), Decimal("186.40")
                ),
                **dict.fromkeys(("$186.40", "$186.4", "$0186.400"), Decimal("186.40")),
                **dict.fromkeys(("1,234.50", "$1,234.50", "1234.5", "001,234.50"), Decimal("1234.50")),
                **dict.fromkeys(("-5", "5-", "(5)", "-$5.00", "$-5", "$5-", "($5)", "(5.00)", "-5.000", "-005"), Decimal(-5)),
                **dict.fromkeys(("1,234,567-", "(1,234,567.00)", "-$1,234,567"), Decimal(-1234567)),
                **dict.fromkeys(("0", "-0", "0.00", "(0)", "000"), Decimal(0)),
                "999999999999.99": Decimal("999999999999.99"),
                **dict.fromkeys(("1234567890123", "186.405", "1e3", ".5", "5.", "+5", "1,23", "12,34.50", "1,2345", "1.234,50"), AMOUNT),
                **dict.fromkeys(("5$", "€5", "--5", "-5-", "(-5)", "(5", "5)", "1 234.50", "$ 5", "1_000", "inf", "0x5", "five"), AMOUNT),
            },
        )
        for column in ("paid_amount", "charge_amount")
    ),
    (
        "service_unit_quantity",
        {
            **NULLS,
            **dict.fromkeys(("1", "1.0", "1.0000", "000000000000000001.0000", " 1", '="1"', "1.000000"), Decimal(1)),
            **dict.fromkeys(("-1.5", "1.5-", "(1.5)"), Decimal("-1.5")),
            "999999999.9999": Decimal("999999999.9999"),
            **dict.fromkeys(("1,000", "$1", "1.00001", "1234567890", "1e0", "one", "1.", ".5", "+1"), NUMBER),
        },
    ),
    (
        "version_number",
        {
            **NULLS,
            **dict.fromkeys(("2", "2.0", "002", "0000000002", " 2 ", '="2"', "2.000"), 2),
            **dict.fromkeys(("-2", "2.5", "1,000", "(2)", "1234567890", "two", "2-", "+2"), NUMBER),
        },
    ),
    (
        "claim_status",
        {
            **NULLS,
            **dict.fromkeys(("paid", "PAID", "P", "Approved", " accepted", "Finalized", "1", "2", "3", "19", "20", "21", '="1"'), "paid"),
            **dict.fromkeys(("denied", "D", "Rejected", "4"), "denied"),
            **dict.fromkeys(("reversed", "REVERSAL", "Cancelled", "canceled", "22"), "reversed"),
            **dict.fromkeys(("pending", "Pended", "suspended", "In Process", "23", "25"), "pending"),
            **dict.fromkeys(("void", "5", "01", "1.0", "yes"), STATUS),
        },
    ),
    (
        "hcpcs_code",
        {
            **NULLS,
            **dict.fromkeys(("27096", "27096.0", "27096.000", " 27096", f"27096{NO_BREAK}", "27096\t", '="27096"', '="27096.0"'), "27096"),
            **dict.fromkeys(("G0260", "g0260", " g0260 "), "G0260"),
            "CPT27096": "CPT27096",
            "27096.5": "27096.5",
        },
    ),
    ("hcpcs_modifier_1", {**NULLS, **dict.fromkeys(("RT", "rt", " Rt "), "RT"), **dict.fromkeys(("50", "50.0", '="50"'), "50")}),
    *((column, {**NULLS, "0131": "0131", "131.0": "131", "131": "131"}) for column in ("bill_type_code", "revenue_center_code")),
    ("place_of_service_code", {**NULLS, "11": "11", "11.0": "11", "04": "04"}),
    ("billing_npi", {**NULLS, "1234567893": "1234567893", "1234567893.0": "1234567893", "1.23E+09": "1.23E+09"}),
    (
        "person_id",
        {
            **NULLS,
            **dict.fromkeys(("unknown", "UNKNOWN", "0", "000", ' ="0"'), None),
            "P1": "P1",
            "00099": "00099",
            "P1.0": "P1.0",
            "o'1": "o'1",
        },
    ),
    (
        "prior_authorization_number",
        {
            **NULLS,
            **dict.fromkeys(("N", "No", "NA", "n/a", "Not Required", "not needed", "EXEMPT", "0", "0000"), None),
            **dict.fromkeys(("A1", " A1 ", '="A1"'), "A1"),
            "none needed": "none needed",
            "y": "y",
        },
    ),
    ("replaced_claim_id", {**NULLS, "C0": "C0", "0": "0", "unknown": "unknown"}),
    ("line_of_business", {**NULLS, "Commercial  PPO": "commercial ppo", " MA ": "ma"}),
    ("payer", {**NULLS, "Plan A": "Plan A", " plan A\t": "plan A", '="Plan A"': "Plan A", "0": "0", "unknown": "unknown"}),
]

FORMATS = ("csv", "csv with every cell quoted", "csv that is read strictly", "parquet", "parquet with dictionaries")

Cells = Mapping[str, Sequence[Any]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT")
    store.prepare()
    return store


def write_csv(columns: Cells, is_quoted: bool) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL)
    writer.writerows([list(columns), *zip(*columns.values(), strict=True)])
    return text.getvalue().encode()


def write_parquet(columns: Mapping[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), sink)
    return sink.getvalue()


def write(kind: str, columns: Cells) -> tuple[str, bytes]:
    """Write text cells in a format, and name the file."""
    if kind.startswith("parquet"):
        texts = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
        return "x.parquet", write_parquet({name: t.dictionary_encode() if "dictionaries" in kind else t for name, t in texts.items()})
    return "x.csv", write_csv(columns, "quoted" in kind)


def read(store: Store, name: str, content: bytes, column: str, rows: int) -> list[Any]:
    """What each row's cell of a column is read as, or the reason that the row is quarantined for."""
    path = store.root / name
    path.write_bytes(content)
    outcome = ingest.ingest_extract(store, path, [Code("27096", None, None)], terms=Terms(max_quarantined=1))
    assert isinstance(outcome, Loaded), outcome
    found: list[Any] = [None] * rows
    for line in pq.ParquetFile(outcome.batch.path).read(["claim_id", column]).to_pylist():
        found[int(line["claim_id"].removeprefix("C"))] = line[column]
    quarantined = pq.ParquetFile(store.quarantine / f"{outcome.batch.batch_id}.parquet").read(["row_number", "reason"]).to_pylist()
    for row in quarantined:
        found[row["row_number"] - 1] = row["reason"]
    return found


def columns_of(column: str, cells: Sequence[Any]) -> dict[str, Any]:
    """The cells of a whole extract, of which one column is read; each row is a claim of its own."""
    usual = {name: [cell] * len(cells) for name, cell in USUAL.items()}
    return {"claim_id": [f"C{n}" for n in range(len(cells))], **usual, column: cells}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("column", "readings"), READINGS, ids=[f"{column}-{n}" for n, (column, _) in enumerate(READINGS)])
def test_a_text_is_read_alike_in_every_format(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, column: str, readings: Mapping[str, Any]
) -> None:
    if "strictly" in kind:
        strict = replace(csv_part.FORMAT, open_part=lambda given: csv_part.open_csv_part(replace(given, is_trusted=False)))
        monkeypatch.setattr(ingest, "format_of", lambda path, terms: (strict, ""))
    name, content = write(kind, columns_of(column, list(readings)))
    assert dict(zip(readings, read(store, name, content, column, len(readings)), strict=True)) == readings


TYPED: list[tuple[str, pa.DataType, list[tuple[Any, Any]]]] = [
    *(
        ("paid_date", kind, [(DAY, DAY), (None, None), (date(1900, 1, 1), None), (date(1989, 12, 31), DATE), (date(2100, 1, 1), DATE)])
        for kind in (pa.date32(), pa.date64())
    ),
    *(
        (
            "paid_date",
            pa.timestamp(unit),
            [(datetime.fromisoformat("2024-01-05T23:59"), DAY), (None, None), (datetime.fromisoformat("1900-01-01"), None)],
        )
        for unit in ("s", "ms", "us", "ns")
    ),
    (
        "paid_amount",
        pa.float64(),
        [(186.4, Decimal("186.40")), (186.3999999999997, Decimal("186.40")), (-5.0, Decimal(-5)), (float("nan"), None), (186.405, AMOUNT)],
    ),
    ("paid_amount", pa.decimal128(18, 4), [(Decimal("186.4000"), Decimal("186.40")), (Decimal("186.4050"), AMOUNT), (None, None)]),
    ("paid_amount", pa.int64(), [(5, Decimal(5)), (-5, Decimal(-5)), (10**12, AMOUNT), (None, None)]),
    ("service_unit_quantity", pa.float64(), [(1.5, Decimal("1.5")), (-1.0, Decimal(-1)), (1.00001, NUMBER), (None, None)]),
    ("version_number", pa.float64(), [(2.0, 2), (2.5, NUMBER), (-2.0, NUMBER), (float("nan"), None)]),
    ("version_number", pa.int32(), [(2, 2), (-2, NUMBER), (None, None)]),
    ("version_number", pa.decimal128(9, 2), [(Decimal("2.00"), 2), (Decimal("2.50"), NUMBER), (None, None)]),
]


@pytest.mark.parametrize(("column", "kind", "readings"), TYPED, ids=[f"{column}-{kind}" for column, kind, _ in TYPED])
def test_a_parquet_type_says_what_its_text_says(store: Store, column: str, kind: pa.DataType, readings: list[tuple[Any, Any]]) -> None:
    columns = columns_of(column, pa.array([cell for cell, _ in readings], kind))
    assert read(store, "x.parquet", write_parquet(columns), column, len(readings)) == [value for _, value in readings]
