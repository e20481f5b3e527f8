"""What Prefect knows of the nightly flow: alike whether `sij-audit serve` runs it or the worker of a work pool."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.settings import Settings

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule


@dataclass(frozen=True)
class Deployment:
    """The nightly flow under a name, its schedule and its parameters, on the server at `address`."""

    address: str
    name: str
    schedule: "Schedule"
    parameters: dict[str, str]

    @property
    def when(self) -> str:
        return f"{self.schedule.cron} ({self.schedule.timezone})"

    def for_prefect(self, pool: str | None = None) -> "RunnerDeployment":
        """Give what Prefect registers.

        The flow is named by its module, since a file's path would only be found in a checkout, and a flow that is handed over as an object
        would be pickled, with all that it refers to.
        """
        from prefect.deployments.runner import RunnerDeployment
        from prefect.types.entrypoint import EntrypointType

        from sij_audit.flows.nightly import nightly_audit

        return RunnerDeployment.from_flow(
            nightly_audit,
            name=self.name,
            schedule=self.schedule,
            parameters=self.parameters,
            version=version("sij-audit"),
            work_pool_name=pool,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )


def describe_deployment(settings: Settings, cron: str, name: str, out: Path | None, landing: Path | None) -> Deployment:
    """Describe the deployment; UsageError without a server, for a cron expression that is none, and for a name that Prefect cannot have."""
    from prefect.schedules import Cron
    from prefect.settings import get_current_settings

    address = get_current_settings().api.url
    if not address:
        raise UsageError("PREFECT_API_URL is not set: start a server with `prefect server start`, and put its address there.")
    if not name or "/" in name or "%" in name:
        raise UsageError("--name can hold no / and no %, since Prefect puts it into addresses.")
    try:
        schedule = Cron(cron, timezone=settings.time_zone)
    except ValueError:
        raise UsageError(f"--cron: {cron} is no cron expression; write it as in '0 2 * * *', every night at two.") from None
    places = {"out": out, "landing": landing}
    return Deployment(address, name, schedule, {key: str(place.absolute()) for key, place in places.items() if place is not None})


def deploy_nightly(deployment: Deployment, pool: str) -> None:
    """Put the deployment on a work pool, in place of one of the same name; UsageError where there is no such pool."""
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    try:
        with get_client(sync_client=True) as client:
            client.read_work_pool(pool)
        deployment.for_prefect(pool).apply()
    except ObjectNotFound:
        raise UsageError(f"--pool: there is no work pool {pool}: make it with `prefect work-pool create {pool} --type process`.") from None
    except (HTTPError, RuntimeError) as error:
        raise AuditError(f"Prefect at {deployment.address} fails ({type(error).__name__}): see whether its server runs.") from error
