"""OUT/reviews: what comes back from people, kept append-only: dispositions of findings, and claims and findings that somebody else has.

Every import is a file of its own that never changes. Of several dispositions of a finding the latest counts; the next run reads them all.
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sij_audit.transforms.duck import fetch_dicts, write_report
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.handoff.dispositions import Disposition, read_dispositions
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.spreadsheets import take_back
from sij_audit.transforms.stages.inputs import DISPOSITION_COLUMNS, SUPPRESSION_COLUMNS, create_table, open_warehouse
from sij_audit.transforms.store.durable import hash_file
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.numbered import NumberedFiles
from sij_audit.transforms.store.retractions import list_retractions
from sij_audit.transforms.store.runs import RUN_ID, find_run
from sij_audit.transforms.text import list_names

COLUMNS = {"dispositions": DISPOSITION_COLUMNS, "suppressions": SUPPRESSION_COLUMNS}
"""What the files of each kind hold."""

FINDING_ID = re.compile("[0-9a-f]{32}")

NAMED = 10
"""So many rows of a file are named in an error."""


@dataclass(frozen=True)
class Imported:
    """What became of a file: how many rows were loaded, none where it is the very file that was loaded last."""

    rows: int
    is_known: bool
    unmatched: str = ""
    """Which rows, by number, the current run has no claim and no finding for."""


def list_reviews(store: Store, kind: str) -> list[Path]:
    """The files of one kind (dispositions, suppressions), in the order in which they came."""
    return _files(store, kind).paths()


def _files(store: Store, kind: str) -> NumberedFiles:
    return NumberedFiles(store, kind, ".parquet")


def hash_reviews(store: Store) -> tuple[str, ...]:
    """SHA-256 of each file that the next run reads."""
    kinds = [path for kind in sorted(COLUMNS) for path in list_reviews(store, kind)]
    return tuple(hash_file(path) for path in [*kinds, *list_retractions(store)])


def import_dispositions(store: Store, file: Path) -> Imported:
    """Take in what reviewers say of findings (xlsx, csv or parquet: columns finding_id, disposition, recovered_amount, reviewer, note, run_id).

    Each is bound to what its finding rested on in the run that the row names, by default the current one. UsageError, and nothing is loaded,
    where a row cannot be used; BusyError where a run holds OUT.
    """
    dispositions = read_dispositions(_existing(file))
    with store.lock():
        return _append(store, "dispositions", file, partial(_bind, store, file, dispositions))


def _bind(store: Store, file: Path, dispositions: Sequence[Disposition]) -> list[dict[str, Any]]:
    """Give each disposition what its finding says of itself in the run that was reviewed."""
    current = find_run(store)
    run_ids = sorted({disposition.run_id or current.name for disposition in dispositions})
    known = {(run_id, finding["finding_id"]): finding for run_id in run_ids for finding in _read_findings(store, file, run_id)}
    keys = [(disposition.run_id or current.name, disposition.finding_id) for disposition in dispositions]
    if missing := [number for number, key in enumerate(keys, 1) if key not in known]:
        raise UsageError(
            f"{file.name}: {len(missing)} of its {len(keys)} reviews are of findings that are not in the run that they name, or in the current"
            f" one: the {_ordinals(missing)}. Correct finding_id or run_id; nothing was loaded."
        )
    return [
        {
            **known[key],
            "run_id": key[0],
            "disposition": disposition.disposition,
            "recovered_amount": disposition.recovered_amount,
            "reviewer": disposition.reviewer,
            "note": disposition.note,
        }
        for key, disposition in zip(keys, dispositions, strict=True)
    ]


def _ordinals(numbers: Sequence[int]) -> str:
    return list_names((f"{number}." for number in numbers), NAMED)


def _read_findings(store: Store, file: Path, run_id: str) -> list[dict[str, Any]]:
    run = store.runs / run_id
    if not RUN_ID.fullmatch(run_id) or not (run / "manifest.json").is_file():
        raise UsageError(f"{file.name}: names a run that {store.root} does not hold. Correct the column run_id; nothing was loaded.")
    with open_run(run) as con:
        return fetch_dicts(
            con,
            """
            select finding_id, evidence_id, policy_id, rule_id, determination, claim_lines
            from findings inner join review_states using (finding_id)
            """,
        )


def suppress(store: Store, file: Path) -> Imported:
    """Take in which claims or findings somebody else has, from a CSV file: claim_id (and data_source) or finding_id, reason, until.

    They are kept out of the hand-off up to and including the day `until`, or for good where it is empty. A later row for the same claim or
    finding has the last word, so that a day that has passed ends it. UsageError, and nothing is loaded, where a row cannot be used.
    """
    rows = _read_suppressions(_existing(file))
    with store.lock():
        imported = _append(store, "suppressions", file, lambda: rows)
        return replace(imported, unmatched=_ordinals(_find_unmatched(store, rows)))


def _find_unmatched(store: Store, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Number the rows that the current run has no claim or finding for: the number may be mistyped, or have lost its zeros in a spreadsheet."""
    run = store.current_run()
    if run is None:
        return []
    with open_run(run) as con:
        claims = set(con.execute("select distinct claim_id, data_source from lines").fetchall())
        known = {claim_id for claim_id, _ in claims} | {
            finding_id for (finding_id,) in con.execute("select finding_id from findings").fetchall()
        }
    return [
        number
        for number, row in enumerate(rows, 1)
        if (row["claim_id"] or row["finding_id"]) not in known
        or (row["data_source"] is not None and row["claim_id"] is not None and (row["claim_id"], row["data_source"]) not in claims)
    ]


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise UsageError(f"{file.name}: there is no such file.")
    return file


