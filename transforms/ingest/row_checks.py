"""One pass over all rows of a part: why a row is refused, whether it is relevant, what it paid, which of its cells are filled."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.duck import fetch_one, fetch_row, quote_text
from sij_audit.transforms.ingest.part import REASONS, Part
from sij_audit.transforms.ingest.readings import (
    BLANK_LETTERS,
    DATE_FORMS,
    FIRST_DATE,
    FIRST_FORM,
    LAST_DATE,
    Reading,
    clean_text,
    form_of,
    is_day_first,
    read_date,
    select_drafts,
)
from sij_audit.transforms.stages.reference import Code

CHECKED_DATES = ("claim_line_start_date", "claim_start_date", "paid_date", "file_date")
"""Dates that refuse a row; what cannot be read in the others is null."""

VALUES = (
    *(
        "claim_id",
        "data_source",
        "claim_line_number",
        "member_id",
        "paid_amount",
        "charge_amount",
        "service_unit_quantity",
        "version_number",
    ),
    *("claim_status", "hcpcs_code", "claim_frequency_code", "bill_type_code", "claim_type"),
)


def _unread(name: str) -> str:
    return f"(has_{name} and {name} is null)"


CLAIM_HASH = "hash(claim_number_of(claim_id), data_source)"
"""Finds the lines that may belong to a claim; whether they do, the claim itself shows."""

DISGUISED = "disguised code"
"""Fact of a row: its code is a family's with something else in its cell."""

MASK_BITS = 8
"""Facts of a row that are packed into one integer."""

FAULTS: Mapping[str, Mapping[str, str]] = {
    "missing_claim_id": {"claim_id": "not has_claim_id"},
    "missing_claim_line_number": {"claim_line_number": "not has_claim_line_number"},
    "missing_member": {"member_id": "not has_member_id"},
    "missing_service_date": {"claim_line_start_date": "not (has_claim_line_start_date or has_claim_start_date)"},
    "invalid_date": {name: f"(has_{name} and not coalesce({name} between {FIRST_DATE} and {LAST_DATE}, false))" for name in CHECKED_DATES},
    "invalid_amount": {name: _unread(name) for name in ("paid_amount", "charge_amount")},
    "invalid_number": {name: _unread(name) for name in ("claim_line_number", "service_unit_quantity", "version_number")},
    "unknown_claim_status": {"claim_status": _unread("claim_status")},
}
"""What refuses a row that parses, as SQL, by reason in the order in which they are tried, and by the column at fault."""

FAULT_PLACES = [(reason, column) for reason, columns in FAULTS.items() for column in columns]
"""Reasons with the columns that may be at fault, in the order of the reasons."""

BY_NAME = {column.name: column for column in COLUMNS}
DATES = tuple(column.name for column in COLUMNS if column.kind == "date")


@dataclass(frozen=True)
class ScannedRows:
    """What is known of a part after the pass, besides the view `checked` of its rows.

    `checked` has position, claim_hash, reason (0 for a valid row), is_relevant and paid_cents.
    """

    date_forms: dict[str, str]
    filled_counts: dict[int, int]
    """By column of the file, over the rows that parse."""
    latest_service_date: date | None
    """Over the valid rows."""
    disguised_count: int
    """Rows that parse and have a family's code with something else in its cell."""
    sample: Sequence[Sequence[str | None]]
    """Cells of some rows, by column of the file."""


def scan_rows(part: Part, codes: Sequence[Code]) -> ScannedRows:
    """Check every row of a part.

    A date column's form is guessed from a sample, and holds where it reads more than half of the filled cells of all rows: a cell has one
    form at most. Where it does not, all forms are counted and the pass is made again.
    """
    sample = part.sample()
    forms = _guess_date_forms(part, sample)
    facts = [f"filled {index}" for index in range(len(part.names)) if index not in part.filled_counts]
    facts += [*(f"read {name}" for name in forms), DISGUISED]
    while True:
        plain = part.set_plain_rows_apart(forms, codes, CLAIM_HASH)
        query = _scan_query(part, codes, forms, facts, has_positions=plain is not None)
        part.con.execute("drop view if exists checked")
        part.con.execute(f"create or replace temp table scanned as {query}")
        part.con.execute(f"create temp view checked as {_checked_query(plain is not None)}")
        counts = dict(zip(facts, _count_facts(part, len(facts)), strict=True))
        filled = dict(part.filled_counts) | {int(fact.split()[1]): count for fact, count in counts.items() if fact.startswith("filled")}
        read = {name: counts[f"read {name}"] for name in forms}
        latest_dates = [fetch_one(part.con, "select max(service_date) from scanned where reason = 0")]
        if plain is not None:
            filled = {index: count + int(plain.filled_counts[index]) for index, count in filled.items()}
            read = {name: count + int(plain.filled_counts[part.columns[name]]) for name, count in read.items()}
            latest_dates.append(plain.latest_service_date)
        doubtful = [name for name in forms if 0 < filled[part.columns[name]] >= 2 * read[name]]
        if doubtful:
            part.take_plain_rows_back()
        best = forms | _count_date_forms(part, doubtful)
        if best == forms:
            latest = max((day for day in latest_dates if day), default=None)
            return ScannedRows(forms, filled, latest, counts[DISGUISED], sample)
        forms = best


