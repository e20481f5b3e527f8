"""A published run is complete, private, the same for the same rows, and stays what it was; a death on the way there costs nothing."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.audit.database import LARGE_BLOCKS, SMALL_BLOCKS, Contents, write_database
from sij_audit.transforms.audit.identity import RunIdentity, is_current
from sij_audit.transforms.audit.publication import publish_run
from sij_audit.transforms.columns import BATCH_SCHEMA, FORMAT
from sij_audit.transforms.duck import select_report, write_report
from sij_audit.transforms.errors import AuditError, SqlError, UsageError
from sij_audit.transforms.stages.queries import Query
from sij_audit.transforms.store.durable import CRASH_POINTS, CrashPoint, nowhere
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.runs import verify_run

FINDINGS = """
create table findings as
select
    md5(n::varchar) as finding_id,
    'RUN' as run_id,
    case when n % 2 = 0 then 'new' else 'open' end::enum('new', 'open') as status,
    date '2024-01-01' + n::integer as service_date,
    null::varchar as scope,
    case when n % 3 = 0 then ['b', 'é'] else [] end::varchar[] as doubts,
    n % 7 as prior_count,
    case
        when n % 5 = 0 then []
        else [{'claim_id': 'c' || n, 'claim_line_number': n::bigint, 'billing_npi': null::varchar, 'paid_amount': 12.34::decimal(14, 2)}]
    end as claim_lines,
    []::varchar[] as prior_claim_ids,
    (n / 4)::decimal(14, 2) as paid_amount,
    n % 2 = 0 as is_upper_bound,
