"""A file, a folder or a link is under its name as it was, or complete, whenever the process that writes it dies."""

import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sij_audit.transforms.store.durable import (
    CRASH_POINTS,
    TEMPORARY,
    CrashPoint,
    hash_file,
    nowhere,
    publish_folder,
    switch_link,
    write_durably,
)


def write_text(path: Path) -> None:
    path.write_text("new")


def write_new(folder: Path, at: CrashPoint = nowhere) -> None:
    write_durably(folder / "file", write_text, at)


def publish_new(folder: Path, at: CrashPoint = nowhere) -> None:
    building = folder / "new.building"
    building.mkdir(exist_ok=True)
    (building / "file").write_text("new")
    publish_folder(building, folder / "new", at)


def switch_to_new(folder: Path, at: CrashPoint = nowhere) -> None:
    switch_link(folder / "link", "new", at)


def read_file(folder: Path) -> str:
    return (folder / "file").read_text()


def read_folder(folder: Path) -> str:
    return (folder / "new" / "file").read_text() if (folder / "new").exists() else "old"


def read_link(folder: Path) -> str:
    return str((folder / "link").readlink())


# Each crash point, with what is done, how a reader sees it, and what it sees after a death there.
DEATHS: dict[str, tuple[Callable[..., None], Callable[[Path], str], str]] = {
    "write file": (write_new, read_file, "old"),
    "sync file": (write_new, read_file, "old"),
    "rename file": (write_new, read_file, "old"),
    "sync folder of file": (write_new, read_file, "new"),
    "sync run folder": (publish_new, read_folder, "old"),
    "rename run folder": (publish_new, read_folder, "old"),
    "sync folder of runs": (publish_new, read_folder, "new"),
    "write link": (switch_to_new, read_link, "old"),
    "rename link": (switch_to_new, read_link, "old"),
    "sync folder of link": (switch_to_new, read_link, "new"),
}


def die_in_child(act: Callable[[CrashPoint], None], step: str) -> None:
    """Do something in a child process that is killed just before a step."""
    child = os.fork()
    if child == 0:
        try:
            act(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("old")
    return tmp_path


def test_every_crash_point_has_a_death() -> None:
    assert tuple(DEATHS) == CRASH_POINTS


@pytest.mark.parametrize("step", CRASH_POINTS)
def test_a_death_leaves_the_old_or_the_new(folder: Path, step: str) -> None:
    act, read, seen = DEATHS[step]
    die_in_child(lambda at: act(folder, at), step)
    assert read(folder) == seen
    for path in folder.iterdir():
        assert path.name in {"file", "link", "new", "new.building"} or TEMPORARY.fullmatch(path.name)


# A run that has its final name already is not built again: publish_run looks for it.
@pytest.mark.parametrize("step", [step for step in CRASH_POINTS if step != "sync folder of runs"])
def test_the_next_try_succeeds(folder: Path, step: str) -> None:
    act, read, _ = DEATHS[step]
    die_in_child(lambda at: act(folder, at), step)
    act(folder)
    assert read(folder) == "new"


@pytest.mark.parametrize("act", [write_new, publish_new, switch_to_new])
def test_steps_are_reported_in_their_order(folder: Path, act: Callable[..., None]) -> None:
    steps: list[str] = []
    act(folder, steps.append)
    assert steps == [step for step in CRASH_POINTS if DEATHS[step][0] is act]


@pytest.mark.parametrize("step", CRASH_POINTS)
def test_a_failure_leaves_no_temporary(folder: Path, step: str) -> None:
    def fail(name: str) -> None:
        if name == step:
            raise OSError(28, "No space left on device")

    act, read, seen = DEATHS[step]
    with pytest.raises(OSError, match="No space"):
        act(folder, fail)
    assert read(folder) == seen
    assert not [path for path in folder.iterdir() if TEMPORARY.fullmatch(path.name)]


def test_a_writer_that_fails_half_way_leaves_the_old_file(folder: Path) -> None:
    def write(path: Path) -> None:
        path.write_text("ne")
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        write_durably(folder / "file", write)
    assert read_file(folder) == "old"
    assert sorted(path.name for path in folder.iterdir()) == ["file", "link"]


def test_files_are_private(folder: Path) -> None:
    umask = os.umask(0)
    try:
        write_new(folder)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((folder / "file").stat().st_mode) == 0o600


def test_a_published_folder_is_not_replaced(folder: Path) -> None:
    publish_new(folder)
    with pytest.raises(OSError, match="not empty"):
        publish_new(folder)


def test_a_folder_is_synced_with_all_that_it_holds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr("sij_audit.transforms.store.durable.sync", lambda path: synced.append(path.name))
    (folder / "new.building" / "inner").mkdir(parents=True)
    (folder / "new.building" / "inner" / "deep").write_text("")
    publish_new(folder)
    assert synced == ["file", "new.building", "deep", "inner", folder.name]


def test_hash_file(folder: Path) -> None:
    assert hash_file(folder / "file") == "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4"