def _read_suppressions(file: Path) -> list[dict[str, Any]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            names = [name.strip().lower() for name in reader.fieldnames or []]
            _check_header(file, names)
            reader.fieldnames = names
            records = list(reader)
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{file.name}: is no CSV file in UTF-8 that can be read.") from None
    problems: list[str] = []
    rows = [_read_suppression(number, record, problems) for number, record in enumerate(records, 1)]
    if problems:
        more = f" And {len(problems) - NAMED} more." if len(problems) > NAMED else ""
        raise UsageError(f"{file.name}: nothing was loaded. " + " ".join(problems[:NAMED]) + more)
    return rows


def _check_header(file: Path, names: Sequence[str]) -> None:
    known = {"claim_id", "data_source", "finding_id", "reason", "until"}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"{file.name}: column {unknown[0]!r} is unknown; known: {', '.join(sorted(known))}.")
    if len(set(names)) < len(names):
        raise UsageError(f"{file.name}: a column is there twice.")
    if not {"reason", "until"} <= set(names) or not {"claim_id", "finding_id"} & set(names):
        raise UsageError(f"{file.name}: needs the columns reason, until, and claim_id or finding_id.")


def _read_suppression(number: int, record: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """Read one row, and add to `problems` what is wrong with it."""
    cells = {name: take_back((value or "").strip()) or None for name, value in record.items() if name is not None}
    claim_id, finding_id, until = cells.get("claim_id"), cells.get("finding_id"), cells.get("until")
    if None in record or None in record.values():
        problems.append(f"Row {number}: has not as many fields as the header.")
    elif (claim_id is None) == (finding_id is None):
        problems.append(f"Row {number}: needs either claim_id or finding_id.")
    elif finding_id is not None and not FINDING_ID.fullmatch(finding_id):
        problems.append(f"Row {number}, finding_id: must be 32 hex digits in lower case.")
    elif cells.get("reason") is None:
        problems.append(f"Row {number}, reason: is empty.")
    suppressed_until = None
    try:
        suppressed_until = date.fromisoformat(until) if until else None
    except ValueError:
        problems.append(f"Row {number}, until: must be a date, YYYY-MM-DD, or empty.")
    return {
        "claim_id": claim_id,
        "data_source": cells.get("data_source"),
        "finding_id": finding_id,
        "reason": cells.get("reason"),
        "suppressed_until": suppressed_until,
    }


def _append(store: Store, kind: str, file: Path, make_rows: Callable[[], Sequence[Mapping[str, Any]]]) -> Imported:
    """Keep rows as the next file of their kind, named by its number and the content that it came from."""
    files = _files(store, kind)
    mark = hash_file(file)[:16]
    if files.paths() and files.paths()[-1].stem.endswith(mark):
        return Imported(0, is_known=True)
    rows = make_rows()
    number = files.next_number()
    today = datetime.now(UTC).date()
    numbered = [{"import_number": number, "row_number": n, "imported_on": today, **row} for n, row in enumerate(rows, 1)]
    with open_warehouse(store.work) as con:
        create_table(con, kind, COLUMNS[kind], numbered)
        files.add(number, partial(write_report, con, kind), mark)
    return Imported(len(rows), is_known=False)