def _scan_query(part: Part, codes: Sequence[Code], forms: dict[str, str], facts: Sequence[str], has_positions: bool) -> str:
    readings = _read_checked(part, forms)
    cells = _list_cells(readings)
    names = {index: name for name, index in part.columns.items() if name in (*VALUES, *DATES)}
    filled = {int(fact.split()[1]) for fact in facts if fact.startswith("filled")}
    cells += [f"{part.filled(index)} as filled_{index}" for index in filled - set(names)]
    position = "position, " if has_positions else ""
    columns = f"""
        {position}{CLAIM_HASH} as claim_hash,
        ({_reason()})::utinyint as reason,
        {_relevance(codes)} as is_relevant,
        case when preset = {REASONS["unparseable_row"]} then 0 else coalesce((paid_amount * 100)::bigint, 0) end as paid_cents,
        coalesce(claim_line_start_date, claim_start_date) as service_date,
        {", ".join(_masks(facts, names, codes))}"""
    rows = [f"(select {position}preset, {', '.join(cells)} from {select_drafts(readings, source)})" for source in part.sources()]
    return " union all ".join(f"select {columns} from {source}" for source in rows)


def _read_checked(part: Part, forms: Mapping[str, str]) -> dict[str, Reading]:
    """Say how the columns that are checked are read, by their names."""
    return {name: part.reading(BY_NAME[name], forms.get(name, FIRST_FORM)) for name in (*VALUES, *DATES)}


def _list_cells(readings: Mapping[str, Reading]) -> list[str]:
    """Give, as SQL, each column's value, and whether its cell is filled."""
    return [f"{reading.value} as {name}, {reading.filled} as has_{name}" for name, reading in readings.items()]


def _checked_query(has_plain_rows: bool) -> str:
    columns = "claim_hash, reason, is_relevant, paid_cents"
    if not has_plain_rows:
        return f"select rowid as position, {columns} from scanned"
    plain = "select position, claim_hash, 0::utinyint as reason, false as is_relevant, paid_cents from plain_rows"
    return f"select position, {columns} from scanned union all {plain}"


def _reason() -> str:
    """Say, as SQL, why a row is refused: the first reason that applies."""
    tests = " ".join(f"when {' or '.join(faults.values())} then {REASONS[reason]}" for reason, faults in FAULTS.items())
    return f"case when preset > 0 then preset {tests} else 0 end"


def select_faults(part: Part, rows: ScannedRows) -> Callable[[str], str]:
    """Make what selects, of a source's rows that parse: position and, for each of `FAULT_PLACES`, the form of a cell at fault, else null.

    A cell that is empty, or whose column is not there, has an empty form; `day_first_COLUMN` says of a refused date whether the day comes first.
    """
    readings = _read_checked(part, rows.date_forms)
    places = {column: f"c{part.columns[column]}::varchar" if column in part.columns else "null" for _, column in FAULT_PLACES}
    cells = [*_list_cells(readings), *(f"{cell} as cell_{column}" for column, cell in places.items())]
    faults = [
        f"case when {FAULTS[reason][column]} then {form_of(f'cell_{column}')} end as fault_{place}"
        for place, (reason, column) in enumerate(FAULT_PLACES)
    ]
    days = [f"{FAULTS['invalid_date'][column]} and {is_day_first(f'cell_{column}')} as day_first_{column}" for column in CHECKED_DATES]

    def select(source: str) -> str:
        read = f"(select position, {', '.join(cells)} from {select_drafts(readings, source)})"
        return f"select position, {', '.join((*faults, *days))} from {read}"

    return select


