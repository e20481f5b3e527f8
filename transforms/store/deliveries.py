"""The deliveries that OUT/reviews keeps records of: what was handed over, of which run, when and by whom."""

from typing import Any

from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.numbered import NumberedFiles


def delivery_records(store: Store) -> NumberedFiles:
    """The records of deliveries, one file each."""
    return NumberedFiles(store, "deliveries", ".json")


def list_deliveries(store: Store) -> list[dict[str, Any]]:
    """What was delivered, the first first; AuditError where a record is damaged."""
    records = delivery_records(store)
    return [records.read_entry(path) for path in records.paths()]
