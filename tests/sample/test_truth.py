"""The audit of the sample says what the generator knows, no more and no less."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sij_audit.transforms.pages.suppression import LEAST_MEMBERS
from sij_audit.transforms.sample.stories import RECOVERED
from sij_audit.transforms.sample.truth_file import Person, TreatedPerson, Truth, load_truth
from tests.runs import SAMPLE, read_report

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


def test_every_planted_person_has_what_must_be_found_and_who_has_ordinary_claims_has_nothing(out: Path, truth: Truth) -> None:
    expected = {
        (person.scenario, person.person_id): [
            {name: getattr(finding, name) for name in FACTS}
            | {"doubts": sorted(finding.doubts), "presumptions": sorted(finding.presumptions)}
            for finding in person.findings
        ]
        for person in truth.people
    }
    scenarios = {person.person_id: person.scenario for person in truth.people}
    patients = {person.person_id for person in truth.patients}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {key: [] for key in expected}
    for finding in read_report(out):
        if finding["person_id"] in patients:
            continue
        key = (scenarios.get(finding["person_id"], "ordinary"), finding["person_id"])
        found.setdefault(key, []).append(found_facts(finding))
    for findings in [*expected.values(), *found.values()]:
        findings.sort(key=lambda facts: (facts["rule_id"], facts["service_date"]))
    assert found == expected


def count_right(findings: Iterable[dict[str, Any]], truth: Truth) -> dict[str, tuple[int, int]]:
    """Count the findings of each strength, and those of them whose procedure really broke the rule."""
    broken = truth.list_broken()
    found = [(row["strength"], (row["person_id"], row["service_date"], row["rule_id"]) in broken) for row in findings]
    return {
        strength: (len([right for right in found if right[0] == strength]), found.count((strength, True)))
        for strength in ("proven", "presumed", "likely", "possible")
    }


def test_proven_violations_are_right_and_presumed_ones_mostly(out: Path, truth: Truth) -> None:
    counts = count_right(read_report(out), truth)
    assert counts == {"proven": (91, 91), "presumed": (235, 158), "likely": (164, 91), "possible": (235, 86)}
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for strength, (found, right) in counts.items():
        assert f"| {strength} | {found} | {right} |" in readme


def test_what_broke_the_policy_is_found_unless_its_claims_were_retracted_or_wait(out: Path, truth: Truth) -> None:
    found = {(row["person_id"], row["service_date"], row["rule_id"]) for row in read_report(out)}
    everybody: tuple[Person | TreatedPerson, ...] = (*truth.people, *truth.patients)
    billed = {person.person_id: person.scenario if isinstance(person, Person) else person.billing for person in everybody}
    missed = {person_id for person_id, day, rule in truth.list_broken() - found if day <= truth.as_of}
    assert {billed[person_id] for person_id in missed} == {RECOVERED}


def test_most_groups_on_the_page_have_enough_members(out: Path) -> None:
    findings, payees = (pl.read_parquet(out / "current" / f"{name}.parquet") for name in ("findings", "payees"))
    groups = [
        findings.group_by("rule_id", "determination"),
        findings.group_by(pl.col("service_date").dt.truncate("1q")),
        findings.filter(pl.col("determination") == "review").explode("doubts").group_by("doubts"),
        findings.select("finding_id", "person_id").join(payees, on="finding_id").group_by("billing_npi"),
    ]
    members = [size for group in groups for size in group.agg(pl.col("person_id").n_unique())["person_id"]]
    assert sum(size >= LEAST_MEMBERS for size in members) > 0.7 * len(members)


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
