"""Serves the nightly flow: registers its schedule on a Prefect server, and starts a process for each run that is due.

A server that goes away is waited for. Prefect's own limits on concurrency are not used, since after a kill they never let go: the lock of OUT
keeps runs apart.
"""

import asyncio
import signal
import sys
import time
import warnings
from pathlib import Path

from sij_audit.flows.deployment import Deployment, describe_deployment
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.settings import Settings

DEPLOYMENT = "nightly"
"""What the deployment is called where it is given no name."""

WAIT_SECONDS = 10.0
"""Between two looks whether the server is back."""


def serve_nightly(settings: Settings, cron: str, name: str = DEPLOYMENT, out: Path | None = None, landing: Path | None = None) -> None:
    """Serve until told to stop, which cancels what runs; the schedule goes on, and the last run that is missed is made up for at the next start.

    UsageError without a server, for a cron expression that is none, and where nothing names OUT.
    """
    deployment = describe_deployment(settings, cron, name, out, landing)
    if out is None and settings.out is None:
        raise UsageError("no OUT folder is named: give --out, or set `out` in the settings.")
    # Prefect stops a runner by calls that it does not wait for, and Python would say so.
    warnings.filterwarnings("ignore", message="coroutine 'Runner.* was never awaited", category=RuntimeWarning)
    while True:
        try:
            asyncio.run(_serve(deployment))
        except Exception as error:
            _say(f"Prefect at {deployment.address} fails ({_kind_of(error)}); trying again every {WAIT_SECONDS:.0f} seconds")
            time.sleep(WAIT_SECONDS)
        else:
            return


async def _serve(deployment: Deployment) -> None:
    from prefect.runner import Runner

    runner = Runner(name=deployment.name, pause_on_shutdown=False)
    await runner.aadd_deployment(deployment.for_prefect())
    _say(f"nightly-audit/{deployment.name} is served by {deployment.address}: {deployment.when}")
    loop = asyncio.get_running_loop()
    stops: set[asyncio.Task[None]] = set()

    def stop() -> None:
        stops.add(loop.create_task(runner.astop()))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.call_soon(loop.add_signal_handler, number, stop)  # once the runner has set its own handler, which cancels no run
    await runner.start()


def _kind_of(error: BaseException) -> str:
    """The kind of an error; of a group of them, that of the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
