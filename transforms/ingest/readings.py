"""How a cell is read, as SQL: each canonical column's value and whether it is filled, from text or from a Parquet column's own type.

What can be read in one way only is read that way; what has two readings is not read. Every test of a text is by pattern first and by cast after
that: casts take `1e3`, `1_000`, `infinity`, and round. The usual cell is written in one way, so the first branch tries it as it stands, and
only what is left over is read by pattern.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from sij_audit.transforms.columns import Column
from sij_audit.transforms.duck import quote_text
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.stages.reference import load_claim_statuses

FIRST_DATE = "date '1990-01-01'"
LAST_DATE = "date '2099-12-31'"

NO_DATES = ("1000-01-01", "1900-01-01", "9999-12-31")
"""Dates that stand for none, by convention."""

BLANKS = " \\t\\x{A0}"
"""Spaces, tabs and no-break spaces, in a class of a pattern."""

BLANK_LETTERS = " \t\u00a0"

UNWRAPPED = f'(?s)^[{BLANKS}]*(?:="[{BLANKS}]*(.*?)[{BLANKS}]*"|(.*?))[{BLANKS}]*$'
"""A text without the blanks round it, and without Excel's wrapper."""

NULL_TEXTS = r"null|\(null\)|\\n|nan|none|~"

NULLS_OF_COLUMNS = {
    "person_id": "unknown|0+",
    "prior_authorization_number": "n|no|na|n/a|not required|not needed|exempt|0+",
}
"""Further texts, in any case, that stand for nothing in a column."""

DIGIT_COLUMNS = {
    "hcpcs_code",
    *(f"hcpcs_modifier_{n}" for n in range(1, 6)),
    *("claim_frequency_code", "bill_type_code", "revenue_center_code", "place_of_service_code"),
    *("rendering_npi", "billing_npi", "facility_npi"),
}
"""Columns in which digits, a point and zeros are the digits: a number was made of a code."""

TIME = (
    "[ T](?:(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]+)?)?"
    "|(?:0?[1-9]|1[0-2]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]+)?)? ?[AaPp][Mm])(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
"""A time of day behind a date, which is dropped."""

USUAL_BEGINNINGS = [("0", "="), ("A", "N"), ("O", "\\"), ("a", "n"), ("o", "{")]
"""Between which characters a text begins that is no blank, no wrapper, and nothing that stands for null."""

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True)
class DateForm:
    """A form of dates: its pattern, with the year, month and day in groups, in the order that `groups` says."""

    pattern: str
    groups: str


DATE_FORMS = {
    "YYYY-MM-DD": DateForm("([0-9]{4})-([0-9]{2})-([0-9]{2})", "ymd"),
    "YYYYMMDD": DateForm("([0-9]{4})([0-9]{2})([0-9]{2})", "ymd"),
    "MM/DD/YYYY": DateForm("([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", "mdy"),
    "DD-MON-YYYY": DateForm("([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})", "dmy"),
}
"""In the order in which the first of equals is taken."""

FIRST_FORM = next(iter(DATE_FORMS))

DAY_FIRST = "^(1[3-9]|2[0-9]|3[01])([/.-])(0?[1-9]|1[0-2])[/.-]([0-9]{4}|[0-9]{2})"
"""How a date begins whose day comes first for certain: a number that is no month, then one that is."""

MONTH_FIRST = "^(0?[1-9]|1[0-2])/(1[3-9]|2[0-9]|3[01])/[0-9]{4}"
"""How a date begins whose month comes first for certain."""

FORM_LENGTH = 24
"""Letters that a form shows at most."""

USUAL_PATTERNS = {"amount": "-?[0-9]{1,12}(\\.[0-9]{1,2})?", "units": "-?[0-9]{1,9}(\\.[0-9]{1,4})?", "integer": "[0-9]{1,9}"}
WHOLE_DIGITS = {"amount": 12, "units": 9, "integer": 9}
DECIMALS = {"amount": 2, "units": 4, "integer": 0}

AMOUNT = "([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\\.[0-9]{1,2}0*)?"
UNITS = "[0-9]+(\\.[0-9]{1,4}0*)?"
NUMBER_PATTERNS = {
    "amount": f"(-?\\$?|\\$-){AMOUNT}|\\$?{AMOUNT}-|(\\$?\\(|\\(\\$){AMOUNT}\\)",
    "units": f"-?{UNITS}|{UNITS}-|\\({UNITS}\\)",
    "integer": "[0-9]+(\\.0+)?",
}


