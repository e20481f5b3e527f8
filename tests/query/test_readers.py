"""The setting `group` opens published runs and the access log to a group of readers, who are not OUT's owner, and nothing else.

Where the tests run as root, a second user asks: one without an entry in the list of users. Else the owner asks, and modes tell the rest.
"""

import grp
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.settings import Settings
from tests.runs import ROOT, Row, line, run, write_extract

READER = 54_321
STRANGER = 54_322

AS_USER = """
import encodings.utf_8_sig, os, sys
# the user may not read the checkout
import sij_audit.flows.command, sij_audit.flows.display, sij_audit.transforms.query.shell, sij_audit.transforms.settings
import sij_audit.transforms.audit.publication
uid, *groups = map(int, sys.argv[1].split())
if os.geteuid() == 0:
    os.setgroups(groups)
    os.setgid(groups[0] if groups else 65534)
    os.setuid(uid)
sys.argv = ["sij-audit", *sys.argv[2:]]
sij_audit.flows.command.main()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody can pass through; those of pytest are their user's alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        (Path(name) / "reader").mkdir()
        (Path(name) / "reader").chmod(0o777)
        yield Path(name)


@pytest.fixture
def group() -> grp.struct_group:
    """A group to which this user can give files; for root one that is not its own."""
    return next(entry for entry in grp.getgrall() if entry.gr_gid != 0) if os.geteuid() == 0 else grp.getgrgid(os.getgid())


def publish(folder: Path, group: str | None, *lines: Row) -> Path:
    extract = write_extract(folder / f"{lines[0]['claim_id']}.parquet", lines)
    return run(folder / "out", extract, settings=Settings(group=group)).current


def ask_as(uid: int, groups: list[int], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", AS_USER, " ".join(map(str, [uid, *groups])), "sql", "--out", str(folder / "out"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    return subprocess.run(words, cwd=folder / "reader", env=environment, capture_output=True, text=True, check=False)


def access_of(path: Path) -> tuple[int, int]:
    """Mode and group; None of a link."""
    found = path.lstat()
    return stat.S_IMODE(found.st_mode), found.st_gid


def closed_paths(out: Path) -> list[Path]:
    """All of OUT that nobody but its owner may open, by what it is and not by its mode."""
    roots = [path for path in out.iterdir() if path.name not in ("runs", "current", "access")]
    return [*roots, *(path for root in roots for path in root.rglob("*"))]


def assert_open(out: Path, run_folder: Path, gid: int) -> None:
    assert access_of(out) == (0o710, gid)
    assert access_of(out / "runs") == (0o750, gid)
    assert access_of(out / "access") == (0o1730, gid)
    for path in (run_folder, *run_folder.rglob("*")):
        assert access_of(path) == (0o750 if path.is_dir() else 0o640, gid), path
    for path in closed_paths(out):
        assert access_of(path)[0] in (0o700, 0o600), path


def test_a_reader_of_the_group_asks_and_is_logged(folder: Path, group: grp.struct_group) -> None:
    current = publish(folder, group.gr_name, line("C1", "2024-01-10"), line("C2", "2024-02-10"))
    out, gid = folder / "out", group.gr_gid
    assert_open(out, current, gid)

    asked = ask_as(READER, [gid], folder, "select claim_id from finding_lines", "--to", "found.csv")
    assert (asked.returncode, asked.stdout) == (0, ""), asked.stderr
    assert "C2" in (folder / "reader/found.csv").read_text("utf-8-sig")
    assert access_of(folder / "reader/found.csv")[0] == 0o600
    again = ask_as(READER, [gid], folder, "select count(*) from findings", "--run", current.name)
    assert (again.returncode, again.stdout.split()) == (0, ["count_star()", "1"]), again.stderr

    [log] = (out / "access").iterdir()
    uid = READER if os.geteuid() == 0 else os.getuid()
    assert log.name.endswith(f".{uid}.jsonl")
    assert (log.stat().st_uid, access_of(log)[0]) == (uid, 0o600)
    told = [json.loads(entry) for entry in log.read_text().splitlines()]
    assert [(entry["uid"], entry.get("query"), entry.get("ended"), entry.get("output")) for entry in told] == [
        (uid, "select claim_id from finding_lines", None, None),
        (uid, None, "done", "found.csv"),
        (uid, "select count(*) from findings", None, None),
        (uid, None, "done", None),
    ]


def test_a_reader_can_neither_look_into_the_log_nor_change_a_run(folder: Path, group: grp.struct_group) -> None:
    current = publish(folder, group.gr_name, line("C1", "2024-01-10"))
    assert_open(folder / "out", current, group.gr_gid)
    trial = """
