"""One Excel file that is being written, row by row: looks, widths and heights of cells, parts of sheets, texts too long for a cell.

No cell is a formula, a link or a guessed number, and nothing is cut.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from sij_audit.transforms.handoff.dispositions import DISPOSITIONS
from sij_audit.transforms.handoff.handed_columns import INPUTS

WIDTHS = {
    "finding_id": 32,
    "run_id": 23,
    "rationale": 40,
    "records": 27,
    "claim_lines": 26,
    "rule_id": 26,
    "doubts": 20,
    "presumptions": 20,
    "note": 28,
    "precedence_note": 30,
    "text": 120,
}
"""Widths of columns, in characters; others by their type."""

CONFIDENTIAL = "Confidential"

US_LEGAL = 5

ROW_LOOKS = {"text", "flag", "date", "dollars", "count", "rate"}
"""Looks of cells that stand in rows under a header."""

LINE_HEIGHT = 12.5
"""Points that a line of text takes in a row."""

LETTERS = 1.2
"""Letters that go into a unit of width, at least on average."""

HIGHEST = 409.0
"""Points that a row may be high in Excel; what is longer is there, but not all in view."""

CELL_BYTES = 70
"""What a cell takes in XML at most, without its value."""

PLAIN = re.compile(r"[ -%'-;=?-~\n]*")
"""A text of characters that are one byte each in XML."""

LONGEST_ESCAPE = 7
"""Bytes that any other character takes at most, such as _x0001_."""

VALIDATIONS: dict[str, dict[str, Any]] = {
    "disposition": {
        "validate": "list",
        "source": list(DISPOSITIONS),
        "input_title": "disposition",
        "input_message": "upheld: the finding stands. overturned: it does not.",
        "error_title": "disposition",
        "error_message": "Write upheld or overturned, or leave it empty.",
    },
    "recovered_amount": {
        "validate": "decimal",
        "criteria": ">=",
        "value": 0,
        "error_title": "recovered_amount",
        "error_message": "Write US dollars that came back, 0 or more, or leave it empty.",
    },
}
"""What may be filled in."""

Note = tuple[str, tuple[Any, ...]]
"""A row of the sheet Read me: how it looks, and its cells."""

NOTE_COLUMNS = (30, *[15] * 7)
"""Widths of the columns of the sheet Read me."""

NOTE_HEIGHTS = {"title": 26.0, "heading": 20.0}

NOTE_WIDTH = 120
"""Characters of a line on the sheet Read me, beside a term and without one."""


@dataclass(frozen=True)
class Limits:
    """What Excel can hold."""

    rows_per_sheet: int = 1_048_576
    characters_per_cell: int = 32_767
    """As Excel counts them: in UTF-16."""
    bytes_per_file: int = 2_000_000_000
    """Of XML, which must stay below the 4 GB of a ZIP member."""


@dataclass(frozen=True)
class Sheet:
    """A sheet of rows under a header."""

    name: str
    columns: tuple[str, ...]
    printed: int
    """So many columns are printed."""
    frozen: int
    """So many columns stay in view."""


LONG_TEXTS = Sheet("Long texts", ("long_text", "sheet", "column", "piece", "text"), printed=5, frozen=1)
LONG_TEXT_SCHEMA = pa.schema(
    [("long_text", pa.int64()), ("sheet", pa.string()), ("column", pa.string()), ("piece", pa.int64()), ("text", pa.string())]
)
"""The sheet of texts that are too long for a cell, in pieces."""


@dataclass
class Numbers:
    """How many sheets of each name, and how many long texts, there are so far over all parts."""

    sheets: dict[str, int] = field(default_factory=dict)
    texts: int = 0

    def name_sheet(self, name: str) -> str:
        self.sheets[name] = self.sheets.get(name, 0) + 1
        return name if self.sheets[name] == 1 else f"{name} {self.sheets[name]}"


class Book:
    """One file that is being written, each sheet row by row; nothing of it is held in memory but the row."""

    def __init__(self, path: Path, folder: Path, numbers: Numbers, limits: Limits, run_id: str, as_of: date) -> None:
        options = {
            "constant_memory": True,
            "tmpdir": str(folder),
            "strings_to_numbers": False,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        self.book = xlsxwriter.Workbook(str(path), options)
        self.book.set_properties({"title": f"Findings of run {run_id}", "created": datetime.combine(as_of, time())})
        self.numbers = numbers
        self.limits = limits
        self.run_id = run_id
        self.size = 0
        self.open: dict[Sheet, tuple[Worksheet, int]] = {}
        """The latest part of each sheet, and the number of rows in that."""
        self.formats: dict[tuple[str, bool], Format] = {}

    def is_full(self) -> bool:
        return self.size >= self.limits.bytes_per_file

    def close(self) -> None:
        for sheet in self.open:
            self._end_sheet(sheet)
        self.book.close()

    def format(self, kind: str, is_input: bool = False) -> Format:
        """Give the looks of a cell, by what it holds."""
        key = (kind, is_input)
        if key not in self.formats:
            looks: dict[str, Any] = {"font_name": "Arial", "font_size": 9, "valign": "top"}
            kinds: dict[str, dict[str, Any]] = {
                "header": {
                    "bold": True,
                    "font_color": "#FFFFFF",
                    "bg_color": "#9C5700" if is_input else "#1F3864",
                    "text_wrap": True,
                    "border": 1,
                    "border_color": "#BFBFBF",
                },
                "text": {"num_format": "@", "text_wrap": True},
                "flag": {"align": "center"},
                "date": {"num_format": "yyyy-mm-dd", "align": "left"},
                "dollars": {"num_format": "#,##0.00"},
                "count": {"num_format": "#,##0"},
                "rate": {"num_format": "#,##0.00"},
                "title": {"bold": True, "font_size": 16, "font_color": "#1F3864"},
                "heading": {"bold": True, "font_size": 12, "font_color": "#1F3864", "bottom": 1, "bottom_color": "#1F3864"},
                "warning": {"bold": True, "font_color": "#C00000"},
                "term": {"bold": True, "num_format": "@"},
                "line": {"num_format": "@"},
                "day": {"num_format": "yyyy-mm-dd", "align": "left"},
                "label": {"bold": True, "bg_color": "#D9E2F3"},
                "unit": {"bold": True, "bg_color": "#D9E2F3", "align": "right"},
            }
            looks |= kinds[kind]
            if is_input and kind != "header":
                looks |= {"bg_color": "#FFF2CC", "border": 1, "border_color": "#D6B656"}
            elif kind in ROW_LOOKS:
                looks |= {"bottom": 1, "bottom_color": "#D9D9D9"}
            self.formats[key] = self.book.add_format(looks)
        return self.formats[key]

    def begin_sheet(self, sheet: Sheet, schema: pa.Schema) -> None:
        """Begin a sheet, or its next part, with its header."""
        self._end_sheet(sheet)
        page = self.book.add_worksheet(self.numbers.name_sheet(sheet.name))
        self.open[sheet] = (page, 1)
        for number, name in enumerate(sheet.columns):
            page.set_column(number, number, _width(name), None, {"level": 1} if number >= sheet.printed else {})
            page.write_string(0, number, name, self.format("header", name in INPUTS))
        page.set_row(0, 27)
        page.freeze_panes(1, sheet.frozen)
        page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        page.repeat_rows(0)
        self._set_print(page)

    def write_row(self, sheet: Sheet, schema: pa.Schema, row: Sequence[Any]) -> None:
        """Write the next row of a sheet, on its next part where this one is full or lies in another file."""
        if sheet not in self.open or self.open[sheet][1] >= self.limits.rows_per_sheet:
            self.begin_sheet(sheet, schema)
        page, number = self.open[sheet]
        self.open[sheet] = (page, number + 1)
        fitting = [self._fit_text(page, sheet, name, value) for name, value in zip(sheet.columns, row, strict=True)]
        page.set_row(number, min(HIGHEST, LINE_HEIGHT * max(map(count_lines, sheet.columns, fitting)) + 2), self.format("text"))
        for column, (name, kind, value) in enumerate(zip(sheet.columns, schema.types, fitting, strict=True)):
            if value is not None or name in INPUTS:
                self._write_cell(page, number, column, value, self.format(_look(kind), name in INPUTS))

    def write_notes(self, notes: Sequence[Note]) -> None:
        """Write the sheet Read me."""
        page = self.book.add_worksheet("Read me")
        page.hide_gridlines(2)
        for number, width in enumerate(NOTE_COLUMNS):
            page.set_column(number, number, width)
        self._set_print(page)
        for row, (look, cells) in enumerate(notes):
            page.set_row(row, NOTE_HEIGHTS.get(look, LINE_HEIGHT))
            for column, value in enumerate(cells):
                self._write_cell(page, row, column, value, self.format(_note_look(look, column, value)))

    def _write_cell(self, page: Worksheet, row: int, column: int, value: Any, look: Format) -> None:
        self.size += CELL_BYTES
        match value:
            case None:
                page.write_blank(row, column, None, look)
            case str():
                self.size += len(value) if PLAIN.fullmatch(value) else LONGEST_ESCAPE * len(value)
                page.write_string(row, column, value, look)
            case bool():
                page.write_string(row, column, "yes" if value else "no", look)
            case date():
                page.write_datetime(row, column, value, look)
            case _:
                page.write_number(row, column, value, look)

    def _fit_text(self, page: Worksheet, sheet: Sheet, column: str, value: Any) -> Any:
        """Give the value; for a text that is too long for a cell, where on the sheet of long texts it is."""
        if not isinstance(value, str) or sheet is LONG_TEXTS:
            return value
        pieces = split_text(value, self.limits.characters_per_cell)
        if len(pieces) == 1:
            return value
        self.numbers.texts += 1
        number = self.numbers.texts
        for order, piece in enumerate(pieces, 1):
            self.write_row(LONG_TEXTS, LONG_TEXT_SCHEMA, (number, page.get_name(), column, order, piece))
        return f"Long text {number}: see the sheet {LONG_TEXTS.name}"

    def _set_print(self, page: Worksheet) -> None:
        page.set_landscape()
        page.set_paper(US_LEGAL)
        page.set_margins(left=0.3, right=0.3, top=0.6, bottom=0.6)
        page.fit_to_pages(1, 0)
        page.set_header(f"&L&8{CONFIDENTIAL}&R&8&A")
        page.set_footer(f"&L&8Run {self.run_id}&R&8Page &P of &N")

    def _end_sheet(self, sheet: Sheet) -> None:
        """Set what depends on the number of rows: filter, what is printed, what may be filled in."""
        if sheet not in self.open:
            return
        page, rows = self.open[sheet]
        page.autofilter(0, 0, rows - 1, len(sheet.columns) - 1)
        page.print_area(0, 0, rows - 1, sheet.printed - 1)
        for name, rule in VALIDATIONS.items():
            if name in sheet.columns and rows > 1:
                column = sheet.columns.index(name)
                page.data_validation(1, column, rows - 1, column, rule)


def _width(name: str) -> float:
    return WIDTHS.get(name, max(10.5, 0.95 * len(name)))


def count_lines(name: str, value: Any) -> int:
    """Estimate how many lines a value takes in its column: no reader can be trusted to fit the height of rows to their text."""
    width = int(LETTERS * _width(name))
    if not isinstance(value, str) or (len(value) <= width and "\n" not in value):
        return 1
    return sum(max(1, len(textwrap.wrap(line, width))) for line in value.split("\n"))


def _look(kind: pa.DataType) -> str:
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_decimal(kind):
        return "dollars"
    if pa.types.is_floating(kind):
        return "rate"
    if pa.types.is_boolean(kind):
        return "flag"
    return "count" if pa.types.is_integer(kind) else "text"


def _note_look(look: str, column: int, value: Any) -> str:
    """The looks of a cell of the sheet Read me."""
    if look == "label":
        return "unit" if column else look
    if look not in {"pair", "cells", "sum"}:
        return look
    if isinstance(value, Decimal):
        return "dollars"
    if isinstance(value, int):
        return "count"
    return "day" if isinstance(value, date) else "term" if column == 0 and look != "cells" else "line"


def split_text(text: str, limit: int) -> list[str]:
    """Cut a text into pieces of at most so many UTF-16 units, of which an emoji is two; the empty text is one piece."""
    if 2 * len(text) <= limit:
        return [text]
    pieces, start, units = [], 0, 0
    for place, letter in enumerate(text):
        size = 2 if letter > "\uffff" else 1
        if units + size > limit:
            pieces.append(text[start:place])
            start, units = place, 0
        units += size
    return [*pieces, text[start:]]
