"""The nightly flow as it is deployed: scheduled, late, busy, held, cancelled and killed, on a real server."""

import csv
import json
import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.prefect_house import House, kill, open_house, processes_of, wait_for
from tests.runs import SAMPLE, command, line, run, write_extract
from transforms.layout import COLUMNS
from transforms.store import Store

pytestmark = pytest.mark.xdist_group("prefect")

NEVER = "0 0 29 2 *"
"""A schedule that is due on a leap day alone."""

SLOW_ROWS = 2_500_000
"""Rows that are read for a few seconds, in which a run can be killed."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def served(house: House) -> House:
    """A house where the deployment `asked` is served, of which runs are made by hand."""
    house.start("sij-audit", "serve", "--cron", NEVER, "--name", "asked", "--out", house.folder / "asked")
    house.deployment("asked")
    return house


@pytest.fixture(scope="module")
def slow_landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small extract and one that takes long."""
    folder = tmp_path_factory.mktemp("slow")
    write_extract(folder / "a_small.csv", [line("A1", "2024-01-10"), line("A2", "2024-01-20")])
    row = line("B", "2024-01-10", "99213", person="P2")
    cells = ",".join(str(row[column.name] or "") for column in COLUMNS)
    with (folder / "b_slow.csv").open("w", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerow([column.name for column in COLUMNS])
        file.write(f"{cells}\n" * SLOW_ROWS)
    return folder


def outcomes(out: Path) -> list[str | None]:
    """How the runs of OUT ended, by its journal; None for one that has not."""
    ended: dict[str, str | None] = {}
    for text in (out / "journal.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(text)
        ended[entry["attempt_id"]] = entry.get("outcome")
    return list(ended.values())


def as_of_days(out: Path) -> list[str]:
    return [run.name[:10] for run in sorted((out / "runs").iterdir())]


def wait_for_ingest(out: Path) -> Path:
    """The batch of the small extract, once it is taken in and the slow one is being read."""
    return wait_for("the first batch", lambda: next(iter(out.glob("claims/*.parquet")), None))


def test_a_run_is_as_of_the_day_for_which_it_was_scheduled(served: House, tmp_path: Path) -> None:
    due = datetime.now(UTC) - timedelta(days=2)
    run_id = served.ask_for_run("asked", due, out=str(tmp_path / "out"), landing=str(SAMPLE))
    ended = served.ended_run(run_id)
    assert (ended["state_name"], as_of_days(tmp_path / "out")) == ("Completed", [due.date().isoformat()])
    assert "61 findings new, 0 changed" in ended["state"]["message"]


def test_the_summary_of_a_run_is_kept_in_counts_and_dollars(served: House, tmp_path: Path) -> None:
    run_id = served.ask_for_run("asked", as_of="2024-06-30", out=str(tmp_path / "out"), landing=str(SAMPLE))
    served.ended_run(run_id)
    artifact = served.artifact(run_id)
    assert artifact["key"] == "sij-audit-run"
    text = artifact["data"]
    assert "# Run 2024-06-30-" in text
    assert "| `CP.MP.166` | `nerve_block_not_necessary` | IV | 5 | 4 | 1 | $1,905.50 | $1,905.50 |" in text
    assert "At risk, no dollar counted twice: $13,188.80." in text


def test_of_missed_runs_the_last_alone_is_made_up_for(served: House, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    nights = [now - timedelta(days=days) for days in (3, 2, 1)]
    places = {"out": str(tmp_path / "out"), "landing": str(SAMPLE)}
    runs = [served.ask_for_run("asked", night, **places) for night in nights]
    ended = [served.ended_run(run_id) for run_id in runs]
    assert [run["state_name"] for run in ended] == ["Superseded", "Superseded", "Completed"]
    assert as_of_days(tmp_path / "out") == [nights[-1].date().isoformat()]


def test_a_run_that_finds_out_taken_alarms_nobody(served: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Store(out).lock():
        ended = served.ended_run(served.ask_for_run("asked", out=str(out), landing=str(SAMPLE)))
    assert (ended["state_name"], ended["state_type"]) == ("Busy", "COMPLETED")
    assert not (out / "journal.jsonl").exists()


def test_a_run_that_changes_too_much_is_held_until_somebody_accepts_it(served: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lines = [line(f"C{n}-{day}", f"2024-01-{day}", person=f"P{n}") for n in range(60) for day in (10, 15, 20)]
    extract = write_extract(tmp_path / "claims.parquet", lines)
    run(out, extract, as_of=date(2024, 6, 30))
    before = (out / "current").readlink()
    held = served.ended_run(served.ask_for_run("asked", as_of="2024-01-12", out=str(out)))
    assert (held["state_name"], held["state_type"]) == ("Held", "FAILED")
    assert "against 180 of the run before" in held["state"]["message"]
    assert (out / "current").readlink() == before
    assert "# Held back" in served.artifact(held["id"])["data"]
    served.wait_for_events(held["id"], "Failed", "Held")  # an automation on failure waits for the first
    accepted = served.ended_run(served.ask_for_run("asked", as_of="2024-01-12", out=str(out), accept_change=True))
    assert (accepted["state_name"], (out / "current").readlink() != before) == ("Completed", True)


def test_a_failure_says_why(served: House, tmp_path: Path) -> None:
    ended = served.ended_run(served.ask_for_run("asked", out=str(tmp_path / "out"), landing=str(tmp_path / "nowhere")))
    assert ended["state_type"] == "FAILED"
    assert "nowhere" in ended["state"]["message"]


def test_a_cancelled_run_ends_at_once_and_the_next_one_goes_on(served: House, slow_landing: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    places = {"out": str(out), "landing": str(slow_landing)}
    run_id = served.ask_for_run("asked", **places)
    batch = wait_for_ingest(out)
    served.cancel(run_id)
    assert served.ended_run(run_id)["state_name"] == "Cancelled"
    taken = batch.stat()
    with Store(out).lock():
        pass
    following = served.ask_for_run("asked", **places)
    assert served.ended_run(following)["state_name"] == "Completed"
    assert batch.stat() == taken, "what was taken in was read again"
    assert outcomes(out)[1:] == ["published"]
    assert "that began at" in served.artifact(following)["data"]


def test_after_a_kill_of_runner_and_server_the_next_scheduled_run_publishes(tmp_path: Path, slow_landing: Path) -> None:
    out = tmp_path / "out"
    with open_house(tmp_path / "house") as house:
        server = house.started[0]
        serve = ("sij-audit", "serve", "--cron", "* * * * *", "--name", "killed", "--out", out, "--landing", slow_landing)
        runner = house.start(*serve)
        batch = wait_for_ingest(out)
        taken = batch.stat()
        kill(runner)
        kill(server)
        wait_for("the end of the run's process", lambda: not processes_of(runner.pid))
        assert (outcomes(out), (out / "current").exists()) == ([None], False)

        house.start_server()
        runner = house.start(*serve)
        wait_for("a published run", (out / "current").exists)
        assert batch.stat() == taken, "what was taken in was read again"
        assert house.deployment("killed")["paused"] is False
        published = wait_for(
            "the run's end", lambda: next((run for run in house.runs_of("killed") if run["state_name"] == "Completed"), None)
        )
        assert (published["auto_scheduled"], outcomes(out)[:2]) == (True, [None, "published"])
        assert "never ended" in house.artifact(published["id"])["data"]
        first = house.runs_of("killed")[0]
        assert first["state_name"] == "Crashed", "the killed run counts as under way for ever"

        runner.send_signal(signal.SIGTERM)
        assert runner.wait() == 0
        wait_for("the end of all its processes", lambda: not processes_of(runner.pid))
        assert house.deployment("killed")["paused"] is False
        assert [schedule["active"] for schedule in house.deployment("killed")["schedules"]] == [True]


def test_serving_waits_for_a_server_that_is_away(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with open_house(tmp_path / "house") as house:
        house.start("sij-audit", "serve", "--cron", NEVER, "--name", "waits", "--out", out, "--landing", SAMPLE)
        house.deployment("waits")
        kill(house.started[0])
        wait_for("word of it", lambda: "fails" in house.log())
        house.start_server()
        assert house.ended_run(house.ask_for_run("waits"))["state_name"] == "Completed"


def test_a_work_pool_runs_it_from_the_checkout(house: House, tmp_path: Path) -> None:
    settings = tmp_path / "sij-audit.toml"
    settings.write_text(f'out = "out"\nlanding = "{SAMPLE}"\n', encoding="utf-8")
    for order in (("work-pool", "create", "sij-audit", "--type", "process"), ("deploy", "--all")):
        done = house.run("prefect", "--no-prompt", *order)
        assert done.returncode == 0, done.stderr
    worker = house.start("prefect", "worker", "start", "--pool", "sij-audit", SIJ_AUDIT_SETTINGS=str(settings))
    done = house.run("prefect", "deployment", "run", "nightly-audit/nightly")
    assert done.returncode == 0, done.stderr
    [asked] = wait_for("the run", lambda: house.runs_of("nightly"))
    ended = house.ended_run(asked["id"])
    assert (ended["state_name"], (tmp_path / "out/current/findings.parquet").is_file()) == ("Completed", True)
    kill(worker)


@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        (("--cron", "0 2 * * *", "--out", "x"), {"PREFECT_API_URL": ""}, "PREFECT_API_URL is not set"),
        (("--cron", "0 25 * *", "--out", "x"), {}, "0 25 * * is no cron expression"),
        (("--cron", "0 2 * * *"), {}, "no OUT folder is named"),
        (("--cron", "0 2 * * *", "--out", "x", "--name", "a/b"), {}, "--name can hold no /"),
    ],
)
def test_what_cannot_be_served_is_told(options: tuple[str, ...], variables: dict[str, str], said: str, tmp_path: Path) -> None:
    places = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(tmp_path)}
    done = command("serve", *options, **places | variables)
    assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (2, True, 1)