@dataclass(frozen=True)
class Reading:
    """SQL over a source row: `value` is the normalised value, null where there is none or it cannot be read; `filled` is never null.

    What is wanted several times is made once, in selects below (`select_drafts`): `draft_NAME` of the cell, which both may speak of, and
    `rest_NAME` of cell and draft: the clean text of a cell that is not written in the usual way.
    """

    value: str
    filled: str
    draft: str = "null"
    rest: str | None = None


def select_drafts(readings: Mapping[str, Reading], source: str) -> str:
    """Select a source's rows with what the readings, by name, speak of."""
    drafts = "".join(f", {reading.draft} as draft_{name}" for name, reading in readings.items())
    rests = "".join(f", {reading.rest} as rest_{name}" for name, reading in readings.items() if reading.rest)
    return f"(select *{rests} from (select *{drafts} from {source}))"


def clean_name(name: str) -> str:
    """Take blanks and Excel's wrapper off a column's name."""
    name = name.strip(BLANK_LETTERS)
    return name[2:-1].strip(BLANK_LETTERS) if name.startswith('="') and name.endswith('"') and len(name) > 2 else name


def missing(column: Column) -> Reading:
    """Read a column that the extract does not have."""
    return Reading(f"null::{column.sql_type}", "false")


def read_text(column: Column, cell: str, date_form: str = FIRST_FORM) -> Reading:
    """Read a cell that is text."""
    draft, rest = f"draft_{column.name}", f"rest_{column.name}"
    if column.kind == "text":
        return Reading(_in_case(column, draft), f"{draft} is not null", clean_text(cell, column.name))
    if column.kind == "date":
        usual_value = _usual_date(cell, date_form)
        usual = f"{draft} between {FIRST_DATE} and {LAST_DATE}"
        value, is_filled_rest = read_date(rest, date_form), _is_dated(rest)
    else:
        usual_value = f"try_cast({cell} as {column.sql_type})"
        usual = f"regexp_full_match({cell}, '{USUAL_PATTERNS[column.kind]}')"
        if column.kind == "amount":
            usual = f"({draft}::varchar = {cell} and {draft} >= 0) or {usual}"
        value, is_filled_rest = _number_in(rest, column), "true"
    return Reading(
        value=f"case when {rest} is null then {draft} else {value} end",
        filled=f"case when {rest} is null then {draft} is not null else {is_filled_rest} end",
        draft=usual_value,
        rest=f"case when {usual} then null when {cell} = '' then null else {clean_text(cell, column.name)} end",
    )


def read_typed(column: Column, cell: str, arrow_type: pa.DataType, date_form: str = FIRST_FORM) -> Reading | None:
    """Read a cell of a Parquet column; None where the contract has no reading for that type."""
    if pa.types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    if pa.types.is_null(arrow_type):
        return missing(column)
    if is_text_type(arrow_type):
        return read_text(column, cell, date_form)
    if column.kind == "date":
        if pa.types.is_date(arrow_type) or pa.types.is_timestamp(arrow_type):
            draft = f"draft_{column.name}"
            no_dates = ", ".join(f"date '{day}'" for day in NO_DATES)
            filled = f"{cell} is not null and coalesce({draft} not in ({no_dates}), true)"
            return Reading(f"case when {filled} then {draft} end", filled, f"case when isfinite({cell}) then {cell}::date end")
        return None
    if column.kind == "text":
        return None
    value = _number(column, cell, arrow_type)
    filled = f"{cell} is not null"
    if pa.types.is_floating(arrow_type):
        filled = f"coalesce(not isnan({cell}), false)"
    return None if value is None else Reading(value, filled)


