"""What Prefect knows of runs of the flow: the later one that is due too, those whose process is gone, the summary of each."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas import filters
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import FlowRunContext
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.states import Cancelled, Crashed, Failed

ARTIFACT = "sij-audit-run"
"""Key of the artifact with the summary of a run; Prefect shows the last one, and those before it."""

MISSED = timedelta(hours=1)
"""A run that starts so late, when a later one is due already, leaves the work to that one."""


def fail_first(message: str) -> None:
    """Let the run be Failed before it is Held: an automation on failure waits for a state of that name."""
    with suppress(Exception), get_client(sync_client=True) as client:
        client.set_flow_run_state(this_run().id, Failed(message=message), force=True)


def keep_summary(markdown: str) -> None:
    """Keep the summary as an artifact; without its server Prefect cannot, and that is no reason to fail."""
    with suppress(Exception):
        create_markdown_artifact(markdown, key=ARTIFACT)


def this_run() -> FlowRun:
    """Give the run of the flow that calls this."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("outside of a flow run")
    return context.flow_run


def find_later_run() -> FlowRun | None:
    """Find a later run of the deployment that is due too, where this one was missed: after an outage the last night is made up for alone."""
    run = this_run()
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


def end_dead_runs(began: datetime) -> None:
    """End, in Prefect, earlier runs that still count as under way: this one has held OUT's lock since, so their process is gone."""
    run = this_run()
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
    message = "Its process is gone, and Prefect does not know how it ended; the journal of OUT says so."
    ended: State[None] = Cancelled(message=message) if is_cancelled else Crashed(message=message)
    client.set_flow_run_state(run.id, ended, force=True)


def send_what_waits() -> None:
    """Wait for the threads that send messages and events to the server, before a temporary one ends."""
    APILogWorker.instance().drain()
    EventsWorker.drain_all()
