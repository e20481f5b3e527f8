"""A first layout for an extract, proposed from its names, forms and values; what is sure of it, and what somebody must look at."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_dialect import COMMAS, Dialect
from sij_audit.transforms.ingest.extracts import Extract, name_of, open_extract, read_head
from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.ingest.file_kinds import BEGINNING, kind_of_bytes
from sij_audit.transforms.ingest.formats import format_of
from sij_audit.transforms.ingest.header_advice import HEAD, look_at
from sij_audit.transforms.ingest.layouts.forms import DAY_NUMBERS, clean, cut, read_amounts, read_dates
from sij_audit.transforms.ingest.layouts.layout import KINDS, MODIFIERS, LayoutText, parse_layout
from sij_audit.transforms.ingest.layouts.mapping import DATES_OF_SERVICE, NEEDED
from sij_audit.transforms.ingest.near_names import KNOWN_NAMES, NEARNESS, letters_of
from sij_audit.transforms.ingest.part import FirstRows, Format
from sij_audit.transforms.ingest.readings import DATE_FORMS
from sij_audit.transforms.stages.reference import load_claim_statuses, load_codes
from sij_audit.transforms.text import list_names, printable

OPEN_END = 1000
"""Characters by which the last column of fixed width may go on: longer cells may stand below the first lines."""

FITTING = 0.95
"""A column is of a kind where this share of its filled cells is."""

FURTHER_DATE_FORMS = (
    *("DD/MM/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD", "DDMONYYYY", "DD-MON-YY", "MM/DD/YY", "DD/MM/YY", "MMDDYYYY"),
    "DDMMYYYY",
)
"""Forms of dates that a canonical extract cannot have."""

CODE = re.compile(r"[0-9]{4}[0-9A-Z]|[A-V][0-9]{4}", re.IGNORECASE)

MODIFIER = re.compile(r"[A-Z0-9]{2}", re.IGNORECASE)

DIAGNOSIS = re.compile(r"[A-TV-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?", re.IGNORECASE)

NUMBER = re.compile(r"[0-9]+(?:\.0+)?")

SIDES = {"LT", "RT", "50"}
"""Modifiers of which one stands in a column of modifiers."""

FEW_WORDS = 12
"""So many words of a status are listed at most."""

WORD = re.compile(r"[A-Za-z]{1,12}|[0-9]{1,2}")
"""What may be a word of a status."""

NAME_LIMIT = 80
"""Letters that a name of a column may have."""


@dataclass(frozen=True)
class Guess:
    """The column of an extract that a canonical column is taken to be, and why; `is_sure` where its name says so and its cells do not differ."""

    column: str
    source: str
    grounds: str
    is_sure: bool


@dataclass(frozen=True)
class Proposal:
    """A layout's text, what it is made of, and what somebody must look at, as sentences without a value."""

    text: str
    guesses: Sequence[Guess]
    not_read: Sequence[str]
    questions: Sequence[str]


def propose_layout(path: Path) -> Proposal:
    """Propose a layout for an extract; ExtractRefused where it cannot be read at all."""
    known, compression = format_of(path, Terms(layouts=(LayoutText("proposed", ""),)))
    with open_extract(path, compression) as extract:
        lines, widths, first = _read_first_rows(extract, known)
    if not first.names or not all(name.isprintable() and len(name) <= NAME_LIMIT for name in first.names):
        raise ExtractRefused(f"{name_of(path)}: no names of columns can be read in its first rows.")
    frame = pl.DataFrame(
        {f"c{place}": [row[place] if place < len(row) else None for row in first.rows] for place in range(len(first.names))},
        schema={f"c{place}": pl.String for place in range(len(first.names))},
    ).select(clean(f"c{place}", ()) for place in range(len(first.names)))
    cells = {place: [cell for cell in frame[f"c{place}"] if cell] for place in range(len(first.names))}
    return _propose(first.names, cells, lines, widths)


