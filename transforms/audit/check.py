"""What an extract holds and what would become of it, before it is loaded anywhere.

The extract is audited in a folder that is gone afterwards: what would be kept, refused and said is what a first run would keep, refuse and say.
"""

import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from sij_audit.transforms.audit.plan import plan_audit
from sij_audit.transforms.audit.progress import Reporter, report_nothing
from sij_audit.transforms.audit.run import Request, Result
from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.duck import quote_name
from sij_audit.transforms.ingest.extracts import name_of, open_extract
from sij_audit.transforms.ingest.feeds import Terms, terms_of
from sij_audit.transforms.ingest.formats import discover_extracts, format_of
from sij_audit.transforms.ingest.intake import ingest_extract, show_no_progress
from sij_audit.transforms.ingest.layouts.choice import choose_format
from sij_audit.transforms.ingest.layouts.mapped_part import MappedPart
from sij_audit.transforms.ingest.near_names import KNOWN_NAMES, letters_of
from sij_audit.transforms.ingest.outcomes import Loaded, Outcome, Refused
from sij_audit.transforms.ingest.part import PartInput
from sij_audit.transforms.ingest.readings import BLANK_LETTERS, form_of
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.reference import load_claim_statuses, load_codes
from sij_audit.transforms.store.folder import Store

SAMPLE_ROWS = 2000
"""So many rows from the beginning are looked at for forms and words."""

FORMS = 3
"""So many forms are given of a column, the most frequent ones."""

FREQUENCY_CODE = re.compile(r"0*[0-9](?:\.0+)?")

FORM_KINDS = ("date", "amount")
"""Kinds of columns of which the form says something."""


@dataclass(frozen=True)
class ColumnLook:
    """A column of an extract. `near` is the column that an unknown name may mean; `forms` are those of the first rows, where they are text.

    `made_of` is what a layout makes the column of, as SQL over the columns of the file.
    """

    name: str
    is_known: bool
    filled_count: int
    near: str | None
    forms: tuple[str, ...]
    made_of: str | None


@dataclass(frozen=True)
class ExtractCheck:
    """One extract. `words` are values of claim_status and claim_frequency_code that are not understood, with rows, of the first rows.

    Of one that is refused for its rows, `controls` are those that it would have were it loaded all the same; empty where it cannot be read.
    """

    extract: str
    outcome: Outcome
    columns: tuple[ColumnLook, ...]
    words: Mapping[str, Mapping[str, int]]
    controls: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """Extracts that were looked at, and what a first run over them would say."""

    extracts: tuple[ExtractCheck, ...]
    result: Result


@contextmanager
def check_extracts(request: Request, report: Reporter = report_nothing) -> Iterator[Check]:
    """Look at the extracts of a request, whose OUT does not count; the audit that was tried can be read inside.

    UsageError where one is not there, AuditError where it cannot be read at all.
    """
    with TemporaryDirectory(prefix="sij-audit-check-") as folder, ExitStack() as stack:
        result = stack.enter_context(plan_audit(replace(request, out=Path(folder) / "out"), report))
        paths = discover_extracts(request.extracts, request.settings)
        checks = [_look_at(path, outcome, request.settings, Path(folder)) for path, outcome in zip(paths, result.outcomes, strict=True)]
        yield Check(tuple(checks), result)


def _look_at(path: Path, outcome: Outcome, settings: Settings, work: Path) -> ExtractCheck:
    looked = outcome if isinstance(outcome, Loaded) else _load_all_the_same(path, outcome, settings, work)
    if not isinstance(looked, Loaded):
        return ExtractCheck(name_of(path), outcome, (), {})
    look = _sample_cells(path, work, terms_of(settings, name_of(path)))
    kinds = {column.name: column.kind for column in COLUMNS}
    columns = [
        ColumnLook(
            name=str(entry["column"]),
            is_known=bool(entry["is_canonical"]),
            filled_count=int(entry["filled_count"]),
            near=None if entry["is_canonical"] else _near(str(entry["column"]), looked),
            forms=_forms(look.written.get(str(entry["column"]), ())) if kinds.get(str(entry["column"])) in FORM_KINDS else (),
            made_of=look.made_of.get(str(entry["column"])),
        )
        for entry in looked.batch.columns
        if entry["is_present"]
    ]
    return ExtractCheck(name_of(path), outcome, tuple(columns), _unknown_words(look.cells, settings), looked.batch.controls)