def _relevance(codes: Sequence[Code]) -> str:
    """Say, as SQL, whether a row has a code of a family at any date, or is an adjustment or a reversal."""
    # no IN list: DuckDB makes a long one a join, which does not keep the order of rows
    known = quote_text(_known(codes))
    adjusts = (
        "case when claim_frequency_code is not null then claim_frequency_code in ('7', '8') "
        "when right(bill_type_code, 1) in ('7', '8') then lower(claim_type) = 'institutional' end"
    )
    negative = [f"{name} < 0" for name in ("paid_amount", "charge_amount", "service_unit_quantity")]
    tests = [f"regexp_full_match(hcpcs_code, {known})", adjusts, "claim_status = 'reversed'", *negative]
    return f"coalesce({' or '.join(tests)}, false)"


def is_code_in_disguise(codes: Sequence[Code]) -> str:
    """Say, as SQL, whether a row's code is a family's with something else in its cell, such as CPT27096 or 27096-RT, and no NDC."""
    holds = quote_text(f"(?s)(.*[^0-9])?0{{0,2}}({_known(codes)})([^0-9].*)?")
    is_longer, is_ndc = "strlen(hcpcs_code) > 5", "regexp_full_match(hcpcs_code, '[0-9-]{11,}')"
    return f"coalesce({is_longer} and regexp_full_match(hcpcs_code, {holds}) and not {is_ndc}, false)"


def _known(codes: Sequence[Code]) -> str:
    """Write a pattern of the codes."""
    return "|".join(sorted({re.escape(code.hcpcs_code) for code in codes}))


def _masks(facts: Sequence[str], names: dict[int, str], codes: Sequence[Code]) -> list[str]:
    """Pack facts of a row into small integers, which are several times cheaper to make and to count than a large one."""
    masks = []
    for start in range(0, len(facts), MASK_BITS):
        bits = []
        for bit, fact in enumerate(facts[start : start + MASK_BITS]):
            what, which = fact.split()
            holds = f"{which} is not null"
            if fact == DISGUISED:
                holds = is_code_in_disguise(codes)
            elif what == "filled":
                holds = f"has_{names[int(which)]}" if int(which) in names else f"filled_{which}"
            bits.append(f"(case when {holds} then {1 << bit}::utinyint else 0::utinyint end)")
        masks.append(f"({' | '.join(bits)}) as mask_{start // MASK_BITS}")
    return masks or ["0::utinyint as mask_0"]


def _count_facts(part: Part, count: int) -> list[int]:
    """Count, over the rows that parse, how many have each fact."""
    counts = [0] * count
    for start in range(0, count, MASK_BITS):
        mask = f"mask_{start // MASK_BITS}"
        parse = f"reason <> {REASONS['unparseable_row']}"
        for value, rows in part.con.execute(f"select {mask}, count(*) from scanned where {parse} group by 1").fetchall():
            for bit in range(min(MASK_BITS, count - start)):
                counts[start + bit] += rows if value >> bit & 1 else 0
    return counts


def _guess_date_forms(part: Part, sample: Sequence[Sequence[str | None]]) -> dict[str, str]:
    """Guess from some rows the form of each date column that is there as text: Parquet's own dates have none."""
    forms = {}
    for name in DATES:
        if len({part.reading(BY_NAME[name], form) for form in DATE_FORMS}) > 1:
            counts = Counter(_date_form(row[part.columns[name]]) for row in sample)
            forms[name] = max(DATE_FORMS, key=lambda form: counts[form])
    return forms


def _date_form(cell: str | None) -> str | None:
    """Say which form a cell looks like; what looks like a date and is none shows when all cells are counted."""
    written = (cell or "").strip(BLANK_LETTERS)
    return next((form for form, how in DATE_FORMS.items() if re.match(how.pattern, written)), None)


def _count_date_forms(part: Part, names: Sequence[str]) -> dict[str, str]:
    """Find, over all rows that parse, the form that reads most of a date column's cells; the first of equals."""
    best = {}
    for name in names:
        text = clean_text(f"c{part.columns[name]}")
        counts = [0] * len(DATE_FORMS)
        for source in part.sources():
            texts = f"(select {text} as text from {source} where preset <> {REASONS['unparseable_row']})"
            reads = ", ".join(f"count({read_date('text', form)})" for form in DATE_FORMS)
            found = fetch_row(part.con, f"select {reads} from {texts}")
            counts = [so_far + more for so_far, more in zip(counts, found, strict=True)]
        best[name] = tuple(DATE_FORMS)[counts.index(max(counts))]
    return best
