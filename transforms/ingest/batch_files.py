"""The files that ingest leaves in OUT of an extract: the batch of its kept lines, and its refused rows as they were delivered."""

import heapq
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, repeat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.columns import BATCH_SCHEMA, COLUMNS, QUARANTINE_REASONS
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.ingest.kept_lines import find_positions
from sij_audit.transforms.ingest.part import REASONS, Part, Positions
from sij_audit.transforms.ingest.threads import in_order
from sij_audit.transforms.store.folder import Batch

ROWS = 50_000
"""Rows of a Parquet file that are written at a time."""

QUARANTINE_ROWS = 5_000

QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("source_file", pa.string()),
        pa.field("row_number", pa.int64()),
        pa.field("reason", pa.string()),
        pa.field("raw_row", pa.binary()),
    ]
)


def write_lines(part: Part, batch: Batch, path: Path) -> None:
    """Write the kept lines by position, with page checksums: a flipped bit in zstd is else read as data.

    What was fetched lies nearly in order, so that a stretch of positions is soon found; to sort it whole costs more than to write it.
    """
    kept = find_positions(part, "from kept where not is_repeat")
    stretches = np.array_split(kept, range(ROWS, len(kept), ROWS)) if len(kept) else []
    with ThreadPoolExecutor(1) as pool, pq.ParquetWriter(path, BATCH_SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        for lines in in_order(pool, lambda positions: _read_lines(part, positions), stretches, ahead=1):
            writer.write_table(lines, ROWS)
        writer.add_key_value_metadata(batch.metadata())
    if len(kept) != batch.controls["rows_kept"]:
        raise AuditError(f"{batch.extract}: {len(kept)} lines were written, and {batch.controls['rows_kept']} were kept.")


def _read_lines(part: Part, positions: Positions) -> pa.Table:
    """Read the fetched lines at sorted positions, in their order."""
    names = ", ".join(column.name for column in COLUMNS)
    stretch = f"position between {positions[0]} and {positions[-1]}"
    lines = part.con.sql(f"select position, {names} from fetched where {stretch}").to_arrow_table()
    found = lines.column(0).to_numpy()
    if not np.array_equal(found, positions):
        order = np.argsort(found)
        lines = lines.take(pa.array(order[np.searchsorted(found, positions, sorter=order)]))
    return lines.select(BATCH_SCHEMA.names).cast(BATCH_SCHEMA)


def write_quarantine(part: Part, extract: str, path: Path) -> None:
    """Write the refused rows by row number."""
    found = part.con.execute("select position, reason from checked where reason > 0 order by position").fetchnumpy()
    positions, reasons = np.asarray(found["position"], dtype=np.int64), np.asarray(found["reason"])
    cut = int(np.searchsorted(positions, part.plain_count))
    numbers, raws = part.refused_rows()
    streams: list[Iterator[tuple[int, int, bytes]]] = [zip(numbers.tolist(), repeat(REASONS["unparseable_row"]), raws)]
    for some, why in ((positions[:cut], reasons[:cut]), (positions[cut:], reasons[cut:])):
        streams.append(zip(part.row_numbers(some).tolist(), why.tolist(), part.raw_rows(some), strict=True))
    rows = heapq.merge(*streams, key=lambda row: row[0])
    names = tuple(QUARANTINE_REASONS)
    with pq.ParquetWriter(path, QUARANTINE_SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        while some_rows := list(islice(rows, QUARANTINE_ROWS)):
            writer.write_batch(
                pa.record_batch(
                    [
                        pa.array([extract] * len(some_rows), pa.string()),
                        pa.array([row[0] for row in some_rows], pa.int64()),
                        pa.array([names[row[1] - 1] for row in some_rows], pa.string()),
                        pa.array([row[2] for row in some_rows], pa.binary()),
                    ],
                    QUARANTINE_SCHEMA,
                )
            )
