"""Ingest keeps a row as an adjustment or a reversal exactly where stage 1 takes it for one."""

from sij_audit.transforms.duck import quote_text
from sij_audit.transforms.ingest.row_checks import _relevance
from sij_audit.transforms.stages.reference import Code
from tests.queries import empty_tables

CELLS: dict[str, tuple[str | None, ...]] = {
    "claim_frequency_code": (None, "1", "7", "8", "9"),
    "bill_type_code": (None, "131", "137", "138", "781"),
    "claim_type": (None, "professional", "Institutional"),
    "claim_status": (None, "paid", "denied", "pending", "reversed"),
    "paid_amount": (None, "-0.01", "0"),
    "charge_amount": (None, "-1"),
    "service_unit_quantity": (None, "-1", "1"),
}


def test_ingest_and_stage_1_agree_on_what_adjusts_and_what_reverses() -> None:
    rows = " cross join ".join(f"(select unnest([{', '.join(map(_literal, cells))}]) as {name})" for name, cells in CELLS.items())
    kept = _relevance([Code("27096", None, None)])
    taken = "is_replacement or is_void or is_reversal"
    with empty_tables(threads=1) as con:
        con.execute(f"insert into kept_lines by name from {rows}")
        counts = f"select count(*), count_if({kept}), count_if(({kept}) <> ({taken})) from known_rows"
        row_count, kept_count, disagreement_count = con.execute(counts).fetchone() or (0, 0, 0)
        assert 0 < kept_count < row_count
        assert disagreement_count == 0


def _literal(cell: str | None) -> str:
    return "null" if cell is None else quote_text(cell)
