"""An installed program works in any folder, whatever stands there: from a wheel as from a checkout, and where Prefect starts it."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sij_audit.transforms.store.folder import Store
from tests.packaging.installed import Installed, checkout
from tests.prefect_house import House, Json, kill, processes_of, wait_for
from tests.runs import SAMPLE

pytestmark = pytest.mark.xdist_group("packaging")


@pytest.fixture(params=["checkout", "wheel"])
def program(request: pytest.FixtureRequest, from_wheel: Installed) -> Installed:
    return from_wheel if request.param == "wheel" else checkout(from_wheel.folder)


def start(house: House, program: Installed, *arguments: str | Path, **variables: str) -> subprocess.Popen[bytes]:
    return house.start(*arguments, cwd=program.folder, PATH=program.path, **variables)


def test_the_wheel_is_what_its_python_imports(from_wheel: Installed) -> None:
    imported = from_wheel.run_python("-c", "import sij_audit.flows.nightly as module; print(module.__file__)").stdout
    assert Path(imported).is_relative_to(from_wheel.python.parents[1])


def test_a_wheel_and_a_checkout_are_one_program(from_wheel: Installed) -> None:
    """So a run is continued, and nothing is new, where one takes over from the other."""
    script = "from sij_audit.transforms.program import program_hash; print(program_hash())"
    hashes = {program.run_python("-c", script).stdout for program in (from_wheel, checkout(from_wheel.folder))}
    assert [len(found.strip()) for found in hashes] == [64]


def test_each_step_works_beside_foreign_folders_of_our_names(program: Installed, tmp_path: Path) -> None:
    claims, out, options = tmp_path / "claims", tmp_path / "out", ("--as-of", "2024-06-30")
    steps: list[tuple[str | Path, ...]] = [
        ("sample", claims, "--persons", "120"),
        ("run", claims, "--out", out, *options),
        ("verify", out),
        ("sql", "select count(*) as findings from findings", "--out", out),
        ("nightly", claims, "--out", tmp_path / "nightly", *options),
    ]
    for step in steps:
        done = program.run(*step)
        assert (done.returncode, done.stderr) == (0, ""), step
    as_module = program.run_python("-m", "sij_audit", "verify", tmp_path / "nightly")
    assert (as_module.returncode, as_module.stderr) == (0, "")
    assert (tmp_path / "nightly/current").resolve().name == (out / "current").resolve().name


def test_a_schedule_starts_it_beside_foreign_folders_of_our_names(house: House, from_wheel: Installed, tmp_path: Path) -> None:
    options = ("--cron", "* * * * *", "--landing", SAMPLE)
    programs = {"of-wheel": from_wheel, "of-checkout": checkout(from_wheel.folder)}
    serving = {
        name: start(house, program, program.command, "serve", *options, "--name", name, "--out", tmp_path / name)
        for name, program in programs.items()
    }
    for name, process in serving.items():
        assert completed_run(house, name)["auto_scheduled"]
        assert Store(tmp_path / name).current_run() is not None
        stop(process)


def completed_run(house: House, name: str) -> Json:
    return wait_for("a run", lambda: next((run for run in house.runs_of(name) if run["state_name"] == "Completed"), None))


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    wait_for("the end of all its processes", lambda: not processes_of(process.pid))


@pytest.fixture
def pool(house: House, from_wheel: Installed) -> Iterator[str]:
    """A work pool with a worker that has the program from the wheel."""
    done = house.run("prefect", "--no-prompt", "work-pool", "create", "installed", "--type", "process")
    assert done.returncode == 0, done.stderr
    worker = start(house, from_wheel, from_wheel.python, "-m", "prefect", "worker", "start", "--pool", "installed")
    yield "installed"
    kill(worker)


def test_a_work_pool_runs_what_was_deployed_without_a_checkout(house: House, from_wheel: Installed, pool: str, tmp_path: Path) -> None:
    def deploy(pool: str, *options: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return from_wheel.run("deploy", "--pool", pool, "--name", "pooled", *options, **house.environment(variables))

    (tmp_path / "zone.toml").write_text('time_zone = "America/Chicago"\n', encoding="utf-8")
    places = ("--out", tmp_path / "out", "--landing", SAMPLE)
    first = deploy(pool, "--cron", "0 0 29 2 *", *places)
    assert (first.returncode, first.stderr) == (0, "")
    again = deploy(pool, "--cron", "0 2 * * *", *places, SIJ_AUDIT_SETTINGS=str(tmp_path / "zone.toml"))
    assert (again.returncode, again.stderr) == (0, "")
    assert "nightly-audit/pooled is on the work pool installed" in again.stdout
    deployed = house.deployment("pooled")
    assert [(each["schedule"]["cron"], each["schedule"]["timezone"]) for each in deployed["schedules"]] == [
        ("0 2 * * *", "America/Chicago")
    ]
    assert (deployed["entrypoint"], deployed["pull_steps"]) == ("sij_audit.flows.nightly.nightly_audit", None)
    assert house.ended_run(house.ask_for_run("pooled", as_of="2024-06-30"))["state_name"] == "Completed"
    assert Store(tmp_path / "out").current_run() is not None

    missing = deploy("nowhere", "--cron", "0 2 * * *")
    assert (missing.returncode, "there is no work pool nowhere" in missing.stderr, missing.stderr.count("\n")) == (2, True, 1)


def test_a_server_that_is_away_is_named(from_wheel: Installed, tmp_path: Path) -> None:
    variables = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(tmp_path)}
    done = from_wheel.run("deploy", "--pool", "any", "--cron", "0 2 * * *", **variables)
    assert done.returncode == 4
    assert done.stderr == "sij-audit: Prefect at http://127.0.0.1:9/api fails (ConnectError): see whether its server runs.\n"