import os, sys
out, gid = sys.argv[1], int(sys.argv[2])
if os.geteuid() == 0:
    os.setgroups([gid]); os.setgid(gid); os.setuid(54321)
    run = out + "/current/"
    for what, name in ((os.listdir, out), (os.listdir, out + "/access"), (os.listdir, out + "/claims"),
                       (os.unlink, run + "findings.parquet"), (os.mkdir, out + "/runs/x"), (os.unlink, out + "/access/root.0.jsonl"),
                       (lambda name: open(name, "a"), run + "audit.duckdb"), (open, out + "/.lock"), (open, out + "/access/root.0.jsonl")):
        try:
            what(name)
        except PermissionError:
            continue
        sys.exit(f"{name} was open")
"""
    assert ask_as(os.geteuid(), [], folder, "select 1").returncode == 0
    done = subprocess.run(
        [sys.executable, "-c", trial, folder / "out", str(group.gr_gid)], cwd="/", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_who_is_not_of_the_group_gets_a_clear_error(folder: Path, group: grp.struct_group) -> None:
    current = publish(folder, group.gr_name, line("C1", "2024-01-10"))
    if os.geteuid() == 0:
        for arguments in ([], ["--run", current.name]):
            asked = ask_as(STRANGER, [], folder, "select 1", *arguments)
            assert (asked.returncode, asked.stdout) == (4, "")
            assert "may not be read by this user" in asked.stderr
            assert "Traceback" not in asked.stderr
    assert not any(access_of(path)[0] & 0o007 for path in (folder / "out").rglob("*") if not path.is_symlink())


def test_without_the_setting_all_is_private(folder: Path) -> None:
    publish(folder, None, line("C1", "2024-01-10"))
    for path in (folder / "out", *(folder / "out").rglob("*")):
        assert path.is_symlink() or access_of(path)[0] in (0o700, 0o600), path


def test_runs_that_are_there_are_opened_too_when_the_setting_is_new(folder: Path, group: grp.struct_group) -> None:
    first = publish(folder, None, line("C1", "2024-01-10"))
    same = publish(folder, group.gr_name, line("C1", "2024-01-10"))
    assert same == first, "nothing was new"
    assert_open(folder / "out", first, group.gr_gid)
    second = publish(folder, group.gr_name, line("C2", "2024-02-10"))
    for run_folder in (first, second):
        assert_open(folder / "out", run_folder, group.gr_gid)


def test_once_it_is_unset_what_is_published_is_private_again(folder: Path, group: grp.struct_group) -> None:
    first = publish(folder, group.gr_name, line("C1", "2024-01-10"))
    second = publish(folder, None, line("C2", "2024-02-10"))
    assert access_of(first)[0] == 0o750
    assert all(access_of(path)[0] in (0o700, 0o600) for path in (second, *second.rglob("*")))


def test_a_group_that_is_not_there_stops_a_run_before_anything_is_done(folder: Path) -> None:
    with pytest.raises(UsageError, match="names no-such-group, which is no group"):
        publish(folder, "no-such-group", line("C1", "2024-01-10"))
    assert not (folder / "out").exists()
