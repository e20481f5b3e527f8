"""The workbook that reviewers get: no formula, no guess, nothing cut, the same bytes each time; and what they fill in comes back."""

import re
import time
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from sij_audit.transforms.handoff.book import Limits, split_text
from sij_audit.transforms.handoff.csv_files import write_findings_csv, write_requests_csv
from sij_audit.transforms.handoff.dispositions import Disposition, read_dispositions
from sij_audit.transforms.handoff.workbook import write_parts, write_workbook
from sij_audit.transforms.stages.inputs import FINDING_COLUMNS, create_table
from tests.runs import SAMPLE, read_report, run

RUN = "2024-06-30-0123456789ab"
HANDED_COLUMNS = {
    "change": "VARCHAR",
    **FINDING_COLUMNS,
    "records": "VARCHAR",
    "earlier_disposition": "VARCHAR",
    "open_adjustments": "VARCHAR[]",
}
TEXTS = [
    name for name, kind in HANDED_COLUMNS.items() if kind == "VARCHAR" and name not in {"change", "determination", "run_id", "finding_id"}
]
LISTS = ["doubts", "presumptions", "procedure_codes", "prior_claim_ids", "open_adjustments"]
PARTS = [
    *("new proven violations", "new presumed violations", "changed proven violations", "changed presumed violations"),
    *("new likely reviews", "new possible reviews", "changed likely reviews", "changed possible reviews"),
    *("withdrawn", "suppressed", "overturned"),
]
HOSTILE = [
    "=HYPERLINK(\"http://example.test\",\"x\")",
    "+1+cmd|' /C calc'!A0",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "<f>1</f>&amp;]]><!--",
    "\x00\x01\x08\x0b\x1f",
    "_x0041_ _x000D_",
    "a\r\nb\nc",
    " blank ",
    "\u202eabc\u202c مرحبا",
    "😀" * 40,
    "0001",
    "1e5",
    "TRUE",
    "2024-01-01",
    "http://example.test",
    "'quoted",
    "",
]  # fmt: skip

Row = dict[str, Any]


def finding(number: int, **changes: Any) -> Row:
    values: Row = dict.fromkeys(HANDED_COLUMNS)
    values |= {name: [] for name in LISTS}
    values |= {
        "change": "new",
        "finding_id": f"{number:032x}",
        "run_id": RUN,
        "status": "new",
        "determination": "violation",
        "rule_id": "interval_under_two_months",
        "member_id": f"M{number}",
        "service_date": date(2024, 2, 29),
        "billing_npi": "0123456789",
        "claim_lines": [claim_line("C1", 1, "186.40"), claim_line("C1", 2, "10.00")],
        "procedure_codes": ["27096", "G0260"],
        "paid_amount": Decimal("196.40"),
        "amount_at_risk": Decimal("186.40"),
        "is_upper_bound": False,
        "interval_days": 30,
        "rationale": "27096 on 2024-02-29 (left) came 30 days after the injection of 2024-01-30.",
    }
    return values | changes


def claim_line(claim_id: str | None, number: int | None, paid: str | None) -> Row:
    amounts = {"paid_amount": paid and Decimal(paid), "amount_at_risk": paid and Decimal(paid)}
    return {
        "claim_id": claim_id,
        "claim_line_number": number,
        "hcpcs_code": "27096",
        "claim_type": "professional",
        "billing_npi": "1",
        **amounts,
    }


