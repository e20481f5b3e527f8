"""Rows that are plainly valid and plainly not relevant by themselves, found by their bytes many at a time.

Most lines are such rows, and to read their cells as text costs several times what it takes to see that. Whatever is not plain,
for whatever reason, is left to the checks in SQL, which own every decision: nothing is refused, and nothing found relevant, here. Plain is a
row of as many fields as there are columns, without quotes, cells that begin with a blank, or texts that stand for nothing, and whose
checked cells are written in the usual way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sij_audit.transforms.ingest.readings import MONTHS
from sij_audit.transforms.stages.reference import Code

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

PAD = 16
"""Bytes before and behind the data, so that a word may be read at any cell."""

DATE_COLUMNS = ("claim_line_start_date", "claim_start_date", "claim_end_date", "claim_line_end_date", "paid_date", "file_date")


LAST_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""A 29th of February is not plain."""

LOW_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
ZEROS = np.uint64(0x3030303030303030)
HIGH_HALVES = np.uint64(0xF0F0F0F0F0F0F0F0)
THREES = np.uint64(0x3333333333333333)
POINT = np.uint64(46)
HIGH_PAIR = np.uint64(0xFFFF000000000000)
SIXES = np.uint64(0x0606060606060606)
HALF = np.uint64(32)
LOWER_CASE = np.uint64(0x2020202020202020)
NO_CASE = np.uint64(0xDFDFDFDFDFDFDFDF)
NOT_ASCII = np.uint64(0x8080808080808080)
SPREAD = np.uint64(0x9E3779B97F4A7C15)
ONES = np.uint64(0x0101010101010101)
POINTS = np.uint64(0x2E2E2E2E2E2E2E2E)

CODE_WIDTH = 5
"""Letters and digits of a procedure code; what is longer may hold one with something else."""

UNUSUAL, LETTER = 1, 2
FIRST_BYTES = np.zeros(256, np.uint8)
"""What a cell's first byte says: blanks, and what begins a wrapper or a text that stands for nothing; N begins others too."""
FIRST_BYTES[list(b" \t=(\\~\xc2")] = UNUSUAL
FIRST_BYTES[list(b"Nn")] = LETTER


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


STATUSES = tuple(_word(status) for status in (b"paid", b"denied", b"pending"))


class Numbers:
    """Which numbers a few words stand for: each word has a place of its own among 65,536."""

    def __init__(self, numbers: dict[bytes, int]) -> None:
        words = np.array([_word(text) for text in numbers])
        self._factor = next(factor for factor in _odd_factors() if len(np.unique((words * factor) >> np.uint64(48))) == len(words))
        places = self._places(words)
        self._words = np.full(1 << 16, words[0])
        self._numbers = np.zeros(1 << 16, np.int32)
        self._words[places] = words
        self._numbers[places] = list(numbers.values())

    def find(self, words: Words) -> tuple[Flags, npt.NDArray[np.int32]]:
        """Say which of the words stand for a number, and for which."""
        places = self._places(words)
        return self._words[places] == words, self._numbers[places]

    def _places(self, words: Words) -> npt.NDArray[np.int64]:
        return ((words * self._factor) >> np.uint64(48)).view(np.int64)


def _odd_factors() -> Iterator[np.uint64]:
    """Give factors that spread words, ever others."""
    factor = int(SPREAD)
    while True:
        yield np.uint64(factor)
        factor = (factor * int(SPREAD) + 2) % (1 << 64)


class DateForm:
    """How dates of a form are read: their year and their day, each as bytes of one word."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.width = len(name)
        day = {"YYYY-MM-DD": "-{0:02}-{1:02}", "YYYYMMDD": "{0:02}{1:02}", "MM/DD/YYYY": "{0:02}/{1:02}/", "DD-MON-YYYY": "{1:02}-{2}-"}[
            name
        ]
        self.years = Numbers({b"\0\0\0\0%d" % year: 10000 * year for year in range(1990, 2100)})
        self.days = Numbers(
            {
                day.format(month, number, MONTHS[month - 1]).encode(): 100 * month + number
                for month, last in enumerate(LAST_DAYS, 1)
                for number in range(1, last + 1)
            }
        )


@dataclass(frozen=True)
class Plan:
    """What to look for in a file's rows: where the columns are, the forms of its dates, and the codes, each of at most 8 letters and digits."""

    columns: Mapping[str, int]
    width: int
    date_forms: dict[str, DateForm]
    may_be_code: Flags
    """By 16 bits that are made of a code: true for every code and a few other texts."""


