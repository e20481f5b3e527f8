"""What reviewers filled in is read as it was meant; what cannot be is named by its place, and never by what a cell holds."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.handoff.dispositions import Disposition, read_dispositions

A, B, C = ("a" * 32, "b" * 32, "c" * 32)
HEADER = ("finding_id", "disposition", "recovered_amount", "reviewer", "note", "run_id")
SECRET = "M0000SECRET"

Rows = Sequence[Sequence[Any]]


def write(path: Path, rows: Rows, **further_sheets: Rows) -> Path:
    """Save rows as a spreadsheet would, by the name of the file."""
    if path.suffix.lower() == ".xlsx":
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
            for name, sheet in {"Violations": rows, **further_sheets}.items():
                page = book.add_worksheet(name)
                for number, row in enumerate(sheet):
                    page.write_row(number, 0, row)
    else:
        separator = ";" if path.stem == "semicolons" else ","
        mark = "\ufeff" if path.stem == "marked" else ""
        lines = (separator.join('"' + str("" if cell is None else cell).replace('"', '""') + '"' for cell in row) for row in rows)
        path.write_text(mark + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    return path


def problems_of(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_dispositions(path)
    assert SECRET.lower() not in str(caught.value).lower()
    return str(caught.value)


@pytest.mark.parametrize("name", ["plain.csv", "marked.csv", "semicolons.csv", "book.xlsx", "BOOK.XLSX"])
def test_reviews_are_read_from_each_kind_of_file(tmp_path: Path, name: str) -> None:
    rows = [
        HEADER,
        (A, "upheld", "186.40", "R, V", 'said "yes"\nand; no', "2024-06-30-0123456789ab"),
        (B.upper(), " Overturned ", None, None, "", None),
        (C, "", "", "looked", " ", "2024-06-30-0123456789ab"),
    ]
    assert read_dispositions(write(tmp_path / name, rows)) == [
        Disposition(A, "2024-06-30-0123456789ab", "upheld", Decimal("186.40"), "R, V", 'said "yes"\nand; no'),
        Disposition(B, None, "overturned", None, None, None),
    ]


def test_parquet_is_read_with_its_own_types(tmp_path: Path) -> None:
    amounts = pa.array([Decimal("1.50"), None], pa.decimal128(14, 2))
    table = pa.table(
        {"finding_id": [A, B], "disposition": ["upheld", None], "recovered_amount": amounts, "note": ["'=x", None], "x": [1, 2]}
    )
    pq.write_table(table, tmp_path / "reviews.parquet")
    assert read_dispositions(tmp_path / "reviews.parquet") == [Disposition(A, None, "upheld", Decimal("1.50"), None, "'=x")]


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx"])
def test_only_the_columns_that_matter_are_needed_in_any_order_and_case(tmp_path: Path, name: str) -> None:
    rows = [("a title",), (), (" Disposition ", "other", "FINDING_ID"), ("upheld", SECRET, A)]
    assert read_dispositions(write(tmp_path / name, rows)) == [Disposition(A, None, "upheld", None, None, None)]


def test_all_sheets_with_the_columns_are_read(tmp_path: Path) -> None:
    second = [("note", "disposition", "finding_id"), ("n", "overturned", B)]
    path = write(
        tmp_path / "x.xlsx", [HEADER, (A, "upheld")], Notes=[("hello",)], Withdrawn=[("finding_id",), (C,)], **{"Review 2": second}
    )
    assert [(disposition.finding_id, disposition.note) for disposition in read_dispositions(path)] == [(A, None), (B, "n")]


def test_a_chart_beside_the_sheets_is_left_alone(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "x.xlsx")) as book:
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"values": "=Sheet1!$C$1:$C$2"})
        book.add_chartsheet().set_chart(chart)
        page = book.add_worksheet("Sheet1")
        page.write_row(0, 0, HEADER)
        page.write_row(1, 0, (A, "upheld"))
    assert [disposition.finding_id for disposition in read_dispositions(tmp_path / "x.xlsx")] == [A]


def test_a_field_may_be_longer_than_a_cell_of_a_workbook(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", [(*HEADER, "claim_lines"), (A, "upheld", "", "", "n" * 200_000, "", "x" * 200_000)])
    assert read_dispositions(path)[0].note == "n" * 200_000


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        (0, "0.00"),
        (186.4, "186.40"),
        (0.1 + 0.2, "0.30"),
        (1234567.89, "1234567.89"),
        ("$1,234.5", "1234.50"),
        ("1234", "1234.00"),
        (" 12.00 ", "12.00"),
        ("1234567.89", "1234567.89"),
    ],
)
def test_amounts_are_read_to_the_cent(tmp_path: Path, cell: object, amount: str) -> None:
    path = write(tmp_path / "x.xlsx", [HEADER, (A, "upheld", cell)])
    assert str(read_dispositions(path)[0].recovered_amount) == amount


@pytest.mark.parametrize("cell", [-1, 1.005, "1,23", "1.234", "-5", "1e3", "ten", True, 1e15, "12 USD", "1234,50", "9" * 20, "٣"])
def test_what_is_no_amount_is_reported(tmp_path: Path, cell: object) -> None:
    assert problems_of(write(tmp_path / "x.xlsx", [HEADER, (A, "upheld", cell)])) == (
        "x.xlsx: cannot be used as it is; nothing of it was read.\n  sheet Violations, row 2, column recovered_amount: "
        "must be US dollars, 0 or more, with at most two decimals after a point"
    )


def test_what_formulas_gave_and_whole_numbers_are_read_as_they_look(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "x.xlsx")) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADER)
        page.write_row(1, 0, (A,))
        page.write_formula(1, 1, '=LOWER("UPHELD")', None, "upheld")
        page.write_row(1, 2, (5, 7, 12.5))
    assert read_dispositions(tmp_path / "x.xlsx") == [Disposition(A, None, "upheld", Decimal("5.00"), "7", "12.5")]


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx"])
def test_the_apostrophe_before_what_looks_like_a_formula_is_taken_off(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, [HEADER, (A, "upheld", "", "'@me", "'=1+1"), (B, "upheld", "", "'me'", "it's")])
    assert [(disposition.reviewer, disposition.note) for disposition in read_dispositions(path)] == [("@me", "=1+1"), ("'me'", "it's")]


@pytest.mark.parametrize(("name", "place"), [("x.csv", ""), ("x.xlsx", "sheet Violations, ")])
def test_every_problem_is_reported_by_its_place_up_to_ten(tmp_path: Path, name: str, place: str) -> None:
    rows: Rows = [
        HEADER,
        (A, "upheld"),
        (SECRET, "upheld"),
        (B, SECRET),
        (B, "", "1.00"),
        (A, "overturned", SECRET),
        *[("1.5E+31", "upheld")] * 8,
    ]
    assert problems_of(write(tmp_path / name, rows)).splitlines() == [
        f"{name}: cannot be used as it is; nothing of it was read.",
        f"  {place}row 3, column finding_id: must be the 32 hex digits that were handed over",
        f"  {place}row 4, column disposition: must be upheld or overturned, since the row is filled in",
        f"  {place}row 5, column disposition: must be upheld or overturned, since the row is filled in",
        f"  {place}row 6, column recovered_amount: must be US dollars, 0 or more, with at most two decimals after a point",
        *[f"  {place}row {row}, column finding_id: must be the 32 hex digits that were handed over" for row in range(7, 13)],
        "  and 2 more",
    ]


def test_a_note_without_a_disposition_is_a_problem(tmp_path: Path) -> None:
    assert "row 2, column disposition" in problems_of(write(tmp_path / "x.csv", [HEADER, (A, "", "", "", "waiver")]))


def test_a_finding_twice_is_one_review_if_the_answers_agree_and_else_a_problem(tmp_path: Path) -> None:
    agreeing = write(tmp_path / "x.xlsx", [HEADER, (A, "upheld")], Review=[HEADER, (A, "Upheld")])
    assert read_dispositions(agreeing) == [Disposition(A, None, "upheld", None, None, None)]
    assert problems_of(write(tmp_path / "x.xlsx", [HEADER, (A, "upheld")], Review=[HEADER, (), (A, "overturned")])).splitlines()[1] == (
        "  sheet Review, row 3, column finding_id: the same finding as in sheet Violations, row 2, with another answer; leave one of them"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.xls", b"", "x.xls: dispositions are read from .xlsx, .csv or .parquet; save it as one of these."),
        ("x.xlsx", b"no zip", "x.xlsx: is no .xlsx file that can be read; save it anew."),
        ("x.xlsx", b"", "x.xlsx: is no .xlsx file that can be read; save it anew."),
        ("x.parquet", b"PAR1PAR1", "x.parquet: is no .parquet file that can be read; save it anew."),
        ("x.csv", b"", "x.csv: lacks the columns finding_id and disposition in its first 10 rows."),
        ("x.csv", b"finding_id,note\n", "x.csv: lacks the columns finding_id and disposition in its first 10 rows."),
        ("x.csv", b"finding_id,disposition\n\xff,\n", "x.csv: is no CSV file in UTF-8 that can be read; save it anew."),
        ("x.csv", b'finding_id,disposition\n"a"b,\n', "x.csv: is no CSV file in UTF-8 that can be read; save it anew."),
        ("x.csv", b"finding_id,disposition,Disposition\n", "x.csv: column disposition is there twice; remove one of them."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert problems_of(tmp_path / name).startswith(message)


def test_a_workbook_without_the_columns_is_refused(tmp_path: Path) -> None:
    message = "x.xlsx: no sheet has the columns finding_id and disposition in one of its first 10 rows."
    assert problems_of(write(tmp_path / "x.xlsx", [("finding_id", "note"), (SECRET,)])) == message


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "x.csv") == "x.csv: there is no such file."


def test_parquet_without_the_columns_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"finding_id": [A]}), tmp_path / "x.parquet")
    assert problems_of(tmp_path / "x.parquet") == "x.parquet: lacks the columns finding_id and disposition."
