"""Serves the nightly flow: registers its schedule on a Prefect server, and starts a process for each run that is due.

A server that goes away is waited for. Prefect's own limits on concurrency are not used, since after a kill they never let go: the lock of OUT
keeps runs apart.
"""

import asyncio
import signal
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.settings import Settings

if TYPE_CHECKING:
    from prefect.schedules import Schedule

DEPLOYMENT = "nightly"
"""What the deployment is called where it is given no name."""

WAIT_SECONDS = 10.0
"""Between two looks whether the server is back."""


def serve_nightly(settings: Settings, cron: str, name: str = DEPLOYMENT, out: Path | None = None, landing: Path | None = None) -> None:
    """Serve until told to stop, which cancels what runs; the schedule goes on, and the last run that is missed is made up for at the next start.

    UsageError without a server, for a cron expression that is none, and where nothing names OUT.
    """
    from prefect.schedules import Cron
    from prefect.settings import get_current_settings

    address = get_current_settings().api.url
    if not address:
        raise UsageError("PREFECT_API_URL is not set: start a server with `prefect server start`, and put its address there.")
    if out is None and settings.out is None:
        raise UsageError("no OUT folder is named: give --out, or set `out` in the settings.")
    if not name or "/" in name or "%" in name:
        raise UsageError("--name can hold no / and no %, since Prefect puts it into addresses.")
    try:
        schedule = Cron(cron, timezone=settings.time_zone)
    except ValueError:
        raise UsageError(f"--cron: {cron} is no cron expression; write it as in '0 2 * * *', every night at two.") from None
    places = {"out": out, "landing": landing}
    parameters = {key: str(place.absolute()) for key, place in places.items() if place is not None}
    serving = f"nightly-audit/{name} is served by {address}: {cron} ({settings.time_zone})"
    # Prefect stops a runner by calls that it does not wait for, and Python would say so.
    warnings.filterwarnings("ignore", message="coroutine 'Runner.* was never awaited", category=RuntimeWarning)
    while True:
        try:
            asyncio.run(_serve(name, schedule, parameters, serving))
        except Exception as error:
            _say(f"Prefect at {address} fails ({_kind_of(error)}); trying again every {WAIT_SECONDS:.0f} seconds")
            time.sleep(WAIT_SECONDS)
        else:
            return


async def _serve(name: str, schedule: "Schedule", parameters: dict[str, str], serving: str) -> None:
    """A run's process imports the flow by its name: a flow that is handed over as an object would be pickled, with all that it refers to."""
    from prefect.runner import Runner
    from prefect.types.entrypoint import EntrypointType

    from sij_audit.flows.nightly import nightly_audit

    runner = Runner(name=name, pause_on_shutdown=False)
    deployment = await nightly_audit.ato_deployment(
        name=name,
        schedule=schedule,
        parameters=parameters,
        version=version("sij-audit"),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    await runner.aadd_deployment(deployment)
    _say(serving)
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
