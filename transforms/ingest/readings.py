"""How a cell is read, as SQL: each canonical column's value and whether it is filled, from text or from a Parquet column's own type.

Every test of a text is by pattern first and by cast after that: casts take `1e3`, `1_000`, `infinity`, and round. The usual cell has no
blanks round it, so the first branch tries it as it stands, and only what is left over is trimmed and tried again.
"""

from dataclasses import dataclass

import pyarrow as pa

from sij_audit.transforms.columns import CLAIM_STATUSES, Column

DATE_FORMS = ("YYYY-MM-DD", "YYYYMMDD", "MM/DD/YYYY")
"""In the order in which the first of equals is taken."""

PATTERNS = {"amount": "-?[0-9]{1,12}(\\.[0-9]{1,2})?", "units": "-?[0-9]{1,9}(\\.[0-9]{1,4})?", "integer": "[0-9]{1,9}"}
WHOLE_DIGITS = {"amount": 12, "units": 9, "integer": 9}
DECIMALS = {"amount": 2, "units": 4, "integer": 0}

FIRST_DATE = "date '1990-01-01'"
LAST_DATE = "date '2099-12-31'"


@dataclass(frozen=True)
class Reading:
    """SQL over a source row: `value` is the normalised value, null where there is none or it cannot be read; `filled` is never null.

    `value` may speak of `draft_NAME`, which a subquery has to hold: a cast that is wanted twice is then made once.
    """

    value: str
    filled: str
    draft: str = "null"


def missing(column: Column) -> Reading:
    """Read a column that the extract does not have."""
    return Reading(f"null::{column.sql_type}", "false")


def read_text(column: Column, cell: str, date_form: str = DATE_FORMS[0]) -> Reading:
    """Read a cell that is text."""
    draft = f"draft_{column.name}"
    if column.kind == "date":
        if date_form != DATE_FORMS[0]:
            return Reading(read_date(cell, date_form), is_filled(cell))
        # a date of four-digit year that is written as it was read has no second way to be written
        usual = f"{draft}::varchar = {cell} and {draft} between {FIRST_DATE} and {LAST_DATE}"
        value = f"case when {usual} then {draft} when {cell} = '' then null else {read_date(cell, date_form)} end"
        return Reading(value, is_filled(cell), f"try_cast({cell} as date)")
    if column.kind == "text":
        return Reading(_in_case(column, cell), is_filled(cell))
    pattern = PATTERNS[column.kind]
    usual = f"{draft}::varchar = {cell} and {draft} >= 0" if column.kind == "amount" else f"regexp_full_match({cell}, '{pattern}')"
    value = (
        f"case when {usual} then {draft} when {cell} = '' then null when regexp_full_match(trim({cell}, ' '), '{pattern}') then {draft} end"
    )
    return Reading(value, is_filled(cell), f"try_cast({cell} as {column.sql_type})")


def read_typed(column: Column, cell: str, arrow_type: pa.DataType, date_form: str = DATE_FORMS[0]) -> Reading | None:
    """Read a cell of a Parquet column; None where the contract has no reading for that type."""
    if pa.types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    if pa.types.is_null(arrow_type):
        return missing(column)
    if is_text_type(arrow_type):
        return read_text(column, cell, date_form)
    filled = f"{cell} is not null"
    if column.kind == "date":
        if pa.types.is_date(arrow_type) or pa.types.is_timestamp(arrow_type):
            return Reading(f"case when isfinite({cell}) then {cell}::date end", filled)
        return None
    if column.kind == "text":
        return None
    value = _number(column, cell, arrow_type)
    return None if value is None else Reading(value, filled)


def is_text_type(arrow_type: pa.DataType) -> bool:
    """Tell whether a Parquet column holds text."""
    if pa.types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    return bool(pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type) or pa.types.is_string_view(arrow_type))


def _number(column: Column, cell: str, arrow_type: pa.DataType) -> str | None:
    """Read an amount, units or a line number from a numeric column."""
    digits, decimals = WHOLE_DIGITS[column.kind], DECIMALS[column.kind]
    lowest = "0" if column.kind == "integer" else f"-{10**digits - 1}"
    if pa.types.is_integer(arrow_type):
        return f"case when {cell} between {lowest} and {10**digits - 1} then {cell}::{column.sql_type} end"
    if pa.types.is_floating(arrow_type):
        # the nearest allowed value, where within a millionth; a line number must be whole
        nearest = f"round({cell}::double, {decimals})"
        near = f"abs({cell}::double - {nearest}) <= {0 if column.kind == 'integer' else 1e-6:f}"
        lowest = "0" if column.kind == "integer" else f"-1e{digits}"
        bounds = f"{nearest} > {lowest}" if column.kind != "integer" else f"{nearest} >= 0"
        return f"case when isfinite({cell}) and {near} and {bounds} and {nearest} < 1e{digits} then try_cast({nearest} as {column.sql_type}) end"
    if pa.types.is_decimal(arrow_type) and arrow_type.precision <= 38 and column.kind != "integer":
        if arrow_type.scale <= decimals and arrow_type.precision - arrow_type.scale <= digits:
            return f"{cell}::{column.sql_type}"
        text = f"{cell}::varchar"
        if arrow_type.scale > 0:
            text = f"rtrim(rtrim({text}, '0'), '.')"
        return f"case when regexp_full_match({text}, '{PATTERNS[column.kind]}') then try_cast({text} as {column.sql_type}) end"
    return None


def trimmed(cell: str) -> str:
    """Take the blanks off a text; null where nothing is left."""
    return (
        f"case when {cell} = '' then null when {cell} >= '!' and not suffix({cell}, ' ') then {cell} else nullif(trim({cell}, ' '), '') end"
    )


def is_filled(cell: str) -> str:
    """Tell whether a text is there and more than blanks."""
    return f"case when {cell} >= '!' then true when {cell} = '' then false else coalesce(trim({cell}, ' '), '') <> '' end"


def _in_case(column: Column, cell: str) -> str:
    """Trim a text and normalise it."""
    text = trimmed(cell)
    if column.case == "upper case":
        return f"upper({text})"
    if column.case == "lower case":
        return f"lower({text})"
    if column.case == "no leading zeros":
        zeroless = f"coalesce(nullif(ltrim({text}, '0'), ''), '0')"
        return f"case when {cell} between '1' and '9' and strlen({cell}) = 1 then {cell} when {is_filled(cell)} then {zeroless} end"
    return text


def read_date(cell: str, form: str) -> str:
    """Read a text as a calendar date of one form, of any year from 0001 to 9999."""
    return f"coalesce({_exact_date(cell, form)}, {_exact_date(f'trim({cell}, chr(32))', form)})"


def _exact_date(cell: str, form: str) -> str:
    if form == "YYYY-MM-DD":
        iso, length = cell, 10
    elif form == "YYYYMMDD":
        iso, length = f"({cell}[1:4] || '-' || {cell}[5:6] || '-' || {cell}[7:8])", 8
    else:
        iso, length = f"({cell}[7:10] || '-' || {cell}[1:2] || '-' || {cell}[4:5])", 10
    slashes = f" and {cell}[3] = '/' and {cell}[6] = '/'" if "/" in form else ""
    # a date that is written as it was read has no second way to be written: neither 2024-1-5 nor 2024/01/05 nor infinity passes
    return f"case when strlen({cell}) = {length}{slashes} and try_cast({iso} as date)::varchar = {iso} then try_cast({iso} as date) end"


def is_known_status(value: str) -> str:
    """Tell whether a normalised claim status is one."""
    return f"{value} in ({', '.join(f'{status!r}' for status in CLAIM_STATUSES)})"