@dataclass(frozen=True)
class PlainRows:
    """The plain rows among some lines: which they are, their claims and cents, and counts of their filled cells by column."""

    is_plain: Flags
    claim_ids: pa.Array
    data_sources: pa.Array
    cents: npt.NDArray[np.int64]
    filled_counts: npt.NDArray[np.int64]
    latest_service_date: int
    """As a number YYYYMMDD; 0 where there is none."""


def make_plan(columns: Mapping[str, int], width: int, date_forms: Mapping[str, str], codes: Sequence[Code]) -> Plan | None:
    """Plan for a file; None where its codes are too long for it."""
    names = [code.hcpcs_code.encode() for code in codes]
    if any(len(name) > 8 or not name.isalnum() for name in names):
        return None
    may_be_code = np.zeros(1 << 16, bool)
    if names:
        may_be_code[_spread(np.array([_word(name) for name in names]))] = True
    forms = {form: DateForm(form) for form in set(date_forms.values())}
    return Plan(columns, width, {name: forms[form] for name, form in date_forms.items()}, may_be_code)


def _spread(words: Words) -> npt.NDArray[np.uint64]:
    """Make 16 bits of a word of letters and digits, in whatever case."""
    spread: Words = ((words & NO_CASE) * SPREAD) >> np.uint64(48)
    return spread


class Cells:
    """One column's cells in some rows: where each begins and how wide it is."""

    def __init__(self, padded: bytearray, starts: Offsets, ends: Offsets) -> None:
        self._padded = padded
        self.starts = starts
        self.ends = ends
        self.widths = ends - starts

    def words(self, offsets: Offsets) -> Words:
        """Read eight bytes at each of the offsets; the first is the lowest."""
        return np.ndarray((len(self._padded) - 7,), "<u8", self._padded, strides=(1,))[offsets]

    def word_pairs(self, offsets: Offsets) -> tuple[Words, Words]:
        """Read sixteen bytes at each of the offsets, as two words."""
        pairs = np.ndarray((len(self._padded) - 15,), "V16", self._padded, strides=(1,))[offsets].view("<u8")
        return pairs[0::2], pairs[1::2]

    def bytes(self, offsets: Offsets) -> Bytes:
        """Read the byte at each of the offsets."""
        return np.frombuffer(self._padded, np.uint8)[offsets]

    def first_words(self) -> Words:
        """Read the cells' first eight bytes, with zeros behind shorter ones."""
        words: Words = self.words(self.starts) & LOW_BYTES[np.minimum(self.widths, 8)]
        return words

    def last_bytes(self) -> Bytes:
        """Read the cells' last bytes; for empty ones the byte before them."""
        return self.bytes(self.ends - 1)


def find_plain_lines(padded: bytearray, ends: Offsets, is_row: Flags, plan: Plan) -> tuple[npt.NDArray[np.int64], PlainRows]:
    """Find the plain rows among the lines of a stretch: which lines, and what they say.

    `padded` is the stretch between PAD newlines on either side, `ends` are the offsets in it behind each line's newline, and `is_row` says
    which lines are one record each and no other's part.
    """
    data = np.frombuffer(padded, np.uint8)
    starts = np.concatenate([np.full(1, PAD, np.int32), ends[:-1]])
    contents_end = ends - 1
    if b"\r" in padded:
        contents_end = contents_end - (data[ends - 2] == 13)
    commas = np.flatnonzero(data == 44).astype(np.int32)
    blanks = np.concatenate([_find_unusual(padded, data, commas + 1), _find_unusual(padded, data, starts)])
    usual = plan.width - 1
    if is_row.all() and not len(blanks) and b'"' not in padded and len(commas) == usual * len(ends):
        rows = np.arange(len(ends))
        table = commas.reshape(len(ends), usual)
        if (table[:, 0] >= starts).all() and (table[:, -1] < ends).all():
            return rows, find_plain_rows(padded, starts, contents_end, commas, plan)
    counts = np.diff(np.searchsorted(commas, ends), prepend=0)
    is_usual = is_row & (counts == usual)
    is_usual[np.searchsorted(ends, np.concatenate([blanks, np.flatnonzero(data == 34)]), side="right")] = False
    rows = np.flatnonzero(is_usual)
    return rows, find_plain_rows(padded, starts[rows], contents_end[rows], commas[np.repeat(is_usual, counts)], plan)