def hand_over(con: duckdb.DuckDBPyConnection, *rows: Row) -> duckdb.DuckDBPyConnection:
    """Make the tables that a workbook is written from."""
    create_table(con, "handed_findings", HANDED_COLUMNS, rows)
    con.execute(f"""
        create table run_facts as select '{RUN}' as run_id, date '2024-06-30' as as_of, null::varchar as previous_run_id, '1.2' as version,
            'commercial' as line_of_business, 3::bigint as orphan_adjustments, 0::bigint as adjustments_across_persons,
            0::bigint as unmatched_reversals, 0::bigint as lines_after_as_of;
        create table handed_totals as
            select 'CP.MP.166' as policy_id, unnest(range(11)) as part_order, unnest({PARTS}) as part, unnest(range(11)) as findings,
                1.5::decimal(14, 2) as amount_at_risk;
        create table records_request as
            select 1::bigint as request_rank, '=1' as claim_id, ['a', 'b'] as rule_ids, -1.5::decimal(14, 2) as amount_at_risk;
        create table left_out_requests as select '1' as billing_npi, 4::bigint as claims, 2::decimal(14, 2) as amount_at_risk;
        create table handed_providers as
            select unnest(['2', '1', null]) as billing_npi, 7::bigint as findings, 5.25::double as findings_per_100_injections;
        create table controls as select 'a.csv' as extract, 'taken' as outcome, null::varchar as reason, 4::bigint as rows_read,
            1::bigint as rows_kept, 1::bigint as rows_not_relevant, 1::bigint as rows_quarantined, 1::bigint as rows_duplicate,
            4.04::decimal(18, 2) as paid_read, 1.01::decimal(18, 2) as paid_kept, 1.01::decimal(18, 2) as paid_not_relevant,
            1.01::decimal(18, 2) as paid_quarantined, 1.01::decimal(18, 2) as paid_duplicate;
        insert into controls select 'bad.csv', 'refused', 'bad.csv lacks the column claim_id', * from
            (select unnest([0]) as a, 0 as b, 0 as c, 0 as d, 0 as e, 0 as f, 0 as g, 0 as h, 0 as i, 0 as j);
        create table rules as select 'CP.MP.166' as policy_id, 'interval_under_two_months' as rule_id, 'I.A.3.c' as policy_section,
            'Injections too close together' as title;
        create table limits as select 'CP.MP.166' as policy_id, unnest([null, 'interval_under_two_months']) as rule_id,
            unnest(['count_months', 'min_months']) as limit_name, unnest(['12', '2']) as limit_value;
        create table policy_texts as select 'CP.MP.166' as policy_id, '2023-08' as newest_revision;
        create table doubt_meanings as select 'authorized' as doubt_id, 'the service was approved beforehand' as description,
            'the authorization and what it covered' as settled_by;
    """)  # fmt: skip
    return con


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def read_sheets(*paths: Path) -> dict[str, list[Row]]:
    """The rows of all sheets but Read me, by name."""
    sheets = {}
    for path in paths:
        book = CalamineWorkbook.from_path(path)
        for name in book.sheet_names:
            header, *rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            if name != "Read me":
                sheets[name] = [dict(zip(map(str, header), row, strict=True)) for row in rows]
    return sheets


def read_notes(path: Path) -> str:
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name("Read me").to_python()
    return "\n".join(" | ".join(str(cell) for cell in row if cell != "") for row in rows)


