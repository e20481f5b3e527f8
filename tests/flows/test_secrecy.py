"""Nobody reads what is not theirs: planted markers show nowhere but in the files that are about the person whose they are."""

import gzip
import json
import os
import pty
import subprocess
import sys
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.columns import BATCH_SCHEMA, COLUMNS
from tests.runs import ROOT, Row, command, command_of, copy_program, line, read_report, write_csv, write_extract

pytestmark = pytest.mark.xdist_group("secrecy")

NAMES = [column.name for column in COLUMNS]

KEPT = {"person": "MKR-PERSON-K", "member": "MKR-MEMBER-K", "claim": "MKRCLAIM-K", "amount": "71231.87"}
NOT_RELEVANT = {"member": "MKR-MEMBER-N", "claim": "MKRCLAIM-N", "amount": "81231.86"}
QUARANTINED = {"member": "MKR-MEMBER-Q", "claim": "MKRCLAIM-Q", "amount": "61231.85", "date": "MKR-1967-05-04", "row": "MKR-HALF-A-ROW"}
IGNORED = {"name": "MKR ZOË SMITH", "birth": "MKR-1955-01-02", "typed name": "MKR JO BROWN"}
HEADER = {"csv": "MKR-MEMBER-H", "parquet": "MKR-MEMBER-P", "quoted": 'MKR"; drop table x; -- é'}
REFUSED = {
    "first row": "MKR-MEMBER-R1",
    "typed": "MKR-MEMBER-R2",
    "twice": "MKR-MEMBER-R3",
    "cut": "MKR-MEMBER-R4",
    "header": "MKR-MEMBER-R5",
}
REFUSED |= {"sidecar": "MKR-MEMBER-R6", "nul": "MKR-MEMBER-R7"}
ALL = [marker for markers in (KEPT, NOT_RELEVANT, QUARANTINED, IGNORED, HEADER, REFUSED) for marker in markers.values()]


def mine(markers: dict[str, str], claim: str, day: str, **changes: Any) -> Row:
    return line(
        f"{markers['claim']}{claim}",
        day,
        person=markers.get("person", markers["member"]),
        **{"member_id": markers["member"], "paid_amount": markers["amount"], **changes},
    )


