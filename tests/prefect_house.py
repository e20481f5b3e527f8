"""A Prefect server, and what runs flows on it, started and killed as the people who look after them would."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from tests.runs import ROOT

T = TypeVar("T")

Json = dict[str, Any]

BIN = Path(sys.executable).parent

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

PATIENCE_SECONDS = 300
"""For whatever is waited for; a busy machine takes its time, and a test that fails says so in the end."""


def wait_for(what: str, look: Callable[[], T | None]) -> T:
    """Look until there is something to see, the less often the longer it takes: each look costs a server some of the processors' time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = 0.05
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(pause)
        pause = min(1.1 * pause, 0.5)
    raise AssertionError(f"waited in vain for {what}")


@dataclass
class House:
    """A server of its own folder and port; `started` are processes that end with the test."""

    folder: Path
    port: int
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """Nothing of the machine's own Prefect or settings."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SIJ_AUDIT_"))}
        return {
            **outside,
            "PATH": f"{BIN}{os.pathsep}{outside['PATH']}",
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": self.address,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_CLI_PROMPT": "false",
            "DO_NOT_TRACK": "1",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **(variables or {}),
        }

    def start(self, *command: str | Path, cwd: Path = ROOT, **variables: str) -> subprocess.Popen[bytes]:
        """Start a command, one of this environment or of a whole path, whose output goes to log.txt."""
        with (self.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [BIN / command[0], *command[1:]], env=self.environment(variables), cwd=cwd, stdout=log, stderr=log, start_new_session=True
            )
        self.started.append(process)
        return process

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [BIN / command[0], *command[1:]], env=self.environment(variables), cwd=ROOT, capture_output=True, text=True, check=False
        )

    def start_server(self) -> subprocess.Popen[bytes]:
        """Start the server as README says, and wait until it answers."""
        server = self.start("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port))
        wait_for("the server", self.is_up)
        return server

    def is_up(self) -> bool:
        with suppress(OSError):
            return bool(self.ask("health"))
        return False

    def ask(self, path: str, body: Json | None = None) -> Any:
        """Ask the server: GET without a body, POST with one."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.address}/{path}", data, {"Content-Type": "application/json"})
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def answer() -> list[Any]:
            try:
                with direct.open(asked, timeout=60) as said:
                    return [json.load(said)]
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
                return []  # SQLite is locked: ask again

        return wait_for("an answer", answer)[0]

    def cancel(self, run_id: str) -> None:
        """Do what `prefect flow-run cancel` does, without the seconds that it takes to start."""
        self.ask(f"flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLING"}})

    def deployment(self, name: str) -> Json:
        """The deployment of that name, once it is registered."""

        def look() -> Json | None:
            with suppress(urllib.error.HTTPError):
                found: Json = self.ask(f"deployments/name/nightly-audit/{name}")
                return found
            return None

        return wait_for(f"the deployment {name}", look)

    def ask_for_run(self, name: str, due: datetime | None = None, **parameters: Any) -> str:
        """Have a run of a deployment made that is due at some time; now if none is given."""
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": (due or datetime.now(UTC)).isoformat()}}
        made = self.ask(f"deployments/{self.deployment(name)['id']}/create_flow_run", {"state": state, "parameters": parameters})
        return str(made["id"])

    def ended_run(self, run_id: str) -> Json:
        """The run, once it has ended."""

        def look() -> Json | None:
            run = self.ask(f"flow_runs/{run_id}")
            return run if run["state_type"] in ENDED else None

        return wait_for("the end of a run", look)

    def runs_of(self, name: str) -> list[Json]:
        """The runs of a deployment that were due, the first first."""
        chosen = {
            "deployment_id": {"any_": [self.deployment(name)["id"]]},
            "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
        }
        return list(self.ask("flow_runs/filter", {"flow_runs": chosen, "sort": "EXPECTED_START_TIME_ASC"}))

    def artifact(self, run_id: str) -> Json:
        """The one artifact of a run."""
        [artifact] = self.ask("artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run_id]}}})
        return dict(artifact)

    def wait_for_events(self, run_id: str, *names: str) -> None:
        """Wait until a run has made events of these names, which is what automations wait for."""
        chosen = {"occurred": {"since": "2020-01-01T00:00:00Z"}, "resource": {"id": [f"prefect.flow-run.{run_id}"]}}

        def look() -> bool:
            events = self.ask("events/filter", {"filter": chosen, "limit": 50})["events"]
            return {f"prefect.flow-run.{name}" for name in names} <= {event["event"] for event in events}

        wait_for(f"events {names}", look)

    def copy_database(self, path: Path) -> None:
        """Copy what the running server has stored so far into a file that appears whole."""
        part = self.folder / "copy.db"
        with closing(sqlite3.connect(self.home / "prefect.db")) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        os.replace(part, path)

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    def stored(self) -> bytes:
        """All that the server and those who run flows have written, with its database."""
        return b"\n".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


@dataclass
class Inbox:
    """A web server that keeps what it is told."""

    url: str
    told: list[Json] = field(default_factory=list)

    def kinds(self, out: Path) -> list[str]:
        """What it was told of an OUT folder, the first first."""
        return [message["kind"] for message in self.told if message["out"] == str(out)]


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    """Take what is posted, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(HTTPStatus.OK)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox = Inbox(f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield inbox
        server.shutdown()
        thread.join()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill one process, and nothing that it started."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def processes_of(group: int) -> list[int]:
    """The processes of a session that still live."""
    alive = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == group and fields[0] != "Z":
                alive.append(int(folder.name))
    return alive


@contextmanager
def open_house(folder: Path, migrated: Path) -> Iterator[House]:
    """A house with a running server; whatever is started in it ends with it.

    Half of the work of a first start is to make the tables of the database: a server begins with the database `migrated`, or leaves it there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    house = House(folder, port)
    house.home.mkdir()
    if migrated.exists():
        shutil.copy(migrated, house.home / "prefect.db")
    try:
        house.start_server()
        if not migrated.exists():
            house.copy_database(migrated)
        yield house
    finally:
        for process in house.started:
            for one in processes_of(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            process.wait()
