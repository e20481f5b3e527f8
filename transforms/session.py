"""Open a published run for reading: its tables and nothing else, and nothing can be written but to memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from transforms.errors import AuditError

MEMORY_LIMIT = "1GB"

LOCK = """
set enable_external_access = false;
set autoinstall_known_extensions = false;
set autoload_known_extensions = false;
set allow_community_extensions = false;
set lock_configuration = true;
"""


@contextmanager
def open_run(run: Path, read_tables: dict[str, Path] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open `audit.duckdb` of a run's folder in a locked session; new tables lie in memory, before those of the run.

    `read_tables` are Parquet files that are read into memory, by the name of their table, before the session is locked.
    AuditError where the file cannot be opened.
    """
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": ""}) as con:
        try:
            con.execute(f"attach '{str(run / 'audit.duckdb').replace(chr(39), chr(39) * 2)}' as audit (read_only)")
        except duckdb.Error as error:
            raise AuditError(f"runs/{run.name}/audit.duckdb cannot be opened ({type(error).__name__}).") from None
        for table, path in (read_tables or {}).items():
            con.execute(f"create table {table} as from read_parquet(?, hive_partitioning = false)", [str(path)])
        con.execute("set search_path = 'memory.main,audit.main'")
        con.execute(LOCK)
        yield con
