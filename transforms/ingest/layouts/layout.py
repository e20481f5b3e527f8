"""A layout: a TOML file that says how a payer's extracts are written, and what of them each canonical column is."""

import string
import tomllib
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.ingest.csv_dialect import Dialect
from sij_audit.transforms.ingest.layouts.expressions import read_expression
from sij_audit.transforms.ingest.layouts.forms import AMOUNT_FORMS, DAY_NUMBERS, AmountForm, is_date_form, is_pattern
from sij_audit.transforms.settings import error_of_key
from sij_audit.transforms.text import printable
from sij_audit.transforms.toml_lines import name_line

KINDS = {column.name: column.kind for column in COLUMNS}

MODIFIERS = tuple(column.name for column in COLUMNS if column.name.startswith("hcpcs_modifier_"))

ALL_MODIFIERS = "modifiers"
"""In `values`: the five columns of modifiers."""

STATUSES = ("paid", "denied", "reversed", "pending")

NO_DATE_FORM = (
    "{} is no form of dates: write it with YYYY or YY, MM or MON and DD, as in DD/MM/YYYY; or, for a number of days, "
    f"{' or '.join(DAY_NUMBERS)}"
)

SIZE_LIMIT = 1 << 16
"""Bytes of a layout."""

FIXED_WIDTH_SEPARATOR = b"\x1f"
"""What separates the cells of lines that are one cell: a control character that stands in none."""

Encoding = Literal[
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "windows-1252", "iso-8859-1", "iso-8859-15", "cp437", "cp850", "mac-roman"
]  # fmt: skip


Place = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
"""A place in a line, or how many of them."""

EXPECTED = {
    "columns": 'it must be the name of a column, or { sql = "…" }',
    "widths": "it must be two numbers: the place of the first character, and how many there are",
    "names": "it must be a list of names",
    "nulls": "it must be a list of texts",
    "recognize": "it must be a table with cells and lacks",
    "values": "it must be a table of words and what they mean",
    "forms": "it must be a table of canonical columns and their forms",
    "separator": "it must be a text",
    "quote": "it must be a text",
    "header_row": "it must be the number of a line, at most 1,000",
}
"""What must stand under a key where something of another kind stands."""


class LayoutText(NamedTuple):
    """A layout as its file has it."""

    name: str
    """Of the file."""
    text: str

    @property
    def sha256(self) -> str:
        return sha256(self.text.encode()).hexdigest()


class Expression(BaseModel):
    """A column that is made of others of its row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sql: str = Field(min_length=1, description="an expression of DuckDB's SQL over the columns of one row")

    @field_validator("sql")
    @classmethod
    def _may_be_used(cls, sql: str) -> str:
        read_expression(sql)
        return sql


class Recognition(BaseModel):
    """What an extract of the layout looks like besides having its columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cells: dict[str, str] = Field(
        default={}, description="patterns, by column of the extract: the filled cells of its first rows match them whole"
    )
    lacks: tuple[str, ...] = Field(default=(), description="columns that an extract of the layout does not have")

    @field_validator("cells")
    @classmethod
    def _can_be_read(cls, cells: dict[str, str]) -> dict[str, str]:
        for name, pattern in cells.items():
            if not is_pattern(pattern):
                raise error_of_key(name, f"the pattern of {name} cannot be read")
        return cells


