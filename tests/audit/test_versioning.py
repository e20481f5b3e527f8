"""How the rows of a feed are versions of a claim line: whole runs over small extracts, and what is kept and named of them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sij_audit.transforms.audit.history import explain_difference
from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.ingest.feeds import terms_of
from sij_audit.transforms.ingest.outcomes import Refused
from sij_audit.transforms.ingest.readings import define_claim_number
from sij_audit.transforms.settings import Feed, Settings
from sij_audit.transforms.store.folder import Store
from tests.queries import empty_tables
from tests.runs import Row, command, line, read_report, run_reports, write_extract

FIRST, SECOND = "2023-09-15", "2023-10-20"
"""Dates of service less than two months apart."""

PAID, LATER, LATEST = "2023-11-10", "2023-12-20", "2024-01-20"
"""Dates of payment."""


def feed(versioning: str, pattern: str = "*.csv") -> Settings:
    return Settings(feeds=(Feed(name="core", pattern=pattern, versioning=versioning),))


def row(claim: str, paid: str, amount: str, person: str = "P1", **changes: Any) -> Row:
    return line(claim, SECOND, person=person, paid_date=paid, paid_amount=amount, **changes)


def deltas(person: str, *rows: tuple[str, str, dict[str, Any]]) -> list[Row]:
    """An injection, and one too soon after it, whose claim comes as rows of date of payment, amount and what else differs."""
    before = line(f"{person}-1", FIRST, person=person, paid_date="2023-10-06")
    return [before, *(row(f"{person}-2", paid, amount, person, **changes) for paid, amount, changes in rows)]


def audit(tmp_path: Path, versioning: str, *extracts: Sequence[Row]) -> Path:
    """Audit extracts one after another, each in a run of its own."""
    out = tmp_path / "out"
    for number, rows in enumerate(extracts, 1):
        run_reports(out, write_extract(tmp_path / f"{number}.csv", rows), settings=feed(versioning))
    return out


def at_risk(out: Path) -> dict[str, Decimal]:
    return {row["person_id"]: row["amount_at_risk"] for row in read_report(out) if row["status"] != "withdrawn"}


def statuses(out: Path) -> dict[tuple[str, int], str]:
    return {(row["claim_id"], row["claim_line_number"]): row["line_status"] for row in read_report(out, "lines")}


TAKEN_BACK = {"service_unit_quantity": "-1", "charge_amount": "-900.00"}
NO_CHARGE = {"service_unit_quantity": "0", "charge_amount": "0.00"}


def test_rows_that_add_up_leave_a_line_with_what_remains_or_none(tmp_path: Path) -> None:
    paid: tuple[str, str, dict[str, Any]] = (PAID, "186.40", {})
    rows = [
        *deltas("A", paid, (LATER, "-36.40", NO_CHARGE)),
        *deltas("B", paid, (LATER, "13.60", NO_CHARGE)),
        *deltas("C", paid, (LATER, "-186.40", TAKEN_BACK)),
        *deltas("D", paid, (LATEST, "-5.00", NO_CHARGE)),
        *deltas("E", paid, (LATER, "186.40", {"claim_status": "reversed"})),
        *deltas("F", paid, (LATER, "-186.40", TAKEN_BACK), (LATEST, "120.00", {})),
        *deltas("G", paid, (LATER, "13.60", {"claim_frequency_code": "7"})),
        *deltas("H", paid, (LATER, "-186.40", {"claim_frequency_code": "8"}), (LATEST, "150.00", {})),
        *deltas("I", paid, (LATER, "-186.40", {"claim_frequency_code": "8"})),
    ]
    out = audit(tmp_path, "sum", rows)
    assert at_risk(out) == {
        person: Decimal(amount)
        for person, amount in {"A": "150.00", "B": "200.00", "D": "181.40", "F": "120.00", "G": "200.00", "H": "150.00"}.items()
    }
    assert {claim: status for (claim, _), status in statuses(out).items() if status != "live"} == {
        "C-2": "reversed",
        "E-2": "reversed",
        "I-2": "voided",
    }


def test_rows_add_up_over_extracts(tmp_path: Path) -> None:
    out = audit(tmp_path, "sum", deltas("A", (PAID, "186.40", {})), [row("A-2", LATER, "-36.40", "A", **NO_CHARGE)])
    assert at_risk(out) == {"A": Decimal("150.00")}
    assert [(row["person_id"], row["status"]) for row in read_report(out)] == [("A", "changed")]


def test_the_last_digits_of_a_claim_number_count_its_versions(tmp_path: Path) -> None:
    rows = [
        line("A-1", FIRST, paid_date="2023-10-06"),
        row("230101234502", LATER, "210.00"),
        row("230101234500", PAID, "186.40"),
        row("230101234501", LATEST, "200.00"),
    ]
    out = audit(tmp_path, "version_suffix:2", rows)
    assert at_risk(out) == {"P1": Decimal("210.00")}
    assert statuses(out) == {("2301012345", 1): "live", ("A-1", 1): "live"}


def test_a_line_that_a_later_version_of_the_claim_does_not_have_is_gone(tmp_path: Path) -> None:
    rows = [row("C00", PAID, "186.40"), row("C00", PAID, "50.00", claim_line_number=2), row("C01", LATER, "200.00")]
    assert statuses(audit(tmp_path, "version_suffix:2", rows)) == {("C", 1): "live", ("C", 2): "replaced"}


def test_a_version_takes_the_code_away_though_it_comes_later_and_has_none_itself(tmp_path: Path) -> None:
    out = audit(tmp_path, "version_suffix:2", [row("C00", PAID, "186.40")], [row("C01", LATER, "90.00", hcpcs_code="99213")])
    assert statuses(out) == {}
    [*_, control] = sorted(read_report(out, "controls"), key=lambda control: str(control["extract"]))
    assert (control["rows_kept"], control["rows_not_relevant"]) == (1, 0)


def delivery(day: str, *rows: Row) -> list[Row]:
    return [{**row, "file_date": day} for row in rows]


def test_a_delivery_restates_whole_claims(tmp_path: Path) -> None:
    first = line("A-1", FIRST, paid_date="2023-10-06")
    january = delivery(
        "2024-01-31", first, row("C1", PAID, "186.40"), row("C1", PAID, "50.00", claim_line_number=2), row("C2", PAID, "9.00")
    )
    february = delivery("2024-02-29", row("C1", PAID, "186.40"), row("C3", PAID, "1.00"))
    march = delivery("2024-03-31", row("C1", PAID, "150.00"))
    for name, extracts in {"in order": (january, february, march), "the other way round": (march, february, january)}.items():
        folder = tmp_path / name
        folder.mkdir()
        out = audit(folder, "snapshot", *extracts)
        assert statuses(out) == {("A-1", 1): "live", ("C1", 1): "live", ("C1", 2): "replaced", ("C2", 1): "live", ("C3", 1): "live"}
        assert {row["claim_id"]: row["paid_amount"] for row in read_report(out, "lines") if row["line_status"] == "live"}["C1"] == Decimal(
            "150.00"
        )
        assert at_risk(out) == {"P1": Decimal("160.00")}


def test_a_restated_reversal_counts_within_its_delivery_alone(tmp_path: Path) -> None:
    reversal = row("C1", LATER, "-186.40", **TAKEN_BACK)
    january = delivery("2024-01-31", row("C1", PAID, "190.00"))
    february = delivery("2024-02-29", row("C1", LATER, "186.40"), reversal)
    assert statuses(audit(tmp_path, "snapshot", january, february)) == {("C1", 1): "reversed"}


def test_an_extract_that_restates_claims_and_does_not_say_when_is_refused(tmp_path: Path) -> None:
    result = run_reports(
        tmp_path / "out", write_extract(tmp_path / "a.csv", [row("C1", PAID, "1.00", file_date=None)]), settings=feed("snapshot")
    )
    [outcome] = result.outcomes
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("a.csv: has no file_date, and its feed has versioning snapshot: ")


def test_a_change_of_the_setting_holds_for_batches_that_are_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    extract = write_extract(tmp_path / "a.csv", deltas("A", (PAID, "186.40", {}), (LATER, "-36.40", NO_CHARGE)))

    def rerun(settings: Settings, *extracts: Path) -> Result:
        return run_reports(out, *extracts, settings=settings)

    rerun(Settings(), extract)
    assert at_risk(out) == {}
    assert rerun(feed("sum")).run is not None
    assert at_risk(out) == {"A": Decimal("150.00")}
    [batch] = json.loads((out / "current" / "manifest.json").read_bytes())["inputs"]
    assert json.loads((out / "current" / "manifest.json").read_bytes())["settings"]["versioning"] == {batch["extract_sha256"]: "sum"}
    assert rerun(feed("sum")).run is None
    assert rerun(feed("sum", "b*.csv")).run is not None
    assert at_risk(out) == {}


def test_a_diff_names_the_extracts_whose_versions_are_read_in_another_way(tmp_path: Path) -> None:
    out = tmp_path / "out"
    extract = write_extract(tmp_path / "a.csv", deltas("A", (PAID, "186.40", {})))
    runs = [
        run_reports(out, extract).run,
        run_reports(out, settings=feed("sum")).run,
        run_reports(out, write_extract(tmp_path / "b.csv", [row("B1", PAID, "1.00")]), settings=feed("sum")).run,
    ]
    first, second, third = (Store(out).manifest(run) for run in runs if run)
    assert explain_difference(first, second) == ["another versioning in the settings: a.csv"]
    assert explain_difference(second, third) == ["extracts that came: b.csv"]


def test_what_was_kept_by_whole_claim_numbers_is_named_and_read_again_when_given(tmp_path: Path) -> None:
    out = tmp_path / "out"
    rows = [row("C00", PAID, "186.40"), row("C01", LATER, "90.00", hcpcs_code="99213")]
    extract = write_extract(tmp_path / "a.csv", rows)
    assert run_reports(out, extract).remarks == ()
    told = run_reports(out, settings=feed("version_suffix:2"))
    assert told.remarks == (
        "a.csv: loaded by another version of the program, or by other settings; what is given again, this one reads again.",
    )
    assert statuses(out) == {("C", 1): "live"}
    assert run_reports(out, extract, settings=feed("version_suffix:2")).remarks == ()
    assert statuses(out) == {}


def test_two_feeds_of_an_extract_that_read_versions_in_different_ways_are_an_error() -> None:
    by_default = Feed(name="all", pattern="*")
    feeds = (by_default, Feed(name="core", pattern="c*", versioning="sum"), Feed(name="old", pattern="*.csv", versioning="snapshot"))
    assert [terms_of(Settings(feeds=feeds), name).versioning for name in ("c.txt", "a.csv", "b.txt")] == [
        "sum",
        "snapshot",
        "adjudication_date",
    ]
    with pytest.raises(UsageError) as error:
        terms_of(Settings(feeds=feeds), "c.csv")
    assert str(error.value) == (
        "c.csv is of the feeds core (versioning sum) and old (versioning snapshot), and its versions can be read in one way only: "
        "change a pattern in the settings."
    )


def test_what_is_tried_with_other_limits_is_read_by_the_versioning_of_the_run(tmp_path: Path) -> None:
    out = audit(tmp_path, "sum", deltas("A", (PAID, "186.40", {}), (LATER, "-36.40", NO_CHARGE)))
    tried = command("what-if", "--out", out, "--set", "interval_under_two_months.min_months=1", cwd=tmp_path)
    assert "$150.00" in tried.stdout


def test_ingest_and_stage_1_cut_the_same_digits_off_a_claim_number() -> None:
    numbers = ["230101234501", "A-1", "07", "C07", "7", "", "C-017", "C0７", "x1y22"]
    with empty_tables(threads=1) as con:
        for length in (0, 1, 2, 3):
            con.execute(f"delete from kept_lines; {define_claim_number(length)}")
            con.executemany(
                "insert into kept_lines (claim_id, versioning) values (?, ?)", [[n, f"version_suffix:{length}"] for n in numbers]
            )
            cut = con.execute("select claim_number_of(claim_id) from kept_lines order by 1").fetchall()
            assert cut == con.execute("select claim_id from known_rows order by 1").fetchall()
            con.execute("drop macro claim_number_of")
