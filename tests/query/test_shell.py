"""`sij-audit sql` as its users meet it: what a query prints and writes, what is logged, and a session at a terminal."""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.query.answers import Answer, align, check_output, format_value
from sij_audit.transforms.query.catalog import Entry, find_words, read_catalog
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.query.shell import is_complete
from tests.runs import command, line, run, write_extract

ENDLESS = "select count(*) from range(10000000) a, range(10000000) b where hash(a.range, b.range) = 1"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    lines = [line("C1", "2024-01-10"), line("C2", "2024-02-10", person="=1+1"), line("C3", "2024-02-20", person="=1+1")]
    run(folder / "out", write_extract(folder / "claims.parquet", lines))
    return folder / "out"


@pytest.fixture
def ask(out: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda *arguments, **variables: command("sql", "--out", out, *arguments, cwd=tmp_path, **variables)


def logged(out: Path) -> list[dict[str, Any]]:
    [path] = (out / "access").iterdir()
    return [json.loads(entry) for entry in path.read_text().splitlines()]


# --- one query


def test_rows_are_columns_of_text_without_colour_and_none_is_left_out(ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = ask("select claim_id, paid_amount, facility_npi from lines order by claim_id")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "claim_id  paid_amount  facility_npi",
        "C1             186.40",
        "C2             186.40",
        "C3             186.40",
    ]
    assert len(ask("from range(5000)").stdout.splitlines()) == 5001


def test_statements_run_one_after_another(ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = ask("create table t as from lines; select count(*) as n from t; select 'a;b' as b")
    assert (done.returncode, done.stdout) == (0, "n\n3\n\nb\na;b\n")


def test_a_query_comes_from_a_file_or_from_standard_input(
    out: Path, tmp_path: Path, ask: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "query.sql").write_text("select count(*) as n\nfrom lines -- all\n")
    assert ask("-f", "query.sql").stdout == "n\n3\n"
    program = Path(sys.executable).with_name("sij-audit")
    done = subprocess.run([program, "sql", "--out", out], input="select 1 as n;", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "n\n1\n")


def test_an_older_run_is_asked_by_its_id(tmp_path: Path) -> None:
    first = run(tmp_path / "out", write_extract(tmp_path / "1.parquet", [line("C1", "2024-01-10")])).current
    run(tmp_path / "out", write_extract(tmp_path / "2.parquet", [line("C2", "2024-03-10")]))
    query = "select count(*) as n from lines"
    assert command("sql", "--out", tmp_path / "out", query).stdout == "n\n2\n"
    assert command("sql", "--out", tmp_path / "out", query, "--run", first.name).stdout == "n\n1\n"
    assert [entry["run_id"] == first.name for entry in logged(tmp_path / "out")] == [False, False, True, True]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["select 1", "--run", "2024-06-30-000000000000"], "holds no run of that id"),
        (["select 1", "--run", "../../x"], "holds no run of that id"),
        (["select 1", "-f", "query.sql"], "not both"),
        (["-f", "nowhere.sql"], "nowhere.sql cannot be read"),
        (["select 1", "--to", "x.txt"], "ends in .csv or .parquet"),
        (["select 1", "--to", "nowhere/x.csv"], "nowhere is no folder"),
        (["select 1; select 2", "--to", "x.csv"], "takes the rows of one SELECT"),
        (["create table t as select 1", "--to", "x.csv"], "takes the rows of one SELECT"),
    ],
)
def test_wrong_usage_ends_with_2(
    tmp_path: Path, ask: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], told: str
) -> None:
    done = ask(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_published_run_there_is_nothing_to_ask(tmp_path: Path) -> None:
    done = command("sql", "--out", tmp_path / "none", "select 1")
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("from nowhere", "nowhere does not exist"),
        ("copy lines to 'x.csv'", "COPY is closed here"),
        ("from 'query.csv'", "disabled by configuration"),
        ("from read_csv('query.csv')", "read_csv() is closed here"),
        ("select 1; selec 2", "syntax error"),
        ("select error(chr(27) || '[31m')", "\\x1b[31m"),
        ("select length(string_agg(a, '')) from (select repeat('x', 1000000) as a from range(3000))", "needs more memory"),
    ],
)
def test_a_query_that_fails_ends_with_4_and_is_reported(
    tmp_path: Path, ask: Callable[..., subprocess.CompletedProcess[str]], query: str, told: str
) -> None:
    (tmp_path / "query.csv").touch()
    done = ask(query, "--to", "y.csv") if query.startswith("from") else ask(query)
    assert done.returncode == 4
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["query.csv"]


