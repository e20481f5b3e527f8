"""The flow does what the plain command does, on a real server, and tells Prefect nothing of what is in the claims."""

import base64
import csv
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sij_audit.flows.prefect_server import QUIET, prefect_server
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.store.folder import Store
from tests.prefect_house import House, wait_for

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.xdist_group("nights")

SCRIPT = """
import sys
from datetime import date
from pathlib import Path

from sij_audit.flows import nightly, stage_tasks
from sij_audit.transforms.audit.run import Request, Result
from sij_audit.transforms.errors import BusyError, HeldBack

stage_tasks.RETRY_SECONDS[:] = [0.1, 0.1]
tries = []


def ingest(steps, cell):
    kind = sys.argv[1]
    tries.append(cell)
    if kind == "flaky" and len(tries) < 3:
        raise OSError(cell)
    if kind == "broken":
        raise ValueError(cell)
    if kind == "busy":
        raise BusyError("Another run holds it.")
    if kind == "held":
        raise HeldBack("Too much would change.")
    return cell


def lines(steps, cell):
    return len(cell)


class Tasks(stage_tasks.StageTasks):
    ingest = stage_tasks.as_task(ingest, retries=2)
    lines = stage_tasks.as_task(lines)


def run_audit(request, report, steps):
    report("told")
    cell = steps.ingest("MAR" + "KER")
    if sys.argv[1] == "outside":
        raise KeyError(cell)
    return Result((), Path("runs") / f"R{steps.lines(cell)}", None, None)


nightly.StageTasks = Tasks


nightly.run_audit = run_audit
said = []
try:
    request = Request(extracts=(Path("a"),), out=Path("b"), as_of=date(2024, 6, 30))
    said.append(nightly.run_nightly(request, said.append).current.name)
except Exception as error:
    said.append(type(error).__name__)
print(len(tries), *said)
"""


@pytest.fixture
def server(house: House) -> tuple[str, Path]:
    """A running server: its address, and the folder of its database."""
    return house.address, house.home


def run_script(kind: str, address: str, home: Path) -> subprocess.CompletedProcess[str]:
    quiet = {**QUIET, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
    environment = {**os.environ, **quiet, "PREFECT_API_URL": address, "PREFECT_HOME": str(home)}
    return subprocess.run([sys.executable, "-c", SCRIPT, kind], env=environment, cwd=ROOT, capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("sound", "1 told R6"),
        ("flaky", "3 told R6"),
        ("broken", "3 told ValueError"),
        ("busy", "1 told BusyError"),
        ("held", "1 told HeldBack"),
        ("outside", "1 told KeyError"),
    ],
)
def test_steps_are_retried_and_errors_passed_on(server: tuple[str, Path], tmp_path: Path, kind: str, said: str) -> None:
    address, home = server
    done = run_script(kind, address, tmp_path)
    assert done.stdout.strip() == said
    assert done.stderr == ""
    stored = [path.read_bytes() for folder in (home, tmp_path) for path in folder.rglob("*") if path.is_file()]
    assert any(b"ingest" in content for content in stored), "the server's database was not looked at"
    assert not any(b"MARKER" in content or b"MARKER" in _decoded(content) for content in stored)


def _decoded(content: bytes) -> bytes:
    """Prefect keeps pickles of exceptions as base64."""
    try:
        return base64.b64decode(content)
    except ValueError:
        return b""


