"""Two runs compared say of each finding what the later one would have, had the other come right before it."""

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from sij_audit.transforms.audit.comparison import compare_audit, compare_runs, total_by_policy
from sij_audit.transforms.audit.inputs import gather_inputs
from sij_audit.transforms.audit.run import Request, identify_run
from sij_audit.transforms.audit.steps import audited
from sij_audit.transforms.audit.summary import STRENGTHS
from sij_audit.transforms.stages.policies import load_policies, policy_folders
from sij_audit.transforms.store.folder import Store
from tests.runs import EARLY, SAMPLE, line, read_report, run_reports, write_extract


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Runs over the sample's extracts, which hold corrections of one another, given one by one."""
    out = tmp_path_factory.mktemp("three") / "out"
    first, second, third = (path for path in sorted(SAMPLE.iterdir()) if path.name.startswith("claims_"))
    return run_reports(out, first).current, run_reports(out, second).current, run_reports(out, third).current


def test_a_run_against_the_one_before_is_as_it_was_published(three: tuple[Path, Path, Path]) -> None:
    for before, after in pairwise(three):
        published = {row["finding_id"]: (row["status"], row["amount_at_risk"]) for row in read_report(after)}
        compared = compare_runs(before, after).findings
        assert {finding.finding_id: (finding.status, finding.amount_after) for finding in compared} == published
        assert len({status for status, _ in published.values()}) > 1


def test_what_is_new_one_way_is_withdrawn_the_other_way(three: tuple[Path, Path, Path]) -> None:
    other = {"new": "withdrawn", "withdrawn": "new"}
    there, back = (compare_runs(*pair).findings for pair in ((three[0], three[2]), (three[2], three[0])))
    turned = {
        (
            finding.finding_id,
            other.get(finding.status, finding.status),
            finding.strength_after,
            finding.strength_before,
            finding.amount_after,
            finding.amount_before,
        )
        for finding in there
    }
    assert turned == {
        (
            finding.finding_id,
            finding.status,
            finding.strength_before,
            finding.strength_after,
            finding.amount_before,
            finding.amount_after,
        )
        for finding in back
    }


def test_a_run_against_itself_changes_nothing(three: tuple[Path, Path, Path]) -> None:
    comparison = compare_runs(three[2], three[2])
    assert {finding.status for finding in comparison.findings} == {"open"}
    held = [row["amount_at_risk"] for row in read_report(three[2]) if row["status"] != "withdrawn"]
    assert sum(held) > 0
    [total] = total_by_policy(comparison.rules)
    assert (total.open_findings, total.amount_before, total.amount_after) == (len(held), sum(held), sum(held))


def test_rules_and_providers_add_up_to_the_findings(three: tuple[Path, Path, Path]) -> None:
    comparison = compare_runs(three[0], three[2])
    statuses = Counter(finding.status for finding in comparison.findings)
    [total] = total_by_policy(comparison.rules)
    assert statuses == Counter(
        new=total.new_findings, changed=total.changed_findings, withdrawn=total.withdrawn_findings, open=total.open_findings
    )
    for side in ("amount_before", "amount_after"):
        sums = {sum(getattr(row, side) for row in rows) for rows in (comparison.findings, comparison.rules, comparison.providers)}
        assert len(sums) == 1, side
    held = [row for row in read_report(three[2]) if row["status"] != "withdrawn"]
    assert total.amount_after == sum(row["amount_at_risk"] for row in held)
    for strength in STRENGTHS:
        assert getattr(total, f"{strength}_after") == sum(row["strength"] == strength for row in held)


def test_what_was_withdrawn_before_is_no_earlier_finding(tmp_path: Path) -> None:
    out = tmp_path / "out"
    runs = [
        run_reports(out, write_extract(tmp_path / "1.parquet", EARLY)).run,
        run_reports(
            out, write_extract(tmp_path / "2.parquet", [line("C2", "2023-05-10", claim_frequency_code="8", replaced_claim_id="C")])
        ).run,
        run_reports(out, write_extract(tmp_path / "3.parquet", [line("D", "2023-05-10")])).run,
    ]
    statuses = [
        [finding.status for finding in compare_runs(before, after).findings]
        for before, after in ((runs[0], runs[1]), (runs[1], runs[2]), (runs[0], runs[2]))
        if before and after
    ]
    assert statuses == [["withdrawn"], ["new"], ["changed"]]


def test_an_audit_that_is_not_published_is_compared_as_it_would_be(early: Path) -> None:
    store = Store(early)
    request = Request(out=early, as_of=date(2023, 4, 30))
    policies = load_policies(policy_folders())
    with store.lock():
        batches = store.batches()
        with audited(gather_inputs(store, batches, [], policies, identify_run(store, request, batches, [], policies))) as audit:
            comparison = compare_audit(audit.con)
    [finding] = comparison.findings
    assert (finding.status, finding.strength_before, finding.strength_after) == ("withdrawn", "presumed", None)
    assert (finding.amount_before, finding.amount_after) == (Decimal("186.40"), Decimal("0.00"))
    [provider] = comparison.providers
    assert (provider.withdrawn_findings, provider.amount_before) == (1, Decimal("186.40"))