def find_plain_rows(padded: bytearray, starts: Offsets, ends: Offsets, commas: Offsets, plan: Plan) -> PlainRows:
    """Find the plain ones among lines.

    The lines begin at `starts` and end, without their line ends, at `ends`; each has exactly as many commas as a row, and `commas` are they.
    """
    bounds = np.empty((plan.width + 1, len(starts)), np.int32)
    bounds[0] = starts - 1
    bounds[1:-1] = commas.reshape(len(starts), plan.width - 1).T
    bounds[-1] = ends

    def cells(name: str) -> Cells | None:
        index = plan.columns.get(name)
        return None if index is None else Cells(padded, bounds[index] + 1, bounds[index + 1])

    is_plain = np.ones(len(starts), bool)
    for name in ("claim_id", "member_id"):
        column = cells(name)
        assert column is not None
        is_plain &= (column.widths > 0) & _ends_usually(column)
    if column := cells("data_source"):
        is_plain &= (column.widths == 0) | _ends_usually(column)
    if column := cells("claim_line_number"):
        is_plain &= _digits(column.words(column.ends - 8), column.widths)
    if column := cells("version_number"):
        is_plain &= (column.widths == 0) | _digits(column.words(column.ends - 8), column.widths)
    service_dates = np.zeros(len(starts), np.int32)
    for name in DATE_COLUMNS:
        if column := cells(name):
            is_date, dates = _dates(column, plan.date_forms[name])
            is_plain &= is_date | (column.widths == 0)
            if name in DATE_COLUMNS[:2]:
                np.copyto(service_dates, dates, where=(service_dates == 0) & is_date)
    is_plain &= service_dates > 0
    cents = np.zeros(len(starts), np.int64)
    for name in ("paid_amount", "charge_amount", "service_unit_quantity"):
        if column := cells(name):
            is_number, numbers = _hundredths(column)
            is_plain &= is_number | (column.widths == 0)
            if name == "paid_amount":
                np.copyto(cents, numbers, where=is_number)
    if column := cells("claim_status"):
        words = column.first_words() | (LOWER_CASE & LOW_BYTES[np.minimum(column.widths, 8)])
        is_known = np.zeros(len(starts), bool)
        for status in STATUSES:
            is_known |= words == status
        is_plain &= (column.widths == 0) | ((column.widths <= 8) & is_known)
    if column := cells("hcpcs_code"):
        words = column.first_words()
        is_short = (words & NOT_ASCII == 0) & (column.widths <= CODE_WIDTH) & _ends_usually(column) & ~_holds_point(words)
        is_other = ~plan.may_be_code[_spread(words)] & is_short
        is_plain &= (column.widths == 0) | is_other
    is_plain &= _is_original(cells("claim_frequency_code"), cells("bill_type_code"), len(starts))
    chosen = np.flatnonzero(is_plain)
    filled = np.array([np.count_nonzero((bounds[index + 1] - bounds[index] > 1) & is_plain) for index in range(plan.width)], np.int64)
    claims, sources = cells("claim_id"), cells("data_source")
    assert claims is not None
    return PlainRows(
        is_plain,
        _texts(claims, chosen),
        _texts(sources, chosen) if sources else pa.nulls(len(chosen), pa.string_view()),
        cents[chosen],
        filled,
        int(service_dates[chosen].max(initial=0)),
    )


def _find_unusual(padded: bytearray, data: Bytes, starts: Offsets) -> npt.NDArray[np.int64]:
    """Find, among offsets at which cells begin, those of cells that begin with a blank or a wrapper, or stand for nothing."""
    firsts = FIRST_BYTES[data[starts]]
    unusual: npt.NDArray[np.int64] = starts[firsts == UNUSUAL]
    letters = starts[firsts == LETTER]
    if not len(letters):
        return unusual
    words = np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,))[letters] | LOWER_CASE
    is_null = np.zeros(len(letters), bool)
    for text in (b"null", b"nan", b"none"):
        ends = (words >> np.uint64(8 * len(text))) & np.uint64(0xFF)
        is_end = (ends == 44) | (ends == 0x2A) | (ends == 0x2D) | (ends == 32) | (ends == 0x29)
        is_null |= (words & LOW_BYTES[len(text)] == _word(text)) & is_end
    found: npt.NDArray[np.int64] = np.concatenate([unusual, letters[is_null]])
    return found


def _ends_usually(column: Cells) -> Flags:
    """Say which cells do not end with a blank."""
    last = column.last_bytes()
    is_usual: Flags = (last != 32) & (last != 9) & (last != 0xA0)
    return is_usual


def _holds_point(words: Words) -> Flags:
    """Say which words of ASCII hold a point."""
    others = words ^ POINTS
    flags: Flags = ((others - ONES) & ~others & NOT_ASCII) != 0
    return flags


def _digits(words: Words, widths: Offsets) -> Flags:
    """Say which words end with digits alone, one to eight."""
    return (widths >= 1) & (widths <= 8) & _are_digits(_zero_filled(words, widths))


def _zero_filled(words: Words, widths: Offsets) -> Words:
    """Put zeros before the last characters of words."""
    shorter = LOW_BYTES[8 - np.clip(widths, 0, 8)]
    filled: Words = (words & ~shorter) | (ZEROS & shorter)
    return filled


