"""A locked session reads a published run and nothing else, writes to memory alone, and ends a query in time."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.query.session import QueryTooSlow, open_run, run_within
from sij_audit.transforms.query.statements import QueryRefused, split_query
from tests.runs import line, run, write_extract

SECRET = "4711-not-of-the-run"

SETTINGS_OF_A_LINE = {"schema", "search_path"}
"""Settings that DuckDB's lock leaves open; they name tables, and no query can set them here."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    run(folder / "out", write_extract(folder / "claims.parquet", [line("C1", "2024-01-10"), line("C2", "2024-02-10")]))
    return (folder / "out/current").resolve()


@pytest.fixture
def files(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with files to be read, in which nothing may be made; nor may the run change."""
    (tmp_path / "secret.csv").write_text(f"a\n{SECRET}\n")
    (tmp_path / "secret.json").write_text(f'{{"a": "{SECRET}"}}\n')
    with duckdb.connect(tmp_path / "secret.duckdb") as con:
        con.execute(f"create table t as select '{SECRET}' as a")
        con.execute(f"copy t to '{tmp_path / 'secret.parquet'}'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", SECRET)
    before = {folder: hash_files(folder) for folder in (tmp_path, published)}
    yield tmp_path
    assert {folder: hash_files(folder) for folder in (tmp_path, published)} == before


def hash_files(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def ask(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """What people get: a query is judged before it runs."""
    return [row for statement in split_query(query) for row in con.execute(statement.text).fetchall()]


# --- what is open


def test_the_run_is_read_and_what_is_made_lies_in_memory(published: Path) -> None:
    with open_run(published) as con:
        assert ask(con, "select count(*) from findings") == [(1,)]
        assert len(ask(con, "from open_findings")) == 1
        assert ask(con, "create table t as select 1 as a; insert into t values (2); select sum(a) from t")[-1] == (3,)
        assert ask(con, "create temp table findings as select 1; select count(*) from audit.findings")[-1] == (1,)
        assert ask(con, "set variable x = 5; select getvariable('x')")[-1] == (5,)
        assert ask(con, "create macro twice(a) as a * 2; select twice(4)")[-1] == (8,)
        assert ask(con, "pivot lines on line_status using count(*)")
        assert ask(con, "/* why */ explain analyze from lines where claim_id = 'explain copy'")
        for query in ("describe findings", "show tables", "summarize rules", "from lines -- all;", "with a as (from lines) from a"):
            assert ask(con, query), query
    with open_run(published) as con, pytest.raises(duckdb.CatalogException):
        con.execute("from t")


def test_nothing_of_the_run_can_be_changed(published: Path, files: Path) -> None:
    with open_run(published) as con:
        for query in (
            "create table audit.t as select 1",
            "insert into audit.findings from audit.findings",
            "update audit.findings set rationale = ''",
            "delete from audit.findings",
            "drop table audit.findings",
            "drop view audit.open_findings",
            "create or replace view audit.open_findings as select 1",
            "create or replace macro audit.explain(finding) as table select 1",
        ):
            with pytest.raises(duckdb.Error, match="read-only"):
                ask(con, query)
        with pytest.raises(duckdb.Error, match="read-only"):
            con.execute("create index i on audit.findings (finding_id)")


def test_a_database_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"audit\.duckdb cannot be opened"), open_run(tmp_path):
        pass


# --- what is closed


def test_the_file_of_the_database_is_out_of_reach_too(published: Path, files: Path) -> None:
    database = published / "audit.duckdb"
    with open_run(published) as con:
        for query in (
            f"copy (select 1) to '{database}'",
            f"copy (select 1) to '{database}.wal'",
            f"explain analyze copy (select 1) to '{database}.wal'",
            f"detach audit; attach '{database}' as audit; create table audit.t as select 1",
        ):
            with pytest.raises(QueryRefused):
                ask(con, query)


READERS = (
    "csv",
    "csv_auto",
    "json",
    "json_auto",
    "json_objects",
    "json_objects_auto",
    "ndjson",
    "ndjson_auto",
    "ndjson_objects",
    "parquet",
)
NAMES = ("secret.csv", "secret.json", "secret.parquet", "secret.duckdb")


@pytest.mark.parametrize(
    "function",
    [
        *(f"read_{kind}" for kind in (*READERS, "text", "blob", "duckdb")),
        *("parquet_scan", "parquet_metadata", "parquet_file_metadata", "parquet_full_metadata", "parquet_kv_metadata", "parquet_schema"),
        *("sniff_csv", "glob"),
    ],
)
def test_the_engine_itself_reads_no_file_whatever_the_function(published: Path, files: Path, function: str) -> None:
    with open_run(published) as con:
        for name in (
            *NAMES,
            "*",
            str(files / "secret.csv"),
            "file:secret.csv",
            "/proc/self/environ",
            "https://localhost/x.parquet",
            "s3://x/y",
        ):
            with pytest.raises(duckdb.Error) as error:
                con.execute(f"from {function}('{name}')")
            assert SECRET not in str(error.value)
            with pytest.raises(QueryRefused, match="is closed here"):
                split_query(f"from {function}('{name}')")


@pytest.mark.parametrize(
    "query",
    [
        *(f"from '{name}'" for name in NAMES),
        "create view v as from 'secret.csv'; from v",
        "create macro m() as table from 'secret.csv'; from m()",
        "create table t as from 'secret.csv'",
        "create macro m() as table from read_csv('secret.csv'); from m()",
        "from parquet_bloom_probe('secret.parquet', 'a', 'x')",
        "create persistent secret s (type http, bearer_token 'x')",
        "create secret s (type s3)",
        "select getenv('SECRET')",
        "from duckdb_extensions()",
        "from files",
        "from con",
        "from published",
    ],
)
def test_no_other_way_leads_to_a_file_or_a_variable(published: Path, files: Path, query: str) -> None:
    con = files  # a name that DuckDB would find among Python's variables
    with open_run(published) as session, pytest.raises(duckdb.Error) as error:
        session.execute(query).fetchall()
    assert SECRET not in str(error.value)
    assert con.is_dir()


def test_no_setting_can_be_changed_and_none_lets_out(published: Path) -> None:
    with open_run(published) as con:
        settings = dict(con.execute("select name, value from duckdb_settings()").fetchall())
        for name, value in settings.items():
            with pytest.raises(QueryRefused):
                split_query(f"set {name} = '{value}'")
            if name not in SETTINGS_OF_A_LINE:
                with pytest.raises(duckdb.Error):
                    con.execute(f"set global {name} = '{value}'")
    assert (settings["enable_external_access"], settings["lock_configuration"], settings["temp_directory"]) == ("false", "true", "")
    assert settings["python_enable_replacements"] == "false"
    assert settings["allow_persistent_secrets"] == "false"


def test_what_needs_more_memory_fails_and_spills_nothing(published: Path, files: Path) -> None:
    with open_run(published) as con, pytest.raises(duckdb.OutOfMemoryException):
        ask(con, "create table t as select repeat('x', 100_000) || range as a from range(20_000)")


# --- time

ENDLESS = "select count(*) from range(10_000_000) as a, range(10_000_000) as b where hash(a.range, b.range) = 1"


def test_a_query_ends_when_its_time_is_up_and_the_session_goes_on(published: Path) -> None:
    with open_run(published) as con:
        started = time.monotonic()
        with pytest.raises(QueryTooSlow, match=r"it may take 0\.3 seconds"):
            run_within(con, 0.3, lambda: ask(con, ENDLESS))
        assert time.monotonic() - started < 10
        assert run_within(con, 30, lambda: ask(con, "select count(*) from findings")) == [(1,)]


def test_an_error_of_the_query_is_its_own(published: Path) -> None:
    with open_run(published) as con, pytest.raises(duckdb.CatalogException):
        run_within(con, 30, lambda: ask(con, "from nowhere"))


def test_ctrl_c_ends_the_query_alone(published: Path) -> None:
    with open_run(published) as con:
        timer = threading.Timer(0.3, signal_self)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            run_within(con, 60, lambda: ask(con, ENDLESS))
        assert ask(con, "select 1") == [(1,)]


def signal_self() -> None:
    os.kill(os.getpid(), signal.SIGINT)