def _load_all_the_same(path: Path, outcome: Outcome, settings: Settings, work: Path) -> Outcome:
    """Load what a run refuses for its rows into a folder that is gone afterwards: what they hold says what is wrong with them."""
    if not isinstance(outcome, Refused) or not outcome.faults:
        return outcome
    store = Store(work / f"refused-{secrets.token_hex(4)}")
    store.prepare()
    terms = replace(terms_of(settings, name_of(path)), max_quarantined=1)
    return ingest_extract(store, path, load_codes(), memory_limit=settings.memory_limit, terms=terms)


def _near(name: str, outcome: Loaded) -> str | None:
    """Name the column that is meant by what payers call it, where the extract does not have that column."""
    meant = KNOWN_NAMES.get(letters_of(name))
    there = {entry["column"] for entry in outcome.batch.columns if entry["is_canonical"] and entry["is_present"]}
    return meant if meant not in there else None


@dataclass(frozen=True)
class SampledCells:
    """Filled cells of the first rows by canonical column, where they are text, without the blanks round them.

    `written` has them as the file writes them, where a layout reads one column as it is; `made_of` what a layout makes columns of.
    """

    cells: Mapping[str, list[str]]
    written: Mapping[str, list[str]]
    made_of: Mapping[str, str]


def _sample_cells(path: Path, work: Path, terms: Terms) -> SampledCells:
    known, compression = format_of(path, terms)
    with open_extract(path, compression) as extract, duckdb.connect() as con:
        form, _ = choose_format(extract, known, terms)
        given = PartInput(con, extract, COLUMNS, work, show_no_progress, is_trusted=True)
        with form.open_part(given) as part:
            cells = _filled_cells(part.sample(SAMPLE_ROWS), part.columns)
            if not isinstance(part, MappedPart):
                return SampledCells(cells, cells, {})
            places = {quote_name(name): place for name, place in part.read.items()}
            plain = {column: places[sql] for column, sql in part.expressions.items() if sql in places and not part.is_fixed_width}
            written = _filled_cells(part.source.sample(SAMPLE_ROWS), plain)
            return SampledCells(cells, cells | {column: found for column, found in written.items() if found}, part.expressions)


def _filled_cells(rows: Sequence[Sequence[str | None]], places: Mapping[str, int]) -> dict[str, list[str]]:
    return {
        name: [cell.strip(BLANK_LETTERS) for row in rows if (cell := row[place]) and cell.strip(BLANK_LETTERS)]
        for name, place in places.items()
    }


def _forms(cells: Sequence[str]) -> tuple[str, ...]:
    """Give the most frequent forms of cells."""
    if not cells:
        return ()
    with duckdb.connect() as con:
        con.execute("create table cells as select unnest(?) as cell", [list(cells)])
        query = f"select {form_of('cell')} as form from cells group by form order by count(*) desc, form limit {FORMS}"
        return tuple(form for (form,) in con.execute(query).fetchall())


def _unknown_words(cells: Mapping[str, Sequence[str]], settings: Settings) -> dict[str, dict[str, int]]:
    statuses = {*load_claim_statuses(), *settings.claim_statuses}
    unknown = {
        "claim_status": [cell for cell in cells.get("claim_status", ()) if cell.lower() not in statuses],
        "claim_frequency_code": [cell for cell in cells.get("claim_frequency_code", ()) if not FREQUENCY_CODE.fullmatch(cell)],
    }
    return {name: dict(Counter(values).most_common()) for name, values in unknown.items() if values}
