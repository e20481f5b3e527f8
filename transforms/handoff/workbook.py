"""The hand-off as a workbook that reviewers fill in, and its findings and requests as CSV.

No cell is a formula, a link or a guessed number. Nothing is cut: a sheet or file that would pass Excel's limits goes on in the next, a text too
long for a cell stands on a sheet of its own. The same tables give the same bytes.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from sij_audit.transforms.columns import ROW_OUTCOMES
from sij_audit.transforms.handoff.dispositions import DISPOSITIONS
from sij_audit.transforms.spreadsheets import write_csv
from sij_audit.transforms.stages.reference import read_reference
from sij_audit.transforms.store.durable import write_durably

CHUNK = 2048
"""Rows that are fetched at a time."""

INPUTS = {
    "disposition": "yours to fill in: upheld (the finding stands) or overturned (it does not)",
    "recovered_amount": "yours to fill in: US dollars that came back, 0 or more, with at most two decimals",
    "reviewer": "yours to fill in: who decided",
    "note": "yours to fill in: why, in your words",
}
"""The columns that reviewers fill in, and what they mean."""

ADDED_COLUMNS = {
    "change": "new, changed or withdrawn since the hand-off before",
    "records": "what to ask the provider for",
    "earlier_disposition": "what reviewers said of this finding when it rested on other evidence",
}
"""What columns of findings mean that the report findings does not have."""

PROVIDER_COLUMNS = {
    "billing_npi": "who billed a judged line",
    "findings": "new and changed findings with a judged line of this NPI",
    "violations": "violations among them",
    "reviews": "reviews among them",
    "withdrawn": "findings of the hand-off before that no longer hold",
    "persons": "persons of new and changed findings",
    "claims": "claims of new and changed findings",
    "amount_at_risk": "US dollars at risk in this NPI's lines of new and changed findings",
    "injections": "injections of which a line was billed under the NPI, whether anything is wrong with them or not",
    "findings_per_100_injections": "all findings that hold, not only those handed over, for each hundred injections; empty without injections",
    "findings_per_100_injections_of_all": "the same of all providers together",
    "claims_left_out": "claims whose records are not asked for yet: the cap on requests left them out; of all policies together",
}
"""What the columns of the sheet Providers mean."""

MAIN_COLUMNS = (
    "member_id",
    "service_date",
    "change",
    "policy_section",
    "rule_id",
    "procedure_codes",
    "site",
    "rationale",
    "doubts",
    "records",
    "amount_at_risk",
    "is_upper_bound",
    "claim_lines",
    "billing_npi",
)
"""What a reviewer reads first, and what is printed, before the columns to fill in; all others come after them."""

NEXT_COLUMNS = ("earlier_disposition", "paid_amount", "prior_claim_ids", "person_id", "interval_days", "prior_service_date", "prior_count")
"""The first of the others."""

ONLY_FOR_REVIEW = ("doubts", "records")
"""Main columns of the sheet Review alone."""

WIDTHS = {
    "finding_id": 32,
    "run_id": 23,
    "rationale": 40,
    "records": 27,
    "claim_lines": 26,
    "rule_id": 26,
    "doubts": 20,
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
"""Where texts stand that are too long for a cell, in pieces."""


def write_workbook(con: duckdb.DuckDBPyConnection, path: Path, since: str | None) -> list[Path]:
    """Write `handed_findings` and all that belongs to them; gives the files, the first of them `path`.

    `since` is the run that was served before, None where none was.
    """
    return write_parts(con, path, since, Limits())


def write_findings_csv(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write all handed findings, with empty columns for reviewers to fill in; gives their number."""
    names = con.table("handed_findings").columns
    inputs = ", ".join(f"null::varchar as {name}" for name in INPUTS)
    return write_csv(_read(con, f"select {_flattened(con, 'handed_findings', names, '; ')}, {inputs} from handed_findings"), path)


