"""Take extracts in: every row checked and accounted for, the lines that the audit may need kept in a batch, refused rows kept beside it.

Two steps, so that one machine can run them over files and a cluster over row groups: `find_relevant_claims` says which claims a part of an
extract has audit-relevant lines of, `keep_lines` keeps what belongs to them. Rows are checked by DuckDB in one pass, which leaves a narrow
table `scanned` of one row each; the cells of the few rows to keep are read a second time.
"""

import heapq
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms import program
from sij_audit.transforms.columns import BATCH_SCHEMA, COLUMNS, FORMAT, QUARANTINE_REASONS, ROW_OUTCOMES, Column
from sij_audit.transforms.errors import AuditError, ExtractNotReady, ExtractRefused, ExtractUnreadable
from sij_audit.transforms.ingest.csv_part import REASONS, Progress, open_csv_part, registered
from sij_audit.transforms.ingest.csv_records import Ints, in_order
from sij_audit.transforms.ingest.extracts import Extract, Sidecars, check_unchanged, hash_extract, name_of, open_extract, read_sidecars
from sij_audit.transforms.ingest.parquet_part import open_parquet_part
from sij_audit.transforms.ingest.readings import DATE_FORMS, FIRST_DATE, LAST_DATE, missing
from sij_audit.transforms.ingest.row_checks import CLAIM_HASH, Part, ScannedRows, scan_rows
from sij_audit.transforms.settings import MEMORY_LIMIT, bytes_of
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.retractions import retractions

MEMORY_SHARE = 9, 14
"""What DuckDB may take of the memory limit while an extract is read, before it spills; what reads and writes beside it needs the rest."""

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

COUNTED = ("read", *ROW_OUTCOMES)
"""What the controls of a batch count, in rows and in dollars."""


@dataclass(frozen=True)
class Taken:
    """An extract whose lines are in a new batch."""

    batch: Batch


@dataclass(frozen=True)
class Held:
    """An extract whose content OUT has taken before."""

    batch: Batch
    path: Path


@dataclass(frozen=True)
class Refused:
    """An extract that cannot be used.

    `is_remembered`: it was refused before, by this version and with the same bytes. `may_pass`: it may be read another time, as it is.
    """

    extract: str
    sha256: str | None
    reason: str
    is_remembered: bool = False
    may_pass: bool = False


@dataclass(frozen=True)
class NotReady:
    """An extract that somebody still writes."""

    extract: str
    reason: str


@dataclass(frozen=True)
class Retracted:
    """An extract that was retracted and whose batch is deleted: it is not taken in again, until that is undone."""

    extract: str
    sha256: str


Outcome = Taken | Held | Refused | NotReady | Retracted


def _silent(unit: str, done: int, total: int | None) -> None:
    """Show no progress."""


def ingest_extract(
    store: Store,
    path: Path,
    codes: Sequence[Code],
    progress: Progress = _silent,
    memory_limit: str = MEMORY_LIMIT,
    required_columns: Sequence[str] = (),
) -> Outcome:
    """Take one extract in, or say why not; the caller holds the store's lock.

    An extract that fills one of `required_columns` nowhere is refused, unless its content was taken before. `progress` is told a unit (bytes,
    rows), how many are done, and of how many. AuditError where the controls do not balance.
    """
    hashing: Future[str] | None = None
    with ExitStack() as stack:
        try:
            extract = stack.enter_context(open_extract(path))
            hashing = stack.enter_context(ThreadPoolExecutor(1)).submit(hash_extract, extract)
            try:
                return _ingest(store, extract, codes, hashing, progress, memory_limit, required_columns)
            except Exception:
                check_unchanged(extract)
                raise
        except ExtractRefused as error:
            content = hashing.result() if hashing else None
            return Refused(name_of(path), content, str(error), may_pass=isinstance(error, ExtractUnreadable))
        except ExtractNotReady as error:
            return NotReady(name_of(path), str(error))
        except OSError as error:
            raise AuditError(f"{name_of(path)}: cannot be taken in: {error.strerror}.") from None


