"""The nightly audit as a Prefect flow: the steps of `transforms.audits`, each a task; ingest is retried.

Prefect's database keeps parameters, names and messages. So tasks are named by step and number, nothing that they take or give is stored,
and of an unexpected exception, whose text may quote a cell, only the kind is told. The exception itself goes to the caller, as in a plain
run.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.tasks import Task

from transforms.audits import Reporter, Request, Result, report_nothing, run_audit
from transforms.errors import AuditError

T = TypeVar("T")

RETRY_SECONDS: list[float] = [10, 60]
"""How long to wait before a step that may be retried is tried again: a share that is away comes back, or does not."""

_reporter: ContextVar[Reporter] = ContextVar("reporter", default=report_nothing)
"""Who is told of progress: no parameter of the flow, because Prefect stores those."""


class Unexpected(Exception):
    """Stands before Prefect for an exception that is no AuditError, and says its kind alone.

    So it does when pickled: Prefect writes the exception of a failed flow to its storage folder, `persist_result=False` or not.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error

    def __reduce__(self) -> tuple[type[Exception], tuple[str]]:
        return Exception, (str(self),)


@flow(name="nightly-audit", persist_result=False, log_prints=False)
def nightly_audit(request: Request) -> Result:
    """Audit as `sij-audit run` does, each step a task."""
    return _kind_only(run_audit)(request, _reporter.get(), step=run_as_task)


def run_nightly(request: Request, report: Reporter = report_nothing) -> Result:
    """Run the flow in this process; raise what a plain run would raise."""
    token = _reporter.set(report)
    try:
        return nightly_audit(request)
    except Unexpected as failure:
        raise failure.error from None
    except AuditError:
        raise
    except Exception as error:
        raise AuditError(
            f"Prefect failed ({type(error).__name__}): see whether the server in PREFECT_API_URL runs; `sij-audit run` needs none."
        ) from error
    finally:
        _reporter.reset(token)
        _send_what_waits()


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
