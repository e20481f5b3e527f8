"""The access log: a file for each user, each query before it runs and how it ended, and nothing is asked without it."""

import json
import os
import re
import resource
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.store.access_log import AccessLog, Outcome, find_log, log_outcome, log_query, name_file

RUN = "2024-06-30-000000000000"


@pytest.fixture
def log(tmp_path: Path) -> AccessLog:
    return find_log(tmp_path / "access", RUN)


def entries(log: AccessLog) -> list[dict[str, Any]]:
    return [json.loads(entry) for entry in log.path.read_text().splitlines()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_query_is_kept_before_it_runs_and_then_how_it_ended(log: AccessLog) -> None:
    before = datetime.now(UTC).isoformat(timespec="milliseconds")
    query_id = log_query(log, "select 'é\n\ud800'")
    [asked] = entries(log)
    assert asked["time"] >= before
    assert asked["time"].endswith("+00:00")
    assert (asked["uid"], asked["run_id"], asked["query_id"], asked["query"]) == (os.getuid(), RUN, query_id, "select 'é\n\ud800'")
    log_outcome(log, query_id, Outcome(seconds=0.12345, rows=3, output="x.csv"))
    log_outcome(log, query_id, Outcome(seconds=1, error="CatalogException"))
    done, failed = entries(log)[1:]
    assert (done["query_id"], done["ended"], done["rows"], done["seconds"], done["output"]) == (query_id, "done", 3, 0.123, "x.csv")
    assert (failed["ended"], failed["rows"], failed["error"]) == ("failed", None, "CatalogException")


def test_ctrl_c_while_a_query_is_kept_is_how_it_ended(log: AccessLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt_once(descriptor: int) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt_once)
    with pytest.raises(KeyboardInterrupt):
        log_query(log, "select 1")
    asked, ended = entries(log)
    assert (asked["query"], asked["query_id"]) == ("select 1", ended["query_id"])
    assert (ended["ended"], ended["error"]) == ("failed", "Interrupted")


def test_the_file_is_named_by_the_user_and_private(log: AccessLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("LOGNAME", "somebody")
    umask = os.umask(0)
    try:
        log_query(log, "select 1")
    finally:
        os.umask(umask)
    assert find_log(log.path.parent, RUN) == log
    assert log.path.name == f"{log.user}.{os.getuid()}.jsonl"
    assert (mode(log.path.parent), mode(log.path)) == (0o700, 0o600)


@pytest.mark.parametrize("name", ["../../x", "a/b", ".", "..", "a b\nc", "é", ""])
def test_a_login_name_makes_no_path(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]*\.1001\.jsonl", name_file(name, 1001))


def test_names_that_look_alike_have_files_of_their_own() -> None:
    assert name_file("a.b", 1) != name_file("a_b", 2)


def test_entries_of_many_at_once_stay_whole(log: AccessLog) -> None:
    queries = [f"select '{letter * 20_000}'" for letter in "abcdefgh"]
    threads = [threading.Thread(target=lambda query=query: [log_query(log, query) for _ in range(5)]) for query in queries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry["query"] for entry in entries(log)) == sorted(queries * 5)


@pytest.mark.parametrize("planted", ["symlink", "dangling symlink", "hard link", "fifo", "folder"])
def test_what_somebody_put_under_the_name_is_not_written_to(log: AccessLog, tmp_path: Path, planted: str) -> None:
    other = tmp_path / "other"
    other.write_text("as it was\n")
    match planted:
        case "symlink":
            log.path.symlink_to(other)
        case "dangling symlink":
            log.path.symlink_to(tmp_path / "nowhere")
        case "hard link":
            os.link(other, log.path)
        case "fifo":
            os.mkfifo(log.path)
        case "folder":
            log.path.mkdir()
    with pytest.raises(AuditError, match="access"):
        log_query(log, "select 1")
    assert other.read_text() == "as it was\n"
    assert not (tmp_path / "nowhere").exists()


def test_where_nothing_can_be_written_it_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AuditError, match="setting `group`"):
        find_log(tmp_path / "file", RUN)
    log = find_log(tmp_path / "access", RUN)
    with pytest.raises(AuditError, match=r"cannot be written: No such file or directory"):
        log_query(replace(log, path=tmp_path / "nowhere" / "x.jsonl"), "select 1")


def test_an_entry_that_is_cut_stops_the_query(log: AccessLog) -> None:
    log_query(log, "select 1")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.stat().st_size + 10, hard))
    try:
        with pytest.raises(AuditError, match="is the disk full"):
            log_query(log, "select 2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
