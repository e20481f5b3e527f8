"""What quarantined rows have in common: reasons with columns, the first rows and the forms of cells. No other row is looked at.

A form has nothing of a value: what is said here of rows may stand on a screen, in an error and in a message.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby, islice

import numpy as np

from sij_audit.transforms.columns import LAYOUT_REMEDIES, REMEDIES, Fault
from sij_audit.transforms.duck import fetch_row
from sij_audit.transforms.ingest.kept_lines import find_positions
from sij_audit.transforms.ingest.part import REASONS, Part
from sij_audit.transforms.ingest.readings import BLANK_LETTERS, FORM_LENGTH, MONTH_FIRST
from sij_audit.transforms.ingest.row_checks import CHECKED_DATES, FAULT_PLACES, FAULTS, ScannedRows, select_faults
from sij_audit.transforms.text import count_of

FIRST_ROWS = 3
"""So many row numbers are named of each fault."""

FORMS = 3
"""So many forms are named of each fault, the most frequent ones."""

LOOKED_AT = 1000
"""So many of the rows that cannot be read are looked at."""


def find_faults(part: Part, rows: ScannedRows, counts: Mapping[str, int]) -> list[Fault]:
    """Find what the quarantined rows, counted by reason, have in common, in the order of the reasons.

    A row counts for its reason alone, the first that applies; where several of its columns are at fault by that reason, for each of them.
    """
    whole = [_describe_whole_rows(part, reason, count) for reason, count in counts.items() if reason not in FAULTS]
    return [*whole, *_find_cells(part, rows)] if counts.keys() & FAULTS.keys() else whole


def _describe_whole_rows(part: Part, reason: str, count: int) -> Fault:
    forms = _describe_unreadable(part) if reason == "unparseable_row" else []
    return Fault(reason, None, count, _first_rows(part, reason), forms)


def _describe_unreadable(part: Part) -> list[str]:
    """Say what the first rows that cannot be read are like."""
    positions = find_positions(part, f"from checked where reason = {REASONS['unparseable_row']}")[:LOOKED_AT]
    raws = chain(part.raw_rows(positions), part.refused_rows()[1])
    return [form for form, _ in Counter(map(part.describe_unreadable, islice(raws, LOOKED_AT))).most_common(FORMS)]


def _find_cells(part: Part, rows: ScannedRows) -> list[Fault]:
    """Read the quarantined rows that parse once more, and say which cells are at fault."""
    con = part.con
    forms = [f"fault_{place} varchar" for place in range(len(FAULT_PLACES))]
    days = [f"day_first_{column} boolean" for column in CHECKED_DATES]
    con.execute(f"create temp table faulty_rows (position bigint, {', '.join((*forms, *days))})")
    numbers = ", ".join(str(REASONS[reason]) for reason in FAULTS)
    part.fetch(find_positions(part, f"from checked where reason in ({numbers})"), "faulty_rows", select_faults(part, rows))
    con.execute(
        "create temp view faulty as from faulty_rows inner join (select position, reason from checked where reason > 0) using (position)"
    )
    tests = [f"reason = {REASONS[reason]} and fault_{place} is not null" for place, (reason, _) in enumerate(FAULT_PLACES)]
    counts = fetch_row(con, f"select {', '.join(f'count(*) filter ({test})' for test in tests)} from faulty")
    found = []
    for place, ((reason, column), count) in enumerate(zip(FAULT_PLACES, counts, strict=True)):
        if count:
            note, is_warning = _note_day_first(part, rows, column) if reason == "invalid_date" else (None, False)
            found.append(
                Fault(
                    reason,
                    column,
                    count,
                    _first_rows(part, reason, f"and position in (select position from faulty where {tests[place]})"),
                    _forms(part, place, tests[place]),
                    rows.date_forms.get(column) if reason == "invalid_date" else None,
                    note,
                    is_warning,
                )
            )
    return found


def _forms(part: Part, place: int, test: str) -> list[str]:
    """List the most frequent forms of the cells at fault."""
    column = f"fault_{place}"
    query = f"select {column} from faulty where {test} and {column} <> '' group by 1 order by count(*) desc, 1 limit {FORMS}"
    forms = [str(form) for (form,) in part.con.execute(query).fetchall()]
    return [form if len(form) <= FORM_LENGTH else f"{form[:FORM_LENGTH]}…" for form in forms]


def _first_rows(part: Part, reason: str, condition: str = "") -> list[int]:
    """Number the first rows that were refused for a reason."""
    first: list[int] = []
    for side in ("<", ">="):
        found = part.con.execute(
            f"select position from checked where reason = {REASONS[reason]} and position {side} {part.plain_count} {condition} "
            f"order by position limit {FIRST_ROWS}"
        ).fetchnumpy()
        first += part.row_numbers(np.asarray(found["position"], dtype=np.int64)).tolist()
    if reason == "unparseable_row":
        first += part.refused_rows()[0][:FIRST_ROWS].tolist()
    return sorted(first)[:FIRST_ROWS]


def _note_day_first(part: Part, rows: ScannedRows, column: str) -> tuple[str | None, bool]:
    """Say that the day comes first in refused dates, and whether it may do so in dates that were read with the month first."""
    (count,) = fetch_row(part.con, f"select count(*) filter (day_first_{column}) from faulty where reason = {REASONS['invalid_date']}")
    if not count:
        return None, False
    said = f"In {count_of(count, 'row')} the day of {column} comes first."
    again = "Have the dates written as YYYY-MM-DD and deliver the extract again"
    if rows.date_forms[column] != "MM/DD/YYYY":
        return f"{said} Dates with the day first are not read. {again}.", False
    place = part.columns[column]
    if any(re.match(MONTH_FIRST, (row[place] or "").strip(BLANK_LETTERS)) for row in part.sample()):
        swapped = (
            "In other rows the month comes first, so dates of both kinds stand in it: where both numbers are at most 12, nobody can tell"
        )
    else:
        swapped = (
            "No row shows that the month comes first, so dates that were read most likely have day and month swapped: findings may be wrong"
        )
    return f"{said} {swapped}. {again}; where it was loaded, retract it first.", True


def describe_faults(faults: Sequence[Fault]) -> str:
    """Say of each fault, for people, how many rows have it, which are the first, and in what form their cells are.

    Columns that are alike in all that are named together.
    """
    alike = groupby(faults, lambda fault: replace(fault, column=None))
    return "; ".join(_describe(fault, [one.column for one in columns if one.column]) for fault, columns in alike)


def advise_on_faults(faults: Sequence[Fault], has_layout: bool = False) -> str:
    """Say what to do about faults, in the extract or in the layout that it is read by."""
    remedies = {**REMEDIES, **LAYOUT_REMEDIES} if has_layout else REMEDIES
    return "; ".join(dict.fromkeys(remedies[fault.reason] for fault in faults))


def warn_of_faults(faults: Sequence[Fault]) -> list[str]:
    """Say what the faults of some rows let fear of rows that were read."""
    return [fault.note for fault in faults if fault.is_warning and fault.note]


def _describe(fault: Fault, columns: Sequence[str]) -> str:
    where = f" in {', '.join(columns)}" if columns and not fault.reason.startswith("missing_") else ""
    first = "" if fault.row_count == len(fault.first_rows) else "first "
    parts = [f"{first}row{'s' * (len(fault.first_rows) > 1)} {', '.join(f'{number:,}' for number in fault.first_rows)}"]
    if fault.forms:
        parts.append(f"form{'s' * (len(fault.forms) > 1)} {' or '.join(fault.forms)}" if columns else "; ".join(fault.forms))
    if fault.date_form:
        parts.append(f"read as {fault.date_form}")
    if fault.note and not fault.is_warning:
        parts.append(fault.note.removesuffix("."))
    return f"{fault.reason} {fault.row_count:,}{where} ({'; '.join(parts)})"
