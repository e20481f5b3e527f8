"""A file that is no extract is refused with what it is and what to do, by its name or by how it begins."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import zstandard

from sij_audit.transforms.ingest.file_kinds import KINDS, SIDECAR, TEXT, describe_unknown
from sij_audit.transforms.ingest.formats import ENDINGS
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.outcomes import Refused
from sij_audit.transforms.store.folder import Store

ROWS = "claim_id,claim_line_number,member_id,claim_line_start_date,hcpcs_code,paid_amount\nC1,1,M1,2024-01-15,27096,100.00\n"


def workbook() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet().write_row(0, 0, ROWS.splitlines()[0].split(","))
    return content.getvalue()


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("claims.csv", ROWS)
    return content.getvalue()


def parquet() -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table({"claim_id": ["C1"]}), content)
    return content.getvalue()


CONTENTS = {
    "is a workbook.": workbook(),
    "is an archive.": archive(),
    "holds Parquet.": parquet(),
    "is compressed with gzip.": gzip.compress(ROWS.encode()),
    "is compressed with zstd.": zstandard.compress(ROWS.encode()),
    "is compressed in a way that is not read.": bz2.compress(ROWS.encode()),
    "is compressed in a way": lzma.compress(ROWS.encode()),
    "is JSON.": b'[\n  {"claim_id": "C1"}]',
    "is XML": b'<?xml version="1.0"?><claims/>',
    "is an X12 transaction.": b"ISA*00*          *00*",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT")
    store.prepare()
    return store


def refusal(store: Store, name: str, content: bytes) -> str:
    path = store.root / name
    path.write_bytes(content)
    outcome = ingest_extract(store, path, [])
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith(f"{name}: ")
    return outcome.reason


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.xlsx", "is a workbook. In Excel, save"),
        ("X.XLS", "is a workbook."),
        ("x.zip", "is an archive. Unpack it"),
        ("x.csv.bz2", "is compressed in a way that is not read. Decompress it"),
        ("x.txt.gz", "give it a name that ends in .csv.gz"),
        ("x.tar.gz", "is an archive."),
        ("x.json", "is JSON. Export the claims"),
        ("x.xml", "is XML"),
        ("x.sas7bdat", "SAS: proc export"),
        ("x.837", "is an X12 transaction."),
        ("_SUCCESS", "is a marker"),
        ("x.csv.sha256", "says what another file holds."),
    ],
)
def test_a_name_says_what_a_file_is_and_what_to_do(store: Store, name: str, said: str) -> None:
    assert said in refusal(store, name, b"x")


@pytest.mark.parametrize("said", CONTENTS)
@pytest.mark.parametrize("name", ["part-00000", "x.csv", "x.txt"])
def test_where_the_name_says_nothing_the_first_bytes_do(store: Store, name: str, said: str) -> None:
    assert said in refusal(store, name, CONTENTS[said])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROWS, "Its columns are separated by commas: rename it"),
        (ROWS.replace(",", "\t"), "Its columns are separated by tabs; they must be by commas. Save it as CSV"),
        (ROWS.replace(",", "~"), "Its columns are separated by tildes (~)"),
        (f"Report of the month\n{ROWS}", "The header is in row 2"),
        (ROWS.splitlines()[1], "Row 1 looks like data"),
        ("Dear Sir or Madam\n", "Save it as CSV in UTF-8"),
        ("", "is no extract by its name"),
    ],
)
@pytest.mark.parametrize("name", ["x.txt", "x.psv", "part-00000"])
def test_of_a_text_of_another_name_it_is_said_how_it_is_written(store: Store, name: str, text: str, said: str) -> None:
    assert said in refusal(store, name, text.encode())


def test_a_text_in_utf_16_is_told_how_to_be_saved(store: Store) -> None:
    assert "Save it as UTF-8: in Excel" in refusal(store, "x.txt", ROWS.encode("utf-16"))


def test_a_link_or_a_pipe_of_another_name_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text(ROWS)
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    assert describe_unknown(tmp_path / "link.txt", ENDINGS) == f"{TEXT}, which must end in {ENDINGS}."


def test_each_sentence_says_what_a_file_is_and_what_to_do() -> None:
    for kind in KINDS.keys() - {TEXT, SIDECAR}:
        assert kind.startswith(("is ", "holds "))
        assert kind.count(".") >= 2
