"""Open a published run for reading: its tables and nothing else, and nothing can be written but to memory."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import duckdb

from sij_audit.transforms.duck import quote_text
from sij_audit.transforms.errors import AuditError

T = TypeVar("T")

MEMORY_LIMIT = "1GB"

LOCK = """
set autoinstall_known_extensions = false;
set autoload_known_extensions = false;
set allow_community_extensions = false;
set allow_persistent_secrets = false;
set python_enable_replacements = false;
set enable_external_access = false;
set lock_configuration = true;
"""

READING = ("SELECT", "EXPLAIN")
"""Kinds of statement that give rows."""

IN_MEMORY = ("CREATE", "INSERT", "UPDATE", "DELETE", "DROP")
"""Kinds of statement that change what lies in memory; the run itself is attached read-only."""

ENGINE_FUNCTIONS = (
    "checkpoint",
    "force_checkpoint",
    *(f"{verb}_{what}" for verb in ("enable", "disable") for what in ("logging", "profiling")),
)
"""Functions that change what the engine does, in a SELECT too; logging to a file that is out of reach was seen to end the process."""

QUOTING = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL)
"""Texts and comments of a query, as far as they are closed."""

REFUSED_FUNCTIONS = ("query", "query_table", "json_execute_serialized_sql", *ENGINE_FUNCTIONS)
"""Those functions, and functions that run a text as a query, which would hide a call of one."""

REFUSED_CALL = re.compile(rf'\b({"|".join(REFUSED_FUNCTIONS)})"?\s*\(', re.IGNORECASE)
"""Calls of them, in a text within the query too."""

EXPLAINING = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/)*explain\b\s*(\([^)]*\)|analyze\b)?", re.IGNORECASE | re.DOTALL)


class QueryRefused(AuditError):
    """A query is no SQL, or does what a locked session is closed to."""


class QueryTooSlow(AuditError):
    """A query was ended because its time was up."""


@contextmanager
def open_run(run: Path, read_tables: Mapping[str, Sequence[Path]] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open `audit.duckdb` of a run's folder in a locked session; new tables lie in memory, before those of the run.

    `read_tables` are Parquet files that are read into memory, by the name of their table, before the session is locked; none, no table.
    No file can be reached but that of the database and its log, which DuckDB still allows; `split_query` keeps what people ask from them.
    AuditError where the file cannot be opened.
    """
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": ""}) as con:
        try:
            con.execute(f"attach {quote_text(str(run / 'audit.duckdb'))} as audit (read_only)")
        except duckdb.Error as error:
            raise AuditError(f"runs/{run.name}/audit.duckdb cannot be opened ({type(error).__name__}).") from None
        for table, paths in (read_tables or {}).items():
            if paths:
                con.execute(f"create table {table} as from read_parquet(?, hive_partitioning = false)", [[str(path) for path in paths]])
        con.execute("set search_path = 'memory.main,audit.main'")
        con.execute(LOCK)
        yield con


def split_query(con: duckdb.DuckDBPyConnection, text: str) -> list[duckdb.Statement]:
    """Split what somebody asks into statements; QueryRefused where it is no SQL, or does what a locked session is closed to.

    What is allowed is listed, not what is refused: the engine's own lock leaves ways to the database's file (detach it, attach it for
    writing; copy to the log beside it), and a new version of it may open others.
    """
    try:
        statements = con.extract_statements(text)
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from None
    bare = QUOTING.sub(" ", text)
    if "*/" in bare:
        raise QueryRefused("Comments within comments are not read here.")
    within = REFUSED_CALL.search(bare) or REFUSED_CALL.search(text)
    if called := next(_find_refused_calls(text), within[1].lower() if within else None):
        raise QueryRefused(f"{called}() is closed here: the session reads the run, and writes to memory alone.")
    for statement in statements:
        words = QUOTING.sub(" ", statement.query).upper().split()
        kind = _explained_kind(con, statement.query) if words[:1] == ["EXPLAIN"] else statement.type.name
        is_variable = kind == "SET" and words[:2] == ["SET", "VARIABLE"]
        if kind not in (*READING, *IN_MEMORY) and not is_variable:
            told = kind if words[:1] == ["EXPLAIN"] else "".join(words[:1]) or "That"
            raise QueryRefused(f"{told} is closed here: the session reads the run, writes to memory alone, and keeps its settings.")
    return statements


def _find_refused_calls(text: str) -> Iterator[str]:
    """Find calls as DuckDB itself reads the text: what is a quote and what a comment, no pattern here can tell in all cases."""
    content = text.encode()
    starts = [start for start, _ in duckdb.tokenize(text)]
    tokens = [content[start:end] for start, end in pairwise([*starts, len(content)])]
    for token, following in pairwise(tokens):
        name = re.match(rb'"?(\w+)', token)
        if name and following.startswith(b"(") and name[1].decode().lower() in REFUSED_FUNCTIONS:
            yield name[1].decode().lower()


def _explained_kind(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """What EXPLAIN explains: EXPLAIN ANALYZE does it too."""
    try:
        [explained] = con.extract_statements(EXPLAINING.sub("", query, count=1))
    except (duckdb.Error, ValueError):
        return "EXPLAIN of that"
    return "EXPLAIN" if explained.type.name == "SELECT" else f"EXPLAIN {explained.type.name}"


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
