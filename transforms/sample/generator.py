"""The generator of synthetic extracts that knows the truth: `sij-audit sample` and `data/sample/`, and the large files of the benchmarks.

The truth comes from `scenarios`, where a person says what must be found next to the lines; `truth.json` carries it to the tests.
"""

import gzip
import io
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.columns import BATCH_SCHEMA
from sij_audit.transforms.sample.bills import AS_OF, CORRECTIONS, FACILITY, PROFESSIONAL, bill
from sij_audit.transforms.sample.expected import Finding
from sij_audit.transforms.sample.ordinary import SCHEMA, Mix, make_lines
from sij_audit.transforms.sample.scenarios import PLANTED

EXTRACTS = (PROFESSIONAL, FACILITY, CORRECTIONS)
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


@dataclass(frozen=True)
class Person:
    """One planted person, and what the audit must find; nothing, where the claims comply."""

    person_id: str
    scenario: str
    why: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class RefusedRow:
    """A row that must be quarantined: the number of its data record in the extract, from 1."""

    extract: str
    row_number: int
    reason: str


@dataclass(frozen=True)
class ExtractCounts:
    """How many rows an extract has, and how many of them must be refused or repeat a kept one."""

    extract: str
    rows_read: int
    rows_quarantined: int
    rows_duplicate: int


@dataclass(frozen=True)
class Truth:
    """All that an audit of the sample on the as-of date must say. Persons who are not named here must have no finding."""

    as_of: date
    people: tuple[Person, ...]
    refused_rows: tuple[RefusedRow, ...]
    extracts: tuple[ExtractCounts, ...]


def write_sample(folder: Path, persons: int, seed: int) -> None:
    """Write three extracts and `truth.json` into a folder.

    Every scenario has at least one person, and one more for every 1,000 persons asked for; the others have ordinary claims. The same
    arguments make the same bytes on any machine, up to how gzip and Parquet are compressed there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    planted, people = plant_people(1 + persons // 1_000)
    background = make_background(seed, max(persons - len(people), 0))
    counts: list[ExtractCounts] = []
    refused: list[RefusedRow] = []
    for extract in EXTRACTS:
        lines = pl.concat([planted, background]).filter(pl.col("extract") == extract)
        lines = lines.sort("paid_date", "claim_id", "claim_line_number", maintain_order=True).select(list(SCHEMA))
        if extract == FACILITY:
            rows, bad = write_facility(folder / extract, lines)
        else:
            rows, bad = write_csv(folder / extract, lines)
        duplicates = lines.height - lines.unique().height
        counts.append(ExtractCounts(extract, rows, len(bad), duplicates))
        refused.extend(bad)
    write_truth(folder, Truth(AS_OF, people, tuple(refused), tuple(counts)))


def plant_people(copies: int) -> tuple[pl.DataFrame, tuple[Person, ...]]:
    """Turn each scenario into the lines of so many persons, and say what must be found of whom."""
    rows: list[dict[str, Any]] = []
    people: list[Person] = []
    for number, scenario in enumerate(PLANTED * copies):
        mine = {"person_id": f"P9{number:07}", "member_id": f"M9{number:07}"}
        for line in scenario.lines:
            claims = {name: f"S{number:07}{line[name]}" for name in ("claim_id", "replaced_claim_id") if name in line}
            rows.append(mine | line | claims)
        person_id = mine["person_id"]
        if all(line.get("person_id", "") is None for line in scenario.lines):
            first = scenario.lines[0]
            person_id = f"{first['data_source']}|{first['payer']}|{mine['member_id']}"
        people.append(Person(person_id, scenario.name, scenario.why, scenario.findings))
    return type_rows(rows), tuple(people)


def type_rows(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Put rows of Python values into typed columns; amounts are texts until here, so that no cent is rounded."""
    amounts = [name for name, kind in SCHEMA.items() if isinstance(kind, pl.Decimal)]
    schema = SCHEMA | dict.fromkeys(amounts, pl.String()) | {"extract": pl.String()}
    full_rows = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(full_rows, schema=schema).with_columns(pl.col(amounts).cast(pl.Decimal(14, 2)))


def make_background(seed: int, persons: int) -> pl.DataFrame:
    """Make ordinary claims, three for two persons; none of them has a code that the audit looks at."""
    mix = Mix(seed=seed, persons=max(persons, 1), patients=0, relevant_share=0)
    is_adjustment = (pl.col("claim_status") == "reversed") | pl.col("claim_frequency_code").is_in(["7", "8"])
    return make_lines(mix, 0, persons * 3 // 2).with_columns(
        extract=pl.when(is_adjustment)
        .then(pl.lit(CORRECTIONS))
        .when(pl.col("claim_type") == "institutional")
        .then(pl.lit(FACILITY))
        .otherwise(pl.lit(PROFESSIONAL))
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


def write_truth(folder: Path, truth: Truth) -> None:
    """Write what must be found next to the extracts."""
    (folder / "truth.json").write_text(json.dumps(asdict(truth), indent=1, default=str, ensure_ascii=False) + "\n", encoding="utf-8")


def load_truth(folder: Path) -> Truth:
    """Load what `write_sample` wrote of what must be found."""
    content = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return Truth(
        as_of=date.fromisoformat(content["as_of"]),
        people=tuple(Person(**person | {"findings": tuple(map(load_finding, person["findings"]))}) for person in content["people"]),
        refused_rows=tuple(RefusedRow(**row) for row in content["refused_rows"]),
        extracts=tuple(ExtractCounts(**extract) for extract in content["extracts"]),
    )


def load_finding(values: dict[str, Any]) -> Finding:
    """Give an expected finding its dates back."""
    compliant = values["earliest_compliant_date"]
    return Finding(
        **values
        | {
            "service_date": date.fromisoformat(values["service_date"]),
            "earliest_compliant_date": date.fromisoformat(compliant) if compliant else None,
            "doubts": tuple(values["doubts"]),
            "presumptions": tuple(values["presumptions"]),
        }
    )


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