def write_extracts(folder: Path) -> list[Path]:
    """Extracts with markers wherever a cell can be; every line has a companion, so that no total is one line's amount."""
    folder.mkdir()
    kept = [mine(KEPT, "1", "2023-01-10"), mine(KEPT, "2", "2023-01-20"), mine(KEPT, "3", "2023-01-30", claim_type="institutional")]
    other = mine(NOT_RELEVANT, "1", "2023-01-10", hcpcs_code="99213")
    company = [line(f"C{day}", f"2023-01-{day}", person="COMPANY") for day in (10, 20, 30)]
    more = line("OTHER", "2023-01-11", "99213")
    bad = mine(QUARANTINED, "1", "2023-01-10")
    rows = [[row[name] for name in NAMES] + [IGNORED["name"], IGNORED["birth"], None, None] for row in (*kept, *company, other, more)]
    rows.append([bad[name] if name != "paid_date" else QUARANTINED["date"] for name in NAMES] + [None] * 4)
    rows.append([bad[name] if name != "claim_id" else None for name in NAMES] + [None] * 4)
    rows.append([QUARANTINED["row"], QUARANTINED["member"]])
    plain = write_csv(folder / "plain.csv", [*NAMES, "member_name", "birth_date", HEADER["csv"], HEADER["quoted"]], rows)

    typed = [
        mine(KEPT, "4", "2023-02-10"),
        line("C4", "2023-02-10", person="COMPANY"),
        mine(QUARANTINED, "2", "2023-01-10", member_id=None),
        mine(QUARANTINED, "3", "2023-01-10", member_id=None),
    ]
    table = pa.Table.from_pylist(typed, BATCH_SCHEMA)
    for name in ("member_name", HEADER["parquet"]):
        table = table.append_column(name, pa.array([IGNORED["typed name"]] * 2 + [None] * 2))
    pq.write_table(table, folder / "typed.parquet")

    def refused(name: str, marker: str, **changes: Any) -> Row:
        return line(f"{marker}{name}", "2023-01-10", person=marker, **changes)

    row = refused("a", REFUSED["first row"])
    write_csv(folder / "no_header.csv", [str(row[name] or "") for name in NAMES], [[row[name] for name in NAMES]])
    wrong = pa.Table.from_pylist([refused("b", REFUSED["typed"])], BATCH_SCHEMA).drop_columns("hcpcs_code")
    pq.write_table(
        wrong.append_column("hcpcs_code", pa.array([27096])).append_column(REFUSED["typed"], pa.array([1])), folder / "number.parquet"
    )
    row = refused("c", REFUSED["twice"])
    write_csv(folder / "twice.csv", [*NAMES, "CLAIM_ID", REFUSED["twice"]], [[*(row[name] for name in NAMES), row["claim_id"], 1]])
    whole = write_extract(folder / "whole.csv", [refused("d", REFUSED["cut"])])
    (folder / "cut.csv.gz").write_bytes(gzip.compress(whole.read_bytes())[:-9])
    whole.unlink()
    (folder / "header.csv").write_bytes(f"claim_id,{REFUSED['header']},\xff\n".encode("latin-1"))
    write_extract(folder / "sidecar.csv", [refused("e", REFUSED["sidecar"])])
    (folder / "sidecar.csv.totals.json").write_text(f'{{"rows": 1, "paid_amount": "{REFUSED["sidecar"]}"}}')
    (folder / "nul.csv").write_bytes(f"claim_id,{REFUSED['nul']}\0\n".encode())
    names = ["no_header.csv", "number.parquet", "twice.csv", "cut.csv.gz", "header.csv", "sidecar.csv", "nul.csv"]
    return [plain, folder / "typed.parquet", *(folder / name for name in names)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """OUT after two runs, and all that the commands said."""
    folder = tmp_path_factory.mktemp("secrecy")
    extracts = write_extracts(folder / "in")
    out = folder / "out"
    runs = [
        command("run", *extracts, "--out", out, "--as-of", "2024-06-30"),
        command("run", *extracts, "--out", out, "--as-of", "2023-01-25"),
        command("run", *extracts, "--out", out, "--as-of", "2023-01-25"),
        command("verify", out),
    ]
    assert [done.returncode for done in runs] == [3, 3, 3, 0]
    assert [done.stderr for done in runs] == [""] * 4
    return out, "".join(done.stdout for done in runs)


@cache
def shown(path: Path) -> str:
    """All that a file of OUT says, its tables unpacked."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        text += str(file.metadata.metadata) + str(file.read().to_pylist())
    elif path.suffix == ".duckdb":
        with duckdb.connect(path, read_only=True) as con:
            tables = con.execute("select schema_name, table_name from duckdb_tables() where not internal").fetchall()
            text += "".join(str(con.execute(f"from {schema}.{table}").fetchall()) for schema, table in tables)
    return text


def places(out: Path, marker: str) -> set[str]:
    """The kinds of file under OUT that hold a marker, as it is or escaped."""
    texts = {marker, repr(marker)[1:-1], json.dumps(marker)[1:-1]}
    files = [path for path in out.rglob("*") if path.is_file() and any(text in shown(path) for text in texts)]
    return {path.name if path.parent.parent.name == "runs" else path.parent.name for path in files}


def assert_silent(text: str) -> None:
    amounts = [f"{Decimal(markers['amount']):,}" for markers in (KEPT, NOT_RELEVANT, QUARANTINED)]
    assert "MKR" not in text
    assert [marker for marker in (*ALL, *amounts) if marker in text] == []


def test_the_markers_went_through_every_fate(told: tuple[Path, str]) -> None:
    controls = {row["extract"]: row for row in read_report(told[0], "controls")}
    counts = [controls["plain.csv"][f"rows_{name}"] for name in ("kept", "not_relevant", "quarantined")]
    assert counts == [6, 2, 3]
    assert (controls["typed.parquet"]["rows_kept"], controls["typed.parquet"]["rows_quarantined"]) == (2, 2)
    assert sum(row["outcome"] == "refused" for row in controls.values()) == 7
    assert {row["person_id"] for row in read_report(told[0])} == {KEPT["person"], "COMPANY"}


def test_the_commands_say_nothing_of_a_member(told: tuple[Path, str]) -> None:
    assert told[1].count("REFUSED") == 3 * (7 + 1), "each extract, and the sentence at the end"
    assert_silent(told[1])


def test_reasons_of_refusal_name_columns_and_no_cells(told: tuple[Path, str]) -> None:
    reasons = [row["reason"] for row in read_report(told[0], "controls") if row["outcome"] == "refused"]
    assert len(reasons) == 7
    assert_silent(" ".join(reasons))


def test_manifests_say_nothing_of_a_member(told: tuple[Path, str]) -> None:
    manifests = list((told[0] / "runs").glob("*/manifest.json"))
    assert len(manifests) == 2
    for manifest in manifests:
        assert_silent(manifest.read_text(encoding="utf-8"))


def test_no_file_name_says_anything_of_a_member(told: tuple[Path, str]) -> None:
    out = told[0]
    assert_silent(" ".join(path.relative_to(out).as_posix() for path in out.rglob("*")))


def test_what_is_kept_stands_in_batches_and_reports(told: tuple[Path, str]) -> None:
    for marker in KEPT.values():
        found = places(told[0], marker)
        assert {"claims", "findings.parquet", "audit.duckdb"} <= found
        assert found.isdisjoint({"quarantine", "manifest.json", "controls.parquet", "columns.parquet", "rules.parquet", ".work", "out"})


def test_what_is_not_relevant_is_kept_nowhere(told: tuple[Path, str]) -> None:
    assert [places(told[0], marker) for marker in NOT_RELEVANT.values()] == [set()] * 3


def test_cells_of_ignored_columns_are_kept_nowhere(told: tuple[Path, str]) -> None:
    assert [places(told[0], marker) for marker in (IGNORED["name"], IGNORED["birth"])] == [set()] * 2
    assert places(told[0], IGNORED["typed name"]) == set()


def test_refused_rows_stand_in_the_quarantine_alone(told: tuple[Path, str]) -> None:
    assert [places(told[0], marker) for marker in QUARANTINED.values()] == [{"quarantine"}] * len(QUARANTINED)


def test_refused_extracts_are_kept_nowhere(told: tuple[Path, str]) -> None:
    assert [places(told[0], marker) for marker in REFUSED.values()] == [set()] * len(REFUSED)


def test_a_header_that_is_a_member_number_stands_where_columns_are_listed(told: tuple[Path, str]) -> None:
    listed = {"claims", "columns.parquet", "audit.duckdb"}
    assert [places(told[0], HEADER[name]) for name in ("csv", "quoted")] == [listed] * 2
    assert places(told[0], HEADER["parquet"]) == listed | {"quarantine"}, "a refused row of Parquet is told with its columns"


def test_nothing_is_left_in_the_work_folder(told: tuple[Path, str]) -> None:
    assert list((told[0] / ".work").iterdir()) == []


LEAKY = """\
-- title: A mistake
-- section: I
-- rank: 100
-- per: injection
-- cites: sij_injection
-- criterion: None.
--
-- DuckDB's message quotes what it could not cast.

select person_id, service_date, person_id::integer > 0 as is_violation, 'x' as rationale from injections
"""


def test_a_mistake_in_a_rule_shows_its_place_and_no_cell(tmp_path: Path) -> None:
    program = copy_program(tmp_path / "program")
    (program / "sij_audit/sql/3_rules/cp_mp_166/mistake.sql").write_text(LEAKY, encoding="utf-8")
    extract = write_extract(tmp_path / "x.parquet", [mine(KEPT, "1", "2023-01-10")])
    done = command_of(program, "run", extract, "--out", tmp_path / "out")
    assert done.returncode == 4
    assert "ConversionException" in done.stderr
    assert "running.py" in done.stderr
    assert_silent(done.stdout + done.stderr)
    assert not (tmp_path / "out" / "current").exists()
    assert list((tmp_path / "out" / "runs").iterdir()) == []


def test_progress_on_a_terminal_says_nothing_of_a_member(tmp_path: Path) -> None:
    extracts = write_extracts(tmp_path / "in")
    ours, theirs = pty.openpty()
    program: list[str | Path] = [
        Path(sys.executable).with_name("sij-audit"),
        "run",
        *extracts,
        "--out",
        tmp_path / "out",
        "--as-of",
        "2024-06-30",
    ]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(program, env=environment, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as started:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:
                break
            if not piece:
                break
            said += piece
    os.close(ours)
    text = said.decode(errors="replace")
    assert started.returncode == 3
    assert "plain.csv" in text
    assert "interval_under_two_months" in text
    assert_silent(text)
