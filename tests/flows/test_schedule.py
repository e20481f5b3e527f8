"""The nightly flow as it is deployed: scheduled, late, busy, held, cancelled and killed, on a real server."""

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sij_audit.transforms.errors import BusyError
from sij_audit.transforms.store.folder import Store
from tests.flows.test_secrecy import ALL as ALL_MARKERS
from tests.flows.test_secrecy import LEAKY, write_extracts
from tests.prefect_house import House, Inbox, Json, kill, open_house, open_inbox, processes_of, wait_for
from tests.runs import command, line, read_report, run, write_extract

pytestmark = pytest.mark.xdist_group("prefect")

OWN_SERVERS = pytest.mark.xdist_group("kills")
"""Of tests that kill a server of their own: they mostly wait, beside the others."""

NEVER = "0 0 29 2 *"
"""A schedule that is due on a leap day alone."""

SLOW_ROWS = 1_200_000
"""Rows that are read for a few seconds, in which a run can be killed."""


@dataclass(frozen=True)
class Served:
    """A house where the deployment `asked` is served, of which runs are made by hand."""

    house: House
    inbox: Inbox
    settings: Path

    def set(self, *lines: str) -> None:
        """Write the settings anew; the process that serves goes on."""
        self.settings.write_text("\n".join([f'webhook_url = "{self.inbox.url}"', *lines, ""]), encoding="utf-8")

    def run(self, out: Path, due: datetime | None = None, **parameters: Any) -> Json:
        """Have a run made, and wait for its end."""
        return self.house.ended_run(self.house.ask_for_run("asked", due, out=str(out), **parameters))


ENDLESS = "select count(*) from range(10000000) as a, range(10000000) as b where a.range * 7 % 13 = b.range % 11"


@pytest.fixture(scope="module")
def serving(house: House) -> Iterator[Served]:
    with open_inbox() as inbox:
        served = Served(house, inbox, house.folder / "sij-audit.toml")
        served.set()
        house.start(
            *("sij-audit", "serve", "--cron", NEVER, "--name", "asked", "--out", house.folder / "asked"),
            SIJ_AUDIT_SETTINGS=str(served.settings),
        )
        house.deployment("asked")
        yield served


@pytest.fixture
def served(serving: Served) -> Served:
    serving.set()
    return serving


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small extract, in which something is found."""
    folder = tmp_path_factory.mktemp("landing")
    write_extract(folder / "claims.csv", [line("A1", "2024-01-10"), line("A2", "2024-01-20")])
    return folder


@pytest.fixture(scope="module")
def slow_landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small extract and one that takes long."""
    folder = tmp_path_factory.mktemp("slow")
    write_extract(folder / "a_small.csv", [line("A1", "2024-01-10"), line("A2", "2024-01-20")])
    row = line("B", "2024-01-10", "99213", person="P2")
    header, cells = write_extract(tmp_path_factory.mktemp("one") / "row.csv", [row]).read_text(encoding="utf-8").splitlines(keepends=True)
    with (folder / "b_slow.csv").open("w", encoding="utf-8") as file:
        file.write(header)
        file.write(cells * SLOW_ROWS)
    return folder


def outcomes(out: Path) -> list[str | None]:
    """How the runs of OUT ended, by its journal; None for one that has not."""
    ended: dict[str, str | None] = {}
    for text in (out / "journal.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(text)
        ended[entry["attempt_id"]] = entry.get("outcome")
    return list(ended.values())


def is_free(out: Path) -> bool:
    """Whether nobody holds OUT."""
    with suppress(BusyError), Store(out).lock():
        return True
    return False


def as_of_days(out: Path) -> list[str]:
    return [run.name[:10] for run in sorted((out / "runs").iterdir())]


def write_policy(folder: Path, rule: str) -> Path:
    """A policy of a rule more."""
    folder.mkdir()
    (folder / "policy.toml").write_text('extends = "cp_mp_166"\npolicy_id = "MORE"\n', encoding="utf-8")
    (folder / "more.sql").write_text(rule, encoding="utf-8")
    return folder


def wait_for_ingest(out: Path) -> Path:
    """The batch of the small extract, once it is loaded and the slow one is being read."""
    return wait_for("the first batch", lambda: next(iter(out.glob("claims/*.parquet")), None))


def test_a_run_is_as_of_the_day_for_which_it_was_scheduled(served: Served, landing: Path, tmp_path: Path) -> None:
    two_days_ago = (datetime.now(UTC) - timedelta(days=2)).replace(hour=12)
    ended = served.run(tmp_path / "out", two_days_ago, landing=str(landing))
    assert (ended["state_name"], as_of_days(tmp_path / "out")) == ("Completed", [two_days_ago.date().isoformat()])
    assert "findings new, 0 changed" in ended["state"]["message"]


def test_settings_are_read_anew_by_every_run(served: Served, landing: Path, tmp_path: Path) -> None:
    noon = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12)
    served.set(f'time_zone = "Pacific/Kiritimati"\nlanding = "{landing}"')
    served.run(tmp_path / "out", noon)
    assert as_of_days(tmp_path / "out") == [(noon + timedelta(days=1)).date().isoformat()]
    served.set("wall_clock = 3")
    ended = served.run(tmp_path / "out")
    assert (ended["state_name"], "wall_clock is no setting" in ended["state"]["message"]) == ("Failed", True)


