"""The nightly audit as a Prefect flow: the steps of `sij_audit.transforms.audit.run`, each a task; ingest is retried.

Prefect's database keeps parameters, names, states, messages and artifacts. So tasks are named by step and number, nothing that they take or
give is stored, and of an unexpected exception, whose text may quote a cell, only the kind is told. The flow itself never raises: it ends in
a state of its own, and what a plain run would return or raise goes to the caller beside Prefect.
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas import filters
from prefect.client.schemas.objects import FlowRun, State, StateType, TaskRun
from prefect.context import FlowRunContext
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.states import Cancelled, Completed, Crashed, Failed
from prefect.tasks import Task

from sij_audit.flows.display import print_result, show_progress
from sij_audit.flows.summary import summarize_failure, summarize_result
from sij_audit.transforms.audit.run import Reporter, Request, Result, report_nothing, run_audit
from sij_audit.transforms.errors import AuditError, BusyError, HeldBack, UsageError
from sij_audit.transforms.operations.notifications import tell_of_error, tell_of_result
from sij_audit.transforms.operations.time_limit import wall_clock
from sij_audit.transforms.settings import load_settings
from sij_audit.transforms.stages.policies import policy_folders

T = TypeVar("T")

RETRY_SECONDS: list[float] = [10, 60]
"""How long to wait before a step that may be retried is tried again: a share that is away comes back, or does not."""

ARTIFACT = "sij-audit-run"
"""Key of the artifact with the summary of a run; Prefect shows the last one, and those before it."""

MISSED = timedelta(hours=1)
"""A run that starts so late, when a later one is due already, leaves the work to that one."""

PARENT_SECONDS = 1.0


class Unexpected(Exception):
    """Stands before Prefect for an exception that is no AuditError, and says its kind alone.

    So it does when pickled: Prefect writes the exception of a failed task to its storage folder, `persist_result=False` or not.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error

    def __reduce__(self) -> tuple[type[Exception], tuple[str]]:
        return Exception, (str(self),)


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
        return _spend(night)
    _end_with_parent()
    later = _find_later_run()
    if later is not None:
        return Completed(name="Superseded", message=f"Missed, and left to the run that was due at {later.expected_start_time}.")
    try:
        request = _ask(as_of, out, landing, accept_change)
    except UsageError as error:
        sys.stderr.write(f"sij-audit: {error}\n")
        return Failed(message=str(error))
    tell = partial(_tell_of_no_end, request, _this_run())
    with wall_clock(request.settings.wall_clock_minutes, tell), show_progress() as report:
        night = Night(request, report)
        state = _spend(night)
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
            tell_of_error(request, night.error)
    finally:
        _night.reset(token)
        _send_what_waits()
    if night.result is None:
        raise night.error or AuditError("Prefect did not run the flow: see the server in PREFECT_API_URL; `sij-audit run` needs none.")
    return night.result


def run_as_task(name: str, function: Callable[..., T], *arguments: Any, retries: int = 0) -> T:
    """Call the function as a Prefect task, in this thread; an error that says what to do is not retried."""
    as_task = task(
        name=name,
        task_run_name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=retries,
        retry_delay_seconds=RETRY_SECONDS[:retries],
        retry_condition_fn=_is_unexpected,
    )
    try:
        return as_task(_kind_only(function))(*arguments)
    except Unexpected as failure:
        raise failure.error from None


def _ask(as_of: date | None, out: str | None, landing: str | None, accept_change: bool) -> Request:
    """Settings are read anew by every run; as-of is the day for which it was scheduled, however late it starts or is retried."""
    settings = load_settings()
    place = Path(out) if out else settings.out
    if place is None:
        raise UsageError("no OUT folder is named: give the flow its parameter `out`, or set `out` in the settings.")
    return Request(
        out=place,
        as_of=as_of or settings.day(_this_run().expected_start_time or datetime.now(UTC)),
        line_of_business=settings.line_of_business,
        policy_folders=(*policy_folders(), *settings.policies),
        settings=settings,
        command="nightly",
        landing=Path(landing) if landing else settings.landing,
        max_change=settings.max_change,
        accept_change=accept_change,
    )


def _spend(night: Night) -> State[None]:
    """Audit, tell of it, and give the state that the flow ends in."""
    began = datetime.now(UTC)
    try:
        result = run_audit(night.request, night.report, step=run_as_task)
    except Exception as error:
        night.error = error
        tell_of_error(night.request, error)
    else:
        night.result = tell_of_result(night.request, result)
    if night.error is None or isinstance(night.error, HeldBack):
        _lay_to_rest(began)
    return _end(night)


def _tell_of_no_end(request: Request, run: FlowRun, sentence: str) -> None:
    """Tell people and Prefect of a run that ran out of time; the process ends next."""
    tell_of_error(request, AuditError(sentence))
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Failed(message=sentence), force=True)


