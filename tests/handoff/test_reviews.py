"""What comes back from reviewers and others is kept, counts in the next run, and decides what is handed over."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.handoff.deliveries import deliver
from sij_audit.transforms.handoff.reviews import import_dispositions, list_reviews, suppress
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.store.folder import Store
from tests.runs import Row, command, keys, line, read_report, run, write_csv, write_extract

HEADER = ["finding_id", "run_id", "disposition", "recovered_amount", "reviewer", "note"]


@pytest.fixture
def store(early: Path) -> Store:
    """OUT with one finding, which was handed over."""
    return Store(early)


def finding(store: Store) -> Row:
    [only] = read_report(store.root)
    return only


def review(store: Store, disposition: str = "overturned", name: str = "reviewed.csv", **cells: str) -> Path:
    row = {"finding_id": finding(store)["finding_id"], "disposition": disposition, **cells}
    return write_csv(store.root.with_name(name), HEADER, [[row.get(column) for column in HEADER]])


def state(store: Store) -> Row:
    [only] = read_report(store.root, "review_states")
    return only


def handed(store: Store) -> list[tuple[Any, ...]]:
    rows = pq.read_table(store.current / "handoff/findings.parquet").to_pylist()
    return keys(rows, "change", "earlier_disposition")


def test_the_next_run_carries_a_disposition(store: Store) -> None:
    imported = import_dispositions(store, review(store, "Upheld ", recovered_amount="100.50", reviewer="R", note="as billed"))
    assert imported.rows == 1
    assert run(store.root).run is not None, "a review is something new"
    [disposition] = read_report(store.root, "dispositions")
    assert {name: str(disposition[name]) for name in ("disposition", "recovered_amount", "reviewer", "note")} == {
        "disposition": "upheld",
        "recovered_amount": "100.50",
        "reviewer": "R",
        "note": "as billed",
    }
    [outcome] = [row for row in read_report(store.root, "review_outcomes") if row["reviewed"]]
    assert (outcome["rule_id"], outcome["determination"], outcome["overturn_rate"]) == ("interval_under_two_months", "violation", 0.0)
    assert run(store.root).run is None


def test_a_file_that_was_loaded_last_is_nothing_new(store: Store) -> None:
    file = review(store)
    import_dispositions(store, file)
    assert import_dispositions(store, file).is_known
    assert len(list_reviews(store, "dispositions")) == 1


def test_an_overturned_finding_is_not_handed_over_again_unless_its_evidence_changes(store: Store, tmp_path: Path) -> None:
    import_dispositions(store, review(store))
    run(store.root)
    assert (state(store)["disposition"], state(store)["held_back_for"]) == ("overturned", "overturned")
    assert handed(store) == []
    assert deliver(store, tmp_path / "to", Settings()).number is None
    run(store.root, write_extract(tmp_path / "2.parquet", [line("C", "2023-05-10", paid_date=date(2024, 3, 1), paid_amount="99.00")]))
    assert (state(store)["disposition"], state(store)["earlier_disposition"], state(store)["held_back_for"]) == (None, "overturned", None)
    assert handed(store) == [("new", "overturned")]


def test_a_review_of_an_earlier_run_is_bound_to_what_that_run_said(store: Store, tmp_path: Path) -> None:
    file = review(store, run_id=finding(store)["run_id"])
    run(store.root, write_extract(tmp_path / "2.parquet", [line("C", "2023-05-10", paid_date=date(2024, 3, 1), paid_amount="99.00")]))
    import_dispositions(store, file)
    run(store.root)
    assert (state(store)["earlier_disposition"], state(store)["held_back_for"]) == ("overturned", None)


@pytest.mark.parametrize("target", ["claim_id", "finding_id"])
def test_a_suppressed_finding_stays_in_findings_and_out_of_the_handoff(store: Store, tmp_path: Path, target: str) -> None:
    value = "C" if target == "claim_id" else finding(store)["finding_id"]
    suppress(store, write_csv(tmp_path / "s.csv", [target, "reason", "until"], [[value, "another vendor", "2024-06-30"]]))
    run(store.root)
    assert finding(store)["status"] == "open"
    assert state(store)["held_back_for"] == "suppressed"
    delivery = deliver(store, tmp_path / "to", Settings())
    assert [row for row in delivery.totals if row["findings"]] == [
        {"policy_id": "CP.MP.166", "part": "suppressed", "findings": 1, "amount_at_risk": finding(store)["amount_at_risk"]}
    ]
    suppress(store, write_csv(tmp_path / "t.csv", [target, "reason", "until"], [[value, "given back", "2024-01-01"]]))
    run(store.root)
    assert handed(store) == [("new", None)]


def test_a_suppression_of_nothing_that_is_there_is_reported_and_loaded(store: Store, tmp_path: Path) -> None:
    rows = [["C", "", "x", ""], ["0C", "", "x", ""], ["", "0" * 32, "x", ""], ["", finding(store)["finding_id"], "x", ""]]
    imported = suppress(store, write_csv(tmp_path / "s.csv", ["claim_id", "finding_id", "reason", "until"], rows))
    assert (imported.rows, imported.unmatched) == (4, "2., 3.")


def test_a_claim_is_suppressed_as_the_handoff_writes_it(tmp_path: Path) -> None:
    """CSV of the hand-off has an apostrophe before what a spreadsheet takes for a formula."""
    store = Store(tmp_path / "out")
    days = ("2023-01-10", "2023-04-10", "2023-05-10")
    run(store.root, write_extract(tmp_path / "1.parquet", [line(f"-{day}", day) for day in days]))
    imported = suppress(store, write_csv(tmp_path / "s.csv", ["claim_id", "reason", "until"], [["'-2023-05-10", "x", ""]]))
    assert imported.unmatched == ""
    run(store.root)
    assert state(store)["held_back_for"] == "suppressed"


def test_a_withdrawal_is_handed_over_even_of_a_suppressed_finding(store: Store, tmp_path: Path) -> None:
    suppress(store, write_csv(tmp_path / "s.csv", ["claim_id", "reason", "until"], [["C", "another vendor", ""]]))
    run(store.root)
    void = line("C", "2023-05-10", claim_frequency_code="8", paid_date=date(2024, 3, 1))
    run(store.root, write_extract(tmp_path / "2.parquet", [void]))
    assert handed(store) == [("withdrawn", None)]


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (["claim_id", "reason"], ["C", "x"], "needs the columns reason, until"),
        (["claim_id", "reason", "until", "extra"], ["C", "x", "", ""], "column 'extra' is unknown"),
        (["claim_id", "reason", "until"], ["C", "x", "30/06/2024"], "Row 1, until: must be a date"),
        (["claim_id", "reason", "until"], ["C", "", ""], "Row 1, reason: is empty"),
        (["claim_id", "reason", "until"], ["", "x", ""], "Row 1: needs either claim_id or finding_id"),
        (["finding_id", "reason", "until"], ["F" * 32, "x", ""], "Row 1, finding_id: must be 32 hex digits"),
        (["claim_id", "reason", "until"], ["C", "x"], "Row 1: has not as many fields"),
    ],
)
def test_a_suppression_that_cannot_be_used_is_reported_by_row_and_column(
    store: Store, tmp_path: Path, header: list[str], row: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as error:
        suppress(store, write_csv(tmp_path / "s.csv", header, [row]))
    assert "s.csv" in str(error.value)
    assert list_reviews(store, "suppressions") == []


def test_a_review_of_no_finding_or_no_run_takes_nothing_in(store: Store) -> None:
    with pytest.raises(UsageError, match=r"1 of its 1 reviews are of findings that are not in the run"):
        import_dispositions(store, review(store, finding_id="0" * 32))
    with pytest.raises(UsageError, match=r"names a run that .* does not hold"):
        import_dispositions(store, review(store, run_id="2020-01-01-0123456789ab"))
    assert list_reviews(store, "dispositions") == []


def test_the_commands_take_files_in_and_the_summary_counts_what_is_kept_back(store: Store, tmp_path: Path) -> None:
    done = command("import-dispositions", review(store), "--out", store.root)
    assert (done.returncode, done.stdout) == (0, "reviewed.csv: 1 dispositions loaded; the next run counts them.\n")
    file = write_csv(tmp_path / "s.csv", ["claim_id", "reason", "until"], [["unseen", "x", ""]])
    assert command("suppress", file, "--out", store.root).returncode == 0
    said = command("run", "--out", store.root, "--as-of", "2024-06-30").stdout
    assert "Kept out of the hand-off: 1 overturned\n" in said
    assert "At risk, no dollar counted twice: $0.00\n" in said
    assert command("suppress", tmp_path / "none.csv", "--out", store.root).returncode == 2