def test_a_server_ends_with_the_process_that_started_it() -> None:
    script = """
import time
from sij_audit.flows.prefect_server import QUIET, prefect_server
from tests.prefect_house import House, wait_for

with prefect_server() as address:
    print(address, flush=True)
    time.sleep(600)
"""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    with subprocess.Popen([sys.executable, "-c", script], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        process.kill()
    port = int(address.split(":")[2].split("/")[0])
    deadline = time.monotonic() + 30
    while _answers(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _answers(port)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_server_that_cannot_start_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", "nonsense")
    started = time.monotonic()
    with pytest.raises(AuditError, match="ended with code"), prefect_server():
        pass
    assert time.monotonic() - started < 60


def test_a_server_that_is_not_there_is_reported(tmp_path: Path) -> None:
    done = run_script("sound", "http://127.0.0.1:9/api", tmp_path)
    assert done.stdout.strip() == "0 AuditError"


def run_command(*arguments: str | Path, address: str | None = None, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    if address:
        environment |= {"PREFECT_API_URL": address, "PREFECT_HOME": str(home)}
    command = [sys.executable, "-m", "sij_audit", *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def published_hashes(out: Path) -> dict[str, str]:
    manifest = json.loads((out / "current/manifest.json").read_text(encoding="utf-8"))
    return {"run_id": manifest["run_id"]} | {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((out / "current/").glob("*.parquet"))
    }


STAIRCASE = ["ingest", "lines", "timeline", "rules", "findings", "reports", "publish"]


def picture_of(house: House, as_of: str) -> list[tuple[str, list[str]]]:
    """Tasks of the night of a day, in their order, each with those that it comes after, as Prefect draws them."""
    [run] = [run for run in house.ask("flow_runs/filter", {}) if run["parameters"].get("as_of") == as_of]

    def look() -> list[tuple[str, list[str]]] | None:
        nodes = [node for _, node in house.ask(f"flow_runs/{run['id']}/graph-v2")["nodes"] if node["kind"] == "task-run"]
        names = {node["id"]: node["label"] for node in nodes}
        drawn = sorted(nodes, key=lambda node: STAIRCASE.index(node["label"]))
        return [(node["label"], [names[parent["id"]] for parent in node["parents"]]) for node in drawn] if len(nodes) == 7 else None

    return wait_for("all tasks in Prefect's database", look)


def test_prefect_draws_a_night_as_the_staircase(house: House, tmp_path: Path) -> None:
    options: list[str | Path] = [ROOT / "data/sample", "--as-of", "2024-05-31", "--out", tmp_path / "out"]
    assert run_command("nightly", *options, address=house.address, home=tmp_path / "home").returncode == 0
    before = [[], *([name] for name in STAIRCASE)]
    assert picture_of(house, "2024-05-31") == list(zip(STAIRCASE, before, strict=False))


def test_the_flow_publishes_what_the_command_does_and_shows_prefect_no_member(server: tuple[str, Path], tmp_path: Path) -> None:
    address, home = server
    options: list[str | Path] = [ROOT / "data/sample", "--as-of", "2024-06-30", "--out"]
    plain = run_command("run", *options, tmp_path / "plain")
    flow = run_command("nightly", *options, tmp_path / "flow", address=address, home=tmp_path / "home")
    assert (flow.returncode, flow.stderr) == (plain.returncode, plain.stderr)
    assert published_hashes(tmp_path / "flow") == published_hashes(tmp_path / "plain")
    with (ROOT / "data/sample/claims_1_professional.csv").open(encoding="utf-8") as lines:
        cells = {row[name] for row in csv.DictReader(lines) for name in ("claim_id", "member_id", "person_id", "billing_npi")}
    assert len(cells) > 500
    folders = (home, tmp_path / "home")
    stored = b"\n".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())
    assert b"nightly-audit" in stored
    assert [cell for cell in cells if len(cell) > 5 and cell.encode() in stored] == []


def test_exit_codes_are_those_of_run(server: tuple[str, Path], tmp_path: Path) -> None:
    address, home = server
    out = tmp_path / "out"
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert run_command("nightly", tmp_path / "nowhere.csv", "--out", out, address=address, home=home).returncode == 2
    assert run_command("nightly", empty, "--out", out, address=address, home=home).returncode == 3
    with Store(out).lock():
        busy = run_command("nightly", "--out", out, address=address, home=home)
    assert busy.returncode == 75
    assert busy.stderr.startswith("sij-audit: Another run holds")


def test_the_command_brings_its_own_server_past_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    done = run_command("nightly", ROOT / "data/sample", "--as-of", "2024-06-30", "--out", tmp_path / "out")
    assert (done.returncode, (tmp_path / "out/current/findings.parquet").is_file()) == (0, True)
