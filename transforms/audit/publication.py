"""Turn finished report tables into a published run that never changes, and check later that it has not."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sij_audit.transforms.columns import FORMAT
from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.store.durable import CrashPoint, hash_file, nowhere, publish_folder, switch_link, write_durably
from sij_audit.transforms.store.folder import Batch, Store

REPORTS = (
    *("findings", "injections", "timelines", "lines", "payees", "providers", "rules", "controls", "columns"),
    *("review_states", "dispositions", "review_outcomes", "trend", "run_facts", "doubt_meanings"),
)

FATES = ("kept", "not_relevant", "quarantined", "duplicate")
"""What can become of a row that was read; the rows and dollars of the four sum to those read."""

ROW_GROUP = 262_144

PLAIN_TYPES = {"HUGEINT": "BIGINT", "DECIMAL(38,2)": "DECIMAL(14, 2)", "ENUM": "VARCHAR"}
"""What sums and labels are published as: DuckDB's sums are wider than their terms, and its labels would be dictionaries in Parquet."""

RUN_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}")

Comments = Mapping[str | tuple[str, str], str]
"""What tables and views (by name) and their columns (by both names) mean."""

DICTIONARY = """
create view dictionary as
with home as (
    select database_name from duckdb_views() where view_name = 'dictionary' and not internal
    order by database_name <> current_database(), database_name limit 1
)
select table_name, column_name, data_type, comment
from (
    select table_name, 0 as position, null as column_name, 'table' as data_type, comment
    from duckdb_tables() where database_name in (from home) and schema_name = 'main'
    union all
    select view_name, 0, null, 'view', comment
    from duckdb_views() where database_name in (from home) and schema_name = 'main' and not internal and view_name <> 'dictionary'
    union all
    select function_name, 0, null, 'macro', comment
    from duckdb_functions() where database_name in (from home) and schema_name = 'main' and not internal
    union all
    select table_name, column_index, column_name, data_type, comment
    from duckdb_columns() where database_name in (from home) and schema_name = 'main' and not internal and table_name <> 'dictionary'
)
order by table_name, position;
comment on view dictionary is 'What all tables, views, macros and columns mean; a row without column_name speaks of the whole';
"""
"""Finds its own database, whichever is in use: in `sij-audit sql` that is one in memory."""


@dataclass(frozen=True)
class RunIdentity:
    """All that decides what a run says: the same identity gives the same run id, and the same reports."""

    as_of: date
    previous_run_id: str | None
    batches: tuple[str, ...]
    """Ids, in any order."""
    refused: tuple[str, ...]
    """SHA-256 of the extracts that this run refused, or the names of those that could not be read; in any order."""
    files: Mapping[str, str]
    """SHA-256 of each policy and reference file, by its path relative to `sql/`."""
    reviews: tuple[str, ...]
    """SHA-256 of what OUT/reviews holds of dispositions and suppressions, in the order in which it came."""
    settings: Mapping[str, Any]
    """Those that can change a report or a hand-off; as JSON has them."""
    version: str
    """The program's."""

    @property
    def fingerprint(self) -> str:
        """Hash everything but the as-of date and the previous run: where both runs have the same, and one date, nothing is new."""
        return _hash_json(
            [sorted(self.batches), sorted(self.refused), dict(self.files), list(self.reviews), dict(self.settings), self.version]
        )

    @property
    def run_id(self) -> str:
        """Name the run: its as-of date and a hash over everything else."""
        return f"{self.as_of.isoformat()}-{_hash_json([self.fingerprint, self.previous_run_id])[:12]}"


