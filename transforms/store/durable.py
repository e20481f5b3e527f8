"""The one writer through which every file of OUT goes: after a kill, a full disk or a power cut a name holds all of the old or all of the new.

No library's writer calls fsync, and one that is killed leaves half a file under the name that it was given; hence the temporary name.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

CRASH_POINTS = (
    "write file",
    "sync file",
    "rename file",
    "sync folder of file",
    "sync run folder",
    "rename run folder",
    "sync folder of runs",
    "write link",
    "rename link",
    "sync folder of link",
)
"""The steps between which a process may die; a test kills one before each."""

CrashPoint = Callable[[str], None]
"""Called with the name of a step just before it; tests raise, or kill the process, in it."""

TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.part(\.wal)?")
"""Names of what an interrupted write may leave behind; the next locked run removes it."""


def nowhere(step: str) -> None:
    """Crash at no step."""


def write_durably(path: Path, write: Callable[[Path], object], at: CrashPoint = nowhere) -> None:
    """Write a file, mode 0600, that is under `path` either as it was or complete.

    `write` is given a hidden name in the same folder, and leaves a closed file there. What it raises is passed on, with nothing left behind.
    """
    temporary = temporary_beside(path)
    try:
        at("write file")
        write(temporary)
        os.chmod(temporary, 0o600)
        at("sync file")
        sync(temporary)
        at("rename file")
        os.rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    at("sync folder of file")
    sync(path.parent)


def publish_folder(building: Path, final: Path, at: CrashPoint = nowhere) -> None:
    """Give a complete folder its final name, which nothing else may have; all that it holds is on the disk before."""
    at("sync run folder")
    for folder, _, files in os.walk(building):
        for file in files:
            sync(Path(folder, file))
        sync(Path(folder))
    at("rename run folder")
    os.rename(building, final)
    at("sync folder of runs")
    sync(final.parent)


def switch_link(link: Path, target: str, at: CrashPoint = nowhere) -> None:
    """Point a symbolic link at `target`, relative to the link's folder, so that readers see the old target or the new one."""
    temporary = temporary_beside(link)
    try:
        at("write link")
        os.symlink(target, temporary)
        at("rename link")
        os.rename(temporary, link)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    at("sync folder of link")
    sync(link.parent)


def temporary_beside(path: Path) -> Path:
    """Name a hidden file that does not exist yet, in the folder of `path`."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")


def sync(path: Path) -> None:
    """Have the system write a file, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> str:
    """Compute a file's SHA-256, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
