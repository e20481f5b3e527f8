"""The generator of synthetic extracts that knows the truth: `sij-audit sample` and `data/sample/`, and the large files of the benchmarks.

Three kinds of persons: planted ones, whose findings are written down in the scenarios; patients, of whom is known what was really done; and
others, whose claims are not looked at.
"""

import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.columns import BATCH_SCHEMA
from sij_audit.transforms.sample.bills import AS_OF, CORRECTIONS, FACILITY, PROFESSIONAL, Line, bill
from sij_audit.transforms.sample.network import FACILITIES, PHYSICIANS
from sij_audit.transforms.sample.ordinary import SCHEMA, Mix, make_lines
from sij_audit.transforms.sample.patients import Patient, make_patient
from sij_audit.transforms.sample.planted import plant_people
from sij_audit.transforms.sample.reviews import write_reviews
from sij_audit.transforms.sample.truth_file import ExtractCounts, RefusedRow, TreatedPerson, Truth, write_truth

EXTRACTS = (PROFESSIONAL, FACILITY, CORRECTIONS)
REVIEWS = "reviews/dispositions.csv"
PATIENTS_PERCENT = 30
DATE_FORMATS = {PROFESSIONAL: "%Y-%m-%d", CORRECTIONS: "%m/%d/%Y"}
"""The corrections come from another system, which writes its dates as it likes."""

ARROW_SCHEMA = pa.schema([pa.field(name, pa.int64()) if kind == pl.Int64 else BATCH_SCHEMA.field(name) for name, kind in SCHEMA.items()])

REFUSED_CELLS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (PROFESSIONAL, "missing_claim_id", {"claim_id": ""}),
    (PROFESSIONAL, "missing_claim_line_number", {"claim_line_number": " "}),
    (PROFESSIONAL, "missing_member", {"member_id": ""}),
    (PROFESSIONAL, "missing_service_date", {"claim_line_start_date": "", "claim_start_date": ""}),
    (PROFESSIONAL, "invalid_date", {"claim_line_start_date": "2023-02-30"}),
    (PROFESSIONAL, "invalid_date", {"claim_line_start_date": "1889-05-10"}),
    (PROFESSIONAL, "invalid_amount", {"paid_amount": "1e3"}),
    (PROFESSIONAL, "invalid_amount", {"paid_amount": "186.405"}),
    (PROFESSIONAL, "invalid_number", {"service_unit_quantity": "one"}),
    (PROFESSIONAL, "invalid_number", {"claim_line_number": "1A"}),
    (PROFESSIONAL, "unknown_claim_status", {"claim_status": "adjusted"}),
    (CORRECTIONS, "missing_member", {"member_id": ""}),
    (CORRECTIONS, "nul_byte", {"plan": "Go\0ld"}),
    (CORRECTIONS, "bad_encoding", {"plan": "Go\udcffld"}),
)
"""Rows that must be refused, for what stands in their cells: extract, reason, what differs from a good row."""

REFUSED_ENDS = ((PROFESSIONAL, ",one field too many"), (PROFESSIONAL, None), (CORRECTIONS, ",one field too many"))
"""Rows that must be refused for the number of their fields: what follows a good row, or none where its last field is missing."""


def write_sample(folder: Path, persons: int, seed: int) -> None:
    """Write three extracts, `truth.json`, and what reviewers say into a folder.

    Every scenario has one person; of the others three in ten are patients, and the rest have ordinary claims. The same arguments make the
    same bytes on any machine, up to how gzip and Parquet are compressed there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    planted, people = plant_people()
    others = max(persons - len(people), 0)
    patients = [make_patient(seed, number) for number in range(others * PATIENTS_PERCENT // 100)]
    background = make_background(seed, others - len(patients))
    all_lines = pl.concat([type_rows([*planted, *list_lines(patients)]), background])
    counts: list[ExtractCounts] = []
    refused: list[RefusedRow] = []
    for extract in EXTRACTS:
        lines = all_lines.filter(pl.col("extract") == extract)
        lines = lines.sort("paid_date", "claim_id", "claim_line_number", maintain_order=True).select(list(SCHEMA))
        if extract == FACILITY:
            rows, bad = write_facility(folder / extract, lines)
        else:
            rows, bad = write_csv(folder / extract, lines)
        duplicates = lines.height - lines.unique().height
        counts.append(ExtractCounts(extract, rows, len(bad), duplicates))
        refused.extend(bad)
    treated = tuple(TreatedPerson(patient.person_id, patient.course, patient.story, patient.procedures) for patient in patients)
    write_truth(folder, Truth(AS_OF, people, treated, tuple(refused), tuple(counts)))
    write_reviews(folder / REVIEWS, patients)


def list_lines(patients: Sequence[Patient]) -> Iterator[Line]:
    """List the patients' lines with claim numbers that no other patient has."""
    for patient in patients:
        for line in patient.lines:
            yield line | {name: f"T{patient.number:07}{line[name]}" for name in ("claim_id", "replaced_claim_id") if name in line}


