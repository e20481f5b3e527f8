"""What an extract looks like as a whole: numbers against which the checks of `sql/0_reference/quality_checks.csv` are held.

A number is a count of rows or lines of one kind among those looked at, and says nothing of which they are. Ids and codes of a large extract
are looked at in a sample; only where the sample shows something are all rows counted, so that an ordinary extract pays next to nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from sij_audit.transforms.duck import fetch_row, quote_text, registered
from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.part import REASONS, Part
from sij_audit.transforms.ingest.readings import FIRST_FORM, select_drafts
from sij_audit.transforms.ingest.row_checks import BY_NAME, ScannedRows, is_code_in_disguise
from sij_audit.transforms.stages.reference import Code, QualityCheck, load_quality_checks
from sij_audit.transforms.store.folder import Batch

IDS = ("claim_id", "person_id", "member_id")

CELLS = (*IDS, "hcpcs_code")
"""What is looked at in a sample."""

MODIFIERS = tuple(f"hcpcs_modifier_{n}" for n in range(1, 6))

SCIENTIFIC = "(?i)[0-9]([.,][0-9]+)?E[+][0-9]{1,3}|[0-9][.,][0-9]+E[0-9]{1,3}"
"""A number as a spreadsheet writes one that is too long for it."""

UNLIKE_CODE = "not (regexp_full_match(hcpcs_code, '[0-9A-Z]{5}') and regexp_matches(hcpcs_code, '[0-9]'))"

UNLIKE_MODIFIER = "length(modifier) <> 2 and regexp_matches(modifier, '[A-Z]{2}|[1-9][0-9]|^[BLR]$')"
"""What is no modifier and may hold one; a dash, a zero or n/a holds none."""

FEW_MEMBERS = 2
"""A person with more member numbers than this in a sample is looked at in all rows."""

CHANCE = 0.01
"""An extract without a line to audit is odd where it would be without less often than this, had its rows its feed's share of them."""

OF_CODED_LINES = "missing_claim_type"
"""A check that looks at every line with a family's code: of how many, says how many there are."""

FORMS = 3
"""So many forms of odd cells are remembered."""

FORM_LENGTH = 30


@dataclass(frozen=True)
class Measure:
    """How many of the rows or lines that were looked at are of the kind that a check looks for.

    `forms` are those of cells that are odd, the most frequent first: 9 for a digit, A for a letter, all else as it is.
    """

    check_id: str
    column: str
    row_count: int
    found_count: int
    forms: tuple[str, ...] = ()


def measure_quality(part: Part, rows: ScannedRows, codes: Sequence[Code], earlier: Sequence[Batch]) -> list[dict[str, Any]]:
    """Measure an extract whose lines to keep are found; `earlier` are the extracts of its feed that came last before it.

    What is given is what a batch remembers: check_id, column, row_count, found_count, forms.
    """
    lines = _measure_lines(part, codes, has_modifiers=_are_filled(part, rows, MODIFIERS))
    missing_codes = 0 if _are_filled(part, rows, ["hcpcs_code"]) else part.row_count
    measures = [
        *_measure_cells(part, rows, load_quality_checks()),
        Measure("missing_codes", "hcpcs_code", part.row_count, missing_codes),
        _measure_disguises(part, rows, codes),
        *lines,
        _measure_relevance(part.rows_read, lines[0].row_count, earlier),
    ]
    return [asdict(measure) | {"forms": list(measure.forms)} for measure in measures]


