"""Open a published run for reading: its tables and nothing else, and nothing can be written but to memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb

from sij_audit.transforms.duck import ONE_THREAD, QUICK, quote_text
from sij_audit.transforms.errors import AuditError

T = TypeVar("T")

MEMORY_LIMIT = "1GB"

LITTLE = 16_000_000
"""Bytes of a database below which one thread reads it."""

LOCK = """
set autoinstall_known_extensions = false;
set autoload_known_extensions = false;
set allow_community_extensions = false;
set allow_persistent_secrets = false;
set python_enable_replacements = false;
set enable_external_access = false;
set lock_configuration = true;
"""


class QueryTooSlow(AuditError):
    """A query was ended because its time was up."""


@contextmanager
def open_run(run: Path, read_tables: Mapping[str, Sequence[Path]] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open `audit.duckdb` of a run's folder in a locked session; new tables lie in memory, before those of the run.

    `read_tables` are Parquet files that are read into memory, by the name of their table, before the session is locked; none, no table.
    No file can be reached but that of the database and its log, which DuckDB still allows; `statements.split_query` keeps what people ask
    from them.
    AuditError where the file cannot be opened.
    """
    database = run / "audit.duckdb"
    threads = ONE_THREAD if database.is_file() and database.stat().st_size < LITTLE else {}
    with duckdb.connect(config={**QUICK, **threads, "memory_limit": MEMORY_LIMIT, "temp_directory": ""}) as con:
        try:
            con.execute(f"attach {quote_text(str(database))} as audit (read_only)")
        except duckdb.Error as error:
            raise AuditError(f"runs/{run.name}/audit.duckdb cannot be opened ({type(error).__name__}).") from None
        for table, paths in (read_tables or {}).items():
            if paths:
                con.execute(f"create table {table} as from read_parquet(?, hive_partitioning = false)", [[str(path) for path in paths]])
        set_schemas(con)
        con.execute(LOCK)
        yield con


def set_schemas(con: duckdb.DuckDBPyConnection, first: str | None = None) -> None:
    """Let names without a schema mean what was made in memory, then the tables of the schema `first`, the run's reports, and all others."""
    schemas = con.execute("select schema_name from duckdb_schemas() where database_name = 'audit' and not internal order by 1").fetchall()
    others = [name for (name,) in schemas if name not in ("main", first)]
    path = ["memory.main", *([f"audit.{first}"] if first else []), "audit.main", *(f"audit.{name}" for name in others)]
    con.execute(f"set search_path = {quote_text(','.join(path))}")


def run_within(con: duckdb.DuckDBPyConnection, seconds: float, work: Callable[[], T]) -> T:
    """Do what asks the session, and end it when its time is up or Ctrl-C is pressed.

    It is done in a thread of its own, for the main thread to hear Ctrl-C while DuckDB works. QueryTooSlow where the time was up.
    """
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            wait([future], timeout=seconds)
        except KeyboardInterrupt:
            _interrupt(con, future)
            raise
        if future.done():
            return future.result()
        _interrupt(con, future)
        if future.exception() is None:
            return future.result()
    raise QueryTooSlow(f"The query was ended: it may take {seconds:g} seconds (query_seconds). Ask for less, or have that raised.")


def _interrupt(con: duckdb.DuckDBPyConnection, future: Future[T]) -> None:
    """Interrupt until it has ended: an interruption between two statements would be lost."""
    while not future.done():
        con.interrupt()
        wait([future], timeout=0.05)
