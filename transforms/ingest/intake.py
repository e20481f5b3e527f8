"""Ingest of one extract: every row checked and accounted for, the lines that the audit may need kept in a batch, refused rows kept beside it.

An extract's name says its format, its content whether OUT has it already. `kept_lines.py` finds the lines to keep, `controls.py` accounts for
all rows, `batch_files.py` writes. The batch is written last: without it the extract was not loaded.
"""

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import duckdb
import pyarrow as pa

from sij_audit.transforms.columns import COLUMNS, FORMAT, Fault
from sij_audit.transforms.duck import ONE_THREAD, QUICK
from sij_audit.transforms.errors import AuditError, ExtractNotReady, ExtractRefused, ExtractUnreadable
from sij_audit.transforms.ingest.batch_codes import code_table, ingest_mark, is_as_kept_today
from sij_audit.transforms.ingest.batch_files import write_lines, write_quarantine
from sij_audit.transforms.ingest.controls import balance_rows, describe_columns
from sij_audit.transforms.ingest.extracts import Extract, Sidecars, check_unchanged, hash_extract, name_of, open_extract, read_sidecars
from sij_audit.transforms.ingest.faults import advise_on_faults, describe_faults, find_faults, warn_of_faults
from sij_audit.transforms.ingest.feeds import Terms, last_extracts
from sij_audit.transforms.ingest.formats import format_of
from sij_audit.transforms.ingest.kept_lines import claims_kept_before, find_relevant_claims, keep_lines
from sij_audit.transforms.ingest.layouts.choice import choose_format
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, NotReady, Outcome, Refused, Retracted
from sij_audit.transforms.ingest.part import Format, Part, PartInput, PartMisread, Progress
from sij_audit.transforms.ingest.quality import measure_quality, refuse_dubious_ids
from sij_audit.transforms.ingest.readings import define_claim_number, define_status_words
from sij_audit.transforms.settings import MEMORY_LIMIT, bytes_of
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.retractions import retractions

NO_TERMS = Terms()

LITTLE = 4_000_000
"""Bytes of an extract below which one thread reads it."""

FEW_ROWS = 10
"""So many quarantined rows refuse no extract, unless they are all that it has."""

MEMORY_SHARE = 9, 14
"""What DuckDB may use of the memory limit while an extract is read, before it spills; what reads and writes beside it needs the rest."""


def show_no_progress(_unit: str, _done: int, _total: int | None) -> None:
    """Show no progress."""


