"""Payment integrity is handed what changed since it was last served: no more, and never less."""

import csv
import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.handoff.deliveries import deliver
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.store.deliveries import list_deliveries
from sij_audit.transforms.store.folder import Store
from tests.runs import SAMPLE, Row, command, keys, line, read_report, run, write_extract

FILES = ["findings.csv", "findings.parquet", "findings.xlsx", "records_request.csv"]


def too_early(person: str) -> list[Row]:
    """Three injections of one person; the third is a month too early, and that alone is found."""
    return [line(f"{person}-{day}", day, person=person) for day in ("2023-01-10", "2023-04-10", "2023-05-10")]


def night(out: Path, number: int, lines: Sequence[Row]) -> str:
    """One more run, with these lines added; gives its id."""
    return run(out, write_extract(out.with_name(f"{number}.parquet"), lines)).current.name


def void(person: str) -> Row:
    return line(f"{person}-2023-05-10", "2023-05-10", person=person, claim_frequency_code="8", paid_date=date(2024, 3, 1))


def handed(folder: Path) -> list[tuple[str, str]]:
    return keys(pq.read_table(folder / "findings.parquet").to_pylist(), "change", "person_id")


def requests(folder: Path) -> list[str]:
    with (folder / "records_request.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row["claim_id"] for row in csv.DictReader(file)]


def test_a_run_holds_what_is_new_since_the_run_before(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 1, too_early("P1"))
    assert sorted(path.name for path in (out / "current/handoff").iterdir()) == FILES
    assert handed(out / "current/handoff") == [("new", "P1")]
    assert requests(out / "current/handoff") == ["P1-2023-04-10", "P1-2023-05-10"]
    night(out, 2, [*too_early("P2"), void("P1")])
    assert handed(out / "current/handoff") == [("new", "P2"), ("withdrawn", "P1")]
    assert requests(out / "current/handoff") == ["P2-2023-04-10", "P2-2023-05-10"]
    night(out, 3, [line("other", "2023-01-01", person="P3")])
    assert handed(out / "current/handoff") == []
    assert requests(out / "current/handoff") == []


def test_a_delivery_spans_all_runs_since_the_last(tmp_path: Path) -> None:
    out = tmp_path / "out"
    store = Store(out)
    first = night(out, 1, [*too_early("P1"), *too_early("P4")])
    deliver(store, tmp_path / "to-1", Settings())
    assert handed(tmp_path / "to-1") == [("new", "P1"), ("new", "P4")]
    night(out, 2, [*too_early("P2"), *too_early("P3")])
    night(out, 3, [void("P1"), void("P3")])
    last = night(out, 4, [line("other", "2023-01-01", person="P5")])
    delivery = deliver(store, tmp_path / "to-2", Settings())
    assert handed(tmp_path / "to-2") == [("new", "P2"), ("withdrawn", "P1")], "what came and went is not there, what went is"
    assert (delivery.number, delivery.since_run_id, delivery.run_id) == (2, first, last)
    assert deliver(store, tmp_path / "to-3", Settings()).number is None
    assert not (tmp_path / "to-3").exists()
    assert deliver(store, tmp_path / "to-4", Settings(), since=first).number == 3
    assert handed(tmp_path / "to-4") == handed(tmp_path / "to-2")


def test_a_delivery_since_an_earlier_run_tells_what_was_withdrawn_after_the_last_delivery(tmp_path: Path) -> None:
    out = tmp_path / "out"
    store = Store(out)
    first = night(out, 1, too_early("P1"))
    night(out, 2, [*too_early("P2"), *too_early("P3")])
    deliver(store, tmp_path / "to-1", Settings())
    night(out, 3, [void("P2")])
    deliver(store, tmp_path / "to-2", Settings(), since=first)
    assert handed(tmp_path / "to-2") == [("new", "P3"), ("withdrawn", "P2")]


def test_a_delivery_cannot_leave_out_what_changed_before_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    store = Store(out)
    night(out, 1, too_early("P1"))
    deliver(store, tmp_path / "to-1", Settings())
    later = night(out, 2, [*too_early("P2"), void("P1")])
    night(out, 3, too_early("P3"))
    with pytest.raises(UsageError, match="would never be handed over"):
        deliver(store, tmp_path / "to-2", Settings(), since=later)
    deliver(store, tmp_path / "to-2", Settings())
    assert handed(tmp_path / "to-2") == [("new", "P2"), ("new", "P3"), ("withdrawn", "P1")]


def test_a_delivery_is_kept_with_its_files_and_counts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_id = night(out, 1, too_early("P1"))
    deliver(Store(out), tmp_path / "to", Settings())
    [entry] = list_deliveries(Store(out))
    assert (entry["number"], entry["run_id"], entry["since_run_id"], entry["to"]) == (1, run_id, None, str(tmp_path / "to"))
    assert {file["path"]: file["sha256"] for file in entry["files"]} == {
        name: hashlib.sha256((tmp_path / "to" / name).read_bytes()).hexdigest() for name in FILES
    }
    assert entry["totals"][1] == {"policy_id": "CP.MP.166", "part": "new presumed violations", "findings": 1, "amount_at_risk": "186.40"}
    assert entry["requests"] == 2
    assert {(path.stat().st_mode & 0o777) for path in (tmp_path / "to").iterdir()} == {0o600}


def test_records_that_the_cap_left_out_are_asked_for_later_and_none_twice(tmp_path: Path) -> None:
    out = tmp_path / "out"
    store = Store(out)
    night(out, 1, [*too_early("P1"), *too_early("P2")])
    first = deliver(store, tmp_path / "to-1", Settings(max_requests_per_provider=1))
    assert (first.requests, first.left_out) == (1, 3)
    assert deliver(store, tmp_path / "to-2", Settings(max_requests_per_provider=1)).number is None, "the period is not over"
    second = deliver(store, tmp_path / "to-3", Settings(max_requests_per_provider=3))
    assert (second.requests, second.left_out) == (2, 1)
    assert len({*requests(tmp_path / "to-1"), *requests(tmp_path / "to-3")}) == 3


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 1, too_early("P1"))
    (tmp_path / "to").mkdir()
    (tmp_path / "to/mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        deliver(Store(out), tmp_path / "to", Settings())
    with pytest.raises(UsageError, match="holds no run"):
        deliver(Store(out), tmp_path / "other", Settings(), since="../../etc")
    assert list_deliveries(Store(out)) == []


def test_the_command_delivers_and_says_what(tmp_path: Path) -> None:
    run(tmp_path / "out", SAMPLE)
    done = command("handoff", "--out", tmp_path / "out", "--to", tmp_path / "to")
    assert done.returncode == 0, done.stderr
    assert "new presumed violations" in done.stdout
    again = command("handoff", "--out", tmp_path / "out", "--to", tmp_path / "again")
    assert again.stdout.startswith("Nothing is new since run ")
    findings = {row["finding_id"] for row in read_report(tmp_path / "out")}
    assert {row["finding_id"] for row in pq.read_table(tmp_path / "to/findings.parquet").to_pylist()} == findings


def test_the_same_run_gives_the_same_files(tmp_path: Path) -> None:
    for place in ("one", "other"):
        (tmp_path / place).mkdir()
        night(tmp_path / place / "out", 1, too_early("P1"))
    one, other = (json.loads((tmp_path / place / "out/current/manifest.json").read_bytes())["outputs"] for place in ("one", "other"))
    assert [file for file in one if file["path"] != "audit.duckdb"] == [file for file in other if file["path"] != "audit.duckdb"]
