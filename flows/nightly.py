"""The nightly audit as a Prefect flow: a run whose steps are tasks, and people notified of how it ended.

Prefect's database keeps parameters, names, states, messages and artifacts, so nothing of a claim may be in them. The flow itself never
raises: it ends in a state of its own, and what a plain run would return or raise goes to the caller beside Prefect.
"""

import os
import sys
import threading
import time
import traceback
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed, Failed

from sij_audit.flows.display import print_result, show_progress
from sij_audit.flows.flow_runs import end_dead_runs, fail_first, find_later_run, keep_summary, send_what_waits, this_run
from sij_audit.flows.stage_tasks import StageTasks
from sij_audit.flows.summary import summarize_failure, summarize_result
from sij_audit.transforms.audit.progress import Reporter, report_nothing
from sij_audit.transforms.audit.run import Request, Result, run_audit
from sij_audit.transforms.errors import AuditError, BusyError, HeldBack, UsageError
from sij_audit.transforms.operations.notifications import notify_of_error, notify_of_result
from sij_audit.transforms.operations.time_limit import wall_clock
from sij_audit.transforms.settings import load_settings
from sij_audit.transforms.stages.policies import policy_folders

PARENT_SECONDS = 1.0
"""Between two looks whether the process that started this one is still there."""


@dataclass
class Night:
    """What a run is given and how it ended: no parameters and results of the flow, because Prefect stores those."""

    request: Request
    report: Reporter = report_nothing
    result: Result | None = None
    error: Exception | None = None


_night: ContextVar[Night | None] = ContextVar("night", default=None)


@flow(name="nightly-audit", persist_result=False, log_prints=False)
def nightly_audit(
    as_of: date | None = None, out: str | None = None, landing: str | None = None, accept_change: bool = False
) -> State[None]:
    """Audit as `sij-audit run` does, each step a task.

    Args:
        as_of: audit services up to this date; the day of the scheduled time in the time zone of the settings if not given
        out: the OUT folder; that of the settings if not given
        landing: folder with extracts; that of the settings if not given
        accept_change: publish however much changes
    """
    night = _night.get()
    if night is not None:
        return _audit(night)
    _end_with_parent()
    later = find_later_run()
    if later is not None:
        return Completed(name="Superseded", message=f"Missed, and left to the run that was due at {later.expected_start_time}.")
    try:
        request = _ask(as_of, out, landing, accept_change)
    except UsageError as error:
        sys.stderr.write(f"sij-audit: {error}\n")
        return Failed(message=str(error))
    notify = partial(_notify_of_no_end, request, this_run())
    with wall_clock(request.settings.wall_clock_minutes, notify), show_progress() as report:
        night = Night(request, report)
        state = _audit(night)
    _print(night)
    return state


def run_nightly(request: Request, report: Reporter = report_nothing) -> Result:
    """Run the flow in this process; raise what a plain run would raise."""
    night = Night(request, report)
    token = _night.set(night)
    try:
        nightly_audit(
            as_of=request.as_of,
            out=str(request.out.absolute()),
            landing=str(request.landing.absolute()) if request.landing else None,
            accept_change=request.accept_change,
            return_state=True,
        )
    except Exception as error:
        if night.result is None and night.error is None:
            night.error = AuditError(
                f"Prefect failed ({type(error).__name__}): see whether the server in PREFECT_API_URL runs; `sij-audit run` needs none."
            )
            notify_of_error(request, night.error)
    finally:
        _night.reset(token)
        send_what_waits()
    if night.result is None:
        raise night.error or AuditError("Prefect did not run the flow: see the server in PREFECT_API_URL; `sij-audit run` needs none.")
    return night.result


def _ask(as_of: date | None, out: str | None, landing: str | None, accept_change: bool) -> Request:
    """Settings are read anew by every run; as-of is the day for which it was scheduled, however late it starts or is retried."""
    settings = load_settings()
    place = Path(out) if out else settings.out
    if place is None:
        raise UsageError("no OUT folder is named: give the flow its parameter `out`, or set `out` in the settings.")
    return Request(
        out=place,
        as_of=as_of or settings.day(this_run().expected_start_time or datetime.now(UTC)),
        line_of_business=settings.line_of_business,
        policy_folders=(*policy_folders(), *settings.policies),
        settings=settings,
        command="nightly",
        landing=Path(landing) if landing else settings.landing,
        max_change=settings.max_change,
        accept_change=accept_change,
    )


def _audit(night: Night) -> State[None]:
    """Audit, notify people, and give the state that the flow ends in."""
    began = datetime.now(UTC)
    try:
        result = run_audit(night.request, night.report, StageTasks())
    except Exception as error:
        night.error = error
        notify_of_error(night.request, error)
    else:
        night.result = notify_of_result(night.request, result)
    if night.error is None or isinstance(night.error, HeldBack):
        end_dead_runs(began)
    return _end(night)


def _notify_of_no_end(request: Request, run: FlowRun, sentence: str) -> None:
    """Notify people and Prefect of a run that ran out of time; the process ends next."""
    notify_of_error(request, AuditError(sentence))
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Failed(message=sentence), force=True)


def _end(night: Night) -> State[None]:
    as_of = night.request.as_of
    match night.error:
        case None if night.result is not None:
            keep_summary(summarize_result(as_of, night.result))
            return Completed(message=_headline(night.result))
        case BusyError() as error:
            return Completed(name="Busy", message=str(error))
        case HeldBack() as error:
            keep_summary(summarize_failure("On hold", as_of, str(error)))
            fail_first(str(error))
            return Failed(name="Held", message=str(error))
        case AuditError() as error:
            sentence = str(error)
        case error:
            sentence = f"Stopped by {type(error).__name__}; the log of the process says where."
    keep_summary(summarize_failure("Failed", as_of, sentence))
    return Failed(message=sentence)


def _headline(result: Result) -> str:
    if result.run is None or result.summary is None:
        return f"Nothing is new since run {result.current.name}."
    new, changed = result.summary.findings_of("new"), result.summary.findings_of("changed")
    return f"Run {result.run.name}: {new:,} findings new, {changed:,} changed."


def _print(night: Night) -> None:
    """What the command would print, for the log of whatever runs the flow; of an unexpected error the kind and the place alone."""
    if night.result is not None:
        print_result(night.request, night.result)
    elif isinstance(night.error, AuditError):
        sys.stderr.write(f"sij-audit: {night.error}\n")
    elif night.error is not None:
        sys.stderr.write("".join(traceback.format_tb(night.error.__traceback__)) + f"sij-audit: stopped by {type(night.error).__name__}\n")


def _end_with_parent() -> None:
    """Die with the runner or worker that started this process: nobody else could cancel it, and the next run continues it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(AuditError.exit_code)

    threading.Thread(target=watch, daemon=True).start()
