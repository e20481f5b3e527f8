"""The workbook as LibreOffice opens, prints and saves it."""

import re
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from python_calamine import CalamineWorkbook

from sij_audit.transforms.handoff.dispositions import read_dispositions
from tests.eye.office import Office, read_words
from tests.eye.sample import Published

MAIN = {"": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
TABLES = ("Violations", "Review", "Withdrawn", "Providers")
FILLED_IN = ("Violations", "Review")


def read_sheets(path: Path) -> dict[str, list[list[str]]]:
    """The cells of each sheet as text, without what is empty on the right."""
    book = CalamineWorkbook.from_path(path)
    rows = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    return {name: [re.sub("(\t)+$", "", "\t".join(map(str, row))).split("\t") for row in rows[name]] for name in rows}


def read_xml(path: Path) -> dict[str, ElementTree.Element]:
    """The XML of each sheet by its name."""
    with zipfile.ZipFile(path) as book:
        sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).findall("sheets/sheet", MAIN)
        names = [sheet.attrib["name"] for sheet in sheets]
        return {name: ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml")) for number, name in enumerate(names, 1)}


def letters(number: int) -> str:
    """The letters of a column, the first being 0."""
    return (letters(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)


def test_saving_loses_no_sheet_and_changes_no_cell(published: Published, saved: Path) -> None:
    before, after = read_sheets(published.workbook), read_sheets(saved)
    assert list(before) == list(after) == ["Read me", *TABLES]
    for name in before:
        assert before[name] == after[name], name


@pytest.mark.parametrize("name", TABLES)
def test_heads_stay_in_view_and_can_be_filtered(saved: Path, name: str) -> None:
    sheet = read_xml(saved)[name]
    pane = sheet.find("sheetViews/sheetView/pane", MAIN)
    assert pane is not None
    assert (pane.attrib["state"], pane.attrib["ySplit"]) == ("frozen", "1")
    assert sheet.find("autoFilter", MAIN) is not None


@pytest.mark.parametrize("name", FILLED_IN)
def test_lists_offer_what_can_be_said(saved: Path, name: str) -> None:
    rows = read_sheets(saved)[name]
    column = letters(rows[0].index("disposition"))
    lists = read_xml(saved)[name].findall("dataValidations/dataValidation[@type='list']", MAIN)
    offered = {entry.attrib["sqref"]: entry.findtext("formula1", None, MAIN) for entry in lists}
    assert offered == {f"{column}2:{column}{len(rows)}": '"upheld,overturned"'}


def test_no_cell_is_a_formula_or_a_link(saved: Path) -> None:
    for name, sheet in read_xml(saved).items():
        assert sheet.findall(".//f", MAIN) == sheet.findall(".//hyperlink", MAIN) == [], name


def test_no_column_is_too_narrow(office: Office, published: Published, tmp_path: Path) -> None:
    """Of a number that its column cannot hold, #s are printed; so all columns are, those too that are not meant for paper."""
    everything = tmp_path / "everything.xlsx"
    with zipfile.ZipFile(published.workbook) as book, zipfile.ZipFile(everything, "w") as copy:
        for name in book.namelist():
            copy.writestr(name, re.sub(rb"<definedName [^>]*Print_Area[^>]*>[^<]*</definedName>", b"", book.read(name)))
    findings = [row[0] for name in FILLED_IN for row in read_sheets(published.workbook)[name][1:]]
    for workbook in (published.workbook, everything):
        words = read_words(office.print_to_pdf(workbook, tmp_path))
        assert all(member in words for member in findings)
        assert "##" not in words


@pytest.mark.parametrize("name", FILLED_IN)
def test_what_a_reviewer_types_comes_back(office: Office, published: Published, tmp_path: Path, name: str) -> None:
    header, *rows = read_sheets(published.workbook)[name]
    said = {"disposition": "overturned", "recovered_amount": "12.5", "reviewer": "Mary", "note": "approved by phone, 3 May"}
    cells = {f"{letters(header.index(column))}{len(rows) + 1}": value for column, value in said.items()}
    (disposition,) = read_dispositions(office.save_typed(published.workbook, tmp_path / "reviewed.xlsx", name, cells))
    assert disposition.finding_id == rows[-1][header.index("finding_id")]
    assert disposition.run_id == rows[-1][header.index("run_id")]
    assert (disposition.disposition, disposition.reviewer, disposition.note) == (said["disposition"], said["reviewer"], said["note"])
    assert disposition.recovered_amount == Decimal("12.5")