def _end(night: Night) -> State[None]:
    as_of = night.request.as_of
    match night.error:
        case None if night.result is not None:
            _keep_summary(summarize_result(as_of, night.result))
            return Completed(message=_headline(night.result))
        case BusyError() as error:
            return Completed(name="Busy", message=str(error))
        case HeldBack() as error:
            _keep_summary(summarize_failure("Held back", as_of, str(error)))
            _fail_first(str(error))
            return Failed(name="Held", message=str(error))
        case AuditError() as error:
            sentence = str(error)
        case error:
            sentence = f"Stopped by {type(error).__name__}; the log of the process says where."
    _keep_summary(summarize_failure("Failed", as_of, sentence))
    return Failed(message=sentence)


def _headline(result: Result) -> str:
    if result.run is None:
        return f"Nothing is new since run {result.current.name}."
    counts = {row["status"]: row["findings"] for row in (result.summary or {}).get("statuses", ())}
    return f"Run {result.run.name}: {counts.get('new', 0):,} findings new, {counts.get('changed', 0):,} changed."


def _print(night: Night) -> None:
    """What the command would print, for the log of whatever runs the flow; of an unexpected error the kind and the place alone."""
    if night.result is not None:
        print_result(night.request, night.result)
    elif isinstance(night.error, AuditError):
        sys.stderr.write(f"sij-audit: {night.error}\n")
    elif night.error is not None:
        sys.stderr.write("".join(traceback.format_tb(night.error.__traceback__)) + f"sij-audit: stopped by {type(night.error).__name__}\n")


def _fail_first(message: str) -> None:
    """Let the run be Failed before it is Held: an automation on failure waits for a state of that name."""
    with suppress(Exception), get_client(sync_client=True) as client:
        client.set_flow_run_state(_this_run().id, Failed(message=message), force=True)


def _keep_summary(markdown: str) -> None:
    """Without its server Prefect cannot keep it, and that is no reason to fail."""
    with suppress(Exception):
        create_markdown_artifact(markdown, key=ARTIFACT)


def _this_run() -> FlowRun:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("outside of a flow run")
    return context.flow_run


def _find_later_run() -> FlowRun | None:
    """Find a later run of the deployment that is due too, where this one was missed: after an outage the last night is made up for alone."""
    run = _this_run()
    now, due = datetime.now(UTC), run.expected_start_time
    if run.deployment_id is None or due is None or run.run_count > 1 or now - due < MISSED:
        return None
    expected = filters.FlowRunFilterExpectedStartTime.model_validate({"after_": due, "before_": now})
    with suppress(Exception), get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_run_filter=filters.FlowRunFilter(
                deployment_id=filters.FlowRunFilterDeploymentId(any_=[run.deployment_id]), expected_start_time=expected
            )
        )
        later = [other for other in runs if other.expected_start_time and other.expected_start_time > due and _is_alike(run, other)]
        return max(later, key=lambda other: other.expected_start_time or due, default=None)
    return None


def _is_alike(run: FlowRun, other: FlowRun) -> bool:
    return run.deployment_id == other.deployment_id and run.parameters.get("out") == other.parameters.get("out")


def _lay_to_rest(began: datetime) -> None:
    """End, in Prefect, earlier runs that still count as under way: this one has held OUT's lock since, so their process is gone."""
    run = _this_run()
    unended = filters.FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING, StateType.CANCELLING])
    with suppress(Exception), get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_filter=filters.FlowFilter(id=filters.FlowFilterId(any_=[run.flow_id])),
            flow_run_filter=filters.FlowRunFilter(state=filters.FlowRunFilterState(type=unended)),
        )
        for other in runs:
            if other.id != run.id and _is_alike(run, other) and other.state is not None and other.state.timestamp < began:
                _end_dead_run(client, other)


def _end_dead_run(client: SyncPrefectClient, run: FlowRun) -> None:
    is_cancelled = run.state is not None and run.state.is_cancelling()
    message = "Its process is gone, and Prefect was not told how it ended; the journal of OUT says so."
    ended: State[None] = Cancelled(message=message) if is_cancelled else Crashed(message=message)
    client.set_flow_run_state(run.id, ended, force=True)


def _end_with_parent() -> None:
    """Die with the runner or worker that started this process: nobody else could cancel it, and the next run continues it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(AuditError.exit_code)

    threading.Thread(target=watch, daemon=True).start()


def _send_what_waits() -> None:
    """Wait for the threads that send messages and events to the server, before a temporary one ends."""
    APILogWorker.instance().drain()
    EventsWorker.drain_all()


def _kind_only(function: Callable[..., T]) -> Callable[..., T]:
    def call(*arguments: Any, **named: Any) -> T:
        try:
            return function(*arguments, **named)
        except AuditError:
            raise
        except Exception as error:
            raise Unexpected(error) from None

    return call


def _is_unexpected(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.data, Unexpected)
