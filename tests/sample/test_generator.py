"""The sample's generator: what it makes, apart from what an audit says of it."""

import gzip
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.columns import BATCH_SCHEMA, QUARANTINE_REASONS
from sij_audit.transforms.sample.bills import CORRECTIONS, FACILITY, PROFESSIONAL
from sij_audit.transforms.sample.generator import EXTRACTS, REVIEWS, write_benchmark, write_sample
from sij_audit.transforms.sample.network import FACILITIES, PHYSICIANS, PRACTICES
from sij_audit.transforms.sample.ordinary import LAGS, PROCEDURE_CODES, SCHEMA, Mix, find_adjusted_claims, make_lines, pick_number
from sij_audit.transforms.sample.scenarios import PLANTED
from sij_audit.transforms.sample.truth_file import load_truth
from sij_audit.transforms.stages.policies import RULES
from sij_audit.transforms.stages.reference import REFERENCE
from tests.oracle import group_of_business
from tests.runs import SAMPLE

PERSONS = 2_400
ONLY_REVIEWS = {"injections_beyond_twelve_months", "bilateral_injection"}
"""Rules whose exceptions claims cannot show."""


def read_content(folder: Path) -> dict[str, Any]:
    """Read what does not hang on a machine's compression."""
    return {
        PROFESSIONAL: (folder / PROFESSIONAL).read_bytes(),
        FACILITY: pq.read_table(folder / FACILITY),
        CORRECTIONS: gzip.decompress((folder / CORRECTIONS).read_bytes()),
        "truth": (folder / "truth.json").read_bytes(),
        "reviews": (folder / REVIEWS).read_bytes(),
    }


def test_the_sample_that_is_checked_in_is_what_the_generator_makes(tmp_path: Path) -> None:
    write_sample(tmp_path, persons=PERSONS, seed=1)
    made, kept = read_content(tmp_path), read_content(SAMPLE)
    for name, content in made.items():
        assert content == kept[name], name


def test_another_seed_changes_the_patients_and_not_the_planted_persons(tmp_path: Path) -> None:
    write_sample(tmp_path, persons=400, seed=2)
    assert load_truth(tmp_path).people == load_truth(SAMPLE).people
    assert load_truth(tmp_path).patients != load_truth(SAMPLE).patients[: len(load_truth(tmp_path).patients)]


def test_few_persons_are_planted_ones_alone(tmp_path: Path) -> None:
    write_sample(tmp_path, persons=1, seed=1)
    assert load_truth(tmp_path).patients == ()
    assert (tmp_path / REVIEWS).read_text(encoding="utf-8").splitlines() == ["finding_id,disposition,recovered_amount,reviewer,note"]


def test_files_are_small_and_the_folder_holds_nothing_else() -> None:
    files = [path for path in SAMPLE.rglob("*") if path.is_file()]
    assert {path.relative_to(SAMPLE).as_posix() for path in files} == {*EXTRACTS, REVIEWS, "truth.json", "README.md"}
    assert sum(map(os.path.getsize, files)) < 1_500_000


def read_lines() -> pl.DataFrame:
    """All lines of the sample that an audit can read."""
    csv = pl.read_csv(SAMPLE / PROFESSIONAL, infer_schema=False, truncate_ragged_lines=True).filter(pl.col("hcpcs_code").is_not_null())
    parquet = pl.read_parquet(SAMPLE / FACILITY).select(csv.columns).cast(pl.String)
    return pl.concat([csv, parquet])


def test_a_few_practices_have_most_of_the_patients() -> None:
    lines = read_lines()
    npis = {npi for name in ("rendering_npi", "billing_npi", "facility_npi") for npi in lines[name].drop_nulls()}
    assert 30 <= len(npis) <= 60
    assert all(npi.startswith("9") for npi in npis), "no NPI of a provider begins with 9"
    treated = lines.filter(pl.col("hcpcs_code").is_in(PROCEDURE_CODES) & pl.col("billing_npi").is_in(PRACTICES))
    most, *fewer = sorted(treated.group_by("billing_npi").agg(pl.col("person_id").n_unique())["person_id"], reverse=True)
    assert len(fewer) == len(PRACTICES) - 1
    assert most > sum(fewer) / 3
    assert most > 8 * fewer[-1]


def test_every_group_of_lines_of_business_is_there() -> None:
    treated = read_lines().filter(pl.col("hcpcs_code").is_in(PROCEDURE_CODES))
    groups: dict[str, set[str]] = {}
    for person_id, business in treated.select("person_id", "line_of_business").unique().iter_rows():
        groups.setdefault(group_of_business(business), set()).add(person_id)
    assert set(groups) == {"commercial", "medicaid", "medicare", "unknown"}
    assert min(map(len, groups.values())) > 30
    assert len(groups["medicaid"] & groups["medicare"]) > 10, "dual"


def test_every_rule_has_what_it_can_find() -> None:
    planted = {(finding.rule_id, finding.determination) for scenario in PLANTED for finding in scenario.findings}
    rules = {path.stem for folder in RULES.iterdir() if folder.is_dir() for path in folder.glob("*.sql")}
    rules = {re.sub(r"^\d+_", "", rule) for rule in rules} - {"bilateral_injection"}
    wanted = {(rule, "review") for rule in rules} | {(rule, "violation") for rule in rules - ONLY_REVIEWS}
    assert planted == wanted


def test_every_doubt_and_strength_is_planted() -> None:
    findings = [finding for scenario in PLANTED for finding in scenario.findings]
    known = pl.read_csv(REFERENCE / "doubts.csv")["doubt_id"].to_list()
    assert {doubt for finding in findings for doubt in (*finding.doubts, *finding.presumptions)} == set(known)
    assert {finding.strength for finding in findings} == {"proven", "presumed", "likely", "possible"}


