"""Subcommands that audit: run, plan, nightly."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sij_audit.flows.command.options import (
    AcceptChange,
    AsJson,
    AsOf,
    Extracts,
    LandingFolder,
    Layouts,
    LineOfBusiness,
    MaxChange,
    Out,
    Policies,
)
from sij_audit.flows.command.policies import folders_in_force

if TYPE_CHECKING:
    from sij_audit.transforms.audit.progress import Reporter
    from sij_audit.transforms.audit.run import Request, Result


def run(
    extracts: Extracts = None,
    *,
    out: Out,
    as_of: AsOf = None,
    line_of_business: LineOfBusiness = None,
    policies: Policies = None,
    layouts: Layouts = None,
    max_change: MaxChange = None,
    accept_change: AcceptChange = False,
    as_json: AsJson = False,
) -> None:
    """Load extracts, audit all that OUT holds, publish the run.

    Extracts that OUT holds already are not read again. Without extracts, what is there is audited.
    """
    from sij_audit.transforms.audit.run import run_audit

    request = _read_request(extracts, out, as_of, line_of_business, policies, layouts)
    _audit(replace(request, max_change=max_change, accept_change=accept_change), run_audit, as_json=as_json)


def plan(
    extracts: Extracts = None,
    *,
    out: Out,
    as_of: AsOf = None,
    line_of_business: LineOfBusiness = None,
    policies: Policies = None,
    layouts: Layouts = None,
    as_json: AsJson = False,
) -> None:
    """Do what `run` does, show what would change, and leave OUT as it was."""
    from sij_audit.flows.changes import print_plan
    from sij_audit.flows.display import show_progress
    from sij_audit.flows.json_facts import describe_comparison, describe_run
    from sij_audit.flows.json_output import print_json
    from sij_audit.transforms.audit.comparison import compare_runs
    from sij_audit.transforms.audit.plan import plan_audit
    from sij_audit.transforms.store.folder import Store

    request = _read_request(extracts, out, as_of, line_of_business, policies, layouts)
    before = Store(out).current_run()
    with ExitStack() as stack:
        with show_progress(as_json) as report:
            planned = stack.enter_context(plan_audit(request, report))
        comparison = compare_runs(before, planned.run) if before and planned.run else None
        if as_json:
            changes = describe_comparison(comparison) if comparison else None
            print_json("plan", planned.exit_code, describe_run(request.as_of, planned) | {"changes": changes})
        else:
            print_plan(planned, comparison)
    if planned.exit_code:
        raise typer.Exit(planned.exit_code)


def check(
    extracts: Annotated[list[Path], typer.Argument(metavar="EXTRACT", help="Claims extracts, or folders of them.")],
    *,
    as_of: AsOf = None,
    line_of_business: LineOfBusiness = None,
    policies: Policies = None,
    layouts: Layouts = None,
    as_json: AsJson = False,
) -> None:
    """Look at extracts before they are loaded anywhere.

    Shows columns and how far they are filled, forms of dates and amounts, values that are not understood, what would be kept, what quarantined
    and why, and what the audit could say. It needs no OUT and publishes nothing; the exit code is that of a run.
    """
    from sij_audit.flows.check_display import print_check
    from sij_audit.flows.json_facts import describe_check
    from sij_audit.flows.json_output import print_json
    from sij_audit.transforms.audit.check import check_extracts

    request = _read_request(extracts, Path(), as_of, line_of_business, policies, layouts)
    with check_extracts(request) as checked:
        if as_json:
            print_json("check", checked.result.exit_code, describe_check(request.as_of, checked))
        else:
            print_check(checked)
    if checked.result.exit_code:
        raise typer.Exit(checked.result.exit_code)


def nightly(
    extracts: Extracts = None,
    *,
    out: Out,
    as_of: AsOf = None,
    line_of_business: LineOfBusiness = None,
    policies: Policies = None,
    layouts: Layouts = None,
    landing: LandingFolder = None,
    accept_change: AcceptChange = False,
) -> None:
    """Do what `run` does as a Prefect flow, and notify people of how it ended.

    It runs on the server in PREFECT_API_URL, or on a temporary one that ends with it. Without extracts and --landing, those in the setting
    `landing` are loaded. The settings also say how much may change before nothing is published (`max_change`), and whom to notify of what.
    """
    from sij_audit.flows.prefect_server import prefect_server
    from sij_audit.transforms.errors import AuditError
    from sij_audit.transforms.operations.notifications import notify_of_error

    def run_flow(request: "Request", report: "Reporter") -> "Result":
        with ExitStack() as stack:
            try:
                stack.enter_context(prefect_server())
            except AuditError as error:
                notify_of_error(request, error)
                raise
            from sij_audit.flows.nightly import run_nightly

            return run_nightly(request, report)

    request = _read_request(extracts, out, as_of, line_of_business, policies, layouts)
    settings = request.settings
    place = landing or (None if request.extracts else settings.landing)
    _audit(
        replace(request, landing=place, command="nightly", max_change=settings.max_change, accept_change=accept_change),
        run_flow,
        lambda sentence: notify_of_error(request, AuditError(sentence)),
    )


def _read_request(
    extracts: list[Path] | None,
    out: Path,
    as_of: datetime | None,
    line_of_business: str | None,
    policies: list[Path] | None,
    layouts: list[Path] | None,
) -> "Request":
    from sij_audit.transforms.audit.run import Request
    from sij_audit.transforms.settings import load_settings

    settings = load_settings()
    if layouts:
        settings = settings.model_copy(update={"layouts": tuple(layouts)})
    return Request(
        out=out,
        extracts=tuple(extracts or ()),
        as_of=as_of.date() if as_of else settings.today(),
        line_of_business=(line_of_business or "").strip(" ").lower() or settings.line_of_business,
        policy_folders=folders_in_force(policies or ()),
        settings=settings,
    )


def _audit(
    request: "Request",
    function: "Callable[[Request, Reporter], Result]",
    notify: "Callable[[str], object]" = lambda sentence: None,
    *,
    as_json: bool = False,
) -> None:
    """Run with a display of how far it is, and print what it found; `notify` is called for a run that did not end in time."""
    from sij_audit.flows.display import print_result, show_progress
    from sij_audit.transforms.operations.time_limit import wall_clock

    with wall_clock(request.settings.wall_clock_minutes, notify), show_progress(as_json) as report:
        result = function(request, report)
    if as_json:
        from sij_audit.flows.json_facts import describe_run
        from sij_audit.flows.json_output import print_json

        print_json("run", result.exit_code, describe_run(request.as_of, result))
    else:
        print_result(request, result)
    if result.exit_code:
        raise typer.Exit(result.exit_code)
