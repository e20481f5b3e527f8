"""What an audit of all that OUT holds is made of: the batches that count, what people said of findings, the accounting of each extract."""

from collections.abc import Collection, Sequence
from typing import Any

from sij_audit.transforms.audit.identity import RunIdentity
from sij_audit.transforms.audit.progress import Reporter, report_nothing
from sij_audit.transforms.audit.steps import AuditInputs
from sij_audit.transforms.handoff.reviews import list_reviews
from sij_audit.transforms.ingest.outcomes import Outcome, Refused
from sij_audit.transforms.settings import MEMORY_LIMIT
from sij_audit.transforms.stages.inputs import CONTROL_COLUMNS, Inputs
from sij_audit.transforms.stages.policies import Policy
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.retractions import Retraction, retractions

NO_COUNTS: dict[str, Any] = {name: 0 for name in CONTROL_COLUMNS if name.startswith(("rows_", "paid_"))}


def gather_inputs(
    store: Store,
    batches: Sequence[Batch],
    outcomes: Sequence[Outcome],
    policies: Sequence[Policy],
    identity: RunIdentity,
    memory_limit: str = MEMORY_LIMIT,
    report: Reporter = report_nothing,
) -> AuditInputs:
    """Gather what an audit of these batches reads; what came back from people is read from OUT."""
    tables = Inputs(
        batch_files=[batch.path for batch in batches],
        previous_run=store.runs / identity.previous_run_id if identity.previous_run_id else None,
        extract_controls=_control_rows(batches, outcomes, published_extracts(store), list(retractions(store).values())),
        extract_columns=_column_rows(batches),
        dispositions=list_reviews(store, "dispositions"),
        suppressions=list_reviews(store, "suppressions"),
        lines_of_business=identity.settings["lines_of_business"],
    )
    settings = {
        "as_of": identity.as_of,
        "run_id": identity.run_id,
        "previous_run_id": identity.previous_run_id,
        "version": identity.version,
        "line_of_business": identity.settings["line_of_business"],
    }
    return AuditInputs(tables, policies, settings, store.work, memory_limit, report=report)


def published_extracts(store: Store) -> set[str]:
    """List the SHA-256 of the extracts that the current run was made of."""
    run = store.current_run()
    return {entry["extract_sha256"] for entry in store.manifest(run)["inputs"]} if run else set()


def _control_rows(
    batches: Sequence[Batch], outcomes: Sequence[Outcome], published: Collection[str], retracted: Sequence[Retraction]
) -> list[dict[str, Any]]:
    """The accounting of each extract; one refused under two names is one."""
    of_batches = [
        {
            "extract": batch.extract,
            "extract_sha256": batch.sha256,
            "outcome": "held" if batch.sha256 in published else "taken",
            "reason": None,
            **batch.controls,
        }
        for batch in batches
    ]
    refused = {
        outcome.sha256 or outcome.extract: {
            "extract": outcome.extract,
            "extract_sha256": outcome.sha256,
            "outcome": "refused",
            "reason": outcome.reason,
            **NO_COUNTS,
        }
        for outcome in reversed(outcomes)
        if isinstance(outcome, Refused)
    }
    of_retracted = [
        {
            "extract": retraction.extract,
            "extract_sha256": retraction.extract_sha256,
            "outcome": "retracted",
            "reason": retraction.reason,
            **NO_COUNTS,
        }
        for retraction in retracted
    ]
    return [*of_batches, *refused.values(), *of_retracted]


def _column_rows(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    return [
        {"extract": batch.extract, "extract_sha256": batch.sha256, "column_order": order, **column}
        for batch in batches
        for order, column in enumerate(batch.columns)
    ]
