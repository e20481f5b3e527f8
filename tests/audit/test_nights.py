"""Nights from a landing folder: what is ready is taken once, what was refused alarms once, a feed that fails is told of or held."""

import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sij_audit.transforms.audit.plan import plan_audit
from sij_audit.transforms.audit.run import Request as Asked
from sij_audit.transforms.audit.run import Result, run_audit
from sij_audit.transforms.errors import HeldBack
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, Refused
from sij_audit.transforms.settings import Feed, Settings
from tests.runs import AS_OF, EARLY, ReportsAlone, Row, keys, line, read_report, write_csv, write_extract

LONG_AGO = 1_700_000_000


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing"


def put(landing: Path, name: str, rows: list[Row]) -> Path:
    """Put an extract that was written long ago."""
    path = write_extract(landing / name, rows)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def night(landing: Path, *feeds: Feed, as_of: date = AS_OF, **asked: Any) -> Result:
    request = Asked(out=landing.with_name("out"), landing=landing, as_of=as_of, settings=Settings(feeds=feeds), max_change=0.5, **asked)
    return run_audit(request, steps=ReportsAlone())


def test_what_is_in_landing_is_loaded_once_and_stays_as_it_was(landing: Path) -> None:
    path = put(landing, "a.parquet", EARLY)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    assert [type(outcome) for outcome in night(landing).outcomes] == [Loaded]
    again = night(landing)
    assert ([type(outcome) for outcome in again.outcomes], again.run) == ([LoadedBefore], None)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    put(landing, "b.parquet", [line("D", "2023-06-01")])
    assert [type(outcome) for outcome in night(landing).outcomes] == [LoadedBefore, Loaded]
    assert keys(read_report(landing.with_name("out")), "service_date", "status") == [("2023-05-10", "open"), ("2023-06-01", "new")]


def test_a_refused_extract_alarms_once_stays_in_the_controls_and_publishes_nothing_new(landing: Path) -> None:
    put(landing, "good.parquet", EARLY)
    (landing / "bad.csv").write_text("claim_id\nA\n")
    os.utime(landing / "bad.csv", (LONG_AGO, LONG_AGO))
    first = night(landing)
    assert first.exit_code == 3
    second = night(landing)
    assert (second.exit_code, second.run) == (0, None)
    assert [outcome.is_remembered for outcome in second.outcomes if isinstance(outcome, Refused)] == [True]
    assert night(landing, as_of=date(2024, 7, 1)).exit_code == 0
    assert {row["extract"]: row["outcome"] for row in read_report(landing.with_name("out"), "controls")} == {
        "bad.csv": "refused",
        "good.parquet": "held",
    }
    (landing / "bad.csv").write_text("claim_id\nB\n")
    assert night(landing).exit_code == 3


def test_a_feed_that_did_not_come_is_reported(landing: Path) -> None:
    put(landing, "professional_1.parquet", EARLY)
    feeds = (
        Feed(name="professional", pattern="professional_*", latest_age_hours=24),
        Feed(name="facility", pattern="facility_*", latest_age_hours=24),
    )
    assert night(landing, *feeds).notices == ("The feed facility (facility_*) never came.",)


def test_a_feed_that_lost_a_column_holds_the_night(landing: Path) -> None:
    feed = Feed(name="professional", pattern="p_*")
    put(landing, "p_1.parquet", [{**row, "claim_status": "paid"} for row in EARLY])
    night(landing, feed)
    rows = [{name: value for name, value in line("D", "2023-06-01").items() if name != "claim_status"}]
    write_csv(landing / "p_2.csv", list(rows[0]), [list(row.values()) for row in rows])
    with pytest.raises(HeldBack, match="The feed professional lost claim_status"):
        night(landing, feed)
    accepted = night(landing, feed, accept_change=True)
    assert accepted.run is not None
    assert any("lost claim_status" in notice for notice in accepted.notices)
    assert night(landing, feed).run is None


def test_a_column_that_a_feed_must_have_refuses_its_extract(landing: Path) -> None:
    put(landing, "p_1.parquet", EARLY)
    refused = night(landing, Feed(name="professional", pattern="p_*", required_columns=("state",)))
    assert refused.exit_code == 3
    [row] = read_report(landing.with_name("out"), "controls")
    assert "state" in row["reason"]


def test_a_landing_that_is_gone_is_no_reason_to_forget(landing: Path) -> None:
    put(landing, "a.parquet", EARLY)
    night(landing)
    shutil.move(landing, landing.with_name("away"))
    landing.mkdir()
    assert night(landing).run is None
    landing.rmdir()
    shutil.move(landing.with_name("away"), landing)
    assert [type(outcome) for outcome in night(landing).outcomes] == [LoadedBefore]


def test_a_refusal_that_only_a_run_on_hold_reported_is_reported_again(landing: Path) -> None:
    feed = Feed(name="professional", pattern="p_*")
    put(landing, "p_1.parquet", [{**row, "claim_status": "paid"} for row in EARLY])
    night(landing, feed)
    put(landing, "p_2.parquet", [{**line("D", "2023-06-01"), "claim_status": None}])
    (landing / "bad.csv").touch()
    for _ in range(2):
        with pytest.raises(HeldBack):
            night(landing, feed)
    assert night(landing, feed, accept_change=True).exit_code == 3
    assert night(landing, feed).exit_code == 0


def test_a_plan_knows_what_nights_have_read(landing: Path) -> None:
    put(landing, "a.parquet", EARLY)
    (landing / "bad.csv").touch()
    night(landing)
    before = (landing.with_name("out") / "landing.json").read_bytes()
    asked = Asked(out=landing.with_name("out"), landing=landing, as_of=AS_OF)
    with plan_audit(asked) as planned:
        assert (planned.exit_code, planned.run) == (0, None)
    put(landing, "b.parquet", [line("D", "2023-06-01")])
    with plan_audit(asked) as planned:
        assert [type(outcome) for outcome in planned.outcomes] == [LoadedBefore, Loaded, Refused]
    assert (landing.with_name("out") / "landing.json").read_bytes() == before
