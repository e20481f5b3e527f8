"""How the cells of a layout are read, as Polars expressions over frames of text: what is empty, dates, amounts, words.

A cell that its form does not read begins with `!` afterwards, so that no other reading takes it: its row is quarantined.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import polars as pl

from sij_audit.transforms.ingest.readings import BLANK_LETTERS, BLANKS, NULL_TEXTS, TIME

UNREAD = "!"
"""Begins a cell that its form does not read."""

DAY_NUMBERS = {"excel": pl.date(1899, 12, 30), "sas": pl.date(1960, 1, 1)}
"""Forms of dates that count days, each with its day 0."""

DATE_PARTS = {"YYYY": "%Y", "MON": "%b", "YY": "%y", "MM": "%m", "DD": "%d"}
"""What a form of dates is made of, as strftime has it."""

PART = "|".join(DATE_PARTS)

DATE_FORM = re.compile(f"({PART})[-/. ]?({PART})[-/. ]?({PART})")

AmountForm = Literal["1,234.50", "1.234,50", "cents"]

AMOUNT_FORMS: tuple[str, ...] = get_args(AmountForm)

WRAPPED = rf'(?s)^="[{BLANKS}]*(.*?)[{BLANKS}]*"$'
"""A text in Excel's wrapper."""

COMMA_AMOUNT = r"^[-(]?\$?[-(]?(?:[0-9]{1,3}(?:[. ][0-9]{3})+|[0-9]+)(?:,[0-9]+)?[-)]?$"
"""An amount with a comma before its decimals."""

CENTS = r"^(?:(?:-?\$?|\$-)[0-9]+(?:\.0)?|\$?[0-9]+-|\(\$?[0-9]+\))$"
"""An amount in whole cents."""


def is_date_form(form: str) -> bool:
    """Say whether a form says how a date is written: a year, a month and a day, or a number of days."""
    found = DATE_FORM.fullmatch(form)
    return form in DAY_NUMBERS or (found is not None and {part[0] for part in found.groups()} == set("YMD"))


def is_pattern(pattern: str) -> bool:
    """Say whether a text is a pattern: one of Rust's, which no text makes slow."""
    try:
        matches(pl.Series([""]), pattern)
    except pl.exceptions.ComputeError:
        return False
    return True


def matches(column: pl.Series, pattern: str) -> bool:
    """Say whether all cells match a pattern whole; those that are null do."""
    return bool(column.str.contains(f"^(?:{pattern})$").all())


def clean(name: str, nulls: Sequence[str]) -> pl.Expr:
    """Take blanks off a column of text; null where nothing is left, or what stands for nothing."""
    text = pl.col(name).str.strip_chars(BLANK_LETTERS).str.replace(WRAPPED, "${1}")
    empty = ["", *(null.strip(BLANK_LETTERS).lower() for null in nulls)]
    is_nothing = text.str.to_lowercase().is_in(empty) | text.str.contains(f"^(?i:{NULL_TEXTS})$")
    return pl.when(~is_nothing).then(text).alias(name)


def cut(line: str, start: int, length: int) -> pl.Expr:
    """Take the characters of a line from a place on, which is counted from 1."""
    return pl.col(line).str.slice(start - 1, length)


def read_dates(column: pl.Expr, form: str) -> pl.Expr:
    """Write the dates of a form as YYYY-MM-DD; a time of day behind one is dropped."""
    if form in DAY_NUMBERS:
        days = column.str.extract(r"^([0-9]{1,5})(?:\.0*)?$").cast(pl.Int64, strict=False)
        read = DAY_NUMBERS[form] + pl.duration(days=days)
    else:
        day = column.str.replace(f"{TIME}$", "")
        strptime = re.sub(PART, lambda part: DATE_PARTS[part[0]], form)
        read = pl.when(day.str.contains(_shape_of(form))).then(day.str.to_date(strptime, strict=False))
    return _or_unread(column, read.dt.strftime("%Y-%m-%d"))


def _shape_of(form: str) -> str:
    """Write a pattern of a form's dates: days and months may have one digit where something stands between the parts."""
    digits = "[0-9]{1,2}" if re.search("[-/. ]", form) else "[0-9]{2}"
    shapes = {"YYYY": "[0-9]{4}", "YY": "[0-9]{2}", "MON": "[A-Za-z]{3}", "MM": digits, "DD": digits}
    return f"^{re.sub(PART, lambda part: shapes[part[0]], re.escape(form))}$"


def read_amounts(column: pl.Expr, form: str) -> pl.Expr:
    """Write the amounts of a form as 1234.50, with their signs."""
    if form == "cents":
        digits = column.str.extract("([0-9]+)").str.zfill(3)
        sign = pl.when(column.str.contains("[-(]")).then(pl.lit("-")).otherwise(pl.lit(""))
        read = pl.when(column.str.contains(CENTS)).then(sign + digits.str.slice(0, digits.str.len_chars() - 2) + "." + digits.str.tail(2))
    else:
        read = pl.when(column.str.contains(COMMA_AMOUNT)).then(column.str.replace_all("[. ]", "").str.replace(",", "."))
    return _or_unread(column, read)


def translate(column: pl.Expr, meanings: Mapping[str, str]) -> pl.Expr:
    """Put what words, in lower case, mean in their place; a word without a meaning stays, one that means nothing is null."""
    lowered = column.str.to_lowercase()
    known = lowered.replace_strict(list(meanings), [meaning or None for meaning in meanings.values()], default=None, return_dtype=pl.String)
    return pl.when(lowered.is_in(list(meanings))).then(known).otherwise(column)


def _or_unread(column: pl.Expr, read: pl.Expr) -> pl.Expr:
    return pl.coalesce(read, pl.lit(UNREAD) + column)
