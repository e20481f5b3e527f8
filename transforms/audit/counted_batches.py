"""The batches that an audit counts: one for each content, none that was retracted, none that lacks a code."""

from collections.abc import Collection, Sequence

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.ingest.batch_codes import is_as_kept_today, lacking_codes
from sij_audit.transforms.ingest.feeds import terms_of
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Batch


def select_batches(batches: Sequence[Batch], codes: Sequence[Code], retracted: Collection[str], settings: Settings) -> list[Batch]:
    """Select the batches that count; AuditError where one of them lacks a code that was in force."""
    selected = [batch for batch in one_batch_each(batches, codes, settings) if batch.sha256 not in retracted]
    check_codes(selected, codes)
    return selected


def one_batch_each(batches: Sequence[Batch], codes: Sequence[Code], settings: Settings) -> list[Batch]:
    """Choose the batch that was kept as today where one content has two: a run died before it removed the other."""
    ranked = sorted(
        batches,
        key=lambda batch: (not lacking_codes(batch, codes), is_as_kept_today(batch, codes, terms_of(settings, batch.extract))),
    )
    by_content = {batch.sha256: batch for batch in ranked}
    return sorted(by_content.values(), key=lambda batch: batch.batch_id)


def check_codes(batches: Sequence[Batch], codes: Sequence[Code]) -> None:
    """Stop where a family has gained a code whose lines a batch cannot have; AuditError names the extracts to give again."""
    stale = {batch.extract: lacking_codes(batch, codes) for batch in batches}
    named = "; ".join(f"{extract} (for {', '.join(gained)})" for extract, gained in sorted(stale.items()) if gained)
    if named:
        raise AuditError(
            f"procedure_codes.csv has gained codes since extracts were loaded. Give these again, so that they are read again: {named}"
        )
