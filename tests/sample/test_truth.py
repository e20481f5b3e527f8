"""The audit of the sample says what the generator knows, no more and no less."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sij_audit.transforms.sample.generator import Truth, load_truth

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
FACTS = [
    "rule_id",
    "service_date",
    "determination",
    "strength",
    "scope",
    "doubts",
    "presumptions",
    "site",
    "interval_days",
    "prior_count",
    "earliest_compliant_date",
    "paid_amount",
]


@pytest.fixture(scope="module")
def truth() -> Truth:
    return load_truth(SAMPLE)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, truth: Truth) -> Path:
    folder = tmp_path_factory.mktemp("truth") / "out"
    command = Path(sys.executable).with_name("sij-audit")
    subprocess.run([command, "run", SAMPLE, "--out", folder, "--as-of", str(truth.as_of)], check=True)
    return folder


def found_facts(finding: dict[str, Any]) -> dict[str, Any]:
    return {name: finding[name] for name in FACTS} | {"paid_amount": str(finding["paid_amount"])}


def test_every_planted_person_has_what_must_be_found_and_nobody_else_has_any(out: Path, truth: Truth) -> None:
    expected = {
        (person.scenario, person.person_id): [
            {name: getattr(finding, name) for name in FACTS}
            | {"doubts": sorted(finding.doubts), "presumptions": sorted(finding.presumptions)}
            for finding in person.findings
        ]
        for person in truth.people
    }
    scenarios = {person.person_id: person.scenario for person in truth.people}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {key: [] for key in expected}
    for finding in pl.read_parquet(out / "current" / "findings.parquet").iter_rows(named=True):
        key = (scenarios.get(finding["person_id"], "ordinary"), finding["person_id"])
        found.setdefault(key, []).append(found_facts(finding))
    for findings in [*expected.values(), *found.values()]:
        findings.sort(key=lambda facts: (facts["rule_id"], facts["service_date"]))
    assert found == expected


def test_every_row_is_accounted_for(out: Path, truth: Truth) -> None:
    controls = {row["extract"]: row for row in pl.read_parquet(out / "current" / "controls.parquet").iter_rows(named=True)}
    assert set(controls) == {extract.extract for extract in truth.extracts}
    for extract in truth.extracts:
        row = controls[extract.extract]
        assert row["outcome"] == "taken"
        assert (row["rows_read"], row["rows_quarantined"], row["rows_duplicate"]) == (
            extract.rows_read,
            extract.rows_quarantined,
            extract.rows_duplicate,
        )


def test_every_bad_row_is_refused_for_its_reason(out: Path, truth: Truth) -> None:
    refused = pl.concat([pl.read_parquet(file) for file in sorted((out / "quarantine").glob("*.parquet"))])
    found = Counter(refused.select("source_file", "row_number", "reason").iter_rows())
    assert found == Counter((row.extract, row.row_number, row.reason) for row in truth.refused_rows)
