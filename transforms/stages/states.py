"""`states.csv` of a policy folder: states whose Medicaid rules were held against the policy, and what came of it."""

import csv
import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from sij_audit.transforms.errors import AuditError

COLUMNS = ["state", "effective_from", "effective_to", "outcome", "source"]

OUTCOMES = ("precedence", "no_conflict")
"""The state's rules take the place of the policy, or do not conflict with it."""


@dataclass(frozen=True)
class StateRule:
    """What holds for Medicaid lines of a state on dates from and to which it holds, both inclusive and None where open."""

    state: str
    effective_from: date | None
    effective_to: date | None
    outcome: str
    line: int


def read_states(path: Path) -> list[StateRule]:
    """Read the file; AuditError names file and line of a row that is none, or that overlaps with another of its state."""
    place = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise AuditError(f"{place}: is not UTF-8, from byte {error.start} on") from None
    reader = csv.reader(text.splitlines())
    if next(reader, None) != COLUMNS:
        raise AuditError(f"{place}, line 1: the header must be {','.join(COLUMNS)}")
    rules = [_read_row(f"{place}, line {reader.line_num}", row, reader.line_num) for row in reader]
    by_date = sorted(rules, key=lambda rule: (rule.state, rule.effective_from or date.min))
    for one, other in pairwise(by_date):
        if one.state == other.state and (one.effective_to or date.max) >= (other.effective_from or date.min):
            raise AuditError(f"{place}, line {other.line}: overlaps in {other.state} with line {one.line}; a date of a state has one row")
    return rules


def _read_row(place: str, row: list[str], number: int) -> StateRule:
    if len(row) != len(COLUMNS):
        raise AuditError(f"{place}: has {len(row)} cells; it needs {len(COLUMNS)}: {', '.join(COLUMNS)}")
    state, first, last, outcome, source = (cell.strip() for cell in row)
    if not re.fullmatch("[A-Z]{2}", state):
        raise AuditError(f"{place}: state must be two capital letters")
    if outcome not in OUTCOMES:
        raise AuditError(f"{place}: outcome must be {' or '.join(OUTCOMES)}")
    if not source:
        raise AuditError(f"{place}: source is empty; name where the state's rules are to be read")
    days = [_read_date(place, name, text) for name, text in (("effective_from", first), ("effective_to", last))]
    if days[0] and days[1] and days[1] < days[0]:
        raise AuditError(f"{place}: effective_to lies before effective_from")
    return StateRule(state, days[0], days[1], outcome, number)


def _read_date(place: str, name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise AuditError(f"{place}: {name} must be a date, YYYY-MM-DD, or empty") from None