def test_a_query_that_takes_too_long_ends_with_4(ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    for to in ([], ["--to", "x.csv"]):
        done = ask(ENDLESS, *to, SIJ_AUDIT_QUERY_SECONDS="1")
        assert (done.returncode, done.stdout) == (4, "")
        assert "it may take 1 seconds (query_seconds)" in done.stderr


# --- files


def test_a_result_is_written_whole_and_private(tmp_path: Path, ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    (tmp_path / "x.csv").write_text("as it was")
    for name in ("x.csv", "x.parquet"):
        done = ask("select person_id, service_date, paid_amount, modifiers, range from lines, range(1000) order by all", "--to", name)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", f"3,000 rows written to {name}\n")
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    text = (tmp_path / "x.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(text) == 3001
    assert text[1] == "'=1+1,2024-02-10,186.40,RT,0", "no formula, and numbers as they are"
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.num_rows == 3000
    assert table.to_pylist()[0] == {
        "person_id": "=1+1",
        "service_date": date(2024, 2, 10),
        "paid_amount": Decimal("186.40"),
        "modifiers": ["RT"],
        "range": 0,
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.parquet"]


def test_nothing_is_written_into_out(out: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(out / "runs")
    for path in (out / "x.csv", out / "access" / "x.csv" if (out / "access").exists() else out / "x.csv", tmp_path / "link" / "x.csv"):
        with pytest.raises(UsageError, match="would lie in OUT"):
            check_output(path, out)


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path: Path, ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    (tmp_path / "other").write_text("as it was")
    (tmp_path / "x.csv").symlink_to(tmp_path / "other")
    assert ask("select 1", "--to", "x.csv").returncode == 0
    assert (tmp_path / "other").read_text() == "as it was"
    assert not (tmp_path / "x.csv").is_symlink()


# --- the log


def test_each_query_is_logged_and_how_it_ended(out: Path, ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    if (out / "access").exists():
        for path in (out / "access").iterdir():
            path.unlink()
    ask("select 'P1'; from lines")
    ask("from nowhere")
    ask("attach 'x'")
    ask(ENDLESS, SIJ_AUDIT_QUERY_SECONDS="1")
    ask("from lines", "--to", "x.csv")
    entries = logged(out)
    assert [entry["query"] for entry in entries[::2]] == ["select 'P1'; from lines", "from nowhere", "attach 'x'", ENDLESS, "from lines"]
    assert [(entry["ended"], entry["rows"], entry["error"], entry["output"]) for entry in entries[1::2]] == [
        ("done", 4, None, None),
        ("failed", None, "CatalogException", None),
        ("failed", None, "QueryRefused", None),
        ("failed", None, "QueryTooSlow", None),
        ("done", 3, None, "x.csv"),
    ]
    assert all(asked["query_id"] == ended["query_id"] for asked, ended in zip(entries[::2], entries[1::2], strict=True))


def test_nothing_is_asked_where_it_cannot_be_logged(out: Path, ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    ask("select 1")
    [path] = (out / "access").iterdir()
    path.rename(path.with_suffix(".kept"))
    path.mkdir()
    try:
        done = ask("select 'not to be seen'")
    finally:
        path.rmdir()
        path.with_suffix(".kept").rename(path)
    assert (done.returncode, done.stdout) == (4, "")
    assert "cannot be written" in done.stderr


# --- how cells are told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        (True, "true"),
        (Decimal("0.00"), "0.00"),
        (Decimal("1E+3"), "1000"),
        (["RT", None, "50"], "RT, , 50"),
        ({"a": 1, "b": None}, "{a: 1, b: }"),
        (b"\x01", "01"),
        ("é\n\t\x1b[2J\u202e", "é\\n\\t\\x1b[2J\\u202e"),
    ],
)
def test_a_cell_is_one_line_that_steers_no_terminal(value: object, told: str | None) -> None:
    assert format_value(value) == told


def test_numbers_stand_to_the_right_and_wide_characters_take_two_places() -> None:
    result = Answer(["n", "text"], [(1, "例"), (10, "b"), (None, "c")], 3)
    cells = [[format_value(value) for value in row] for row in result.rows]
    assert list(align(result, cells)) == [" n  text", " 1  例", "10  b", "    c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        (r"\d", True),
        ("select 1", False),
        ("select 1;", True),
        ("select 1; -- why", True),
        ("select ';", False),
        ("select ';'", False),
        ("select ';';", True),
        ("select 1 -- ;", False),
        ("select 1 /* ;", False),
        ('select 1 as ";', False),
    ],
)
def test_a_query_ends_with_a_semicolon_that_is_no_text(text: str, expected: bool) -> None:
    assert is_complete(text) == expected


# --- completion


@pytest.fixture(scope="module")
def catalog(out: Path) -> tuple[Entry, ...]:
    with open_run((out / "current").resolve()) as con:
        return read_catalog(con)


def words(catalog: tuple[Entry, ...], text: str, qualifier: str | None, start: str, is_relation: bool = False) -> list[str]:
    return [word for word, _ in find_words(catalog, ["select", "from", "finally"], text, qualifier, start, is_relation)]


def test_tables_macros_columns_and_keywords_are_completed(catalog: tuple[Entry, ...]) -> None:
    assert words(catalog, "from fin", None, "fin", is_relation=True)[:4] == ["finding_inputs", "finding_lines", "findings", "finding_id"]
    assert "finally" in words(catalog, "fin", None, "fin")
    assert words(catalog, "from exp", None, "exp") == ["explain("]
    assert words(catalog, "select PAID from payees", None, "PAID")[0] == "paid_amount"
    assert words(catalog, "select p. from payees as p", "p", "bill") == ["billing_npi"]
    assert words(catalog, "select payees. from payees, lines", "payees", "")[:1] == ["policy_id"]
    assert "line_status" not in words(catalog, "select payees. from payees, lines", "payees", "")
    assert words(catalog, "from work", None, "work", is_relation=True)[0] == "working.bilateral_injection"
    assert words(catalog, "from working.near", "working", "near", is_relation=True) == ["nearest_injections"]
    assert words(catalog, "select chain from working.tracks", None, "chain") == ["chain_start_date"]


def test_the_catalog_has_all_with_comments(catalog: tuple[Entry, ...]) -> None:
    kinds = {entry.name: entry for entry in catalog if entry.kind != "column"}
    assert {kinds["findings"].kind, kinds["open_findings"].kind, kinds["explain"].kind} == {"table", "view", "macro"}
    assert kinds["explain"].parameters == ("finding",)
    assert [entry for entry in catalog if not entry.comment and entry.name != "dictionary" and entry.of != "dictionary"] == []


# --- at a terminal


@dataclass
class Terminal:
    """The shell at the other end of a terminal."""

    process: subprocess.Popen[bytes]
    descriptor: int
    said: str = field(default="")

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def wait_for(self, text: str, seconds: float = 30) -> str:
        """Read until the text was said; what was said before it counts no more."""
        ends = time.monotonic() + seconds
        while text not in self.said:
            ready, _, _ = select.select([self.descriptor], [], [], max(0, ends - time.monotonic()))
            assert ready, f"{text!r} did not come; so far: {self.said!r}"
            try:
                read = os.read(self.descriptor, 65_536).decode(errors="replace")
            except OSError:
                read = ""
            assert read, f"{text!r} did not come; at the end: {self.said!r}"
            if "\x1b[6n" in read:
                self.type("\x1b[1;1R")
            self.said += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", read)
        before, _, self.said = self.said.partition(text)
        return before

    def ask(self, text: str, wanted: str) -> str:
        self.type(f"{text}\r")
        return self.wait_for(wanted)


@pytest.fixture
def terminal(out: Path, tmp_path: Path) -> Iterator[Terminal]:
    controller, terminal = pty.openpty()
    program = Path(sys.executable).with_name("sij-audit")
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40", "HOME": str(tmp_path), "SIJ_AUDIT_QUERY_SECONDS": "20"}
    process = subprocess.Popen(
        [program, "sql", "--out", out],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=tmp_path,
        env=environment,
        start_new_session=True,
    )
    os.close(terminal)
    shell = Terminal(process, controller)
    shell.wait_for("a query ends with ;")
    shell.wait_for("sij-audit>")
    yield shell
    process.kill()
    process.wait()
    os.close(controller)


def test_at_a_terminal_queries_of_several_lines_are_answered_until_one_leaves(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type("select claim_id\r")
    terminal.ask("from lines order by claim_id;", "3 rows")
    terminal.ask("from range(1000);", "800 more than are shown here")
    terminal.ask("from nowhere;", "nowhere does not exist")
    terminal.ask("copy lines to 'x.csv';", "COPY is closed here")
    terminal.ask("create table mine as from lines;", "Done.")
    terminal.ask(r"\d mine", "service_date")
    terminal.ask(r"\d", "possible_duplicates")
    terminal.ask(r"\d explain", "macro explain(finding)")
    terminal.ask(r"\d working.tracks", "chain_start_date")
    terminal.ask(r"\d nosuch", "There is no table, view or macro nosuch")
    terminal.ask(r"\?", "this help")
    terminal.ask(r"\x", "Rows are blocks.")
    terminal.ask("select 1 as one;", "row 1")
    terminal.ask(r"\y", "is no command")
    terminal.type("\\q\r")
    assert terminal.process.wait(30) == 0
    assert list(tmp_path.iterdir()) == [], "a history, or something else, was written"


def test_the_next_result_goes_to_a_file(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ask(r"\o x.txt", "ends in .csv or .parquet")
    terminal.ask(r"\o found.csv", "The next result goes to found.csv")
    terminal.ask("from lines;", "3 rows written to found.csv")
    terminal.ask("select 'shown' as x;", "1 row,")
    terminal.ask(r"\o other.csv", "The next result goes to other.csv")
    terminal.ask(r"\o", "shown here")
    terminal.ask("select 'shown' as x;", "1 row,")
    assert [path.name for path in tmp_path.iterdir()] == ["found.csv"]


def test_ctrl_c_ends_a_query_and_not_the_shell(terminal: Terminal, out: Path) -> None:
    terminal.type(f"{ENDLESS};\r")
    while not any(f"{ENDLESS};" in path.read_text() for path in out.glob("access/*")):
        assert terminal.process.poll() is None
        time.sleep(0.1)
    os.killpg(terminal.process.pid, signal.SIGINT)
    terminal.wait_for("The query was ended.")
    terminal.wait_for("sij-audit>")
    terminal.ask("select 40 + 2 as answer;", "42")
    assert [entry["error"] for entry in logged(out) if entry.get("ended") == "failed"][-1] == "Interrupted"
    terminal.type("select\x03")
    terminal.wait_for("sij-audit>")
    terminal.type("\x04")
    assert terminal.process.wait(30) == 0