def test_the_summary_of_a_run_is_kept_in_counts_and_dollars(served: Served, landing: Path, tmp_path: Path) -> None:
    ended = served.run(tmp_path / "out", as_of="2024-06-30", landing=str(landing))
    artifact = served.house.artifact(ended["id"])
    assert artifact["key"] == "sij-audit-run"
    assert "# Run 2024-06-30-" in artifact["data"]
    for rule in read_report(tmp_path / "out", "rules"):
        counts = " | ".join(f"{rule[name]:,}" for name in ("looked_at", "proven", "presumed", "likely", "possible"))
        amounts = f"${rule['paid_amount']:,} | ${rule['amount_at_risk']:,}"
        assert f"| `CP.MP.166` | `{rule['rule_id']}` | {rule['policy_section']} | {counts} | {amounts} |" in artifact["data"]
    at_risk = sum(finding["amount_at_risk"] for finding in read_report(tmp_path / "out"))
    assert f"At risk, no dollar counted twice: ${at_risk:,}." in artifact["data"]


def test_of_missed_runs_the_last_alone_is_made_up_for(served: Served, landing: Path, tmp_path: Path) -> None:
    nights = [datetime.now(UTC) - timedelta(days=days) for days in (3, 2, 1)]
    places = {"out": str(tmp_path / "out"), "landing": str(landing)}
    runs = [served.house.ask_for_run("asked", night, **places) for night in nights]
    ended = [served.house.ended_run(run_id) for run_id in runs]
    assert [run["state_name"] for run in ended] == ["Superseded", "Superseded", "Completed"]
    assert as_of_days(tmp_path / "out") == [nights[-1].date().isoformat()]


