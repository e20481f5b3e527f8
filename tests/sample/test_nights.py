"""The three nights of data/sample/README.md, typed as they stand there."""

import re
import shlex
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from sij_audit.transforms.sample.generator import REVIEWS
from sij_audit.transforms.sample.stories import RECOVERED
from sij_audit.transforms.sample.truth_file import load_truth
from tests.runs import SAMPLE, command, read_report
from tests.sample.test_truth import count_right

TEXT = (SAMPLE / "README.md").read_text(encoding="utf-8").split("## Three nights")[1]
COMMANDS = re.findall(r"^sij-audit ([^#\n]*)", TEXT, re.MULTILINE)
OUT = "out/nights"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the sample, after the commands in it."""
    folder = tmp_path_factory.mktemp("nights")
    (folder / "data").symlink_to(SAMPLE.parent)
    for words in COMMANDS:
        done = command(*shlex.split(words), cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def reviewed(folder: Path) -> pl.DataFrame:
    """What reviewers said of each finding, and what became of it."""
    dispositions = pl.read_csv(SAMPLE / REVIEWS).select("finding_id", "disposition", "recovered_amount")
    return pl.DataFrame(read_report(folder / OUT)).join(dispositions, on="finding_id")


def test_every_disposition_is_of_a_finding_that_stays(folder: Path, reviewed: pl.DataFrame) -> None:
    assert reviewed.height == len((SAMPLE / REVIEWS).read_text(encoding="utf-8").splitlines()) - 1
    assert "withdrawn" not in set(reviewed["status"])
    counts = Counter(reviewed["disposition"])
    assert f"Of the {reviewed.height} that reviewers answered, {counts['overturned']} are overturned" in TEXT
    assert f"{counts['upheld']} are upheld" in TEXT


def test_what_was_upheld_and_paid_back_is_recovered_and_stays_found(folder: Path, reviewed: pl.DataFrame) -> None:
    lines = [line for line in read_report(folder / OUT, "lines") if line["line_status"] == "recovered"]
    visits = {(line["person_id"], line["service_date"]) for line in lines}
    assert {person for person, _ in visits} == {person.person_id for person in load_truth(SAMPLE).patients if person.billing == RECOVERED}
    paid_back = reviewed.filter(pl.col("recovered_amount").is_not_null())
    assert set(paid_back.select("person_id", "service_date").iter_rows()) == visits
    assert (paid_back["amount_at_risk"] == 0).all()
    assert (paid_back["recovered_amount"] > 0).all()
    assert f"of {len(visits)} visits" in TEXT
    assert f"their {len(lines)} lines are" in TEXT.replace("\n", " ")


def test_what_was_overturned_has_no_dollar_at_risk_and_is_not_handed_over(folder: Path, reviewed: pl.DataFrame) -> None:
    overturned = reviewed.filter(pl.col("disposition") == "overturned")
    assert (overturned["amount_at_risk"] == 0).all()
    held_back = {row["finding_id"] for row in read_report(folder / OUT, "review_states") if row["held_back_for"] == "overturned"}
    assert held_back == set(overturned["finding_id"])


def test_findings_whose_claims_were_corrected_are_withdrawn_and_proven_ones_are_right(folder: Path) -> None:
    findings = read_report(folder / OUT)
    statuses = Counter(row["status"] for row in findings)
    assert min(statuses[status] for status in ("new", "changed", "open", "withdrawn")) > 0
    first, *_ = sorted((folder / OUT / "runs").iterdir())
    assert f"The first night finds {len(read_report(first))}" in TEXT
    assert f"withdraws {statuses['withdrawn']}" in TEXT
    found, right = count_right((row for row in findings if row["status"] != "withdrawn"), load_truth(SAMPLE))["proven"]
    assert found == right > 0


def test_the_members_shown_are_a_recovered_and_an_overturned_one(folder: Path, reviewed: pl.DataFrame) -> None:
    one, other = re.findall(r"member (P\d+)", TEXT)
    assert reviewed.filter(pl.col("person_id") == one)["recovered_amount"].drop_nulls().len() == 1
    assert set(reviewed.filter(pl.col("person_id") == other)["disposition"]) == {"overturned"}
