"""Rows told plain from their bytes: with and without that, ingest says the same; what is plain is valid, irrelevant and worth its cents."""

import csv
import io
import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.ingest import csv_part
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.outcomes import Loaded
from sij_audit.transforms.ingest.plain_rows import DATE_COLUMNS, PAD, find_plain_lines, make_plan
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store

CODES = [Code("27096", None, None), Code("G0260", None, None), Code("0213T", None, None)]

CELLS: dict[str, Sequence[str]] = {
    "claim_id": ["C1", "C2", "C22", "a-claim-number-of-more-than-12", "twelve-bytes", "C1 ", " C1", "", " ", "Ü1", "\tC1", "C1\t"],
    "data_source": ["", "A", "A ", " ", "a-source-of-more-than-twelve-bytes"],
    "claim_line_number": ["1", "2", "12345678", "123456789", "1234567890", "", "01", "1.0", "+1", "-1", "a", "1 ", "١"],
    "member_id": ["M1", "M2", "M1 ", "", "  ", "Ö"],
    "claim_line_start_date": [
        *["2024-01-15", "1990-01-01", "1989-12-31", "2099-12-31", "2100-01-01", "2024-02-29", "2023-02-29", "2024-02-28", "", " "],
        *["2024-04-31", "2024-00-10", "2024-13-10", "2024-01-00", "2024-01-32", "2024-1-150", "2024/01/15", "2024-01-15 ", "20240115"],
        *["01/15/2024", "infinity", "2024-01-1a", "a024-01-15", "20a4-01-15", "2024-0a-15", "2024_01-15", "2024-01_15", "2024-01-155"],
    ],
    "claim_start_date": ["", "", "2024-01-16", "2024-01-17x", "2024-02-29", "x"],
    "claim_end_date": ["", "2024-01-16", "x", "2101-01-01", "2024-02-29"],
    "hcpcs_code": ["99213", "", "27096", "27096 ", "g0260", "0213t", "0213T", "270961", "27096000000", " ", "J1030", "ß", "2709é", "W"],
    "paid_amount": [
        *[
            "1",
            "12.5",
            "12.50",
            "0.99",
            "99999.99",
            "100000.00",
            "1234567.89",
            "123456789012.00",
            "1234567890123",
            "",
            " ",
            "-1.00",
            "-0.00",
        ],
        *[".5", "5.", "1.005", "1e3", "1_0", "+1", "1,0", "a", "1.a0", "1.0a", "a.00", "00.10", "1..0", ". 1", "1 .00", "12:00", "1/2"],
    ],
    "charge_amount": ["", "2.00", "-2", "x", "3.333"],
    "service_unit_quantity": ["", "1", "1.5", "1.2345", "1.23456", "-1", "0", "x"],
    "claim_status": ["", "paid", "Paid", "DENIED", "pending", "reversed", "void", "paid ", "pai", "paids", "pa\u0001d"],
    "claim_frequency_code": ["", "1", "7", "8", "08", "01", "9", "0", " 7", "x"],
    "bill_type_code": ["", "0131", "0137", "0138", "0137 ", "7"],
    "claim_type": ["", "institutional", "Institutional", "professional"],
    "plan": ["", "HMO", " ", "  x", "x ", "Ä", "\t"],
}
USUAL = {name: cells[0] for name, cells in CELLS.items()} | {"claim_id": "C9"}


def content_of(rows: Sequence[dict[str, str]], header: Sequence[str], line_end: str = "\n", quoting: Any = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end, quoting=quoting)
    writer.writerows([header, *([row[name] for name in header] for row in rows)])
    return text.getvalue().encode()


def result(folder: Path, content: bytes) -> tuple[Any, ...]:
    store = Store(folder)
    store.prepare()
    path = folder / "x.csv"
    path.write_bytes(content)
    outcome = ingest_extract(store, path, CODES)
    assert isinstance(outcome, Loaded)
    batch = outcome.batch
    lines = pq.ParquetFile(batch.path).read().to_pylist()
    refused = pq.ParquetFile(store.quarantine / batch.path.name).read().to_pylist()
    return batch.controls, batch.reasons, batch.columns, batch.latest_service_date, lines, refused