def _ingest(
    store: Store,
    extract: Extract,
    codes: Sequence[Code],
    hashing: Future[str],
    progress: Progress,
    memory_limit: str,
    required_columns: Sequence[str],
) -> Taken | Held | Retracted:
    sidecars = read_sidecars(extract)
    batches = store.batches()
    known: list[Batch] = []
    gone = retractions(store).keys() - {batch.sha256 for batch in batches}
    if gone and hashing.result() in gone:
        check_unchanged(extract)
        return Retracted(extract.name, hashing.result())
    if any(batch.size == extract.size for batch in batches):
        # only then its content may be known, and to wait for the hash costs time
        known = [batch for batch in batches if batch.sha256 == hashing.result()]
        valid = [batch for batch in known if is_as_kept_today(batch, codes)]
        if valid:
            _check_hash(extract, sidecars, hashing)
            check_unchanged(extract)
            _remove(store, [batch for batch in known if batch != valid[0]])
            return Held(valid[0], extract.path)
    if extract.size == 0:
        raise ExtractRefused(f"{extract.name}: is empty, not even a header row.")
    others = [batch for batch in batches if batch not in known]
    given = Given(extract, sidecars, hashing, codes, known, others, memory_limit, () if known else required_columns)
    try:
        batch = _take(store, given, progress)
    except PartMisread as error:
        if extract.kind != "csv":
            raise AuditError(f"{extract.name}: {error}") from None
        batch = _take(store, given, progress, trusting=False)
    if known:
        _keep_time(batch, known)
        _remove(store, [before for before in known if before.path != batch.path])
    return Taken(batch)


def _keep_time(batch: Batch, known: Sequence[Batch]) -> None:
    """Let a batch that takes another's place have come when that one did: feeds that are late are known by it."""
    came = min(before.path.stat().st_mtime_ns for before in known)
    os.utime(batch.path, ns=(came, came))


@dataclass(frozen=True)
class Given:
    """One extract, what its sender says of it, and what OUT holds: batches of the same content, and all others."""

    extract: Extract
    sidecars: Sidecars
    hashing: Future[str]
    codes: Sequence[Code]
    known: Sequence[Batch]
    others: Sequence[Batch]
    memory_limit: str
    required_columns: Sequence[str]


def _take(store: Store, given: Given, progress: Progress, trusting: bool = True) -> Batch:
    """Read an extract and write its batch; where the parser is not to be trusted, the strict reader reads every line."""
    extract, sidecars = given.extract, given.sidecars
    work = store.work / f"ingest-{secrets.token_hex(8)}"
    work.mkdir(mode=0o700, parents=True)
    try:
        with ExitStack() as stack:
            con = stack.enter_context(_connect(work, given.memory_limit))
            part: Part
            if extract.kind == "csv":
                part = stack.enter_context(open_csv_part(con, extract, COLUMNS, work, progress, trusting))
            else:
                part = stack.enter_context(open_parquet_part(con, extract, COLUMNS))
            if sidecars.rows not in (None, part.rows_read):
                raise ExtractRefused(
                    f"{extract.name}: has {part.rows_read} rows, and its sidecar {extract.name}.totals.json says {sidecars.rows}."
                )
            batch = _audit_part(store, part, given)
            if sidecars.paid_amount is not None and sidecars.paid_amount != Decimal(batch.controls["paid_read"]):
                raise ExtractRefused(f"{extract.name}: its paid_amount does not sum to what its sidecar {extract.name}.totals.json says.")
            _refuse_lacking(batch, extract.name, given.required_columns)
            check_unchanged(extract)
            write_durably(store.quarantine / f"{batch.batch_id}.parquet", lambda path: _write_quarantine(part, batch.extract, path))
            write_durably(batch.path, lambda path: _write_lines(part, batch, path))
            progress("rows", part.rows_read, part.rows_read)
            return batch
    except (duckdb.OutOfMemoryException, MemoryError):
        raise AuditError(f"{extract.name}: there is not enough memory to take it in.") from None
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise
    except duckdb.Error as error:
        if "No space left" in str(error):
            raise AuditError(f"{extract.name}: there is not enough room on the disk to take it in.") from None
        if extract.kind == "csv":
            raise PartMisread(f"its lines could not be read ({type(error).__name__}).") from None
        kind = ExtractUnreadable if isinstance(error, duckdb.IOException) else ExtractRefused
        raise kind(f"{extract.name}: cannot be read as Parquet; it is damaged or encrypted ({type(error).__name__}).") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _refuse_lacking(batch: Batch, extract: str, required_columns: Sequence[str]) -> None:
    """Refuse an extract whose feed must have columns that it lacks or leaves empty; one without rows can leave nothing empty."""
    columns = {column["column"]: column for column in batch.columns if column["is_canonical"]}
    for name in required_columns:
        if not columns[name]["is_present"]:
            raise ExtractRefused(f"{extract}: lacks column {name}, which required_columns in the settings asks for.")
        if batch.controls["rows_read"] and not columns[name]["filled_count"]:
            raise ExtractRefused(f"{extract}: has column {name} empty in every row, and required_columns in the settings asks for it.")