class RowsUnusable(ExtractRefused):
    """Too many rows of an extract cannot be used; `faults` are what they have in common."""

    def __init__(self, message: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(message)
        self.faults = faults


@dataclass(frozen=True)
class Given:
    """One opened extract, its hash under way, and how it is to be read."""

    extract: Extract
    format: Format
    layout: str | None
    """Name of the layout that it is read by, None where it has the canonical columns."""
    hashing: Future[str]
    codes: Sequence[Code]
    progress: Progress
    memory_limit: str
    terms: Terms

    def hash_as_said(self, sidecars: Sidecars) -> str:
        """Wait for the SHA-256 of the content; ExtractRefused where the sender says another."""
        content = self.hashing.result()
        if sidecars.sha256 not in (None, content):
            raise ExtractRefused(f"{self.extract.name}: its content has not the SHA-256 that {self.extract.name}.sha256 says.")
        return content


@dataclass(frozen=True)
class InOut:
    """What OUT holds: the batches of the same content, which were kept otherwise than today, and all others."""

    known: Sequence[Batch]
    others: Sequence[Batch]


def ingest_extract(
    store: Store,
    path: Path,
    codes: Sequence[Code],
    progress: Progress = show_no_progress,
    memory_limit: str = MEMORY_LIMIT,
    terms: Terms = NO_TERMS,
) -> Outcome:
    """Load one extract, or say why not; the caller holds the store's lock.

    Unless its content was loaded before, an extract is refused that does not keep its terms. AuditError where the controls do not balance.
    """
    hashing: Future[str] | None = None
    with ExitStack() as stack:
        try:
            known, compression = format_of(path, terms)
            extract = stack.enter_context(open_extract(path, compression))
            hashing = stack.enter_context(ThreadPoolExecutor(1)).submit(hash_extract, extract)
            try:
                extract_format, layout = choose_format(extract, known, terms)
                return _ingest(store, Given(extract, extract_format, layout, hashing, codes, progress, memory_limit, terms))
            except Exception:  # whatever it was, a file that changed meanwhile explains it better
                check_unchanged(extract)
                raise
        except ExtractRefused as error:
            content = hashing.result() if hashing else None
            faults = error.faults if isinstance(error, RowsUnusable) else ()
            return Refused(name_of(path), content, str(error), may_pass=isinstance(error, ExtractUnreadable), faults=faults)
        except ExtractNotReady as error:
            return NotReady(name_of(path), str(error))
        except OSError as error:
            raise AuditError(f"{name_of(path)}: cannot be loaded: {error.strerror}.") from None


def _ingest(store: Store, given: Given) -> Loaded | LoadedBefore | Retracted:
    """Load an extract whose content OUT does not have, or has kept otherwise than today."""
    extract = given.extract
    sidecars = read_sidecars(extract)
    batches = store.batches()
    known: list[Batch] = []
    gone = retractions(store).keys() - {batch.sha256 for batch in batches}
    if gone and given.hashing.result() in gone:
        check_unchanged(extract)
        return Retracted(extract.name, given.hashing.result())
    if any(batch.size == extract.size for batch in batches):
        # only then its content may be known, and to wait for the hash costs time
        known = [batch for batch in batches if batch.sha256 == given.hashing.result()]
        valid = [batch for batch in known if is_as_kept_today(batch, given.codes, given.terms)]
        if valid:
            given.hash_as_said(sidecars)
            check_unchanged(extract)
            _remove(store, [batch for batch in known if batch != valid[0]])
            return LoadedBefore(valid[0], extract.path)
    in_out = InOut(known, [batch for batch in batches if batch not in known])
    try:
        batch = _load(store, given, sidecars, in_out)
    except PartMisread as error:
        if not given.format.has_strict_reader:
            raise AuditError(f"{extract.name}: {error}") from None
        batch = _load(store, given, sidecars, in_out, is_trusted=False)
    if known:
        _keep_time(batch, known)
        _remove(store, [before for before in known if before.path != batch.path])
    return Loaded(batch)


def _keep_time(batch: Batch, known: Sequence[Batch]) -> None:
    """Let a batch that stands in another's place have come when that one did: feeds that are late are known by it."""
    came = min(before.path.stat().st_mtime_ns for before in known)
    os.utime(batch.path, ns=(came, came))


def _load(store: Store, given: Given, sidecars: Sidecars, in_out: InOut, is_trusted: bool = True) -> Batch:
    """Read an extract and write its batch; PartMisread where the quick parser, so it is trusted, did not read what is there."""
    extract = given.extract
    work = store.work / f"ingest-{secrets.token_hex(8)}"
    work.mkdir(mode=0o700, parents=True)
    try:
        with ExitStack() as stack:
            con = stack.enter_context(_connect(work, given))
            part = stack.enter_context(given.format.open_part(PartInput(con, extract, COLUMNS, work, given.progress, is_trusted)))
            if sidecars.rows not in (None, part.rows_read):
                raise ExtractRefused(
                    f"{extract.name}: has {part.rows_read} rows, and its sidecar {extract.name}.totals.json says {sidecars.rows}."
                )
            batch = _find_batch(store, part, given, sidecars, in_out)
            if sidecars.paid_amount is not None and sidecars.paid_amount != Decimal(batch.controls["paid_read"]):
                raise ExtractRefused(f"{extract.name}: its paid_amount does not sum to what its sidecar {extract.name}.totals.json says.")
            if not in_out.known:
                _refuse_lacking(batch, extract.name, given.terms.required_columns)
                _refuse_undated(batch, extract.name, given.terms)
                _refuse_unusable(batch, given)
                refuse_dubious_ids(extract.name, batch.quality)
            check_unchanged(extract)
            write_durably(store.quarantine / f"{batch.batch_id}.parquet", lambda path: write_quarantine(part, batch.extract, path))
            write_durably(batch.path, lambda path: write_lines(part, batch, path))
            given.progress("rows", part.rows_read, part.rows_read)
            return batch
    except (duckdb.OutOfMemoryException, MemoryError):
        raise AuditError(f"{extract.name}: there is not enough memory to load it.") from None
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise
    except duckdb.Error as error:
        if "No space left" in str(error):
            raise AuditError(f"{extract.name}: there is not enough room on the disk to load it.") from None
        raise given.format.explain(extract, error) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _find_batch(store: Store, part: Part, given: Given, sidecars: Sidecars, in_out: InOut) -> Batch:
    """Do both steps for a whole extract: the lines to keep are then in the view `kept`, and the batch says of what they are."""
    extract = given.extract
    relevant = find_relevant_claims(part, given.codes)
    keep_lines(part, pa.concat_tables([relevant.claims, claims_kept_before(part, in_out.others)]), relevant.rows)
    controls, reasons = balance_rows(extract.name, part)
    latest = relevant.rows.latest_service_date
    content = given.hash_as_said(sidecars)
    codes = code_table(given.codes)
    ingest = ingest_mark(given.terms)
    batch_id = sha256(json.dumps([content, codes, FORMAT, ingest], sort_keys=True).encode()).hexdigest()[:32]
    return Batch(
        batch_id=batch_id,
        path=store.claims / f"{batch_id}.parquet",
        format=FORMAT,
        extract=in_out.known[0].extract if in_out.known else extract.name,
        sha256=content,
        size=extract.size,
        codes=codes,
        latest_service_date=latest.isoformat() if latest else None,
        controls=controls,
        columns=describe_columns(part, relevant.rows),
        reasons=reasons,
        ingest=ingest,
        faults=[replace(fault, date_form=None) if given.layout else fault for fault in find_faults(part, relevant.rows, reasons)],
        layout=given.layout,
        quality=measure_quality(part, relevant.rows, given.codes, last_extracts(given.terms, in_out.others)),
    )


def _refuse_lacking(batch: Batch, extract: str, required_columns: Sequence[str]) -> None:
    """Refuse an extract whose feed must have columns that it lacks or leaves empty; one without rows can leave nothing empty."""
    columns = {column["column"]: column for column in batch.columns if column["is_canonical"]}
    for name in required_columns:
        if not columns[name]["is_present"]:
            raise ExtractRefused(f"{extract}: lacks column {name}, which required_columns in the settings asks for.")
        if batch.controls["rows_read"] and not columns[name]["filled_count"]:
            raise ExtractRefused(f"{extract}: has column {name} empty in every row, and required_columns in the settings asks for it.")


def _refuse_undated(batch: Batch, extract: str, terms: Terms) -> None:
    """Refuse an extract that restates claims and does not say when."""
    filled = {column["column"]: column["filled_count"] for column in batch.columns if column["is_canonical"]}
    if terms.versioning == "snapshot" and batch.controls["rows_read"] and not filled["file_date"]:
        raise ExtractRefused(
            f"{extract}: has no file_date, and its feed has versioning snapshot: of two deliveries of a claim the one with the later "
            "file_date counts. Add a column file_date with the day of the delivery in each row."
        )


def _refuse_unusable(batch: Batch, given: Given) -> None:
    """Refuse an extract with too many rows that cannot be used: most likely its sender, or who mapped it, changed something."""
    extract, read, quarantined = given.extract.name, batch.controls["rows_read"], batch.controls["rows_quarantined"]
    if quarantined > given.terms.max_quarantined * read and (quarantined > FEW_ROWS or quarantined == read):
        warnings = "".join(f" {warning}" for warning in warn_of_faults(batch.faults))
        raise RowsUnusable(
            f"{extract}: {quarantined:,} of its {read:,} rows would be quarantined, a larger share than max_quarantined in the settings "
            f"({given.terms.max_quarantined:g}): {describe_faults(batch.faults)}. Nothing of it was loaded.{warnings} "
            f"To do: {advise_on_faults(batch.faults, batch.layout is not None)}. "
            "Then deliver the extract again, or allow more with max_quarantined.",
            tuple(batch.faults),
        )


def _connect(work: Path, given: Given) -> duckdb.DuckDBPyConnection:
    share, whole = MEMORY_SHARE
    con = duckdb.connect(
        config={
            **QUICK,
            **(ONE_THREAD if given.extract.size < LITTLE else {}),
            "memory_limit": f"{bytes_of(given.memory_limit) * share // whole // 10**6}MB",
            "temp_directory": str(work / "spill"),
            "preserve_insertion_order": True,
            "enable_external_file_cache": False,
            "autoinstall_known_extensions": False,
        }
    )
    con.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    con.execute(define_status_words(given.terms.claim_statuses))
    con.execute(define_claim_number(given.terms.suffix_length))
    return con


def _remove(store: Store, batches: Sequence[Batch]) -> None:
    """Remove batches in whose place there is another one; a later run does it where this one is interrupted."""
    for batch in batches:
        batch.path.unlink(missing_ok=True)
        (store.quarantine / batch.path.name).unlink(missing_ok=True)
