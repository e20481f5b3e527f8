"""The steps of a run as tasks of Prefect, one a stage and named as it, each after the one before: Prefect shows a night as the staircase.

Prefect's database keeps names, states and messages. So nothing that a step takes or gives passes through Prefect, and of an unexpected
exception, whose text may quote a cell, Prefect gets the kind alone.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from sij_audit.transforms.audit.steps import RunSteps
from sij_audit.transforms.errors import AuditError

P = ParamSpec("P")
T = TypeVar("T")

RETRY_SECONDS: list[float] = [10, 60]
"""How long to wait before a step that may be tried again is: a share that is away comes back, or does not."""


class Unexpected(Exception):
    """Stands before Prefect for an exception that is no AuditError, and says its kind alone.

    So it does when pickled: Prefect writes the exception of a failed task to its storage folder, `persist_result=False` or not.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error

    def __reduce__(self) -> tuple[type[Exception], tuple[str]]:
        return Exception, (str(self),)


class Ended:
    """All that Prefect gets of a task's result: by it Prefect knows which task the next one comes after."""


class TaskRunner:
    """Runs functions as tasks in this thread, one after another."""

    def __init__(self) -> None:
        self._before: list[Ended] = []

    def run(self, name: str, function: Callable[[], T], retries: int = 0) -> T:
        """Call a function as a task of this name, and give what it gives; an error that says what to do is not retried."""
        results: list[T] = []

        def call() -> Ended:
            try:
                results.append(function())
            except AuditError:
                raise
            except Exception as error:
                raise Unexpected(error) from None
            return Ended()

        as_task = task(
            name=name,
            task_run_name=name,
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=retries,
            retry_delay_seconds=RETRY_SECONDS[:retries],
            retry_condition_fn=_is_unexpected,
        )(call)
        try:
            self._before = [as_task(wait_for=self._before)]
        except Unexpected as failure:
            raise failure.error from None
        return results[-1]


def as_task(step: Callable[Concatenate[RunSteps, P], T], retries: int = 0) -> Callable[Concatenate["StageTasks", P], T]:
    """Make a task of a step."""

    def run(steps: "StageTasks", /, *arguments: P.args, **named: P.kwargs) -> T:
        return steps.runner.run(step.__name__, partial(step, steps, *arguments, **named), retries)

    return run


class StageTasks(RunSteps):
    """The steps of one run as tasks. Ingest alone is tried again: what an audit meets on its way, it would meet again."""

    def __init__(self) -> None:
        self.runner = TaskRunner()

    ingest = as_task(RunSteps.ingest, retries=2)
    lines = as_task(RunSteps.lines)
    timeline = as_task(RunSteps.timeline)
    rules = as_task(RunSteps.rules)
    findings = as_task(RunSteps.findings)
    reports = as_task(RunSteps.reports)
    publish = as_task(RunSteps.publish)


def _is_unexpected(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.data, Unexpected)
