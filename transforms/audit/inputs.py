"""What an audit of all that OUT holds is made of: the batches that count, what people said of findings, the accounting of each extract."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sij_audit.transforms.audit.identity import RunIdentity
from sij_audit.transforms.audit.progress import Reporter, report_nothing
from sij_audit.transforms.audit.steps import AuditInputs
from sij_audit.transforms.columns import QUARANTINE_REASONS, REMEDIES, Fault
from sij_audit.transforms.handoff.reviews import list_reviews
from sij_audit.transforms.ingest.feeds import terms_of
from sij_audit.transforms.ingest.outcomes import Outcome, Refused
from sij_audit.transforms.settings import BY_ADJUDICATION_DATE, MEMORY_LIMIT, Settings
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
    published = published_extracts(store)
    refused = _refused_once(outcomes)
    tables = Inputs(
        batch_files=[batch.path for batch in batches],
        versioning={batch.path: identity.settings["versioning"].get(batch.sha256) for batch in batches},
        previous_run=store.runs / identity.previous_run_id if identity.previous_run_id else None,
        extract_controls=_control_rows(batches, refused, published, list(retractions(store).values())),
        extract_columns=_column_rows(batches),
        extract_faults=_fault_rows(batches, refused, published),
        extract_quality=[{"extract": batch.extract, "extract_sha256": batch.sha256, **row} for batch in batches for row in batch.quality],
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


def name_versioning(batches: Sequence[Batch], settings: Settings) -> dict[str, str]:
    """Say how rows are versions, by the SHA-256 of each extract where that is not by adjudication date."""
    named = {batch.sha256: terms_of(settings, batch.extract).versioning for batch in batches}
    return {extract: versioning for extract, versioning in named.items() if versioning != BY_ADJUDICATION_DATE}


def published_extracts(store: Store) -> set[str]:
    """List the SHA-256 of the extracts that the current run was made of."""
    run = store.current_run()
    return {entry["extract_sha256"] for entry in store.manifest(run)["inputs"]} if run else set()


def _control_rows(
    batches: Sequence[Batch], refused: Sequence[Refused], published: Collection[str], retracted: Sequence[Retraction]
) -> list[dict[str, Any]]:
    """The accounting of each extract."""
    of_batches = [
        {
            "extract": batch.extract,
            "extract_sha256": batch.sha256,
            "outcome": _outcome_of(batch, published),
            "reason": None,
            **batch.controls,
        }
        for batch in batches
    ]
    of_refused = [
        {
            "extract": outcome.extract,
            "extract_sha256": outcome.sha256,
            "outcome": "refused",
            "reason": outcome.reason,
            **NO_COUNTS,
        }
        for outcome in refused
    ]
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
    return [*of_batches, *of_refused, *of_retracted]


def _refused_once(outcomes: Sequence[Outcome]) -> list[Refused]:
    """List the extracts that were refused; one refused under two names is one."""
    return list({one.sha256 or one.extract: one for one in reversed(outcomes) if isinstance(one, Refused)}.values())


def _outcome_of(batch: Batch, published: Collection[str]) -> str:
    return "held" if batch.sha256 in published else "taken"


def _fault_rows(batches: Sequence[Batch], refused: Sequence[Refused], published: Collection[str]) -> list[dict[str, Any]]:
    """What quarantined rows have in common, of each extract."""
    of_extracts: list[tuple[str, str | None, str, Sequence[Fault]]] = [
        *((batch.extract, batch.sha256, _outcome_of(batch, published), batch.faults) for batch in batches),
        *((one.extract, one.sha256, "refused", one.faults) for one in refused),
    ]
    return [
        {
            "extract": extract,
            "extract_sha256": sha256,
            "fault_order": order,
            "outcome": outcome,
            "meaning": QUARANTINE_REASONS[fault.reason],
            "what_to_do": REMEDIES[fault.reason],
            **{name: value for name, value in asdict(fault).items() if name != "first_rows"},
            "first_row_numbers": fault.first_rows,
        }
        for extract, sha256, outcome, faults in of_extracts
        for order, fault in enumerate(faults)
    ]


def _column_rows(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    return [
        {"extract": batch.extract, "extract_sha256": batch.sha256, "column_order": order, **column}
        for batch in batches
        for order, column in enumerate(batch.columns)
    ]