def refuse_dubious_ids(extract: str, quality: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an extract whose ids do not tell persons, members or claims apart: its findings would accuse people of what others got."""
    checks = load_quality_checks()
    for measure in quality:
        check, found, count = checks[measure["check_id"]], measure["found_count"], measure["row_count"]
        if check.refuses(count, found):
            raise ExtractRefused(
                f"{extract}: {measure['column']}: {found:,} of {count:,} rows: {check.meaning}. Nothing of it was loaded, since "
                f"{check.effect}. What to do: {check.remedy}. Then deliver the extract again."
            )


def _measure_cells(part: Part, rows: ScannedRows, checks: Mapping[str, QualityCheck]) -> list[Measure]:
    """Measure ids and codes in the sample, and in all rows where the sample is not all and shows something."""
    readings = {name: part.reading(BY_NAME[name], FIRST_FORM) for name in CELLS}
    cells = ", ".join(f"{reading.value} as {name}" for name, reading in readings.items())
    places = [part.columns[name] for name in CELLS if name in part.columns]
    sample = pa.table({f"c{place}": pa.array([row[place] for row in rows.sample], pa.string()) for place in places})
    most_members = checks["person_over_members"].value_limit
    is_all = sample.num_rows == part.row_count
    with registered(part.con, "sample_rows", sample):
        query = f"select {cells} from {select_drafts(readings, 'sample_rows')}"
        measures = _measure_query(part, query, most_members if is_all else FEW_MEMBERS)
    if is_all or not any(checks[measure.check_id].suspects(measure.row_count, measure.found_count) for measure in measures):
        return measures
    part.take_plain_rows_back()
    where = f"where preset <> {REASONS['unparseable_row']}"
    queries = [f"select {cells} from {select_drafts(readings, source)} {where}" for source in part.sources()]
    return _measure_query(part, " union all ".join(queries), most_members)


def _measure_query(part: Part, cells: str, most_members: int) -> list[Measure]:
    """Measure what a query gives of ids and codes; a person may have `most_members`."""
    tallies = [f"(select coalesce(max(n), 0) from (select count({name}) as n from cells group by {name}))" for name in IDS]
    tallies += [f"count(case when regexp_full_match({name}, {quote_text(SCIENTIFIC)}) then 1 end)" for name in IDS]
    over = (
        f"select count(*) as n from cells where person_id is not null group by person_id having count(distinct member_id) > {most_members}"
    )
    tallies += [f"(select coalesce(sum(n), 0)::bigint from ({over}))", "count(hcpcs_code)", f"count(case when {UNLIKE_CODE} then 1 end)"]
    count, *found = fetch_row(part.con, f"with cells as materialized ({cells}) select count(*), {', '.join(tallies)} from cells")
    *of_ids, over_members, coded, unlike = found
    checks = [*((f"one_{name}", name) for name in IDS), *(("scientific_id", name) for name in IDS)]
    return [
        *(Measure(check_id, name, count, number) for (check_id, name), number in zip(checks, of_ids, strict=True)),
        Measure("person_over_members", "person_id", count, over_members),
        Measure("unlike_code", "hcpcs_code", coded, unlike),
    ]


def _measure_disguises(part: Part, rows: ScannedRows, codes: Sequence[Code]) -> Measure:
    """Measure, over all rows, codes of families that are not alone in their cells."""
    forms: list[str] = []
    if rows.disguised_count:
        reading = part.reading(BY_NAME["hcpcs_code"], FIRST_FORM)
        queries = [
            f"select {reading.value} as hcpcs_code from {select_drafts({'hcpcs_code': reading}, source)} "
            f"where preset <> {REASONS['unparseable_row']}"
            for source in part.sources()
        ]
        forms = _list_forms(part, "hcpcs_code", f"({' union all '.join(queries)}) where {is_code_in_disguise(codes)}")
    return Measure("code_in_disguise", "hcpcs_code", part.row_count, rows.disguised_count, tuple(forms))


def _list_forms(part: Part, column: str, source: str) -> list[str]:
    """List the most frequent forms of the cells of a column."""
    form = f"regexp_replace(regexp_replace({column}, '\\pN', '9', 'g'), '\\pL', 'A', 'g')[1:{FORM_LENGTH}]"
    found = part.con.execute(f"select {form} as form from {source} group by form order by count(*) desc, form limit {FORMS}").fetchall()
    return [form for (form,) in found]


def _are_filled(part: Part, rows: ScannedRows, columns: Sequence[str]) -> bool:
    """Say whether any of some columns is there and filled in any row at all."""
    return any(rows.filled_counts[part.columns[name]] for name in columns if name in part.columns)


def _measure_lines(part: Part, codes: Sequence[Code], has_modifiers: bool) -> list[Measure]:
    """Measure the kept lines with a family's code; whether any row of the extract has a modifier says which check theirs are counted for."""
    known = ", ".join(quote_text(code) for code in sorted({code.hcpcs_code for code in codes})) or "null"
    modifiers = f"[{', '.join(MODIFIERS)}]"
    day = "day(coalesce(claim_line_start_date, claim_start_date))"
    part.con.execute(
        f"create or replace temp table coded_lines as select claim_type, {day} as service_day, list_filter({modifiers}, "
        f"lambda modifier: modifier is not null) as modifiers from kept where not is_repeat and hcpcs_code in ({known})"
    )
    unlike = f"(select unnest(modifiers) as modifier from coded_lines) where {UNLIKE_MODIFIER}"
    count, untyped, unmodified, misread, bunched = fetch_row(
        part.con,
        "select count(*), count(*) - count(claim_type), count(case when modifiers = [] then 1 end), "
        f"count(case when len(list_filter(modifiers, lambda modifier: {UNLIKE_MODIFIER})) > 0 then 1 end), "
        "(select coalesce(max(n), 0) from (select count(*) as n from coded_lines group by service_day)) from coded_lines",
    )
    forms = tuple(_list_forms(part, "modifier", unlike)) if misread else ()
    return [
        Measure(OF_CODED_LINES, "claim_type", count, untyped),
        Measure("missing_modifiers", MODIFIERS[0], count, 0 if has_modifiers else unmodified),
        Measure("missing_modifiers_of_lines", MODIFIERS[0], count, unmodified if has_modifiers else 0),
        Measure("unlike_modifier", MODIFIERS[0], count, misread, forms),
        Measure("dates_on_one_day", "claim_line_start_date", count, bunched),
    ]


def _measure_relevance(rows_read: int, coded_lines: int, earlier: Sequence[Batch]) -> Measure:
    """Measure an extract without a line to audit where the share of those lines in earlier extracts of its feed makes that no chance."""
    known = [batch for batch in earlier if batch.quality]
    rows = sum(batch.controls["rows_read"] for batch in known)
    lines = sum(row["row_count"] for batch in known for row in batch.quality if row["check_id"] == OF_CODED_LINES)
    is_odd = not coded_lines and lines and (1 - lines / rows) ** rows_read < CHANCE
    return Measure("no_relevant_line", "hcpcs_code", rows_read, rows_read if is_odd else 0)