def is_text_type(arrow_type: pa.DataType) -> bool:
    """Say whether a Parquet column holds text."""
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
        # the nearest allowed value, where within a millionth or the type's own precision; a line number must be whole
        nearest = f"round({cell}::double, {decimals})"
        near = f"abs({cell}::double - {nearest}) <= {0 if column.kind == 'integer' else 1e-6:f}"
        if pa.types.is_float32(arrow_type) and column.kind != "integer":
            near = f"({near} or {nearest}::float = {cell})"
        lowest = "0" if column.kind == "integer" else f"-1e{digits}"
        bounds = f"{nearest} > {lowest}" if column.kind != "integer" else f"{nearest} >= 0"
        return f"case when isfinite({cell}) and {near} and {bounds} and {nearest} < 1e{digits} then try_cast({nearest} as {column.sql_type}) end"
    if pa.types.is_decimal(arrow_type) and arrow_type.precision <= 38:
        if column.kind != "integer" and arrow_type.scale <= decimals and arrow_type.precision - arrow_type.scale <= digits:
            return f"{cell}::{column.sql_type}"
        return _number_in(f"{cell}::varchar", column)
    return None


def _is_usual(cell: str, name: str) -> str:
    """Say whether a text is written in the usual way: no blanks round it, no wrapper, and nothing that may stand for null."""
    ranges = USUAL_BEGINNINGS
    if name in NULLS_OF_COLUMNS:
        ranges = [("1", "="), ("A", "E"), ("F", "N"), ("O", "U"), ("V", "\\"), ("a", "e"), ("f", "n"), ("o", "u"), ("v", "{")]
    begins = " or ".join(f"({cell} >= '{low}' and {cell} < '{high}')" for low, high in ranges)
    ends = " and ".join(f"not suffix({cell}, {blank})" for blank in ("' '", "chr(9)", "chr(160)"))
    no_number = f" and not contains({cell}, '.')" if name in DIGIT_COLUMNS else ""
    return f"({begins}) and {ends}{no_number}"


def are_usual(first: str, last: str) -> bool:
    """Say whether all texts from one to another, in the order of code points, begin in the usual way."""
    return any(low <= first and last < high for low, high in USUAL_BEGINNINGS)


def clean_text(cell: str, name: str = "") -> str:
    """Take blanks and Excel's wrapper off a text of a column; null where nothing is left, or what stands for nothing."""
    nulls = "|".join(filter(None, (NULL_TEXTS, NULLS_OF_COLUMNS.get(name))))
    unwrapped = f"regexp_replace({cell}, {quote_text(UNWRAPPED)}, '\\1\\2')"
    if name in DIGIT_COLUMNS:
        unwrapped = f"regexp_replace({unwrapped}, '^([0-9]+)\\.0+$', '\\1')"
    text = f"nullif(regexp_replace({unwrapped}, {quote_text(f'^(?i:{nulls})$')}, ''), '')"
    return f"case when {_is_usual(cell, name)} then {cell} when {cell} = '' then null else {text} end"


def is_filled(cell: str, name: str = "") -> str:
    """Say whether a text is there and stands for something."""
    return f"case when {_is_usual(cell, name)} then true when {cell} = '' then false else {clean_text(cell, name)} is not null end"


def define_status_words(further: Mapping[str, str]) -> str:
    """Write the macro `claim_status_of`, which the reading of claim_status needs: of the shipped words and of a plan's own.

    UsageError where a word of the plan's has another meaning already.
    """
    shipped = load_claim_statuses()
    for word, status in further.items():
        if shipped.get(word, status) != status:
            raise UsageError(f"claim_statuses in the settings: {word!r} means {shipped[word]} already, and cannot mean {status}.")
    words = " ".join(f"when {quote_text(word)} then {quote_text(status)}" for word, status in {**shipped, **further}.items())
    return f"create temp macro claim_status_of(word) as case word {words} end"


def define_claim_number(suffix_length: int) -> str:
    """Write the macro `claim_number_of`: a claim's number without the last digits that count its versions, as stage 1 reads it."""
    has_suffix = f"regexp_full_match(right(number, {suffix_length}), '[0-9]+') and length(number) > {suffix_length}"
    stem = f"case when {has_suffix} then left(number, length(number) - {suffix_length}) else number end"
    return f"create temp macro claim_number_of(number) as {stem if suffix_length else 'number'}"


def _in_case(column: Column, text: str) -> str:
    """Normalise a clean text."""
    if column.name == "claim_status":
        return f"claim_status_of(lower({text}))"
    if column.name == "line_of_business":
        return f"lower(regexp_replace({text}, ' +', ' ', 'g'))"
    if column.case == "upper case":
        return f"upper({text})"
    if column.case == "lower case":
        return f"lower({text})"
    if column.case == "no leading zeros":
        return f"case when {text} is not null then coalesce(nullif(ltrim({text}, '0'), ''), '0') end"
    return text


