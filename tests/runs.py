"""Whole runs for tests: claim lines to audit, the files that they come in, and what stands in a published run."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.audit.database import Contents
from sij_audit.transforms.audit.publication import publish_run
from sij_audit.transforms.audit.run import Request, Result, run_audit
from sij_audit.transforms.audit.steps import Audit, Publication, RunSteps
from sij_audit.transforms.columns import BATCH_SCHEMA, COLUMNS
from sij_audit.transforms.duck import fetch_dicts
from sij_audit.transforms.sample import bills
from sij_audit.transforms.sample.truth_file import load_truth
from sij_audit.transforms.stages.queries import load_stage
from sij_audit.transforms.store.folder import METADATA_KEY

Row = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample"
AS_OF = bills.AS_OF
PLANTED = tuple(person.person_id for person in load_truth(SAMPLE).people)
"""The sample's planted persons: tests that go through persons one by one need no more."""
AMOUNTS = ("paid_amount", "allowed_amount", "charge_amount", "service_unit_quantity")


def line(claim: str, service_date: str, code: str = "27096", *modifiers: str, person: str = "P1", **changes: Any) -> Row:
    """A physician's paid, commercial line of one person; of the right side unless modifiers are given."""
    prices = {"paid_amount": bills.PRICES.get(code, "100.00")}
    row = bills.bill(claim, service_date, "27096", *(modifiers or ("RT",)), **{"hcpcs_code": code, **prices, **changes})
    row |= {"person_id": person, "member_id": f"M-{person}"} | changes
    row |= {name: Decimal(str(row[name])) for name in AMOUNTS if row.get(name) is not None}
    return {column.name: row.get(column.name) for column in COLUMNS}


EARLY = [line("A", "2023-01-10"), line("B", "2023-04-10"), line("C", "2023-05-10")]
"""The third injection is a month too early, and that alone is found."""


def write_extract(path: Path, rows: Sequence[Mapping[str, Any]], row_group_size: int = 1_000_000) -> Path:
    """Write lines as Parquet of their own types, or as CSV, by the file's name."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], BATCH_SCHEMA), path, row_group_size=row_group_size)
    else:
        write_csv(path, [column.name for column in COLUMNS], ([row[column.name] for column in COLUMNS] for row in rows))
    return path


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write cells as CSV; None is an empty one."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def run(out: Path, *extracts: Path, as_of: date = AS_OF, **settings: Any) -> Result:
    """Audit in this process."""
    return run_audit(Request(out=out, extracts=extracts, as_of=as_of, **settings))


class ReportsAlone(RunSteps):
    """The steps of a run without the files for people, which take half of its time."""

    def publish(self, audit: Audit, publication: Publication) -> Path:
        [totals] = fetch_dicts(audit.con, "from totals")
        contents = Contents(load_stage("5_reports"), ())
        return publish_run(publication.store, audit.con, publication.identity, publication.batches, totals, contents)


def run_reports(out: Path, *extracts: Path, as_of: date = AS_OF, **settings: Any) -> Result:
    """Audit in this process, for tests that read no more than the reports and the manifest."""
    return run_audit(Request(out=out, extracts=extracts, as_of=as_of, **settings), steps=ReportsAlone())


def command(*arguments: str | Path, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    program = Path(sys.executable).with_name("sij-audit")
    environment = {**os.environ, **variables}
    return subprocess.run([program, *arguments], env=environment, cwd=cwd, capture_output=True, text=True, check=False)


def copy_program(folder: Path) -> Path:
    """Copy the program into a folder; `python -m sij_audit` there runs the copy."""
    shutil.copytree(ROOT / "sij_audit", folder / "sij_audit", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def command_of(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command of a copy of the program."""
    words: list[str | Path] = [sys.executable, "-m", "sij_audit", *arguments]
    return subprocess.run(words, cwd=program, capture_output=True, text=True, check=False)


def read_report(place: Path, name: str = "findings") -> list[Row]:
    """The rows of a report of OUT's current run, or of a run."""
    run_folder = place / "current" if (place / "current").exists() else place
    return list(pq.ParquetFile(run_folder / f"{name}.parquet").read().to_pylist())


def findings(place: Path) -> list[Row]:
    """The findings but for the run's id, which hashes what the run was made of."""
    rows = read_report(place)
    for row in rows:
        del row["run_id"]
    return rows


def reports(place: Path) -> dict[str, bytes]:
    """The bytes of all reports of OUT's current run."""
    return {path.stem: path.read_bytes() for path in sorted((place / "current").glob("*.parquet"))}


def keys(rows: Iterable[Row], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of rows, as text where they are dates or amounts, sorted."""
    names = names or ("rule_id", "person_id", "service_date", "determination")
    return sorted(tuple(str(row[name]) if isinstance(row[name], date | Decimal) else row[name] for name in names) for row in rows)


def change_batch(path: Path, without: Sequence[str] = (), **facts: Any) -> None:
    """Let a batch say something else of itself, or less, its lines staying as they are."""
    table = pq.ParquetFile(path).read()
    metadata = table.schema.metadata
    said = {name: fact for name, fact in json.loads(metadata[METADATA_KEY]).items() if name not in without} | facts
    pq.write_table(table.replace_schema_metadata({**metadata, METADATA_KEY: json.dumps(said).encode()}), path)