def sheet_xml(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as file:
        number = CalamineWorkbook.from_path(path).sheet_names.index(name) + 1
        return file.read(f"xl/worksheets/sheet{number}.xml").decode()


def test_each_finding_stands_on_the_sheet_of_its_kind(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [
        finding(1, strength="presumed", presumptions=["purpose_unmarked", "state_rules_unchecked"]),
        finding(2, determination="review", doubts=["authorized", "discontinued"], records="procedure note"),
        finding(3, change="withdrawn"),
        finding(4, change="changed", determination="review"),
        finding(5, change="withdrawn", determination="review"),
        finding(6, change="changed"),
    ]
    [path] = write_workbook(hand_over(con, *rows), tmp_path / "findings.xlsx", None)
    sheets = read_sheets(path)
    assert list(sheets) == ["Violations", "Review", "Withdrawn", "Providers"]
    assert {name: [row["member_id"] for row in sheet] for name, sheet in sheets.items() if name != "Providers"} == {
        "Violations": ["M1", "M6"],
        "Review": ["M2", "M4"],
        "Withdrawn": ["M3", "M5"],
    }
    assert sheets["Violations"][0]["strength"] == "presumed"
    assert sheets["Violations"][0]["presumptions"] == "purpose_unmarked, state_rules_unchecked"
    assert sheets["Review"][0]["doubts"] == "authorized, discontinued"
    assert sheets["Review"][0]["records"] == "procedure note"
    providers = [(row["billing_npi"], row["findings"], row["claims_left_out"]) for row in sheets["Providers"]]
    assert providers == [("2", 7, 0), ("1", 7, 4), ("", 7, 0)]
    for name in ("Violations", "Review", "Withdrawn"):
        assert set(HANDED_COLUMNS) <= set(sheets[name][0])
        assert ({"disposition", "recovered_amount", "reviewer", "note"} <= set(sheets[name][0])) == (name != "Withdrawn")


def test_cells_have_their_own_types(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    [path] = write_workbook(hand_over(con, finding(1, prior_count=2)), tmp_path / "findings.xlsx", None)
    row = read_sheets(path)["Violations"][0]
    assert row["service_date"] == date(2024, 2, 29)
    assert (row["amount_at_risk"], row["interval_days"], row["prior_count"]) == (186.4, 30, 2)
    assert (row["billing_npi"], row["procedure_codes"], row["finding_id"], row["run_id"]) == (
        "0123456789",
        "27096, G0260",
        f"{1:032x}",
        RUN,
    )
    assert row["claim_lines"] == "C1/1 27096 $186.40\nC1/2 27096 $10.00"
    assert (row["is_upper_bound"], row["prior_service_date"], row["note"]) == ("no", "", "")


def test_what_a_claim_line_lacks_is_left_out(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    lines = [claim_line("C1", None, "-1.00"), claim_line(None, 2, None)]
    [path] = write_workbook(hand_over(con, finding(1, claim_lines=lines)), tmp_path / "findings.xlsx", None)
    assert read_sheets(path)["Violations"][0]["claim_lines"] == "C1 27096 $-1.00\n/2 27096"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_in_every_column_is_only_text(con: duckdb.DuckDBPyConnection, tmp_path: Path, text: str) -> None:
    row = finding(1, **dict.fromkeys(TEXTS, text), **{name: [text, "b"] for name in LISTS}, claim_lines=[claim_line(text, 1, "1.00")])
    [path] = write_workbook(hand_over(con, row), tmp_path / "findings.xlsx", None)
    read = read_sheets(path)["Violations"][0]
    assert {name: read[name] for name in TEXTS} == dict.fromkeys(TEXTS, text)
    assert {name: read[name] for name in LISTS} == dict.fromkeys(LISTS, f"{text}, b")
    assert read["claim_lines"] == f"{text}/1 27096 $1.00"
    with zipfile.ZipFile(path) as file:
        for member in file.namelist():
            content = file.read(member)
            assert ET.fromstring(content) is not None
            assert not re.search(rb"<f[\s>/]|<hyperlink|TargetMode|externalLink|vbaProject", content), member


def test_headers_stay_in_view_and_filter_and_print(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    [path] = write_workbook(hand_over(con, finding(1), finding(2, change="withdrawn")), tmp_path / "findings.xlsx", None)
    for name in ("Violations", "Review", "Withdrawn", "Providers"):
        xml = sheet_xml(path, name)
        assert re.search(r'<pane xSplit="2" ySplit="1" topLeftCell="C2"[^>]*state="frozen"', xml)
        assert re.search(r'<autoFilter ref="A1:[A-Z]+\d+"', xml)
        assert '<ignoredError sqref="A1:XFD1048576" numberStoredAsText="1"' in xml
        assert 'orientation="landscape"' in xml
        assert "fitToHeight" in xml
    with zipfile.ZipFile(path) as file:
        workbook = file.read("xl/workbook.xml").decode()
    assert workbook.count("_xlnm.Print_Titles") == 4
    assert workbook.count("_xlnm.Print_Area") == 4


def test_dispositions_and_amounts_are_validated_where_they_are_asked_for(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [finding(1), finding(2), finding(3, determination="review"), finding(4, change="withdrawn")]
    [path] = write_workbook(hand_over(con, *rows), tmp_path / "findings.xlsx", None)
    for name, last in (("Violations", 3), ("Review", 2)):
        xml = sheet_xml(path, name)
        assert re.search(rf'<dataValidation type="list"[^>]*sqref="[A-Z]+2(:[A-Z]+{last})?"[^>]*><formula1>"upheld,overturned"<', xml)
        assert re.search(r'<dataValidation type="decimal" operator="greaterThanOrEqual"[^>]*><formula1>0<', xml)
    assert "dataValidation" not in sheet_xml(path, "Withdrawn")


def test_the_same_tables_give_the_same_bytes(con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over(con, *(finding(number) for number in range(50)))
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    [first] = write_workbook(con, tmp_path / "first" / "findings.xlsx", None)
    time.sleep(2.1)  # a ZIP file's clock has steps of two seconds
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        [second] = write_workbook(con, tmp_path / "second" / "findings.xlsx", None)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert first.read_bytes() == second.read_bytes()


def test_only_its_user_reads_it_and_nothing_else_is_left(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    paths = write_parts(hand_over(con, finding(1), finding(2)), tmp_path / "findings.xlsx", None, Limits(bytes_per_file=1))
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}


def test_what_fails_leaves_nothing_behind(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    hand_over(con, finding(1)).execute("drop table handed_providers")
    with pytest.raises(duckdb.Error):
        write_workbook(con, tmp_path / "findings.xlsx", None)
    assert list(tmp_path.iterdir()) == []


def test_the_limits_are_excels() -> None:
    assert (Limits().rows_per_sheet, Limits().characters_per_cell) == (1_048_576, 32_767)
    assert Limits().bytes_per_file < 2**32


def test_rows_beyond_a_sheet_go_on_in_the_next(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    hand_over(con, *(finding(number) for number in range(7)))
    [path] = write_parts(con, tmp_path / "findings.xlsx", None, Limits(rows_per_sheet=4))
    sheets = read_sheets(path)
    assert list(sheets) == ["Violations", "Violations 2", "Violations 3", "Review", "Withdrawn", "Providers"]
    members = [[row["member_id"] for row in sheets[name]] for name in list(sheets)[:3]]
    assert members == [["M0", "M1", "M2"], ["M3", "M4", "M5"], ["M6"]]


def test_rows_beyond_a_file_go_on_in_the_next(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    hand_over(con, *(finding(number, determination="review" if number == 2 else "violation") for number in range(3)))
    paths = write_parts(con, tmp_path / "findings.xlsx", None, Limits(bytes_per_file=1))
    assert [path.name for path in paths[:3]] == ["findings.xlsx", "findings_2.xlsx", "findings_3.xlsx"]
    assert [read_notes(path).splitlines()[2] for path in paths[:2]] == [
        "Part 1 of the hand-off; one that is too large for a file goes on in findings_2.xlsx.",
        "Part 2 of the hand-off; one that is too large for a file goes on in findings_3.xlsx.",
    ]
    sheets = read_sheets(*paths)
    assert [row["member_id"] for name, sheet in sheets.items() if "Providers" not in name for row in sheet] == ["M0", "M1", "M2"]
    assert [row["billing_npi"] for name, sheet in sheets.items() if "Providers" in name for row in sheet] == ["2", "1", ""]
    assert len({name for path in paths for name in CalamineWorkbook.from_path(path).sheet_names}) == len(sheets) + 1


def long_texts(sheets: dict[str, list[Row]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for name, rows in sheets.items():
        if name.startswith("Long texts"):
            for row in rows:
                found[row["long_text"]] = found.get(row["long_text"], "") + row["text"]
    return found


def full_text(cell: Any, texts: dict[int, str]) -> Any:
    place = re.fullmatch(r"Long text (\d+): see the sheet Long texts", str(cell))
    return texts[int(place.group(1))] if place else cell


def test_a_text_that_is_too_long_for_a_cell_stands_whole_on_its_own_sheet(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    fits, exceeds = "a" * 32_767, "=😀" * 30_000
    [path] = write_workbook(hand_over(con, finding(1, rationale=fits, plan=exceeds)), tmp_path / "findings.xlsx", None)
    sheets = read_sheets(path)
    row = sheets["Violations"][0]
    assert row["rationale"] == fits
    assert row["plan"] == "Long text 1: see the sheet Long texts"
    assert [(text["sheet"], text["column"], text["piece"]) for text in sheets["Long texts"]] == [
        ("Violations", "plan", n) for n in (1, 2, 3)
    ]
    assert long_texts(sheets) == {1: exceeds}


@given(
    st.lists(st.text(st.characters(exclude_characters="_\ufffe\uffff", exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=6),
    st.integers(2, 6),
    st.integers(2, 20),
    st.sampled_from([1, 20_000, 10**9]),
)
@settings(max_examples=15)
def test_no_limit_loses_anything(texts: list[str], rows: int, characters: int, size: int) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, duckdb.connect() as con:
        hand_over(con, *(finding(number, plan=text, rationale=text) for number, text in enumerate(texts)))
        paths = write_parts(con, Path(folder, "findings.xlsx"), None, Limits(rows, characters, size))
        sheets = read_sheets(*paths)
    found = long_texts(sheets)
    written = [row for name, sheet in sheets.items() if name.startswith("Violations") for row in sheet]
    assert [(full_text(row["plan"], found), full_text(row["rationale"], found)) for row in written] == [(text, text) for text in texts]
    assert all(len(sheet) < rows for sheet in sheets.values())


@given(st.text(max_size=50), st.integers(2, 9))
def test_pieces_of_a_text_fit_and_make_it_up(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert "".join(pieces) == text
    assert all(len(piece.encode("utf-16-le", "surrogatepass")) <= 2 * limit for piece in pieces)
    assert all(pieces) or pieces == [""]


def test_findings_that_an_open_adjustment_may_be_about_name_it_and_are_counted(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [finding(1, open_adjustments=["orphan_adjustment A1/2", "unmatched_reversal R9/1"]), finding(2)]
    [path] = write_workbook(hand_over(con, *rows), tmp_path / "findings.xlsx", None)
    assert [row["open_adjustments"] for row in read_sheets(path)["Violations"]] == ["orphan_adjustment A1/2, unmatched_reversal R9/1", ""]
    told = "Note | 1 finding cites a line that an adjustment or a reversal without a line of its own may be about: see open_adjustments."
    assert told in read_notes(path)


def test_read_me_says_what_the_hand_off_is(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    hand_over(con, finding(1)).execute(
        "create table findings as select '' as scope; comment on column findings.scope is 'what scope means'"
    )
    [path] = write_workbook(con, tmp_path / "findings.xlsx", "2024-05-31-ba9876543210")
    notes = read_notes(path)
    for note in (
        f"Run | {RUN}",
        "Services up to | 2024-06-30",
        "Since | run 2024-05-31-ba9876543210: what is new, changed or withdrawn since then",
        "Line of business | commercial, where a claim line has none",
        "Policy text | The newest text of CP.MP.166 that is held is of 08/23: later services are measured against it.",
        "new presumed violations | 1.0 | 1.5",
        "to work on: new and changed | 28.0 | 12.0",
        "Claims whose records are asked for in records_request.csv: 1. The cap on requests leaves out 4 more, of providers: 1.",
        "all | 2.0 | 4.0 | 1.0 | 1.0 | 1.0 | 1.0",
        "all | 2.0 | 4.04 | 1.01 | 1.01 | 1.01 | 1.01",
        "Refused | bad.csv: bad.csv lacks the column claim_id",
        "Note | adjustments of claims of which nothing was ever delivered: 3",
        "disposition | upheld (the finding stands) or overturned (it does not)",
        "interval_under_two_months | CP.MP.166 I.A.3.c: Injections too close together (min_months 2)",
        "all of CP.MP.166 | count_months 12",
        "scope | what scope means",
    ):
        assert note in notes
    assert "authorized | the service was approved beforehand. What settles it: the authorization and what it covered" in notes


def test_the_csv_of_findings_can_be_filled_in_and_read_back(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert write_findings_csv(hand_over(con, finding(1, plan="=1"), finding(2)), tmp_path / "findings.csv") == 2
    header, first, second = (tmp_path / "findings.csv").read_text(encoding="utf-8-sig").splitlines()
    assert header.split(",")[-4:] == ["disposition", "recovered_amount", "reviewer", "note"]
    assert "C1/1 27096 $186.40; C1/2 27096 $10.00" in first
    assert ",'=1," in first
    (tmp_path / "findings.csv").write_text(f"{header}\n{first[:-3]}Overturned,,me,'=x\n{second}\n")
    assert read_dispositions(tmp_path / "findings.csv") == [Disposition(f"{1:032x}", RUN, "overturned", None, "me", "=x")]


def test_requests_are_safe_for_a_spreadsheet(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert write_requests_csv(hand_over(con), tmp_path / "requests.csv") == 1
    assert (tmp_path / "requests.csv").read_text(encoding="utf-8-sig").splitlines()[1] == "1,'=1,a; b,-1.50"


def fill_in(path: Path, filled: Path, answers: dict[str, Row]) -> Path:
    """Save a workbook anew, as a spreadsheet would, with cells filled in by finding."""
    with xlsxwriter.Workbook(str(filled), {"strings_to_formulas": False, "strings_to_urls": False}) as target:
        source = CalamineWorkbook.from_path(path)
        for name in source.sheet_names:
            page = target.add_worksheet(name)
            rows = source.get_sheet_by_name(name).to_python(skip_empty_area=False)
            header = [str(cell) for cell in rows[0]]
            for number, cells in enumerate(rows):
                values = dict(zip(header, cells, strict=True))
                values |= answers.get(str(values.get("finding_id")), {})
                for column, value in enumerate(values[label] if label else "" for label in header):
                    if isinstance(value, int | float):
                        page.write_number(number, column, value)
                    elif value != "":
                        page.write_string(number, column, str(value))
    return filled


@pytest.mark.parametrize("rows_per_sheet", [2, 1_048_576])
def test_what_reviewers_fill_in_comes_back(con: duckdb.DuckDBPyConnection, tmp_path: Path, rows_per_sheet: int) -> None:
    rows = [finding(number, determination="review" if number % 2 else "violation") for number in range(6)]
    [path] = write_parts(hand_over(con, *rows), tmp_path / "findings.xlsx", None, Limits(rows_per_sheet))
    assert read_dispositions(path) == []
    answers: dict[str, dict[str, Any]] = {
        f"{0:032x}": {"disposition": "upheld", "recovered_amount": 186.4, "reviewer": "R. Viewer", "note": "=paid back\n😀"},
        f"{4:032x}": {"disposition": " Overturned ", "note": "has a waiver"},
        f"{5:032x}": {"disposition": "UPHELD", "recovered_amount": "$1,200.50"},
        f"{3:032x}": {"reviewer": "looked at it only"},
    }
    assert read_dispositions(fill_in(path, tmp_path / "filled.xlsx", answers)) == [
        Disposition(f"{0:032x}", RUN, "upheld", Decimal("186.40"), "R. Viewer", "=paid back\n😀"),
        Disposition(f"{4:032x}", RUN, "overturned", None, None, "has a waiver"),
        Disposition(f"{5:032x}", RUN, "upheld", Decimal("1200.50"), None, None),
    ]


def test_the_workbook_of_a_run_holds_its_findings_and_comes_back(tmp_path: Path) -> None:
    once, again = (run(tmp_path / name, SAMPLE).current / "handoff" / "findings.xlsx" for name in ("once", "again"))
    assert once.read_bytes() == again.read_bytes()
    sheets = read_sheets(once)
    found = {(row["finding_id"], row["run_id"], row["rationale"], float(row["amount_at_risk"])) for row in read_report(tmp_path / "once")}
    written = [row for name in ("Violations", "Review") for row in sheets[name]]
    assert {(row["finding_id"], row["run_id"], row["rationale"], row["amount_at_risk"]) for row in written} == found
    assert len(written) == len(found) > 50
    assert all(row["records"] for row in sheets["Review"])
    assert all(row["billing_npi"].isdigit() for row in [*written, *sheets["Providers"]])
    answers = {row["finding_id"]: {"disposition": "upheld", "recovered_amount": row["amount_at_risk"]} for row in written}
    back = read_dispositions(fill_in(once, tmp_path / "filled.xlsx", answers))
    assert {(one.finding_id, one.run_id, float(one.recovered_amount or 0)) for one in back} == {(*key[:2], key[3]) for key in found}
