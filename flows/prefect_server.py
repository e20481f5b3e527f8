"""A temporary Prefect server that ends with the process that started it, however that ends.

Run as a module it is the server. Prefect is imported only there: its settings come from the environment, which must be complete before.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sij_audit.transforms.errors import AuditError

START_SECONDS = 300
"""How long a server may take to start: five seconds on a quick machine, a minute on a busy one with a cold disk."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
}
"""Nothing is sent anywhere."""


def keep_prefect_quiet(console_level: str = "CRITICAL") -> None:
    """Set the environment, where it says nothing else, so that Prefect sends nothing anywhere; before Prefect is imported.

    The terminal is left to the command, but for messages of this level: all go to Prefect's server.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", console_level)


@contextmanager
def prefect_server() -> Iterator[str]:
    """Give the address of the server in PREFECT_API_URL, or of a temporary one, and set the environment for it.

    Enter before Prefect is imported. Raises AuditError when the temporary server does not start.
    """
    keep_prefect_quiet()
    given = os.environ.get("PREFECT_API_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="sij-audit-", ignore_cleanup_errors=True) as home:
        before = dict(os.environ)
        os.environ["PREFECT_HOME"] = home
        for name in ("NO_PROXY", "no_proxy"):
            os.environ[name] = ",".join(filter(None, [before.get(name), "127.0.0.1"]))
        try:
            with _started_server(Path(home) / "server.log") as address:
                os.environ["PREFECT_API_URL"] = address
                yield address
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def _started_server(log: Path) -> Iterator[str]:
    """The pipe to the server's standard input is never written to: its end tells the server that this process is gone."""
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as messages:
        port = listener.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "sij_audit.flows.prefect_server", str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=messages,
            stderr=messages,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}/api"
        _wait_until_healthy(server, address, log)
        yield address
    finally:
        if server.stdin:
            server.stdin.close()
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            said = log.read_text(errors="replace").strip().rpartition("\n")[2]
            raise AuditError(
                f"the temporary Prefect server ended with code {server.returncode} ({said}): set PREFECT_API_URL to one that runs"
            )
        try:
            direct.open(f"{address}/health", timeout=5).close()
        except urllib.error.HTTPError:
            return  # it answers, and wants a password, say
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise AuditError(f"the temporary Prefect server did not start within {START_SECONDS} seconds: set PREFECT_API_URL to one that runs")


def serve(descriptor: int) -> None:
    """Serve Prefect's API on a listening socket until standard input ends."""
    import uvicorn

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    os.environ.update(PREFECT_UI_ENABLED="false", PREFECT__SERVER_EPHEMERAL="1", PREFECT__SERVER_FINAL="1")
    config = uvicorn.Config("prefect.server.api.server:create_app", factory=True, log_level="error", lifespan="on")
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    serve(int(sys.argv[1]))