def _number_in(text: str, column: Column) -> str:
    """Read a clean text as a number of a column's kind."""
    whole = f"ltrim(replace(regexp_extract({text}, '[0-9,]+'), ',', ''), '0')"
    decimals = DECIMALS[column.kind]
    behind = f"|| regexp_extract({text}, '\\.[0-9]{{1,{decimals}}}')" if decimals else ""
    sign = f"case when regexp_matches({text}, '[-(]') then '-' else '' end"
    return (
        f"case when regexp_full_match({text}, {quote_text(NUMBER_PATTERNS[column.kind])}) and strlen({whole}) <= {WHOLE_DIGITS[column.kind]} "
        f"then try_cast({sign} || '0' || {whole} {behind} as {column.sql_type}) end"
    )


def _usual_date(cell: str, form: str) -> str:
    """Read a date that is written in a form's fullest way, and nothing else."""
    if form == FIRST_FORM:
        # a date of four-digit year that is written as it was read has no second way to be written
        return f"case when try_cast({cell} as date)::varchar = {cell} then try_cast({cell} as date) end"
    if form == "YYYYMMDD":
        iso, length, rest = f"({cell}[1:4] || '-' || {cell}[5:6] || '-' || {cell}[7:8])", 8, ""
    elif form == "MM/DD/YYYY":
        iso, length, rest = f"({cell}[7:10] || '-' || {cell}[1:2] || '-' || {cell}[4:5])", 10, f" and {cell}[3] = '/' and {cell}[6] = '/'"
    else:
        return "null::date"
    return f"case when strlen({cell}) = {length}{rest} and try_cast({iso} as date)::varchar = {iso} then try_cast({iso} as date) end"


def read_date(text: str, form: str) -> str:
    """Read a clean text as a calendar date of one form, of any year from 0001 to 9999, with or without a time of day; null for no date."""
    pattern = quote_text(f"^{DATE_FORMS[form].pattern}(?:{TIME})?$")
    part = {name: f"regexp_extract({text}, {pattern}, {number})" for number, name in enumerate(DATE_FORMS[form].groups, 1)}
    month = f"lpad({part['m']}, 2, '0')"
    if form == "DD-MON-YYYY":
        names = ", ".join(f"'{name}'" for name in MONTHS)
        month = f"lpad(list_position([{names}], upper({part['m']}))::varchar, 2, '0')"
    iso = f"({part['y']} || '-' || {month} || '-' || lpad({part['d']}, 2, '0'))"
    is_read = f"try_cast({iso} as date)::varchar = {iso}"
    return f"case when {_is_dated(text)} and regexp_matches({text}, {pattern}) and {is_read} then try_cast({iso} as date) end"


def _is_dated(text: str) -> str:
    """Say whether a clean text is there and none of the dates that stand for none, in any form."""
    written = []
    for day in NO_DATES:
        year, month, number = day.split("-")
        name = MONTHS[int(month) - 1]
        unpadded = [f"0?{text[1]}" if text[0] == "0" else text for text in (month, number)]
        written += [
            f"{year}-{month}-{number}",
            f"{year}{month}{number}",
            f"{unpadded[0]}/{unpadded[1]}/{year}",
            f"{unpadded[1]}-(?i:{name})-{year}",
        ]
    pattern = quote_text(f"^(?:{'|'.join(written)})(?:{TIME})?$")
    return f"coalesce(not regexp_matches({text}, {pattern}), false)"


def form_of(cell: str) -> str:
    """Write a text's form, which shows nothing of its value: 9 for a digit, A for a letter, all else as it is; empty where there is no text.

    It is cut behind one letter more than a form shows.
    """
    form = f"coalesce(trim({cell}, ' \t\u00a0'), '')[1:{FORM_LENGTH + 1}]"
    for letters, shown in (("[\\p{L}\\p{M}]", "A"), ("\\p{N}", "9"), ("[^ -~\\p{P}\\p{Sc}]", "?")):
        form = f"regexp_replace({form}, '{letters}', '{shown}', 'g')"
    return form


def is_day_first(cell: str) -> str:
    """Say whether a text begins as a date whose day comes first for certain."""
    return f"coalesce(regexp_matches(trim({cell}), '{DAY_FIRST}'), false)"