def write_requests_csv(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write the claims whose records are asked for; gives their number."""
    return write_csv(_read(con, "from records_request"), path)


def _read(con: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    return con.execute(query).to_arrow_reader(CHUNK)


def _flattened(con: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], separator: str) -> str:
    """A list of columns for SELECT in which none is a list: texts joined, claim lines as "claim/line code $paid"."""
    types = {name: str(kind) for name, kind in zip(con.table(table).columns, con.table(table).types, strict=True)}
    return ", ".join(_flat(name, types[name], separator) for name in names)


def _flat(name: str, kind: str, separator: str) -> str:
    if name == "claim_lines":
        told = "claim_id, '/' || line.claim_line_number, ' ' || line.hcpcs_code, ' $' || line.paid_amount::decimal(14, 2)"
        newline = "chr(10)" if separator == ", " else f"'{separator}'"
        return f"array_to_string(list_transform(claim_lines, lambda line: concat(line.{told})), {newline}) as claim_lines"
    return f"array_to_string({name}, '{separator}') as {name}" if kind.endswith("[]") else name


@dataclass
class _Rows:
    """The rows of all sheets, one after the other, of which the next can be looked at."""

    rows: Iterator[tuple[Sheet, pa.Schema, tuple[Any, ...] | None]]
    """A row that is None begins its sheet, so that a sheet without rows is made too."""
    head: tuple[Sheet, pa.Schema, tuple[Any, ...] | None] | None = None

    def __post_init__(self) -> None:
        self.step()

    def step(self) -> None:
        self.head = next(self.rows, None)


def write_parts(con: duckdb.DuckDBPyConnection, path: Path, since: str | None, limits: Limits) -> list[Path]:
    """Write the workbook within these limits."""
    notes = describe_handoff(con, since)
    run_id, as_of = con.execute("select run_id, as_of from run_facts").fetchall()[0]
    rows = _Rows(_read_sheets(con))
    numbers = _Numbers()
    parts: list[Path] = []
    while rows.head is not None:
        part = path if not parts else path.with_stem(f"{path.stem}_{len(parts) + 1}")
        parts.append(part)
        following = path.with_stem(f"{path.stem}_{len(parts) + 1}").name
        told = ("line", (f"Part {len(parts)} of the hand-off; one that is too large for a file goes on in {following}.",))
        write_durably(part, partial(_write_part, rows, numbers, limits, run_id, as_of, [*notes[:2], told, *notes[2:]]))
    return parts


def _read_sheets(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[Sheet, pa.Schema, tuple[Any, ...] | None]]:
    handed = con.table("handed_findings").columns
    for name, condition in (
        ("Violations", "change <> 'withdrawn' and determination = 'violation'"),
        ("Review", "change <> 'withdrawn' and determination = 'review'"),
        ("Withdrawn", "change = 'withdrawn'"),
    ):
        main = [column for column in MAIN_COLUMNS if column in handed and (name == "Review" or column not in ONLY_FOR_REVIEW)]
        inputs = list(INPUTS) if name != "Withdrawn" else []
        others = [column for column in dict.fromkeys((*NEXT_COLUMNS, *handed)) if column in handed and column not in main]
        columns = ", ".join(
            [
                _flattened(con, "handed_findings", main, ", "),
                *(f"null::{'decimal(14, 2)' if column == 'recovered_amount' else 'varchar'} as {column}" for column in inputs),
                _flattened(con, "handed_findings", others, ", "),
            ]
        )
        sheet = Sheet(name, (*main, *inputs, *others), printed=len(main) + len(inputs), frozen=2)
        yield from _read_rows(con, sheet, f"select {columns} from handed_findings where {condition}")
    provider_columns = con.table("handed_providers").columns
    query = (
        "select handed_providers.*, coalesce(left_out_requests.claims, 0) as claims_left_out from handed_providers"
        " left join left_out_requests on handed_providers.billing_npi is not distinct from left_out_requests.billing_npi"
        " order by handed_providers.rowid"
    )
    yield from _read_rows(con, Sheet("Providers", (*provider_columns, "claims_left_out"), len(provider_columns) + 1, 2), query)


def _read_rows(con: duckdb.DuckDBPyConnection, sheet: Sheet, query: str) -> Iterator[tuple[Sheet, pa.Schema, tuple[Any, ...] | None]]:
    reader = _read(con, query)
    yield sheet, reader.schema, None
    for batch in reader:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield sheet, reader.schema, row


@dataclass
class _Numbers:
    """How many sheets of each name, and how many long texts, there are so far over all parts."""

    sheets: dict[str, int] = field(default_factory=dict)
    texts: int = 0

    def name_sheet(self, name: str) -> str:
        self.sheets[name] = self.sheets.get(name, 0) + 1
        return name if self.sheets[name] == 1 else f"{name} {self.sheets[name]}"


def _write_part(rows: _Rows, numbers: _Numbers, limits: Limits, run_id: str, as_of: date, notes: Sequence[Note], path: Path) -> None:
    """Write one file, with as many of the rows that are left as it can hold, at least one."""
    with TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        book = _Book(path, Path(folder), numbers, limits, run_id, as_of)
        book.write_notes(notes)
        is_begun = False
        while rows.head is not None:
            sheet, schema, row = rows.head
            if is_begun and book.is_full():
                break
            if row is None:
                book.begin_sheet(sheet, schema)
            else:
                book.write_row(sheet, schema, row)
                is_begun = True
            rows.step()
        book.close()


class _Book:
    """One file that is being written, each sheet row by row; nothing of it is held in memory but the row."""

    def __init__(self, path: Path, folder: Path, numbers: _Numbers, limits: Limits, run_id: str, as_of: date) -> None:
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
        """The looks of a cell, by what it holds."""
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
        """The value; for a text that is too long for a cell, where on the sheet of long texts it stands."""
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
        """Set what hangs on the number of rows: filter, what is printed, what may be filled in."""
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
    """Reckon how many lines a value takes in its column: no reader can be trusted to fit the height of rows to their text."""
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


def describe_handoff(con: duckdb.DuckDBPyConnection, since: str | None) -> list[Note]:
    """Say, row by row, what stands on the sheet Read me."""
    return [
        *_describe_run(con, since),
        *_describe_counts(con),
        *_describe_controls(con),
        *_describe_sheets(),
        *_describe_inputs(),
        *_describe_doubts(),
        *_describe_rules(con),
        *_describe_columns(con),
        *_describe_provider_columns(),
    ]


def _heading(text: str) -> list[Note]:
    return [("gap", ()), ("heading", (text, *[""] * 7))]


def _lines(text: str) -> list[Note]:
    return [("line", (line,)) for line in textwrap.wrap(text, NOTE_WIDTH + 35)]


def _pair(term: str, text: str) -> list[Note]:
    first, *others = textwrap.wrap(text, NOTE_WIDTH) or [""]
    return [("pair", (term, first)), *(("pair", ("", line)) for line in others)]


def _describe_run(con: duckdb.DuckDBPyConnection, since: str | None) -> list[Note]:
    run_id, as_of, version, stand_in = con.execute("select run_id, as_of, version, line_of_business from run_facts").fetchall()[0]
    return [
        ("title", ("Findings for payment integrity",)),
        ("warning", (f"{CONFIDENTIAL}: members' protected health information, for those with a need to know.",)),
        ("gap", ()),
        *_pair("Run", run_id),
        ("pair", ("Services up to", as_of)),
        *_pair(
            "Since",
            f"run {since}: what is new, changed or withdrawn since then" if since else "the beginning: nothing was handed over before",
        ),
        *(_pair("Line of business", f"{stand_in}, where a claim line has none") if stand_in else []),
        *_pair("Program", f"sij-audit {version}"),
    ]


def _describe_counts(con: duckdb.DuckDBPyConnection) -> list[Note]:
    totals = con.execute("select policy_id, part, findings, amount_at_risk from handed_totals order by policy_id, part_order").fetchall()
    policies = list(dict.fromkeys(policy_id for policy_id, *_ in totals))
    [(claims,)] = con.execute("select count(*) from records_request").fetchall()
    [(left_out, providers)] = con.execute("select coalesce(sum(claims), 0)::bigint, count(*) from left_out_requests").fetchall()
    cap = f" The cap on requests leaves out {left_out:,} more, of providers: {providers:,}." if left_out else ""
    return [
        *_heading("Counts"),
        *(note for policy_id in policies for note in _describe_parts(policy_id, [row[1:] for row in totals if row[0] == policy_id])),
        *_lines(
            "Within a policy no dollar is counted twice: where findings share a claim line, one of them has its dollars, so amount_at_risk"
            " may be summed."
            " Suppressed findings (somebody else has the claim) and overturned ones (reviewers said so, on the same evidence) are counted here"
            " and not handed over."
        ),
        *_lines(f"Claims whose records are asked for in records_request.csv: {claims:,}.{cap}"),
    ]


def _describe_parts(policy_id: str, parts: Sequence[tuple[str, int, Decimal]]) -> list[Note]:
    """Count what is handed over of one policy; the dollars of several are not summed, since they may be the same."""
    handed = [row for row in parts if row[0].startswith(("new ", "changed "))]
    return [
        ("label", (f"findings under {policy_id}", "number", "at risk, US$")),
        *(("cells", row) for row in parts),
        ("sum", ("to work on: new and changed", sum(row[1] for row in handed), sum((row[2] for row in handed), Decimal(0)))),
    ]


def _describe_controls(con: duckdb.DuckDBPyConnection) -> list[Note]:
    notes = _heading("Control totals of the extracts")
    for measure, label, kind in (("rows", "rows", "bigint"), ("paid", "paid, US$", "decimal(18, 2)")):
        sums = ", ".join(f"coalesce(sum({measure}_{outcome}), 0)::{kind}" for outcome in ("read", *ROW_OUTCOMES))
        query = (
            f"select coalesce(outcome, 'all'), count(*), {sums} from controls group by rollup (outcome) order by grouping(outcome), outcome"
        )
        totals = con.execute(query).fetchall()
        notes += [
            ("label", (label, "extracts", "read", *(outcome.replace("_", " ") for outcome in ROW_OUTCOMES))),
            *(("cells", row) for row in totals[:-1]),
            ("sum", totals[-1]),
        ]
    notes += _lines(
        "All that was read was kept, not relevant, quarantined or duplicate, or the run would not have been published. Taken: new in this run;"
        " held: taken by an earlier one; refused: not used."
    )
    for extract, reason in con.execute(
        "select extract, reason from controls where outcome = 'refused' order by extract, reason"
    ).fetchall():
        notes += _pair("Refused", f"{extract}: {reason}")
    counted = con.execute("select orphan_adjustments, adjustments_across_persons, unmatched_reversals, lines_after_as_of from run_facts")
    for count, meaning in zip(
        counted.fetchall()[0],
        (
            "adjustments of claims of which nothing was ever delivered",
            "adjustments of a claim of another person",
            "reversals under a claim number of their own that found no line",
            "lines after the last day of service looked at, which wait",
        ),
        strict=True,
    ):
        if count:
            notes += _pair("Note", f"{meaning}: {count:,}")
    return notes


def _describe_sheets() -> list[Note]:
    return [
        *_heading("How to read it"),
        *_pair("Violations", "new and changed findings that claims alone show: a claim to check, no verdict"),
        *_pair("Review", "new and changed findings that hang on a fact that claims cannot show; doubts say which, records what to ask for"),
        *_pair("Withdrawn", "findings handed over before that no longer hold, with their last values: do not recover money for them"),
        *_pair("Providers", "who billed the claim lines of these findings, and how often findings come up at all"),
        *_pair("Rows", "stand by dollars at risk. The white columns after the yellow ones can be folded away, and are not printed"),
        *_pair("claim_lines", "the judged lines, one a row: claim/line code $paid. Other lists are joined with a comma"),
        *_pair("Long texts", "there only if a text does not fit into a cell, which then says where on that sheet it stands"),
    ]


def _describe_inputs() -> list[Note]:
    return [
        *_heading("How to fill in the yellow columns"),
        *(note for name, meaning in INPUTS.items() for note in _pair(name, meaning.removeprefix("yours to fill in: "))),
        *_lines(
            "A row left empty is no review. Sort, filter, add columns and split the file as you like, but leave the header, finding_id and"
            " run_id as they are. Save it as .xlsx or .csv, and have it read back: sij-audit import-dispositions FILE --out OUT. A finding"
            " that was overturned is not handed over again unless its evidence changes."
        ),
    ]


def _describe_doubts() -> list[Note]:
    doubts = [(doubt["doubt_id"], f"{doubt['description']}. What settles it: {doubt['settled_by']}") for doubt in read_reference("doubts")]
    return [*_heading("What doubts mean"), *(note for doubt in doubts for note in _pair(*doubt))]


def _describe_rules(con: duckdb.DuckDBPyConnection) -> list[Note]:
    rules = con.execute("select rule_id, policy_id, policy_section, title from rules where is_enabled order by rowid").fetchall()
    return [*_heading("What rules find"), *(note for rule, *told in rules for note in _pair(rule, "{} {}: {}".format(*told)))]


def _describe_columns(con: duckdb.DuckDBPyConnection) -> list[Note]:
    comments = con.execute(
        "select column_name, comment from duckdb_columns() where table_name = 'findings' and comment is not null order by column_index"
    ).fetchall()
    meanings = dict(comments) | ADDED_COLUMNS | INPUTS
    names = dict.fromkeys((*MAIN_COLUMNS, *INPUTS, *NEXT_COLUMNS, *con.table("handed_findings").columns))
    return [*_heading("What columns mean"), *(note for name in names if name in meanings for note in _pair(name, meanings[name]))]


def _describe_provider_columns() -> list[Note]:
    return [*_heading("What the columns of Providers mean"), *(note for pair in PROVIDER_COLUMNS.items() for note in _pair(*pair))]