class Layout(BaseModel):
    """How an extract is written, and what of it each canonical column is. A canonical column that is not named is the one of its name."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    separator: str = Field(default=",", description="the character between two cells, such as `|` or `\\t`")
    quote: str = Field(default='"', description="the character round a cell that holds the separator; empty where there is none")
    encoding: Encoding = Field(default="utf-8", description="how letters are written")
    header_row: Annotated[int, Field(strict=True)] | None = Field(
        default=None, ge=0, le=1000, description="the line that has the names, from 1; 0 where none has them"
    )
    names: tuple[str, ...] = Field(default=(), description="names of the columns, in place of a header row")
    widths: dict[str, tuple[Place, Place]] = Field(
        default={}, description="columns of fixed width: the place of the first character, from 1, and how many there are"
    )
    nulls: tuple[str, ...] = Field(default=(), description="texts, in any case, that stand for nothing, such as `-`")
    dates: str = Field(default="", description="how dates are written, such as `DD/MM/YYYY`")
    amounts: AmountForm = Field(default="1,234.50", description="how amounts are written")
    forms: dict[str, str] = Field(default={}, description="canonical columns of dates and amounts that are written otherwise")
    recognize: Recognition = Field(default=Recognition(), description="how to tell its extracts from those of another layout")
    columns: dict[str, str | Expression] = Field(
        default={}, description="canonical columns: the column of the extract, or `{ sql = … }` over the columns of its row"
    )
    values: dict[str, dict[str, str]] = Field(
        default={}, description="values of a canonical column (or of `modifiers`), in any case, and what they mean; empty for nothing"
    )

    @field_validator("separator")
    @classmethod
    def _separates(cls, separator: str) -> str:
        if len(separator) != 1 or not separator.isascii() or separator in f"\0\r\n{string.ascii_letters}{string.digits}":
            raise ValueError("it must be one character of ASCII that is no letter, digit or end of a line, such as | or \\t")
        return separator

    @field_validator("quote")
    @classmethod
    def _quotes(cls, quote: str) -> str:
        if quote not in ("", '"', "'", "`"):
            raise ValueError("it must be \", ' or `, or empty where no cell is in quotes")
        return quote

    @field_validator("dates")
    @classmethod
    def _is_date_form(cls, form: str) -> str:
        if form and not is_date_form(form):
            raise ValueError(NO_DATE_FORM.format(form))
        return form

    @field_validator("columns", "forms", "values")
    @classmethod
    def _are_canonical(cls, given: dict[str, object]) -> dict[str, object]:
        for name in given:
            if name not in KINDS and name != ALL_MODIFIERS:
                raise error_of_key(name, f"{name} is no column that the audit reads; docs/extracts.md lists them")
        return given

    @field_validator("forms")
    @classmethod
    def _have_forms(cls, forms: dict[str, str]) -> dict[str, str]:
        for name, form in forms.items():
            match KINDS.get(name):
                case "date" if not is_date_form(form):
                    raise error_of_key(name, NO_DATE_FORM.format(form))
                case "date":
                    pass
                case "amount" if form not in AMOUNT_FORMS:
                    raise error_of_key(name, f"{form} is no form of amounts; known: {', '.join(AMOUNT_FORMS)}")
                case "amount":
                    pass
                case _:
                    raise error_of_key(name, f"{name} holds neither dates nor amounts")
        return forms

    @field_validator("values")
    @classmethod
    def _mean_something(cls, values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for name, meanings in values.items():
            if KINDS.get(name, "text") != "text":
                raise error_of_key(name, f"{name} holds no words; a table of values is for columns of text")
            if len({word.strip().lower() for word in meanings}) < len(meanings):
                raise error_of_key(name, "two of its words are one but for upper and lower case")
            if name == "claim_status" and (unknown := set(meanings.values()) - {*STATUSES, ""}):
                raise error_of_key(name, f"{min(unknown)} is no status; known: {', '.join(STATUSES)}")
        return values

    @model_validator(mode="after")
    def _is_consistent(self) -> "Layout":
        given = [column for column in self.columns.values() if isinstance(column, str)]
        for name in (*self.names, *self.widths, *given, *self.recognize.cells, *self.recognize.lacks):
            if not name or not name.isprintable():
                raise ValueError("the name of a column is empty, or has control characters")
        if self.header_row == 0 and not self.names and not self.widths:
            raise ValueError("header_row is 0, so names or widths must name the columns")
        if ALL_MODIFIERS in self.columns:
            raise ValueError("columns: name the columns of modifiers one by one, hcpcs_modifier_1 and so on")
        if self.widths and self.names:
            raise ValueError("widths has names already; leave out names")
        names = [name.lower() for name in (*self.names, *self.widths)]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two columns have the name {min(twice)}, in any case")
        if self.separator == self.quote:
            raise ValueError("separator and quote are one character")
        return self

    @property
    def dialect(self) -> Dialect:
        """How its texts are written; a line of fixed widths is one cell."""
        has_names = bool(self.names or self.widths)
        header_row = 0 if has_names and self.header_row is None else self.header_row
        if self.widths:
            return Dialect(FIXED_WIDTH_SEPARATOR, b"", header_row, ("line",), self.encoding)
        return Dialect(self.separator.encode(), self.quote.encode(), header_row, self.names, self.encoding)

    def form_of(self, column: str) -> str:
        """Say how a canonical column of dates or amounts is written; empty where the audit's own readings hold."""
        return self.forms.get(column) or (self.dates if KINDS[column] == "date" else self.amounts if KINDS[column] == "amount" else "")

    def meanings_of(self, column: str) -> dict[str, str]:
        """Give the meanings of a canonical column's words, in lower case."""
        meanings = self.values.get(column) or (self.values.get(ALL_MODIFIERS, {}) if column in MODIFIERS else {})
        return {word.strip().lower(): meaning for word, meaning in meanings.items()}


def read_layout(path: Path) -> LayoutText:
    """Read a layout; UsageError where it cannot be used, with its line."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{printable(path)}: is no file, so it is no layout.")
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
        if len(content) > SIZE_LIMIT:
            raise UsageError(f"{printable(path)}: has more than {SIZE_LIMIT >> 10} kB, so it is no layout.")
        layout = LayoutText(path.name, content.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{printable(path)}: cannot be read as a layout: {reason}.") from None
    parse_layout(layout)
    return layout


@lru_cache(maxsize=256)
def parse_layout(layout: LayoutText) -> Layout:
    """Read a layout's text; UsageError names its line."""
    try:
        return Layout(**tomllib.loads(layout.text))
    except ValidationError as error:
        raise UsageError(printable(_describe(layout, error))) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(printable(f"{layout.name}: cannot be read as TOML: {str(error)[:200]}.")) from None


def _describe(layout: LayoutText, error: ValidationError) -> str:
    """Say what is wrong with a layout, and in which line."""
    found = error.errors(include_input=False, include_url=False)
    first = next((one for one in found if one["type"] != "string_type"), found[0])
    place = [step for step in first["loc"] if step not in ("str", "Expression")]
    place += [key] if (key := first.get("ctx", {}).get("key")) else []
    named = ".".join(map(str, place))
    where = f"{name_line(layout.name, layout.text, place)}: "
    if first["type"] == "extra_forbidden" and "sql" not in place and place[0] != "columns":
        return f"{where}{named} is no key of a layout."
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    if first["type"] not in ("value_error", "key_error", "literal_error") and place and place[0] in EXPECTED:
        said = EXPECTED[str(place[0])]
    return f"{where}{f'{named}: ' if named else ''}{said}."