def odd_rows(seed: int) -> tuple[list[dict[str, str]], list[str]]:
    rng = random.Random(seed)
    rows = []
    for name, cells in CELLS.items():
        rows += [USUAL | {name: cell} for cell in cells]
    for _ in range(300):
        row = dict(USUAL)
        for name in rng.sample(list(CELLS), rng.randrange(4)):
            row[name] = rng.choice(CELLS[name])
        rows.append(row)
    rows += [USUAL | {"claim_id": f"C{n}"} for n in range(600)]
    rng.shuffle(rows)
    header = list(CELLS)
    rng.shuffle(header)
    return rows, header


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("change", ["", "crlf", "blank lines", "broken lines"])
def test_ingest_says_the_same_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, change: str) -> None:
    rows, header = odd_rows(seed)
    if seed == 5:
        header.remove("claim_frequency_code")
    content = content_of(rows, header, "\r\n" if change == "crlf" else "\n")
    lines = content.splitlines(keepends=True)
    rng = random.Random(seed)
    for _ in range(40):
        at = rng.randrange(1, len(lines))
        if change == "blank lines":
            lines.insert(at, b"\n")
        elif change == "broken lines":
            lines.insert(at, rng.choice([b"a,b\n", b",".join([b"1"] * 40) + b"\n", b'"x\ny",1\n', b"\0\n", b"\xff\n", b'"a"b\n']))
    content = b"".join(lines)
    told: list[Any] = []

    def remember(*args: Any) -> Any:
        told.append(find_plain_lines(*args))
        return told[-1]

    monkeypatch.setattr(csv_part, "find_plain_lines", remember)
    with_it = result(tmp_path / "with", content)
    assert sum(np.count_nonzero(plain.is_plain) for _, plain in told) > 600
    monkeypatch.setattr(csv_part, "make_plan", lambda *args: None)
    assert result(tmp_path / "without", content) == with_it


@pytest.mark.parametrize(("form", "pattern"), [("YYYYMMDD", "{0:%Y%m%d}"), ("MM/DD/YYYY", "{0:%m/%d/%Y}"), ("YYYY-MM-DD", "{0:%Y-%m-%d}")])
def test_dates_of_every_form(form: str, pattern: str) -> None:
    days = [date.fromordinal(n) for n in range(date(1989, 12, 1).toordinal(), date(2100, 2, 1).toordinal())]
    lines = [f"C,M,{pattern.format(day)},1,99213,{n % 100}" for n, day in enumerate(days)]
    rows, plain = told(lines, form)
    assert len(rows) == len(days)
    is_plain = [date(1990, 1, 1) <= day <= date(2099, 12, 31) and (day.month, day.day) != (2, 29) for day in days]
    assert plain.is_plain.tolist() == is_plain
    assert plain.latest_service_date == 20991231
    assert plain.cents.tolist() == [n % 100 * 100 for n, flag in enumerate(is_plain) if flag]


def told(lines: Sequence[str], form: str = "YYYY-MM-DD") -> Any:
    names = ["claim_id", "member_id", "claim_line_start_date", "claim_line_number", "hcpcs_code", "paid_amount"]
    columns = {name: index for index, name in enumerate(names)}
    plan = make_plan(columns, len(names), dict.fromkeys(DATE_COLUMNS, form), CODES)
    assert plan is not None
    data = "".join(f"{line}\n" for line in lines).encode()
    padded = bytearray(b"\n" * PAD + data + b"\n" * PAD)
    ends = (np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1 + PAD).astype(np.int32)
    return find_plain_lines(padded, ends, np.ones(len(ends), bool), plan)


def test_amounts_are_read_to_the_cent() -> None:
    rng = random.Random(3)
    amounts = [f"{n}" for n in range(1000)] + [f"{n}.{m}" for n in (0, 7, 12, 99999) for m in ("0", "5", "05", "50", "99")]
    amounts += [f"{rng.randrange(100000)}.{rng.randrange(100):02d}" for _ in range(1000)]
    _, plain = told([f"C,M,2024-01-15,1,99213,{amount}" for amount in amounts])
    assert plain.is_plain.all()
    assert plain.cents.tolist() == [round(float(amount) * 100) for amount in amounts]


def test_claims_are_given_as_they_stand() -> None:
    claims = ["x" * width for width in range(1, 30)] + ["Ü", "0001"]
    _, plain = told([f"{claim},M,2024-01-15,1,99213,1" for claim in claims])
    assert plain.claim_ids.to_pylist() == claims


def test_codes_are_never_plain() -> None:
    cells = [code.hcpcs_code for code in CODES] + [code.hcpcs_code.lower() for code in CODES]
    _, plain = told([f"C,M,2024-01-15,1,{cell},1" for cell in cells])
    assert not plain.is_plain.any()
    assert make_plan({}, 1, {}, [Code("longer-than-8", None, None)]) is None