def _hash_json(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def is_current(store: Store, identity: RunIdentity) -> bool:
    """Tell whether the current run already says all that a run of this identity would."""
    run = store.current_run()
    if run is None:
        return False
    manifest = store.manifest(run)
    return bool(manifest["as_of"] == identity.as_of.isoformat() and manifest["fingerprint"] == identity.fingerprint)


def _write_nothing(run: Path) -> None:
    """Add no file."""


def publish_run(
    store: Store,
    con: duckdb.DuckDBPyConnection,
    identity: RunIdentity,
    batches: Sequence[Batch],
    totals: Mapping[str, Any],
    comments: Comments,
    auditor_sql: str,
    at: CrashPoint = nowhere,
    write_more: Callable[[Path], None] = _write_nothing,
) -> Path:
    """Publish the tables that are named as the reports, and make the run current; the caller holds the store's lock.

    `write_more` is given the folder with reports and database, and adds files for people, which the manifest then lists too.
    A run of the same id that is there was published, or complete when an interrupted run was about to switch to it; it is made current as
    it is. AuditError where a batch does not balance, or that run is no longer as it was written.
    """
    run = store.runs / identity.run_id
    if run.exists():
        if differences := verify_run(store, run.name):
            raise AuditError(f"runs/{run.name} is there and not as it was written: {differences[0]} Move it away and run again.")
    else:
        building = run.with_name(f"{run.name}.building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=0o700)
        try:
            _build_run(store, con, building, identity, batches, totals, comments, auditor_sql, at, write_more)
            store.open_run_to_group(building)
            publish_folder(building, run, at)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    switch_link(store.current, f"runs/{run.name}", at)
    return run


def _build_run(
    store: Store,
    con: duckdb.DuckDBPyConnection,
    building: Path,
    identity: RunIdentity,
    batches: Sequence[Batch],
    totals: Mapping[str, Any],
    comments: Comments,
    auditor_sql: str,
    at: CrashPoint,
    write_more: Callable[[Path], None],
) -> None:
    """Write a run's files, the manifest last: a folder without one is not a run."""
    inputs = describe_batches(store, batches, identity.previous_run_id)
    controls = sum_controls(batches)
    for table in REPORTS:
        write_durably(building / f"{table}.parquet", partial(write_report, con, table), at)
    write_durably(building / "audit.duckdb", lambda path: write_database(con, path, REPORTS, comments, auditor_sql), at)
    write_more(building)
    manifest = {
        "format": FORMAT,
        "run_id": identity.run_id,
        "previous_run_id": identity.previous_run_id,
        "as_of": identity.as_of.isoformat(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "fingerprint": identity.fingerprint,
        "versions": {"sij-audit": identity.version, "python": python_version()}
        | {library: version(library) for library in ("duckdb", "polars", "pyarrow")},
        "settings": dict(identity.settings),
        "inputs": inputs,
        "refused": sorted(identity.refused),
        "reviews": list(identity.reviews),
        "files": [{"path": path, "sha256": sha256} for path, sha256 in sorted(identity.files.items())],
        "outputs": [
            {
                "path": path.relative_to(building).as_posix(),
                "sha256": hash_file(path),
                "rows": pq.read_metadata(path).num_rows if path.suffix == ".parquet" else None,
            }
            for path in sorted(building.rglob("*"))
            if path.is_file()
        ],
        "controls": controls,
        "totals": dict(totals),
    }
    manifest = json.loads(json.dumps(manifest, default=str))
    text = json.dumps(manifest | {"sha256": _hash_json(manifest)}, indent=2) + "\n"
    write_durably(building / "manifest.json", lambda path: _write_text(path, text), at)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def describe_batches(store: Store, batches: Sequence[Batch], previous_run_id: str | None) -> list[dict[str, Any]]:
    """List a run's batches with their SHA-256, which the previous run's manifest lends where it has the file: batches never change."""
    known = {}
    if previous_run_id is not None:
        known = {entry["batch_id"]: entry for entry in store.manifest(store.runs / previous_run_id)["inputs"]}
    inputs = []
    for batch in sorted(batches, key=lambda batch: batch.batch_id):
        file = {"batch_id": batch.batch_id, "path": batch.path.relative_to(store.root).as_posix(), "size": batch.path.stat().st_size}
        before = known.get(batch.batch_id, {})
        is_known = all(before.get(key) == value for key, value in file.items())
        rows = before["rows"] if is_known else pq.read_metadata(batch.path).num_rows
        if rows != batch.controls["rows_kept"]:
            raise AuditError(f"{file['path']} has {rows} rows, and its controls say {batch.controls['rows_kept']}. Nothing was published.")
        sha256 = before["sha256"] if is_known else hash_file(batch.path)
        inputs.append(file | {"sha256": sha256, "rows": rows, "extract": batch.extract, "extract_sha256": batch.sha256})
    return inputs


def sum_controls(batches: Sequence[Batch]) -> dict[str, Any]:
    """Sum rows and dollars over the batches; AuditError where the fates of a batch's rows do not add up to what was read."""
    sums: dict[str, Any] = {}
    for measure, number in (("rows", int), ("paid", Decimal)):
        whole, *parts = [f"{measure}_{fate}" for fate in ("read", *FATES)]
        for batch in batches:
            read, accounted = number(batch.controls[whole]), sum(number(batch.controls[part]) for part in parts)
            if read != accounted:
                told = f"{measure} read {read}, accounted for {accounted}"
                raise AuditError(f"{batch.extract} does not balance: {told}. Nothing was published.")
        sums |= {name: sum((number(batch.controls[name]) for batch in batches), number("0")) for name in (whole, *parts)}
    return sums


def select_report(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Write the SELECT of a report's rows in their stored order, with the types that are published."""
    columns = []
    for name, data_type in con.execute(f"select column_name, column_type from (describe {_quote(table)})").fetchall():
        plain = PLAIN_TYPES.get("ENUM" if data_type.startswith("ENUM(") else data_type)
        columns.append(f"cast({_quote(name)} as {plain}) as {_quote(name)}" if plain else _quote(name))
    return f"select {', '.join(columns)} from {_quote(_database_of(con))}.main.{_quote(table)}"


def _database_of(con: duckdb.DuckDBPyConnection) -> str:
    [(name,)] = con.execute("select current_database()").fetchall()
    return str(name)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def write_report(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Write a finished table as Parquet: the same rows give the same bytes.

    Pages carry checksums: a flipped bit in a compressed page was seen to give wrong data without an error. The Arrow schema is left out,
    for it names a list's elements as DuckDB happens to.
    """
    reader = con.sql(select_report(con, table)).to_arrow_reader(ROW_GROUP)
    with pq.ParquetWriter(path, reader.schema, compression="zstd", write_page_checksum=True, store_schema=False) as writer:
        for group in _row_groups(reader):
            writer.write_table(group, row_group_size=ROW_GROUP)


def _row_groups(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Cut rows into groups that are full but for the last: DuckDB's batches may differ with the number of threads, and so would pages."""
    group = reader.schema.empty_table()
    for batch in reader:
        group = pa.concat_tables([group, pa.Table.from_batches([batch])])
        while group.num_rows >= ROW_GROUP:
            yield group.slice(0, ROW_GROUP).combine_chunks()
            group = group.slice(ROW_GROUP)
    if group.num_rows:
        yield group.combine_chunks()


def write_database(con: duckdb.DuckDBPyConnection, path: Path, tables: Sequence[str], comments: Comments, auditor_sql: str) -> None:
    """Write finished tables to a new database file, with comments, the auditors' views and macros, and the view `dictionary`.

    Views are made while the file is the default database, so that they name no database: the file is renamed later. That happens in a
    cursor, so that `con` keeps its own default and can publish again where a full disk has made the new database unusable.
    """
    selects = {table: select_report(con, table) for table in tables}
    con.execute(f"attach {_quote_text(str(path))} as published")
    try:
        with con.cursor() as cursor:
            cursor.execute("use published")
            for table, select in selects.items():
                cursor.execute(f"create table {_quote(table)} as {select}")
            cursor.execute(auditor_sql)
            views = {
                name for (name,) in cursor.execute("select view_name from duckdb_views() where database_name = 'published'").fetchall()
            }
            for subject, text in comments.items():
                if isinstance(subject, tuple):
                    target = f"column {_quote(subject[0])}.{_quote(subject[1])}"
                else:
                    target = f"{'view' if subject in views else 'table'} {_quote(subject)}"
                cursor.execute(f"comment on {target} is {_quote_text(text)}")
            cursor.execute(DICTIONARY)
            cursor.execute("checkpoint published")
    finally:
        con.execute("detach published")
    if path.with_name(f"{path.name}.wal").exists():
        raise AuditError("DuckDB left a .wal beside audit.duckdb, so the file is not complete. Nothing was published.")


def find_run(store: Store, run_id: str | None = None) -> Path:
    """Find a published run, by default the current one; UsageError where there is no such run, AuditError where this user may not look."""
    try:
        if run_id is None:
            run = store.current_run()
            if run is None:
                raise UsageError(f"{store.root} holds no published run yet.")
        else:
            run = store.runs / run_id
            if not RUN_ID.fullmatch(run_id) or not run.is_dir():
                raise UsageError(f"{store.root} holds no run of that id; runs/ lists those that it has.")
    except PermissionError:
        raise store.closed() from None
    return run


def verify_run(store: Store, run_id: str | None = None) -> list[str]:
    """Compare a published run, by default the current one, with its manifest: one sentence for each difference.

    Of the batches that it was made of, those that OUT still holds are compared too. UsageError where there is no such run.
    """
    run = find_run(store, run_id)
    manifest = store.manifest(run)
    if manifest.pop("sha256", None) != _hash_json(manifest):
        return [f"runs/{run.name}/manifest.json is not what was written, so nothing can be compared with it."]
    differences = []
    if manifest["run_id"] != run.name:
        differences.append(f"runs/{run.name}/manifest.json is that of another run.")
    for output in manifest["outputs"]:
        differences += _compare_file(run / output["path"], f"runs/{run.name}/{output['path']}", output)
    expected = {"manifest.json", *(output["path"] for output in manifest["outputs"])}
    found = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_symlink() or not path.is_dir()}
    differences += [f"runs/{run.name}/{path} is no part of the run." for path in sorted(found - expected)]
    for batch in manifest["inputs"]:
        path = store.root / batch["path"]
        if path.exists():
            differences += _compare_file(path, batch["path"], batch)
    return differences


def _compare_file(path: Path, name: str, entry: Mapping[str, Any]) -> list[str]:
    """Compare one file with its manifest entry; a symbolic link is not the file that was written."""
    try:
        if path.is_symlink() or not path.is_file():
            return [f"{name} is missing."]
        if hash_file(path) != entry["sha256"]:
            return [f"{name} is not what was written: its SHA-256 differs."]
        if entry["rows"] is not None and pq.read_metadata(path).num_rows != entry["rows"]:
            return [f"{name} has another number of rows than the manifest says."]
    except OSError as error:
        return [f"{name} cannot be read: {error.strerror}."]
    return []