def _read_first_rows(extract: Extract, known: Format) -> tuple[list[str], Mapping[str, tuple[int, int]], FirstRows]:
    """Find how an extract is written: the lines of a layout that say so, the columns of fixed width, its names and first rows."""
    if not known.is_text:
        return [], {}, known.read_first_rows(extract, COMMAS)
    head = read_head(extract, HEAD)
    if kind := kind_of_bytes(head[:BEGINNING]):
        raise ExtractRefused(f"{extract.name}: {kind}")
    encoding = _guess_encoding(head)
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    look = look_at(text)
    lines = [] if encoding == "utf-8" else [f'encoding = "{encoding}"']
    if look.header_row is not None and (look.header_row > 1 or look.is_fixed_width):
        lines.append(f"header_row = {look.header_row}")
    if look.is_fixed_width:
        widths = _find_widths(text, look.header_row)
        rows = known.read_first_rows(extract, Dialect(b"\x1f", b"", look.header_row or 0, ("line",), encoding)).rows
        frame = pl.DataFrame({"line": [row[0] for row in rows]}, schema={"line": pl.String}).select(
            cut("line", *width).alias(name) for name, width in widths.items()
        )
        return lines, widths, FirstRows(list(widths), frame.rows())
    separator = look.separator or ","
    if separator != ",":
        lines.append(f"separator = {json.dumps(separator)}")
    names: tuple[str, ...] = ()
    if look.header_row is None:
        names = tuple(f"column_{number}" for number in range(1, len(look.names) + 1))
        lines.append(f"names = {json.dumps(names)}")
    dialect = Dialect(separator.encode(), b'"', 0 if names else look.header_row, names, encoding)
    return lines, {}, known.read_first_rows(extract, dialect)