def type_rows(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Put rows of Python values into typed columns; amounts are texts until here, so that no cent is rounded."""
    amounts = [name for name, kind in SCHEMA.items() if isinstance(kind, pl.Decimal)]
    schema = SCHEMA | dict.fromkeys(amounts, pl.String()) | {"extract": pl.String()}
    full_rows = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(full_rows, schema=schema).with_columns(pl.col(amounts).cast(pl.Decimal(14, 2)))


def make_background(seed: int, persons: int) -> pl.DataFrame:
    """Make ordinary claims, one for two persons; none of them has a code that the audit looks at."""
    mix = Mix(seed=seed, persons=max(persons, 1), patients=0, relevant_share=0, providers=len(PHYSICIANS))
    is_adjustment = (pl.col("claim_status") == "reversed") | pl.col("claim_frequency_code").is_in(["7", "8"])
    return name_providers(make_lines(mix, 0, persons // 2)).with_columns(
        extract=pl.when(is_adjustment)
        .then(pl.lit(CORRECTIONS))
        .when(pl.col("claim_type") == "institutional")
        .then(pl.lit(FACILITY))
        .otherwise(pl.lit(PROFESSIONAL))
    )


def name_providers(lines: pl.DataFrame) -> pl.DataFrame:
    """Let ordinary claims come from the physicians and facilities that treat the patients."""
    physicians = {f"91000{number:05}": physician for number, physician in enumerate(PHYSICIANS)}
    npis = {number: physician.npi for number, physician in physicians.items()}
    practices = {number: physician.practice_npi for number, physician in physicians.items()}
    facilities = {f"92000{number:05}": npi for number, npi in enumerate(FACILITIES)}
    is_facility = pl.col("rendering_npi").is_null()
    facility = pl.col("billing_npi").replace_strict(facilities, default=None)
    return lines.with_columns(
        rendering_npi=pl.col("rendering_npi").replace_strict(npis, default=None),
        billing_npi=pl.when(is_facility).then(facility).otherwise(pl.col("rendering_npi").replace_strict(practices, default=None)),
        facility_npi=pl.when(is_facility).then(facility),
    )


def write_csv(file: Path, lines: pl.DataFrame) -> tuple[int, list[RefusedRow]]:
    """Write a CSV extract with its bad rows strewn in; give how many rows it has, and the bad ones."""
    extract = file.name
    header, *rows = render_csv(lines, extract)
    bad = make_refused_rows(extract)
    numbered: list[RefusedRow] = []
    step = len(rows) // (len(bad) + 1) + 1
    for place, (reason, row) in enumerate(bad):
        row_number = min((place + 1) * step, len(rows) + 1)
        rows.insert(row_number - 1, row)
        numbered.append(RefusedRow(extract, row_number, reason))
    content = b"\n".join([header, *rows, b""])
    if extract == CORRECTIONS:
        content += render_csv(type_rows([make_refused_row()]), extract)[1]
        numbered.append(RefusedRow(extract, len(rows) + 1, "unterminated_last_row"))
        file.write_bytes(gzip.compress(content, mtime=0))
    else:
        file.write_bytes(content)
    return len(rows) + (extract == CORRECTIONS), numbered


def render_csv(lines: pl.DataFrame, extract: str) -> list[bytes]:
    """Render the header and each row as CSV, without line ends: no cell of ours has one."""
    content = io.BytesIO()
    lines.select(list(SCHEMA)).write_csv(content, date_format=DATE_FORMATS[extract])
    return content.getvalue().splitlines()


def make_refused_row() -> dict[str, Any]:
    """Make a good row, to be spoiled: an injection that would be too early, were there another, of a person who has no other."""
    return bill("REFUSED", "2023-05-10", "27096", "RT") | {"person_id": "P70000000", "member_id": "M70000000", "plan": "Gold"}


def make_refused_rows(extract: str) -> list[tuple[str, bytes]]:
    """Make the rows of a CSV extract that must be refused, each with its reason."""
    names = list(SCHEMA)
    good = render_csv(type_rows([make_refused_row()]), extract)[1].decode().split(",")
    bad: list[tuple[str, bytes]] = []
    for where, reason, changes in REFUSED_CELLS:
        if where == extract:
            cells = [changes.get(name, cell) for name, cell in zip(names, good, strict=True)]
            bad.append((reason, ",".join(cells).encode(errors="surrogateescape")))
    for where, end in REFUSED_ENDS:
        if where == extract:
            bad.append(("unparseable_row", ",".join(good[:-1]).encode() if end is None else (",".join(good) + end).encode()))
    return bad


def write_facility(file: Path, lines: pl.DataFrame) -> tuple[int, list[RefusedRow]]:
    """Write the facilities' Parquet extract, and behind its good rows two that must be refused."""
    bad = type_rows(
        [
            make_refused_row() | {"claim_type": "institutional", "member_id": None},
            make_refused_row() | {"claim_type": "institutional", "claim_line_start_date": None, "claim_start_date": None},
        ]
    ).select(list(SCHEMA))
    pq.write_table(turn_to_arrow(pl.concat([lines, bad])), file)
    reasons = ("missing_member", "missing_service_date")
    numbered = [RefusedRow(file.name, lines.height + place, reason) for place, reason in enumerate(reasons, start=1)]
    return lines.height + len(numbered), numbered


def turn_to_arrow(lines: pl.DataFrame) -> pa.Table:
    """Turn lines into an Arrow table of the types that a plan's own Parquet would have."""
    return lines.to_arrow().cast(ARROW_SCHEMA)


def write_benchmark(file: Path, mix: Mix, lines: int, first_claim: int = 0) -> int:
    """Write about so many lines (within half a percent) as `.csv` or `.parquet`; give the number of the claim that a next file begins with.

    Made in parts of about half a million lines, so that memory does not grow with the file.
    """
    claims = round(lines / (3 * (1 + mix.adjusted_share)))
    last_claim = first_claim + claims
    starts = range(first_claim, last_claim, 150_000)
    parts = (make_lines(mix, start, min(start + 150_000, last_claim)) for start in starts)
    if file.suffix == ".parquet":
        with pq.ParquetWriter(file, ARROW_SCHEMA) as writer:
            for part in parts:
                writer.write_table(turn_to_arrow(part), row_group_size=122_880)
    else:
        with file.open("wb") as out:
            for number, part in enumerate(parts):
                part.write_csv(out, include_header=number == 0)
    return last_claim