def test_every_scenario_says_its_own_name_and_some_comply() -> None:
    names = Counter(scenario.name for scenario in PLANTED)
    assert max(names.values()) == 1
    for scenario in PLANTED:
        assert scenario.name.startswith("complies_") == (not scenario.findings), scenario.name


def test_every_quarantine_reason_is_planted() -> None:
    assert {row.reason for row in load_truth(SAMPLE).refused_rows} == set(QUARANTINE_REASONS)


def test_truth_counts_the_records_of_each_file() -> None:
    truth = load_truth(SAMPLE)
    content = read_content(SAMPLE)
    rows = {
        PROFESSIONAL: content[PROFESSIONAL].count(b"\n") - 1,
        FACILITY: content[FACILITY].num_rows,
        CORRECTIONS: content[CORRECTIONS].count(b"\n"),  # the last one has no end, the header has one
    }
    assert {counts.extract: counts.rows_read for counts in truth.extracts} == rows
    refused = Counter(row.extract for row in truth.refused_rows)
    assert {counts.extract: counts.rows_quarantined for counts in truth.extracts} == refused


def test_readme_says_what_the_truth_says() -> None:
    truth = load_truth(SAMPLE)
    counts = Counter((finding.rule_id, finding.determination) for person in truth.people for finding in person.findings)
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for rule in {rule for rule, _ in counts}:
        assert f"| {rule} | {counts[rule, 'violation']} | {counts[rule, 'review']} |" in text
    for extract in truth.extracts:
        assert f"| {extract.extract} | {extract.rows_read} | {extract.rows_quarantined} | {extract.rows_duplicate} |" in text
    complying = sum(not person.findings for person in truth.people)
    assert f"{len(truth.people)} persons are planted: {len(truth.people) - complying} whose" in text
    assert f"and {complying} whose" in text
    assert f"--as-of {truth.as_of}" in text
    assert f"--persons {PERSONS} --seed 1" in text
    assert f"{len(truth.patients)} patients have" in text
    assert f"{len(PHYSICIANS)} physicians of {len(PRACTICES)} practices, and {len(FACILITIES)} hospitals" in text


def test_most_planted_lines_say_their_side_and_line_of_business() -> None:
    lines = [line for scenario in PLANTED for line in scenario.lines]
    assert sum(line["line_of_business"] is None for line in lines) < len(lines) / 10
    injections = [line for line in lines if line["hcpcs_code"] in {"27096", "G0260"}]
    assert sum(line["hcpcs_modifier_1"] is None for line in injections) < len(injections) / 10


def test_background_has_no_code_of_a_family() -> None:
    lines = make_lines(Mix(seed=3, persons=100, patients=0, relevant_share=0), 0, 2_000)
    assert not lines["hcpcs_code"].is_in(PROCEDURE_CODES).any()


def test_columns_are_canonical() -> None:
    assert len(SCHEMA) == 30
    assert set(SCHEMA) <= set(BATCH_SCHEMA.names)


def test_lines_do_not_hang_on_the_parts_in_which_they_are_made() -> None:
    mix = Mix(seed=5, persons=500, patients=20, relevant_share=0.05)
    whole = make_lines(mix, 0, 3_000)
    parts = pl.concat([make_lines(mix, 0, 1_234), make_lines(mix, 1_234, 3_000)])
    assert whole.sort(whole.columns).equals(parts.sort(parts.columns))


def test_numbers_are_the_same_on_every_machine() -> None:
    assert pick_number(7, 3, np.arange(6), 1_000).tolist() == [724, 396, 3, 436, 800, 578]


def test_mix_is_what_was_asked_for() -> None:
    mix = Mix(seed=1, persons=10_000, patients=200, relevant_share=0.002)
    lines = make_lines(mix, 50_000, 100_000)
    assert lines["hcpcs_code"].is_in(PROCEDURE_CODES).mean() == pytest.approx(0.002, rel=0.25)
    assert (lines["claim_status"] == "denied").mean() == pytest.approx(0.05, rel=0.1)
    assert lines.height / 50_000 == pytest.approx(3 * 1.05, rel=0.02)
    adjusted = (lines["claim_status"] == "reversed") | lines["claim_frequency_code"].is_in(["7", "8"])
    assert adjusted.mean() == pytest.approx(0.05, rel=0.1)
    assert (lines["claim_id"] == lines["claim_id"].shift(1)).sum() > 0.6 * lines.height


def test_adjustments_come_after_their_claims() -> None:
    mix = Mix(seed=1, persons=10, patients=1, adjusted_share=0.1)
    positions, claims = find_adjusted_claims(mix, np.arange(60_000))
    assert set((positions - claims).tolist()) == set(LAGS)
    assert (claims >= 0).all()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_next_benchmark_file_adjusts_claims_of_the_one_before(tmp_path: Path, suffix: str) -> None:
    mix = Mix(seed=1, persons=1_000, patients=20)
    following = write_benchmark(tmp_path / f"first.{suffix}", mix, 6_000)
    write_benchmark(tmp_path / f"second.{suffix}", mix, 3_000, following)
    read = pl.read_parquet if suffix == "parquet" else (lambda file: pl.read_csv(file, infer_schema=False))
    first, second = read(tmp_path / f"first.{suffix}"), read(tmp_path / f"second.{suffix}")
    assert first.height == pytest.approx(6_000, rel=0.05)
    assert first.columns == list(SCHEMA)
    both = set(first["claim_id"]) & set(second["claim_id"])
    assert both
    assert set(first["claim_id"]) - both
