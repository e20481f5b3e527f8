"""What a file looks like whose first row is not the header that it must be, and what to do about it; nothing of a value is said."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sij_audit.transforms.ingest.near_names import KNOWN_NAMES, describe_near, letters_of
from sij_audit.transforms.ingest.readings import clean_name

SEPARATORS = {
    ",": "commas (,)",
    ";": "semicolons (;)",
    "\t": "tabs",
    "|": "pipes (|)",
    "~": "tildes (~)",
    "^": "carets (^)",
    "\x01": "control characters (0x01, as Hive writes them)",
}
"""What the columns of a text may be separated by."""

HEAD = 1 << 16
"""So many bytes of a file are looked at."""

LINES = 30
"""So many lines of a file are looked at."""

FEW_NAMES = 3
"""So many names of columns make a row a header."""

FEW_LINES = 2
"""So many lines show that columns go through them."""

FIXED_WIDTH = 40
"""Letters from which on lines of one length, without a separator, are columns of fixed width."""

SAVE_AS_UTF8 = (
    "Save it as UTF-8: in Excel as 'CSV UTF-8 (Comma delimited)', in SQL Server Management Studio with 'Save with Encoding', "
    "in PowerShell with -Encoding utf8."
)

SAVE_AS_CSV = (
    "Save it as CSV in UTF-8, separated by commas, with the names of the columns in row 1, or have it read by a layout (sij-audit map)"
)

DATA = re.compile(r"(?=.*[0-9])(?![A-Za-z]{2,}[A-Za-z_ -]*[0-9]{0,2}$).*")
"""A cell with a digit that is not the number behind a name, such as hcpcs_modifier_1."""


@dataclass(frozen=True)
class Look:
    """What the first lines of a text look like: their columns, and in which row, from 1, the header is."""

    separator: str | None
    """None where the columns are of fixed width, or there is but one."""
    header_row: int | None
    names: Sequence[str]
    """Of the header; where none is found, of the first row."""
    has_separator_line: bool
    is_fixed_width: bool
    is_data: bool
    """The first row looks like data."""


def look_at(text: str) -> Look:
    """Look at the first lines of a text; there is one at least."""
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")[:LINES]]
    has_separator_line = bool(re.fullmatch(r"\ufeff?\"?sep=.?\"?", lines[0].strip(), re.IGNORECASE)) if lines else False
    row, separator, names = _find_header(lines)
    if row is not None:
        return Look(separator, row, names, has_separator_line, separator is None, is_data=False)
    filled = [line for line in lines if line.strip()]
    separator = _guess_separator(filled)
    names = _split(filled[0], separator) if filled else []
    cells = [name for name in names if name]
    is_data = sum(bool(DATA.fullmatch(cell)) for cell in cells) * 3 >= len(cells) > 0
    return Look(separator, None, names, has_separator_line, separator is None and _is_fixed_width(filled), is_data)


def _is_fixed_width(lines: Sequence[str]) -> bool:
    """Say whether lines without a separator have columns: all but the last, which may be cut, are of one length, or blanks run through all."""
    whole = lines[:-1]
    if len(whole) < FEW_LINES or len(whole[0]) < FIXED_WIDTH:
        return False
    blanks = "".join(" " if all(letter == " " for letter in letters) else "x" for letters in zip(*whole, strict=False))
    return len({len(line) for line in whole}) == 1 or len(re.findall("  +", blanks)) >= FEW_LINES


def _find_header(lines: Sequence[str]) -> tuple[int | None, str | None, list[str]]:
    """Find the row that has most names of columns, by the separator that shows most of them."""
    found: tuple[int, int | None, str | None, list[str]] = (FEW_NAMES - 1, None, None, [])
    for row, line in enumerate(lines, start=1):
        for separator in (*SEPARATORS, None):
            names = _split(line, separator)
            known = len({KNOWN_NAMES[letters] for letters in map(letters_of, names) if letters in KNOWN_NAMES})
            if known > found[0]:
                found = known, row, separator, names
    return found[1:]


def _split(line: str, separator: str | None) -> list[str]:
    """Split a line into cells; where nothing separates them, at blanks."""
    return [clean_name(cell.strip('\ufeff" ')) for cell in (line.split() if separator is None else line.split(separator))]


def _guess_separator(lines: Sequence[str]) -> str | None:
    """Find the separator that each of the first lines has as often as the first, and most often; None where there is none."""
    often = {separator: {line.count(separator) for line in lines[:-1] or lines} for separator in SEPARATORS}
    steady = [separator for separator, counts in often.items() if len(counts) == 1 and max(counts)]
    return max(steady, key=lambda separator: max(often[separator]), default=None)


def advise(lacking: Collection[str], names: Sequence[str], text: str) -> str:
    """Say what a header that lacks columns looks like instead, and what to do; `text` is how the file begins, empty for a format without."""
    look = look_at(text) if text.strip() else Look(",", 1, names, has_separator_line=False, is_fixed_width=False, is_data=False)
    there = {letters_of(name) for name in look.names}
    has_names = not look.is_data and (look.separator is not None or look.header_row is not None)
    near = describe_near([column for column in lacking if letters_of(column) not in there], look.names) if has_names else ""
    otherwise = describe_look(look)
    if otherwise:
        return " ".join(("", *otherwise, *([near] if near else []), f"{SAVE_AS_CSV}."))
    if near:
        return f" {near} Rename them in the export, or name them in a layout (sij-audit map)."
    if any(letters_of(name) in KNOWN_NAMES for name in names):
        return " Add what is lacking to the export."
    return f" No name in row 1 is that of a column: it is a title, or the names are a payer's own. {SAVE_AS_CSV}."


def describe_look(look: Look) -> list[str]:
    """Say in what a text is otherwise than an extract; nothing where it is none of that."""
    sentences = []
    if look.has_separator_line:
        sentences.append("Row 1 is a line that says the separator (sep=), for Excel alone.")
    if look.header_row is not None and look.header_row > 1:
        sentences.append(f"The header is in row {look.header_row}: what stands above it must go.")
    if look.is_fixed_width:
        sentences.append("Its columns are of fixed width, without a separator.")
    elif look.separator not in (",", None):
        sentences.append(f"Its columns are separated by {SEPARATORS[look.separator or ',']}; they must be by commas.")
    if look.is_data:
        sentences.append("Row 1 looks like data: the header row, with the names of the columns, is not there.")
    return sentences
