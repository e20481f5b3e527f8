"""What a batch's lines were kept by, procedure codes and the program's own code, and whether that still holds."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sij_audit.transforms import program
from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Batch


def lacking_codes(batch: Batch, codes: Sequence[Code]) -> list[str]:
    """List the codes that a batch was not kept by and that were in force by its latest date of service."""
    kept_by = {code["hcpcs_code"] for code in batch.codes}
    latest = batch.latest_service_date
    if latest is None:
        return []
    return sorted(
        {
            code.hcpcs_code
            for code in codes
            if code.hcpcs_code not in kept_by and (code.effective_from is None or code.effective_from.isoformat() <= latest)
        }
    )


def is_as_kept_today(batch: Batch, codes: Sequence[Code], terms: Terms) -> bool:
    """Say whether reading the extract again would give the same batch: by today's codes, code and terms."""
    return batch.ingest == ingest_mark(terms) and not lacking_codes(batch, codes)


def ingest_mark(terms: Terms) -> str:
    """Name what reads an extract: the hash of its code, and of the terms that decide what is kept where there are any."""
    if not terms.claim_statuses and not terms.suffix_length and not terms.layouts:
        return program.ingest_hash()
    layouts = sorted(layout.sha256 for layout in terms.layouts)
    deciding = [program.ingest_hash(), dict(terms.claim_statuses), terms.suffix_length, layouts, terms.is_layout_given]
    return sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def code_table(codes: Sequence[Code]) -> list[dict[str, Any]]:
    """Write the codes as a batch remembers them."""

    def text(value: Any) -> str | None:
        return None if value is None else value.isoformat()

    table = [
        {"hcpcs_code": code.hcpcs_code, "effective_from": text(code.effective_from), "effective_to": text(code.effective_to)}
        for code in codes
    ]
    return sorted(table, key=lambda code: (code["hcpcs_code"], code["effective_from"] or "", code["effective_to"] or ""))