from range(ROWS) as numbers(n)
order by n
"""
OTHERS = """
create table injections as select finding_id as person_id, service_date from findings;
create table timelines as select finding_id as person_id, 'left' as track from findings;
create table lines as select finding_id as claim_id from findings;
create table providers as
select 'npi' as billing_npi, sum(paid_amount) as paid_amount, sum(prior_count) as injections, 0.25::double as rate from findings;
create table controls as select '2024-01.csv' as extract, 3 as rows_read;
create table columns as select '2024-01.csv' as extract, 'claim_id' as "column", true as is_present;
create table payees as select finding_id, 'x''y' as claim_type from findings;
create table rules as select 'interval_under_two_months' as rule_id, 0::bigint as violations;
create table review_states as select finding_id, null::varchar as held_back_for from findings;
create table dispositions as select finding_id, 'upheld' as disposition from findings;
create table review_outcomes as select 'interval_under_two_months' as rule_id, 0::bigint as reviewed;
create table trend as select 1::bigint as run_order, 'RUN' as run_id;
create table run_facts as select 'RUN' as run_id, date '2024-06-30' as as_of;
create table doubt_meanings as select 'authorized' as doubt_id;
"""
AUDITOR_SQL = """
create view worst_providers as select * from providers order by paid_amount desc;
create macro findings_of(npi) as table select * from findings where finding_id = npi;
comment on macro table findings_of is 'findings of one';
comment on view worst_providers is 'Providers by dollars';
comment on column worst_providers.paid_amount is 'sum over all';
"""
REPORTS = ("findings", *re.findall(r"create table (\w+)", OTHERS))
COLUMNS = {"findings": {"status": "against the previous run"}, "columns": {"column": "name in the extract"}}


def header(table: str) -> Query:
    """A report whose header says little."""
    said = {"title": f"It's {table}", "grain": "finding_id" if table == "findings" else "no key: whatever there is"}
    return Query(table, "5_reports", Path(f"{table}.sql"), "", said, "", {}, COLUMNS.get(table, {}))


def auditor(sql: str = AUDITOR_SQL) -> list[Query]:
    return [Query("views", "auditor", Path("auditor/views.sql"), sql, {"title": "Views"}, "", {}, {})]


HEADERS = [header(table) for table in REPORTS]

FEW = [header(table) for table in ("findings", "providers")]
"""Reports enough to die before, between and after them."""


def make_tables(rows: int = 20) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 2})
    con.execute(FINDINGS.replace("ROWS", str(rows)))
    con.execute(OTHERS)
    return con


def make_batch(store: Store, batch_id: str = "a1", rows: int = 3) -> Batch:
    controls = {"rows_read": 10, "rows_kept": rows, "rows_not_relevant": 10 - rows, "rows_quarantined": 0, "rows_duplicate": 0}
    paid = {"paid_read": "5.10", "paid_kept": "5.00", "paid_not_relevant": "0.10", "paid_quarantined": "0.00", "paid_duplicate": "0.00"}
    path = store.claims / f"{batch_id}.parquet"
    batch = Batch(batch_id, path, FORMAT, f"{batch_id}.csv", "ab" * 32, 1234, [], None, controls | paid, [], {})
    row = {"claim_id": "MEMBER-MARKER", "claim_line_number": 1, "member_id": "MEMBER-MARKER"}
    table = pa.Table.from_pylist([row] * rows, schema=BATCH_SCHEMA.with_metadata(batch.metadata()))
    pq.write_table(table, path)
    return batch


def identify(previous_run_id: str | None = None, as_of: date = date(2024, 6, 30), batches: tuple[str, ...] = ("a1",)) -> RunIdentity:
    return RunIdentity(
        as_of=as_of,
        previous_run_id=previous_run_id,
        batches=batches,
        refused=(),
        files={"0_reference/families.csv": "cd" * 32, "3_rules/cp_mp_166/policy.toml": "ef" * 32},
        reviews=(),
        settings={"line_of_business": None},
        program="12" * 32,
        version="0.1.0",
    )


def publish(store: Store, identity: RunIdentity, at: CrashPoint = nowhere, rows: int = 20, reports: Sequence[Query] = HEADERS) -> Path:
    with make_tables(rows) as con:
        return publish_run(
            store, con, identity, store.batches(), {"orphan_adjustments": 2, "paid": Decimal("1.50")}, Contents(reports, auditor()), at
        )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "o'ut [1]")
    store.prepare()
    make_batch(store)
    return store


def read_all(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.iterdir()}


# --- one report as Parquet


def test_types_are_plain(tmp_path: Path) -> None:
    with make_tables() as con:
        for table in ("findings", "providers"):
            write_report(con, table, tmp_path / table)
    claim_line = pa.struct(
        {"claim_id": pa.string(), "claim_line_number": pa.int64(), "billing_npi": pa.string(), "paid_amount": pa.decimal128(14, 2)}
    )
    findings = pq.read_schema(tmp_path / "findings")
    assert dict(zip(findings.names, findings.types, strict=True)) == {
        "finding_id": pa.string(),
        "run_id": pa.string(),
        "status": pa.string(),
        "service_date": pa.date32(),
        "scope": pa.string(),
        "doubts": pa.list_(pa.field("element", pa.string())),
        "prior_count": pa.int64(),
        "claim_lines": pa.list_(pa.field("element", claim_line)),
        "prior_claim_ids": pa.list_(pa.field("element", pa.string())),
        "paid_amount": pa.decimal128(14, 2),
        "is_upper_bound": pa.bool_(),
    }
    assert pq.read_schema(tmp_path / "providers").types == [pa.string(), pa.decimal128(14, 2), pa.int64(), pa.float64()]


def test_an_empty_report_has_the_same_types(tmp_path: Path) -> None:
    for rows in (0, 20):
        with make_tables(rows) as con:
            write_report(con, "findings", tmp_path / str(rows))
    assert pq.read_schema(tmp_path / "0") == pq.read_schema(tmp_path / "20")
    assert pq.read_metadata(tmp_path / "0").num_rows == 0


def test_rows_come_back_in_their_order(tmp_path: Path) -> None:
    with make_tables(300_000) as con:
        write_report(con, "findings", tmp_path / "findings")
        table = con.sql(select_report(con, "findings")).to_arrow_table()
    assert pq.read_table(tmp_path / "findings").cast(table.schema) == table
    assert pq.read_metadata(tmp_path / "findings").num_row_groups == 2
    rows = pq.read_table(tmp_path / "findings", columns=["service_date"])["service_date"].to_pylist()
    assert rows == sorted(rows)


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for threads in (1, 2, 4):
        with make_tables(600_000) as con:
            con.execute(f"set threads = {threads}")
            write_report(con, "findings", tmp_path / str(threads))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes() == (tmp_path / "4").read_bytes()


def test_pages_have_checksums(tmp_path: Path) -> None:
    with make_tables(1000) as con:
        write_report(con, "findings", tmp_path / "findings")
    data = bytearray((tmp_path / "findings").read_bytes())
    chunk = pq.read_metadata(tmp_path / "findings").row_group(0).column(0)
    data[chunk.data_page_offset + chunk.total_compressed_size // 4] ^= 1
    (tmp_path / "findings").write_bytes(data)
    with pytest.raises(OSError, match="could not verify page integrity"):
        pq.ParquetFile(tmp_path / "findings", page_checksum_verification=True).read()


# --- the database


def test_the_database_stands_alone(tmp_path: Path) -> None:
    with make_tables() as con:
        write_database(con, tmp_path / ".audit.part", Contents(HEADERS, auditor()))
        assert con.execute("select current_database(), count(*) from findings").fetchall() == [("memory", 20)]
        expected = {table: con.execute(select_report(con, table)).fetchall() for table in REPORTS}
    assert [path.name for path in tmp_path.iterdir()] == [".audit.part"]
    (tmp_path / ".audit.part").rename(tmp_path / "audit.duckdb")
    with duckdb.connect(tmp_path / "audit.duckdb", read_only=True) as con:
        for table in REPORTS:
            assert con.execute(f'select * from "{table}"').fetchall() == expected[table]
        assert con.execute("select billing_npi from worst_providers").fetchall() == [("npi",)]
        assert len(con.execute("select * from findings_of(?)", [expected["findings"][3][0]]).fetchall()) == 1


def test_shells_of_duckdb_1_5_open_the_database_whatever_version_wrote_it(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        write_database(con, tmp_path / "audit.duckdb", Contents([], []))
        con.execute(f"attach '{tmp_path / 'audit.duckdb'}' as audit (read_only)")
        [(tags,)] = con.execute("select tags from duckdb_databases() where database_name = 'audit'").fetchall()
    assert tags["storage_version"] == "v1.5.0+"


@pytest.mark.parametrize("size", [SMALL_BLOCKS, LARGE_BLOCKS])
def test_the_database_has_blocks_of_the_size_asked_for(tmp_path: Path, size: int) -> None:
    with make_tables() as con:
        write_database(con, tmp_path / "audit.duckdb", Contents(HEADERS, auditor(), block_size=size))
    with duckdb.connect(tmp_path / "audit.duckdb", read_only=True) as con:
        assert con.execute("select block_size from pragma_database_size()").fetchall() == [(size,)]


def test_the_dictionary_says_what_everything_means(tmp_path: Path) -> None:
    with make_tables() as con:
        write_database(con, tmp_path / "audit.duckdb", Contents(HEADERS, auditor()))
    with duckdb.connect(tmp_path / "audit.duckdb", read_only=True) as con:
        rows = con.execute("from dictionary").fetchall()
    assert [row[:2] for row in rows][:3] == [("columns", None), ("columns", "extract"), ("columns", "column")]
    assert ("columns", "column", "VARCHAR", "name in the extract") in rows
    assert ("findings", None, "table", "It's findings: one row per finding_id") in rows
    assert ("worst_providers", None, "view", "Providers by dollars") in rows
    assert ("worst_providers", "paid_amount", "DECIMAL(14,2)", "sum over all") in rows
    assert ("findings_of", None, "macro", "findings of one") in rows
    assert {row[0] for row in rows} == {*REPORTS, "worst_providers", "findings_of"}


def test_without_auditor_sql(tmp_path: Path) -> None:
    with make_tables() as con:
        write_database(con, tmp_path / "audit.duckdb", Contents([header("rules")], []))
    with duckdb.connect(tmp_path / "audit.duckdb", read_only=True) as con:
        assert con.execute("select column_name from dictionary").fetchall() == [(None,), ("rule_id",), ("violations",)]


def test_a_mistake_in_auditor_sql_leaves_the_connection_as_it_was(tmp_path: Path) -> None:
    with make_tables() as con:
        with pytest.raises(SqlError, match=r"auditor/views\.sql, line 1: Table with name nothing does not exist"):
            write_database(con, tmp_path / "audit.duckdb", Contents(HEADERS, auditor("create view v as select * from nothing")))
        assert con.execute("select current_database(), count(*) from findings").fetchall() == [("memory", 20)]
        assert con.execute("select database_name from duckdb_databases() where not internal").fetchall() == [("memory",)]
        write_database(con, tmp_path / "again.duckdb", Contents(HEADERS, auditor()))


# --- identity


def test_a_run_id_is_the_date_and_a_hash() -> None:
    identity = identify()
    assert identity.run_id.startswith("2024-06-30-")
    assert len(identity.run_id) == len("2024-06-30-") + 12
    assert identity.run_id == identify().run_id


def test_order_does_not_matter() -> None:
    identity = replace(identify(batches=("a", "b")), refused=("x", "y"))
    other = replace(identity, batches=("b", "a"), refused=("y", "x"), files=dict(reversed(list(identity.files.items()))))
    assert identity.run_id == other.run_id


@pytest.mark.parametrize(
    "change",
    [
        {"batches": ("a1", "b2")},
        {"refused": ("ab" * 32,)},
        {"batches": (), "refused": ("a1",)},
        {"files": {"0_reference/families.csv": "00" * 32}},
        {"settings": {"line_of_business": "medicare"}},
        {"program": "34" * 32},
    ],
)
def test_each_part_makes_another_run(change: dict[str, Any]) -> None:
    other = replace(identify(), **change)
    assert other.run_id != identify().run_id
    assert other.fingerprint != identify().fingerprint


def test_a_version_that_is_named_otherwise_is_no_change() -> None:
    other = replace(identify(), version="0.2.0")
    assert (other.fingerprint, other.run_id) == (identify().fingerprint, identify().run_id)


def test_date_and_previous_run_are_no_part_of_the_fingerprint() -> None:
    other = replace(identify(), as_of=date(2024, 7, 1), previous_run_id="2024-06-30-0123456789ab")
    assert other.fingerprint == identify().fingerprint
    assert other.run_id[11:] != identify().run_id[11:]


def test_nothing_is_new(store: Store) -> None:
    assert not is_current(store, identify())
    run = publish(store, identify())
    again = identify(run.name)
    assert again.run_id != run.name
    assert is_current(store, again)
    assert not is_current(store, replace(again, as_of=date(2024, 7, 1)))
    assert not is_current(store, replace(again, program="34" * 32))


# --- publication


def test_a_run_is_published(store: Store) -> None:
    identity = identify()
    run = publish(store, identity)
    assert run == store.runs / identity.run_id
    assert store.current_run() == run
    assert store.current.readlink() == Path("runs") / identity.run_id
    assert {path.name for path in run.iterdir()} == {*(f"{report}.parquet" for report in REPORTS), "audit.duckdb", "manifest.json"}
    assert [path.name for path in store.runs.iterdir()] == [run.name]
    assert verify_run(store) == []
    assert verify_run(store, run.name) == []


def test_the_manifest(store: Store) -> None:
    make_batch(store, "b2", rows=4)
    identity = identify(batches=("a1", "b2"))
    run = publish(store, identity)
    manifest = store.manifest(run)
    assert manifest["run_id"] == run.name
    assert manifest["previous_run_id"] is None
    assert manifest["as_of"] == "2024-06-30"
    assert manifest["fingerprint"] == identity.fingerprint
    assert manifest["program"] == "12" * 32
    assert set(manifest["versions"]) == {"sij-audit", "python", "duckdb", "polars", "pyarrow"}
    assert [(entry["path"], entry["rows"], entry["extract"]) for entry in manifest["inputs"]] == [
        ("claims/a1.parquet", 3, "a1.csv"),
        ("claims/b2.parquet", 4, "b2.csv"),
    ]
    assert {entry["path"] for entry in manifest["files"]} == {"0_reference/families.csv", "3_rules/cp_mp_166/policy.toml"}
    rows = {entry["path"]: entry["rows"] for entry in manifest["outputs"]}
    assert rows["findings.parquet"] == 20
    assert rows["audit.duckdb"] is None
    assert len(rows) == len(REPORTS) + 1
    assert manifest["totals"] == {"orphan_adjustments": 2, "paid": "1.50"}
    assert manifest["controls"]["rows_read"] == 20
    assert manifest["controls"]["rows_kept"] == 7
    assert manifest["controls"]["paid_read"] == "10.20"
    assert "MEMBER-MARKER" not in (run / "manifest.json").read_text()


def test_everything_is_private(store: Store) -> None:
    with store.lock():
        run = publish(store, identify())
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in run.iterdir()} == {0o600}


def test_a_published_run_never_changes(store: Store) -> None:
    first = publish(store, identify())
    before = read_all(first)
    second = publish(store, identify(first.name), rows=30)
    assert second != first
    assert store.current_run() == second
    assert store.manifest(second)["previous_run_id"] == first.name
    assert read_all(first) == before
    assert publish(store, identify(), rows=5) == first
    assert read_all(first) == before
    assert store.current_run() == first


def test_the_same_rows_give_the_same_reports(store: Store) -> None:
    run = publish(store, identify())
    before = read_all(run)
    shutil.rmtree(run)
    after = read_all(publish(store, identify()))
    for report in REPORTS:
        assert before[f"{report}.parquet"] == after[f"{report}.parquet"]


def test_a_broken_run_of_the_same_id_is_not_made_current(store: Store) -> None:
    run = publish(store, identify())
    store.current.unlink()
    (run / "findings.parquet").write_bytes(b"")
    with pytest.raises(AuditError, match=r"not as it was written: .*findings\.parquet"):
        publish(store, identify())
    assert store.current_run() is None


def test_a_batch_that_does_not_balance_publishes_nothing(store: Store) -> None:
    batch = make_batch(store)
    for controls in ({"rows_read": 11}, {"paid_read": "5.11"}):
        with make_tables() as con, pytest.raises(AuditError, match=r"a1\.csv does not balance"):
            publish_run(store, con, identify(), [replace(batch, controls=batch.controls | controls)], {}, Contents([], []))
    assert list(store.runs.iterdir()) == []


def test_a_batch_with_other_rows_than_it_says_publishes_nothing(store: Store) -> None:
    batch = make_batch(store)
    controls = batch.controls | {"rows_kept": 2, "rows_duplicate": 1}
    with make_tables() as con, pytest.raises(AuditError, match="has 3 rows"):
        publish_run(store, con, identify(), [replace(batch, controls=controls)], {}, Contents([], []))


def test_hashes_of_batches_are_reused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(store, identify())
    make_batch(store, "b2")
    hashed = []

    def hash_file(path: Path) -> str:
        hashed.append(path.name)
        return "00" * 32

    monkeypatch.setattr("sij_audit.transforms.audit.publication.hash_file", hash_file)
    second = publish(store, identify(first.name, batches=("a1", "b2")))
    assert [name for name in hashed if name in {"a1.parquet", "b2.parquet"}] == ["b2.parquet"]
    assert store.manifest(second)["inputs"][0] == store.manifest(first)["inputs"][0]


@pytest.mark.parametrize("step", CRASH_POINTS)
def test_a_full_disk_publishes_nothing_or_all(store: Store, step: str) -> None:
    first = publish(store, identify())

    def fail(name: str) -> None:
        if name == step:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        publish(store, identify(first.name), fail)
    assert not list(store.runs.glob("*.building"))
    assert not list(store.root.glob(".current.*"))
    assert verify_run(store) == []
    second = publish(store, identify(first.name))
    assert store.current_run() == second
    assert verify_run(store) == []


# --- deaths


def sweep(template: Path, folder: Path, step: str) -> None:
    """Kill a publication at each occurrence of a step; each time, look and publish again.

    It runs in a process of its own that only forks: DuckDB and PyArrow have threads, which a fork does not take along.
    """
    occurrence = 0
    while True:
        occurrence += 1
        root = folder / str(occurrence)
        shutil.copytree(template, root, symlinks=True)
        status = in_child(partial(publish_and_die, Store(root), step, occurrence))
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            break
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL
        assert in_child(partial(look_and_publish_again, Store(root))) == 0, f"{step}, occurrence {occurrence}"
    assert occurrence > 1, "the step was never reached"


def in_child(act: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def publish_and_die(store: Store, step: str, occurrence: int) -> None:
    seen = 0

    def die(name: str) -> None:
        nonlocal seen
        seen += name == step
        if seen == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    first = store.current_run()
    assert first is not None
    with store.lock():
        publish(store, identify(first.name), die, reports=FEW)


def look_and_publish_again(store: Store) -> None:
    first = store.runs / identify().run_id
    seen = store.current_run()
    assert seen in {first, store.runs / identify(first.name).run_id}
    assert verify_run(store) == []
    with store.lock():
        assert {path.suffix for path in store.runs.iterdir()} == {""}
        second = publish(store, identify(first.name), reports=FEW)
    assert store.current_run() == second
    assert verify_run(store, first.name) == verify_run(store, second.name) == []
    assert {path.name for path in store.root.iterdir()} == {"claims", "quarantine", "runs", "current", ".work", ".lock"}


@pytest.mark.parametrize("step", CRASH_POINTS)
def test_readers_see_the_old_or_the_new_run_after_a_death(store: Store, tmp_path: Path, step: str) -> None:
    publish(store, identify(), reports=FEW)
    command = [sys.executable, __file__, str(store.root), str(tmp_path), step]
    paths = os.pathsep.join([str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")])
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": paths})


def test_readers_see_one_run_at_every_step(store: Store) -> None:
    first = publish(store, identify())
    seen: list[Path | None] = []

    def look(step: str) -> None:
        assert verify_run(store) == []
        seen.append(store.current_run())

    second = publish(store, identify(first.name), look)
    assert seen == [first] * (len(seen) - 1) + [second]


def test_an_open_session_keeps_its_run(store: Store) -> None:
    run = publish(store, identify())
    with duckdb.connect(store.current / "audit.duckdb", read_only=True) as old:
        for n in range(3):
            run = publish(store, identify(run.name), rows=21 + n)
            with duckdb.connect(store.current.resolve() / "audit.duckdb", read_only=True) as new:
                assert new.execute("select count(*) from findings").fetchall() == [(21 + n,)]
        assert old.execute("select count(*) from findings").fetchall() == [(20,)]


# --- verification


@pytest.mark.parametrize("name", [*(f"{report}.parquet" for report in REPORTS), "audit.duckdb", "manifest.json"])
def test_a_flipped_bit_is_found(store: Store, name: str) -> None:
    path = publish(store, identify()) / name
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 1
    path.write_bytes(data)
    try:
        [difference] = verify_run(store)
    except AuditError as error:
        difference = str(error)
    assert name in difference


def test_a_lost_file_is_found(store: Store) -> None:
    run = publish(store, identify())
    (run / "payees.parquet").unlink()
    assert verify_run(store) == [f"runs/{run.name}/payees.parquet is missing."]


def test_a_link_is_no_file(store: Store, tmp_path: Path) -> None:
    run = publish(store, identify())
    (run / "payees.parquet").rename(tmp_path / "payees.parquet")
    (run / "payees.parquet").symlink_to(tmp_path / "payees.parquet")
    assert verify_run(store) == [f"runs/{run.name}/payees.parquet is missing."]


def test_a_file_too_many_is_found(store: Store) -> None:
    run = publish(store, identify())
    (run / "audit.duckdb.wal").write_text("")
    (run / "inner").mkdir()
    (run / "inner" / "x").write_text("")
    assert verify_run(store) == [f"runs/{run.name}/{name} is no part of the run." for name in ("audit.duckdb.wal", "inner/x")]


def test_a_renamed_run_is_found(store: Store) -> None:
    run = publish(store, identify())
    other = run.rename(run.with_name("2024-06-30-0123456789ab"))
    assert verify_run(store, other.name) == [f"runs/{other.name}/manifest.json is that of another run."]


def test_a_changed_batch_is_found_and_a_replaced_one_is_not_missed(store: Store) -> None:
    publish(store, identify())
    path = store.claims / "a1.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    assert verify_run(store) == ["claims/a1.parquet is not what was written: its SHA-256 differs."]
    path.unlink()
    assert verify_run(store) == []


@pytest.mark.parametrize("run_id", ["2024-06-30-0123456789ab", "../claims", ".", ""])
def test_an_unknown_run_is_wrong_usage(store: Store, run_id: str) -> None:
    publish(store, identify())
    with pytest.raises(UsageError, match="no run of that id"):
        verify_run(store, run_id)


def test_no_run_yet_is_wrong_usage(store: Store) -> None:
    with pytest.raises(UsageError, match="no published run yet"):
        verify_run(store)


if __name__ == "__main__":
    sweep(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