def test_a_run_that_finds_out_locked_alarms_nobody(served: Served, landing: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Store(out).lock():
        ended = served.run(out, landing=str(landing))
    assert (ended["state_name"], ended["state_type"]) == ("Busy", "COMPLETED")
    assert (served.inbox.kinds(out), (out / "journal.jsonl").exists()) == ([], False)


def test_a_run_that_changes_too_much_is_on_hold_until_somebody_accepts_it(served: Served, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lines = [line(f"C{n}-{day}", f"2024-01-{day}", person=f"P{n}") for n in range(60) for day in (10, 15, 20)]
    run(out, write_extract(tmp_path / "claims.parquet", lines), as_of=date(2024, 6, 30))
    before = (out / "current").readlink()
    run_id = served.run(out, as_of="2024-01-12")["id"]
    served.house.wait_for_events(run_id, "Failed", "Held")  # an automation on failure waits for the first
    held = served.house.ask(f"flow_runs/{run_id}")
    assert (held["state_name"], held["state_type"]) == ("Held", "FAILED")
    assert "against 120 of the run before" in held["state"]["message"]
    assert ((out / "current").readlink(), served.inbox.kinds(out)) == (before, ["hold"])
    assert "# On hold" in served.house.artifact(held["id"])["data"]
    accepted = served.run(out, as_of="2024-01-12", accept_change=True)
    assert (accepted["state_name"], (out / "current").readlink() != before) == ("Completed", True)
    assert served.inbox.kinds(out) == ["hold"], "a run that needs nobody is not told of"


def test_a_failure_says_why(served: Served, tmp_path: Path) -> None:
    ended = served.run(tmp_path / "out", landing=str(tmp_path / "nowhere"))
    assert (ended["state_name"], "nowhere" in ended["state"]["message"]) == ("Failed", True)
    assert served.inbox.kinds(tmp_path / "out") == ["failure"]


def test_a_cancelled_run_ends_at_once_and_the_next_one_goes_on(served: Served, slow_landing: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    places: dict[str, Any] = {"out": str(out), "landing": str(slow_landing)}
    run_id = served.house.ask_for_run("asked", **places)
    batch = wait_for_ingest(out)
    served.house.cancel(run_id)
    assert served.house.ended_run(run_id)["state_name"] == "Cancelled"
    taken = batch.stat()
    with Store(out).lock():
        pass
    following = served.run(out, landing=str(slow_landing))
    assert following["state_name"] == "Completed"
    assert batch.stat() == taken, "what was loaded was read again"
    assert (outcomes(out)[1:], served.inbox.kinds(out)) == (["published"], ["attention"])
    assert "failed: it was stopped or cancelled" in served.house.artifact(following["id"])["data"]


def test_a_run_that_hangs_is_ended_and_reported(served: Served, landing: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder = write_policy(tmp_path / "endless", LEAKY.replace("person_id::integer > 0", f"({ENDLESS}) > 0"))
    served.set("wall_clock_minutes = 1", f'policies = ["{folder}"]')
    ended = served.run(out, landing=str(landing))
    assert (ended["state_name"], "was ended after 1 minutes" in ended["state"]["message"]) == ("Failed", True)
    wait_for("the end of its process", lambda: is_free(out))
    served.set()
    following = served.run(out, landing=str(landing))
    assert (following["state_name"], outcomes(out)) == ("Completed", [None, "published"])
    assert "never ended" in served.house.artifact(following["id"])["data"]
    assert served.inbox.kinds(out) == ["failure", "attention"]


def test_nothing_of_a_member_reaches_prefect(served: Served, tmp_path: Path) -> None:
    extracts = write_extracts(tmp_path / "in")
    out = tmp_path / "out"
    ended = served.run(out, as_of="2024-06-30", landing=str(extracts[0].parent))
    assert (ended["state_name"], served.inbox.kinds(out)) == ("Completed", ["attention"])
    served.set(f'policies = ["{write_policy(tmp_path / "leaky", LEAKY)}"]')
    failed = served.run(out, as_of="2024-06-30")
    assert failed["state"]["message"].startswith("Stopped by ConversionException")
    stored = served.house.stored()
    assert b"ConversionException" in stored
    assert [marker for marker in ALL_MARKERS if marker.encode() in stored] == []
    assert [marker for marker in ALL_MARKERS if marker in json.dumps(served.inbox.told, ensure_ascii=False)] == []


@OWN_SERVERS
def test_after_a_kill_of_runner_and_server_the_next_scheduled_run_publishes(slow_landing: Path, migrated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with open_house(tmp_path / "house", migrated) as house:
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
        assert batch.stat() == taken, "what was loaded was read again"
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


@OWN_SERVERS
def test_serving_waits_for_a_server_that_is_away(landing: Path, migrated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with open_house(tmp_path / "house", migrated) as house:
        house.start("sij-audit", "serve", "--cron", NEVER, "--name", "waits", "--out", out, "--landing", landing)
        house.deployment("waits")
        kill(house.started[0])
        wait_for("word of it", lambda: "fails" in house.log())
        house.start_server()
        assert house.ended_run(house.ask_for_run("waits"))["state_name"] == "Completed"


def test_a_work_pool_runs_it_and_goes_on_after_a_kill(house: House, slow_landing: Path, tmp_path: Path) -> None:
    settings, out = tmp_path / "sij-audit.toml", tmp_path / "out"
    settings.write_text(f'out = "out"\nlanding = "{slow_landing}"\n', encoding="utf-8")
    create = ("prefect", "--no-prompt", "work-pool", "create", "sij-audit", "--type", "process")
    for order in (create, ("sij-audit", "deploy", "--pool", "sij-audit", "--cron", NEVER)):
        done = house.run(*order)
        assert done.returncode == 0, done.stderr
    worker = ("prefect", "worker", "start", "--pool", "sij-audit")
    started = house.start(*worker, SIJ_AUDIT_SETTINGS=str(settings))
    assert house.run("prefect", "deployment", "run", "nightly-audit/nightly").returncode == 0
    taken = wait_for_ingest(out).stat()
    kill(started)
    wait_for("the end of the run's process", lambda: is_free(out))
    assert (outcomes(out), (out / "current").exists()) == ([None], False)

    started = house.start(*worker, SIJ_AUDIT_SETTINGS=str(settings))
    ended = house.ended_run(house.ask_for_run("nightly"))
    assert (ended["state_name"], outcomes(out)) == ("Completed", [None, "published"])
    assert wait_for_ingest(out).parent.joinpath(min(out.glob("claims/*.parquet"), key=lambda path: path.stat().st_mtime)).stat() == taken
    assert [run["state_name"] for run in house.runs_of("nightly")] == ["Crashed", "Completed"]
    kill(started)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_asked_to_stop_serving_cancels_what_runs(house: House, slow_landing: Path, tmp_path: Path, signal_number: int) -> None:
    out, name = tmp_path / "out", f"stopped-{signal_number}"
    runner = house.start("sij-audit", "serve", "--cron", NEVER, "--name", name, "--out", out, "--landing", slow_landing)
    run_id = house.ask_for_run(name)
    wait_for_ingest(out)
    runner.send_signal(signal_number)
    assert runner.wait() == 0
    wait_for("the end of its run", lambda: is_free(out))
    assert (out / "current").exists() is False
    assert house.ended_run(run_id)["state_name"] == "Cancelled"
    assert house.deployment(name)["paused"] is False


@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        (("--cron", "0 2 * * *", "--out", "x"), {"PREFECT_API_URL": ""}, "PREFECT_API_URL is not set"),
        (("--cron", "0 25 * *", "--out", "x"), {}, "0 25 * * is no cron expression"),
        (("--cron", "0 2 * * *"), {}, "no OUT folder is named"),
        (("--cron", "0 2 * * *", "--out", "x", "--name", "a/b"), {}, "--name can hold no /"),
    ],
)
def test_what_cannot_be_served_is_reported(options: tuple[str, ...], variables: dict[str, str], said: str, tmp_path: Path) -> None:
    places: dict[str, Any] = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(tmp_path)}
    done = command("serve", *options, **places | variables)
    assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (2, True, 1)