def _are_digits(words: Words) -> Flags:
    flags: Flags = ((words & HIGH_HALVES) | (((words + SIXES) & HIGH_HALVES) >> np.uint64(4))) == THREES
    return flags


def _eight_digits(words: Words) -> tuple[Flags, Words]:
    """Read eight digits."""
    is_number = _are_digits(words)
    words = words - ZEROS
    words = (words * np.uint64(10) + (words >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    words = (words * np.uint64(100) + (words >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    words = (words * np.uint64(10000) + (words >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    return is_number, words


def _hundredths(column: Cells) -> tuple[Flags, npt.NDArray[np.int64]]:
    """Read numbers of at most two decimals, and eight digits with them, as hundredths."""
    words = _zero_filled(column.words(column.ends - 8), column.widths)
    behind = words >> np.uint64(40)
    has_two = (behind & np.uint64(0xFF) == POINT) & (column.widths >= 4)
    has_one = (behind & np.uint64(0xFF00) == POINT << np.uint64(8)) & (column.widths >= 3)
    # without the point, with zeros for decimals that are not written, and none before the last eight digits but for whole numbers
    digits = np.where(
        has_two, (words & HIGH_PAIR) | ((words & LOW_BYTES[5]) << np.uint64(8)) | ZEROS & LOW_BYTES[1], words >> np.uint64(16)
    )
    digits |= np.where(has_two, np.uint64(0), ZEROS & HIGH_PAIR)
    if has_one.any():
        one = (words & LOW_BYTES[6]) | ((words >> np.uint64(8)) & np.uint64(0xFF << 48)) | ZEROS & ~LOW_BYTES[7]
        digits = np.where(has_one, one, digits)
    is_number, numbers = _eight_digits(digits)
    is_short = (column.widths >= 1) & (column.widths <= np.where(has_two | has_one, np.int32(8), np.int32(6)))
    return is_number & is_short, numbers.view(np.int64)


def _dates(column: Cells, form: DateForm) -> tuple[Flags, npt.NDArray[np.int32]]:
    """Read dates of a form, from 1990 to 2099, as numbers YYYYMMDD."""
    first, second = column.word_pairs(column.starts)
    if form.name == "YYYY-MM-DD":
        years, days = first << HALF, first >> HALF | (second & LOW_BYTES[2]) << HALF
    elif form.name == "YYYYMMDD":
        years, days = first << HALF, first >> HALF
    elif form.name == "MM/DD/YYYY":
        years, days = (first >> np.uint64(48) | second << np.uint64(16)) << HALF, first & LOW_BYTES[6]
    else:
        years, days = (first >> np.uint64(56) | second << np.uint64(8)) << HALF, first & LOW_BYTES[7]
    is_year, year_numbers = form.years.find(years)
    is_day, day_numbers = form.days.find(days)
    return (column.widths == form.width) & is_year & is_day, year_numbers + day_numbers


def _is_original(frequency: Cells | None, bill_type: Cells | None, count: int) -> Flags:
    """Say which rows are no adjustments, by a frequency of one digit, or by their type of bill where they have none."""
    by_bill = np.ones(count, bool)
    if bill_type is not None:
        last = bill_type.last_bytes()
        by_bill = (bill_type.widths == 0) | (_digits(bill_type.words(bill_type.ends - 8), bill_type.widths) & (last != 55) & (last != 56))
    if frequency is None:
        return by_bill
    digit = frequency.bytes(frequency.starts)
    by_itself = (frequency.widths == 1) & (digit >= 49) & (digit <= 57) & (digit != 55) & (digit != 56)
    is_original: Flags = by_itself | ((frequency.widths == 0) & by_bill)
    return is_original


def _texts(column: Cells, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Give some of the cells as an Arrow array of views, which copies none longer than twelve bytes; an empty cell is null."""
    starts, widths = column.starts[rows], column.widths[rows]
    views = np.empty(len(rows), dtype=[("width", "<i4"), ("head", "<u4"), ("rest", "<u8")])
    head, tail = column.word_pairs(starts)
    head = head & LOW_BYTES[np.minimum(widths, 8)]
    tail = tail & LOW_BYTES[np.clip(widths - 8, 0, 4)]
    is_short = widths <= 12
    views["width"] = widths
    views["head"] = head.astype(np.uint32)
    views["rest"] = np.where(is_short, (head >> np.uint64(32)) | (tail << np.uint64(32)), starts.astype(np.uint64) << np.uint64(32))
    validity = np.packbits(widths > 0, bitorder="little")
    return pa.Array.from_buffers(
        pa.string_view(), len(rows), [pa.py_buffer(validity), pa.py_buffer(views), pa.py_buffer(column._padded)], null_count=-1
    )