def _guess_encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        head[: head.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _find_widths(text: str, header_row: int | None) -> dict[str, tuple[int, int]]:
    """Find columns of fixed width: each begins behind a blank that runs through all lines; named by a header where there is one."""
    whole = text[: text.rfind("\n")] or text
    lines = [line.removesuffix("\r") for line in whole.split("\n")[(header_row or 1) - 1 :] if line.strip()]
    length = max(map(len, lines))
    is_blank = [all(line[place : place + 1] in (" ", "") for line in lines) for place in range(length)]
    header = lines[0] if header_row is not None else None
    begins = [not (header[place : place + 1].isspace() if header is not None else is_blank[place]) for place in range(length)]
    starts = [place for place in range(length) if begins[place] and (place == 0 or is_blank[place - 1])]
    ends = [*starts[1:], length + OPEN_END]
    widths: dict[str, tuple[int, int]] = {}
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        name = header[start:end].strip() if header is not None else f"column_{number}"
        is_new = name.lower() not in map(str.lower, widths)
        widths[name if is_new else f"{name}_{number}"] = (start + 1, end - start)
    return widths


def _propose(
    names: Sequence[str], cells: Mapping[int, Sequence[str]], lines: Sequence[str], widths: Mapping[str, tuple[int, int]]
) -> Proposal:
    guesses = _guess_columns(names, cells)
    forms, questions = _guess_forms(guesses, cells)
    if lines and any(line.startswith("names = ") for line in lines):
        questions.append(
            'No name of a column is known in row 1, so it is taken for data: where it has names, write header_row = 1 for "names".'
        )
    if twice := [name for name in names if [other.lower() for other in names].count(name.lower()) > 1]:
        questions.append(f"Columns of one name cannot be read: {list_names(dict.fromkeys(map(printable, twice)))}.")
    lacking = [name for name in NEEDED if name not in guesses]
    if not any(name in guesses for name in DATES_OF_SERVICE):
        lacking.append(DATES_OF_SERVICE[0])
    questions = [*(f"No column is found for {name}, which an extract must have: name it." for name in lacking), *questions]
    described = {column: Guess(column, names[place], grounds, is_sure) for column, (place, grounds, is_sure) in guesses.items()}
    statuses = _list_unknown_statuses(guesses, cells)
    if statuses:
        questions.append("claim_status has words that are not understood: say under [values.claim_status] what they mean.")
    taken = {place for place, _, _ in guesses.values()}
    not_read = [name for place, name in enumerate(names) if place not in taken]
    text = [
        "# Proposed by `sij-audit map` from the names and the first rows of an extract. Look at what is not sure, then run",
        "# `sij-audit check EXTRACT --layout FILE`; docs/layouts.md says what may stand here.",
        *lines,
        *forms,
    ]
    if widths:
        text += [
            "",
            "[widths]",
            *(f"{json.dumps(name, ensure_ascii=False)} = [{start}, {count}]" for name, (start, count) in widths.items()),
        ]
    text += ["", "[columns]"]
    for column in COLUMNS:
        if guess := described.get(column.name):
            mark = "sure" if guess.is_sure else "not sure"
            text.append(f"{column.name} = {json.dumps(guess.source, ensure_ascii=False)}  # {mark}: {guess.grounds}")
        elif column.name in lacking:
            text.append(f'# {column.name} = ""  # not found, and needed')
    if statuses:
        text += ["", "[values.claim_status]", *(f'# {json.dumps(word, ensure_ascii=False)} = ""  # paid, denied, …' for word in statuses)]
    if not_read:
        text += ["", f"# Not read: {list_names(map(printable, not_read), len(not_read))}"]
    proposed = LayoutText("proposed", "\n".join(text) + "\n")
    parse_layout(proposed)
    return Proposal(proposed.text, list(described.values()), not_read, questions)


Guesses = dict[str, tuple[int, str, bool]]
"""By canonical column: the place of a column, why, and whether that is sure."""


def _guess_columns(names: Sequence[str], cells: Mapping[int, Sequence[str]]) -> Guesses:
    """Find what each canonical column is: by its name, then by a name that comes near, then by its cells."""
    guesses: Guesses = {}
    taken: set[int] = set()

    def take(column: str, place: int, grounds: str, is_sure: bool) -> None:
        guesses[column] = (place, grounds, is_sure)
        taken.add(place)

    times = Counter(name.lower() for name in names)
    taken.update(place for place, name in enumerate(names) if times[name.lower()] > 1)
    named = {
        place: KNOWN_NAMES[letters_of(name)] for place, name in enumerate(names) if letters_of(name) in KNOWN_NAMES and place not in taken
    }
    exact = {column: place for place, column in named.items() if names[place].lower() == column}
    often = Counter(named.values())
    for place, column in named.items():
        if column in guesses or exact.get(column, place) != place:
            continue
        if not _may_be(column, cells[place]):
            otherwise = "have no valid check digit" if column.endswith("_npi") else "are written otherwise"
            take(column, place, f"its name, and its cells {otherwise}", is_sure=False)
        elif often[column] > 1 and column not in exact:
            take(column, place, "its name, and another column has such a name", is_sure=False)
        else:
            take(column, place, "its name", is_sure=True)
    for column in KINDS:
        left = {letters_of(name): place for place, name in enumerate(names) if place not in taken and _may_be(column, cells[place])}
        if column not in guesses and (near := get_close_matches(letters_of(column), left, n=1, cutoff=NEARNESS)):
            take(column, left[near[0]], "its name comes near", is_sure=False)
    for what, columns, is_it in (
        ("codes of procedures", ("hcpcs_code",), _has_codes),
        ("modifiers", MODIFIERS, _has_modifiers),
        ("dates", ("claim_line_start_date",) if "claim_start_date" not in guesses else (), _has_dates),
        ("national provider identifiers", ("billing_npi",), _has_npis),
    ):
        left_over = [place for place in range(len(names)) if place not in taken and cells[place] and is_it(cells[place])]
        for column in columns:
            if column not in guesses and left_over:
                only = "" if len(left_over) == 1 else ", as do those of others"
                take(column, left_over.pop(0), f"its cells look like {what}{only}", is_sure=False)
    return guesses


def _may_be(column: str, cells: Sequence[str]) -> bool:
    """Say whether cells may be those of a canonical column; where there are none they may be of any."""
    tests: dict[str, Callable[[Sequence[str]], bool]] = {"date": _may_have_dates, "amount": _has_amounts, "integer": _has_numbers}
    test = tests.get(KINDS[column])
    if column == "hcpcs_code":
        test = _look_like(CODE)
    elif column in MODIFIERS:
        test = _look_like(MODIFIER)
    elif column.startswith("diagnosis_code_"):
        test = _look_like(DIAGNOSIS)
    elif column.endswith("_npi"):
        test = _has_npis
    return not cells or test is None or test(cells)


def _look_like(pattern: re.Pattern[str]) -> Callable[[Sequence[str]], bool]:
    return lambda cells: sum(bool(pattern.fullmatch(cell)) for cell in cells) >= FITTING * len(cells)


def _has_numbers(cells: Sequence[str]) -> bool:
    return _look_like(NUMBER)(cells)


def _has_codes(cells: Sequence[str]) -> bool:
    """Say whether cells are codes of procedures, of which one at least is of a family of the audit: postal codes look alike."""
    families = {code.hcpcs_code for code in load_codes()}
    return _look_like(CODE)(cells) and any(cell.upper() in families for cell in cells)


def _has_modifiers(cells: Sequence[str]) -> bool:
    return _look_like(MODIFIER)(cells) and bool(SIDES & {cell.upper() for cell in cells})


def _has_npis(cells: Sequence[str]) -> bool:
    return sum(map(_is_npi, cells)) >= FITTING * len(cells)


def _is_npi(cell: str) -> bool:
    """Say whether a text is a national provider identifier, by its check digit (ISO 7812 over 80840 and the ten digits)."""
    if not re.fullmatch(r"[12][0-9]{9}", cell):
        return False
    digits = [int(digit) for digit in "80840" + cell]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _fitting_date_forms(cells: Sequence[str], further: Sequence[str] = FURTHER_DATE_FORMS) -> list[str]:
    """List the forms in which nearly all cells are dates of our time, those of a canonical extract first."""
    column = pl.DataFrame({"cell": list(cells)}, schema={"cell": pl.String})
    fitting = []
    for form in (*DATE_FORMS, *further):
        years = column.select(read_dates(pl.col("cell"), form).str.extract("^([0-9]{4})-").cast(pl.Int32)).to_series()
        if years.is_between(1990, 2099).fill_null(value=False).sum() >= FITTING * len(cells):
            fitting.append(form)
    return fitting


def _has_dates(cells: Sequence[str]) -> bool:
    """Say whether cells are dates, whatever their column's name: other numbers look like numbers of days."""
    return bool(_fitting_date_forms(cells))


def _may_have_dates(cells: Sequence[str]) -> bool:
    return bool(_fitting_date_forms(cells, (*FURTHER_DATE_FORMS, *DAY_NUMBERS)))


def _amount_forms(cells: Sequence[str]) -> list[str]:
    """List the forms in which nearly all cells are amounts."""
    dotted = _look_like(re.compile(r"[-($]*[0-9]{1,3}(?:,?[0-9]{3})*(?:\.[0-9]+)?[-)]?"))(cells)
    column = pl.DataFrame({"cell": list(cells)}, schema={"cell": pl.String})
    unread = column.select(read_amounts(pl.col("cell"), "1.234,50").str.starts_with("!")).to_series().sum()
    comma = len(cells) - unread >= FITTING * len(cells)
    return [form for form, fits in (("1,234.50", dotted), ("1.234,50", comma)) if fits]


def _has_amounts(cells: Sequence[str]) -> bool:
    return bool(_amount_forms(cells))


def _guess_forms(guesses: Guesses, cells: Mapping[int, Sequence[str]]) -> tuple[list[str], list[str]]:
    """Find the forms of dates and amounts: lines of a layout, and what cannot be seen."""
    lines: list[str] = []
    questions: list[str] = []
    forms: dict[str, str] = {}
    for column, (place, _, _) in list(guesses.items()):
        if not cells[place]:
            continue
        if KINDS[column] == "date":
            fitting = _fitting_date_forms(cells[place], (*FURTHER_DATE_FORMS, *DAY_NUMBERS))
            other = next((form for form in fitting[1:] if form[0] != fitting[0][0] and form not in DAY_NUMBERS), None)
            if not fitting:
                questions.append(f"The dates of {column} are of no form that is known: say it under [forms], or make it by an expression.")
            elif fitting[0] not in DATE_FORMS:
                forms[column] = fitting[0]
            if forms.get(column) in DAY_NUMBERS:
                questions.append(f"The dates of {column} are numbers, read as days as {fitting[0]} counts them: see that they are right.")
            if other:
                guesses[column] = (place, f"its name; its dates may be {other} too", False)
                questions.append(
                    f"No date of {column} shows whether its day or its month comes first: {fitting[0]} is read. Where it is {other}, say so."
                )
        elif KINDS[column] == "amount":
            fitting = _amount_forms(cells[place])
            if fitting and fitting[0] != "1,234.50":
                forms[column] = fitting[0]
            if len(fitting) > 1 and any(re.search("[.,]", cell) for cell in cells[place]):
                questions.append(f"Amounts of {column} can be read as {' and as '.join(fitting)}: {fitting[0]} is taken. See which it is.")
            elif fitting and not any(re.search("[.,]", cell) for cell in cells[place]):
                questions.append(f'No amount of {column} has decimals: dollars are read. Where they are cents, write amounts = "cents".')
    for key, kind in (("dates", "date"), ("amounts", "amount")):
        of_kind = [column for column in guesses if KINDS[column] == kind and cells[guesses[column][0]]]
        used = {forms.get(column) for column in of_kind}
        if len(used) == 1 and (form := used.pop()):
            lines.append(f"{key} = {json.dumps(form)}")
            forms = {column: form for column, form in forms.items() if column not in of_kind}
    if forms:
        lines += ["", "[forms]", *(f"{column} = {json.dumps(form)}" for column, form in forms.items())]
    return lines, questions


def _list_unknown_statuses(guesses: Guesses, cells: Mapping[int, Sequence[str]]) -> list[str]:
    """List the words of claim_status that mean nothing yet; none where they are too many to be words."""
    if "claim_status" not in guesses:
        return []
    words = {cell for cell in cells[guesses["claim_status"][0]] if cell.lower() not in load_claim_statuses()}
    return sorted(words) if len(words) <= FEW_WORDS and all(map(WORD.fullmatch, words)) else []
