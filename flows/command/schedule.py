"""Subcommands that put the night on a schedule: serve, deploy."""

from typing import Annotated

import typer

from sij_audit.flows.command.options import Cron, DeploymentName, DeploymentOut, LandingFolder


def serve(*, cron: Cron, out: DeploymentOut = None, landing: LandingFolder = None, name: DeploymentName = "nightly") -> None:
    """Run `nightly` on a schedule, until stopped.

    Needs a running Prefect server, whose address is in PREFECT_API_URL. Every run reads the settings anew, and is as of the day for which it was
    scheduled. After an outage only the last run that was missed is made up for.
    """
    from sij_audit.flows.prefect_server import keep_prefect_quiet

    keep_prefect_quiet("ERROR")
    from sij_audit.flows.serve import serve_nightly
    from sij_audit.transforms.settings import load_settings

    serve_nightly(load_settings(), cron, name, out, landing)


def deploy(
    *,
    pool: Annotated[str, typer.Option(metavar="POOL", help="Work pool of the Prefect server, whose workers run the audit.")],
    cron: Cron,
    out: DeploymentOut = None,
    landing: LandingFolder = None,
    name: DeploymentName = "nightly",
) -> None:
    """Put `nightly` on a Prefect work pool, to be run by its workers on a schedule.

    Needs a running Prefect server, whose address is in PREFECT_API_URL, and no checkout, here or on the workers: the program is installed there,
    and SIJ_AUDIT_SETTINGS names their settings file. The schedule is in the time zone of the settings here. Deployed again under its name, it
    is changed.
    """
    from sij_audit.flows.prefect_server import keep_prefect_quiet

    keep_prefect_quiet("ERROR")
    from sij_audit.flows.deployment import deploy_nightly, describe_deployment
    from sij_audit.transforms.settings import load_settings

    deployment = describe_deployment(load_settings(), cron, name, out, landing)
    deploy_nightly(deployment, pool)
    typer.echo(f"nightly-audit/{name} is on the work pool {pool} of {deployment.address}: {deployment.when}")
    typer.echo(f"`prefect worker start --pool {pool}` runs it, where the program is installed.")