def _check_hash(extract: Extract, sidecars: Sidecars, hashing: Future[str]) -> str:
    content = hashing.result()
    if sidecars.sha256 not in (None, content):
        raise ExtractRefused(f"{extract.name}: its content has not the SHA-256 that {extract.name}.sha256 says.")
    return content


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


def is_as_kept_today(batch: Batch, codes: Sequence[Code]) -> bool:
    """Tell whether reading the extract again would give the same batch: by today's codes and today's code."""
    return batch.ingest == program.ingest_hash() and not lacking_codes(batch, codes)


def code_table(codes: Sequence[Code]) -> list[dict[str, Any]]:
    """Write the codes as a batch remembers them."""

    def text(value: Any) -> str | None:
        return None if value is None else value.isoformat()

    table = [
        {"hcpcs_code": code.hcpcs_code, "effective_from": text(code.effective_from), "effective_to": text(code.effective_to)}
        for code in codes
    ]
    return sorted(table, key=lambda code: (code["hcpcs_code"], code["effective_from"] or "", code["effective_to"] or ""))


def _connect(work: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    share, whole = MEMORY_SHARE
    con = duckdb.connect(
        config={
            "memory_limit": f"{bytes_of(memory_limit) * share // whole // 10**6}MB",
            "temp_directory": str(work / "spill"),
            "preserve_insertion_order": True,
            "enable_external_file_cache": False,
            "autoinstall_known_extensions": False,
        }
    )
    con.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    return con


def _audit_part(store: Store, part: Part, given: Given) -> Batch:
    """Do both steps for a whole extract; its kept lines are then in the view `kept`."""
    extract = given.extract
    relevant = find_relevant_claims(part, given.codes)
    keep_lines(part, pa.concat_tables([relevant.claims, _claims_taken(part, given.others)]), relevant.rows)
    controls, reasons = _balance(extract.name, part)
    latest = relevant.rows.latest_service_date
    content = _check_hash(extract, given.sidecars, given.hashing)
    codes = code_table(given.codes)
    batch_id = sha256(json.dumps([content, codes, FORMAT, program.ingest_hash()], sort_keys=True).encode()).hexdigest()[:32]
    return Batch(
        batch_id=batch_id,
        path=store.claims / f"{batch_id}.parquet",
        format=FORMAT,
        extract=given.known[0].extract if given.known else extract.name,
        sha256=content,
        size=extract.size,
        codes=codes,
        latest_service_date=latest.isoformat() if latest else None,
        controls=controls,
        columns=_columns(part, relevant.rows),
        reasons=reasons,
        ingest=program.ingest_hash(),
    )


@dataclass(frozen=True)
class RelevantClaims:
    """Claims (data_source, claim_id) that have a relevant line in a part, and what the pass over the part has found besides."""

    claims: pa.Table
    rows: ScannedRows


def find_relevant_claims(part: Part, codes: Sequence[Code]) -> RelevantClaims:
    """Check all rows of a part, and say which claims have an audit-relevant line in it.

    Leaves the table `scanned`, and in `fetched` the canonical values of the lines that share a claim's hash with a relevant one.
    """
    rows = scan_rows(part, codes)
    count = _one(part, "select count(*) from checked")
    if count != part.row_count:
        raise PartMisread(f"{part.row_count} rows are there, and {count} were read.")
    _fetch(part, rows, f"reason = 0 and claim_hash in ({RELEVANT_HASHES})")
    claims = part.con.execute(
        "select distinct data_source, claim_id from fetched semi join (select position from checked where is_relevant) using (position)"
    ).to_arrow_table()
    return RelevantClaims(claims, rows)


def keep_lines(part: Part, claims: pa.Table, rows: ScannedRows) -> None:
    """Keep the valid lines of the claims (data_source, claim_id): in the table `kept`, where `is_repeat` marks exact duplicates."""
    con = part.con
    with registered(con, "given_claims", claims):
        con.execute(f"create temp table claims as select distinct data_source, claim_id, {CLAIM_HASH} as claim_hash from given_claims")
    if _one(part, f"select count(*) from claims where claim_hash not in ({RELEVANT_HASHES})"):
        unfetched = "position not in (select position from fetched)"
        _fetch(part, rows, f"reason = 0 and claim_hash in (select claim_hash from claims) and {unfetched}")
    misread = _one(
        part,
        "select count(*) from fetched f left join checked s on s.position = f.position where s.claim_hash is distinct from f.own_hash",
    )
    if misread:
        raise PartMisread(f"{misread} rows were not where they had been read.")
    con.execute(
        """create temp table kept_rows as
        select position, row_hash from fetched f semi join claims c
        on c.claim_hash = f.own_hash and c.claim_id = f.claim_id and c.data_source is not distinct from f.data_source"""
    )
    con.execute(
        f"""create temp table repeats as
        select position from (
            select position, row_number() over (
                partition by {", ".join(KEY)} order by file_date nulls first, file_name nulls first, position
            ) as n
            from fetched
            where row_hash in (select row_hash from kept_rows group by row_hash having count(*) > 1)
            and position in (select position from kept_rows)
        ) where n > 1"""
    )
    names = ", ".join(column.name for column in COLUMNS)
    con.execute(
        f"create temp view kept as select position, {names}, position in (select position from repeats) as is_repeat "
        "from fetched semi join kept_rows using (position)"
    )


RELEVANT_HASHES = "select claim_hash from checked where reason = 0 and is_relevant"


class PartMisread(Exception):
    """A parser's rows are not those that were counted; no row may be lost, so a slower one must read them."""


KEY = [column.name for column in COLUMNS if column.name not in ("file_name", "file_date")]
"""What makes two rows exact duplicates."""


def _fetch(part: Part, rows: ScannedRows, condition: str) -> None:
    """Add the canonical values of the checked rows of a condition to `fetched`, in any order, since to keep it costs a thread.

    Columns that the extract lacks are not stored: they would take as much room as those that it has.
    """
    positions = _positions(part, f"from checked where {condition}")
    part.con.execute("set preserve_insertion_order = false")
    part.fetch(positions, "fetched_rows", _normaliser(part, rows))
    part.con.execute("set preserve_insertion_order = true")
    there = {column.name for column in _columns_there(part)}
    lacking = [f", {missing(column).value} as {column.name}" for column in COLUMNS if column.name not in there]
    part.con.execute(f"create temp view if not exists fetched as select *{''.join(lacking)} from fetched_rows")


def _columns_there(part: Part) -> list[Column]:
    return [column for column in COLUMNS if part.reading(column, DATE_FORMS[0]) != missing(column)]


def _normaliser(part: Part, rows: ScannedRows) -> Callable[[str], str]:
    """Make what selects canonical values of a source's rows, with hashes of claim and row; a date that no row may have is null."""
    drafts, values = [], []
    for column in COLUMNS:
        reading = part.reading(column, rows.date_forms.get(column.name, DATE_FORMS[0]))
        drafts.append(f"{reading.draft} as draft_{column.name}")
        value = reading.value
        if column.kind == "date":
            value = f"case when {value} between {FIRST_DATE} and {LAST_DATE} then {value} end"
        values.append(f"{value} as {column.name}")

    names = [column.name for column in _columns_there(part)]
    keys = [name for name in names if name in KEY]

    def normalise(source: str) -> str:
        normalised = f"select position, {', '.join(values)} from (select *, {', '.join(drafts)} from {source})"
        return f"select position, {', '.join(names)}, {CLAIM_HASH} as own_hash, hash({', '.join(keys)}) as row_hash from ({normalised})"

    return normalise


def _claims_taken(part: Part, batches: Sequence[Batch]) -> pa.Table:
    """List the claims of batches that this part has lines of too."""
    found = [pa.table({"data_source": pa.array([], pa.string()), "claim_id": pa.array([], pa.string())})]
    for start in range(0, len(batches), 100):
        with ExitStack() as stack:
            files = [stack.enter_context(open(batch.path, "rb")) for batch in batches[start : start + 100]]
            paths = ", ".join(f"'/dev/fd/{file.fileno()}'" for file in files)
            found.append(
                part.con.execute(
                    f"select distinct data_source, claim_id from read_parquet([{paths}], hive_partitioning = false) "
                    f"where {CLAIM_HASH} in (select claim_hash from checked where reason = 0)"
                ).to_arrow_table()
            )
    return pa.concat_tables(found)


def _balance(name: str, part: Part) -> tuple[dict[str, Any], dict[str, int]]:
    """Count rows and dollars of each outcome, each on its own; AuditError where they do not sum to what was read."""
    con = part.con
    refused = len(part.refused_rows()[0])
    reasons = {
        tuple(QUARANTINE_REASONS)[reason - 1]: count
        for reason, count in con.execute("select reason, count(*) from checked where reason > 0 group by 1 order by 1").fetchall()
    }
    if refused:
        reasons["unparseable_row"] = reasons.get("unparseable_row", 0) + refused
    rows = {"read": part.rows_read, "quarantined": sum(reasons.values())}
    paid = {}
    paid["read"] = _one(part, "select coalesce(sum(paid_cents), 0) from checked")
    paid["quarantined"] = _one(part, "select coalesce(sum(paid_cents), 0) from checked where reason > 0")
    for outcome, query in (
        ("kept", "from kept where not is_repeat"),
        ("duplicate", "from kept where is_repeat"),
    ):
        rows[outcome], paid[outcome] = con.execute(f"select count(*), coalesce(sum(paid_amount) * 100, 0) {query}").fetchone() or (0, 0)
    rows["not_relevant"], paid["not_relevant"] = con.execute(
        "select count(*), coalesce(sum(paid_cents), 0) from checked where reason = 0 and position not in (select position from kept_rows)"
    ).fetchone() or (0, 0)
    for what, counts in (("rows", rows), ("paid dollars", paid)):
        if counts["read"] != sum(counts[outcome] for outcome in ROW_OUTCOMES):
            raise AuditError(
                f"{name}: its {what} do not balance: " + ", ".join(f"{outcome} {counts[outcome]}" for outcome in COUNTED) + "."
            )
    controls: dict[str, Any] = {f"rows_{outcome}": int(rows[outcome]) for outcome in COUNTED}
    controls |= {f"paid_{outcome}": f"{Decimal(paid[outcome]) / 100:.2f}" for outcome in COUNTED}
    return controls, reasons


def _columns(part: Part, rows: ScannedRows) -> list[dict[str, Any]]:
    """Say of every canonical column, then of every ignored one, whether it is there and how often it is filled."""
    columns: list[dict[str, Any]] = []
    for column in COLUMNS:
        index = part.columns.get(column.name)
        filled = 0 if index is None else rows.filled_counts[index]
        columns.append({"column": column.name, "is_canonical": True, "is_present": index is not None, "filled_count": filled})
    columns += [
        {"column": part.names[index], "is_canonical": False, "is_present": True, "filled_count": rows.filled_counts[index]}
        for index in part.ignored
    ]
    return columns


def _write_lines(part: Part, batch: Batch, path: Path) -> None:
    """Write the kept lines by position, with page checksums: a flipped bit in zstd is else read as data.

    What was fetched lies nearly in order, so that a stretch of positions is soon found; to sort it whole costs more than to write it.
    """
    kept = _positions(part, "from kept where not is_repeat")
    stretches = np.array_split(kept, range(ROWS, len(kept), ROWS)) if len(kept) else []
    with ThreadPoolExecutor(1) as pool, pq.ParquetWriter(path, BATCH_SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        for lines in in_order(pool, lambda positions: _read_lines(part, positions), stretches, ahead=1):
            writer.write_table(lines, ROWS)
        writer.add_key_value_metadata(batch.metadata())
    if len(kept) != batch.controls["rows_kept"]:
        raise AuditError(f"{batch.extract}: {len(kept)} lines were written, and {batch.controls['rows_kept']} were kept.")


def _read_lines(part: Part, positions: Ints) -> pa.Table:
    """Read the fetched lines at sorted positions, in their order."""
    names = ", ".join(column.name for column in COLUMNS)
    stretch = f"position between {positions[0]} and {positions[-1]}"
    lines = part.con.execute(f"select position, {names} from fetched where {stretch}").to_arrow_table()
    found = lines.column(0).to_numpy()
    if not np.array_equal(found, positions):
        order = np.argsort(found)
        lines = lines.take(pa.array(order[np.searchsorted(found, positions, sorter=order)]))
    return lines.select(BATCH_SCHEMA.names).cast(BATCH_SCHEMA)


def _write_quarantine(part: Part, extract: str, path: Path) -> None:
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


def _remove(store: Store, batches: Sequence[Batch]) -> None:
    """Remove batches that another one has taken the place of; a later run does it where this one is interrupted."""
    for batch in batches:
        batch.path.unlink(missing_ok=True)
        (store.quarantine / batch.path.name).unlink(missing_ok=True)


def _positions(part: Part, query: str) -> Ints:
    return np.asarray(part.con.execute(f"select position {query} order by position").fetchnumpy()["position"], dtype=np.int64)


def _one(part: Part, query: str) -> Any:
    row = part.con.execute(query).fetchone()
    assert row is not None
    return row[0]
