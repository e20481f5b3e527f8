"""Who asked what and when of `sij-audit sql` and `sij-audit member`: a file for each user in OUT/access, which only grows.

It is the one log in which member numbers may stand, for queries hold them. With the setting `group`, readers may add to the folder and not
list it. A file is its user's: nobody else but root reads it, and what its own user does to it by other means is for the system's audit.
"""

import json
import os
import pwd
import re
import secrets
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sij_audit.transforms.errors import AuditError

UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
"""What of a login name does not go into the name of a file."""


@dataclass(frozen=True)
class AccessLog:
    """The file of one user, and the run that is asked."""

    path: Path
    user: str
    uid: int
    run_id: str


@dataclass(frozen=True)
class Outcome:
    """How a query ended: the rows that it gave, or the kind of error; the name of the file that it was written to, where it was."""

    seconds: float
    rows: int | None = None
    error: str | None = None
    output: str | None = None


def find_log(folder: Path, run_id: str) -> AccessLog:
    """Find the file of whoever runs this process: its real user, whatever the environment says. OUT's owner makes the folder on the way."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from None
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = "unknown"
    return AccessLog(folder / name_file(user, uid), user, uid, run_id)


def name_file(user: str, uid: int) -> str:
    """Name a user's file by login name and number: the name for people, the number since two names may look alike once made safe."""
    return f"{UNSAFE.sub('_', user)}.{uid}.jsonl"


def log_query(log: AccessLog, query: str) -> str:
    """Write down a query before it runs, and give the id that its end is written under; AuditError where that cannot be done.

    Ctrl-C while that is made durable is how the query ended: it has not run, and its line may stand already.
    """
    query_id = secrets.token_hex(8)
    try:
        _append(log, {"query_id": query_id, "query": query})
    except KeyboardInterrupt:
        log_outcome(log, query_id, Outcome(0, error="Interrupted"))
        raise
    return query_id


def log_outcome(log: AccessLog, query_id: str, outcome: Outcome) -> None:
    """Write down how a query ended; AuditError where that cannot be done."""
    ending = {"rows": outcome.rows, "error": outcome.error, "seconds": round(outcome.seconds, 3), "output": outcome.output}
    _append(log, {"query_id": query_id, "ended": "failed" if outcome.error else "done"} | ending)


def _append(log: AccessLog, facts: dict[str, Any]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    entry = {"time": now, "user": log.user, "uid": log.uid, "run_id": log.run_id, **facts}
    line = json.dumps(entry).encode() + b"\n"
    try:
        descriptor = _open_own(log)
        try:
            if os.write(descriptor, line) != len(line):
                raise AuditError(f"The access log {log.path} took only a part of an entry: is the disk full? Nothing more is asked.")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _cannot_write(log.path, error) from None


def _cannot_write(path: Path, error: OSError) -> AuditError:
    return AuditError(
        f"The access log {path} cannot be written: {error.strerror}. Without it nothing is asked; "
        "OUT's owner opens it to a group of readers by the setting `group`."
    )


def _open_own(log: AccessLog) -> int:
    """Open the user's file for appending; others may add to the folder too, and could have put something else under its name."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(log.path, flags, 0o600)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
        os.close(descriptor)
        raise AuditError(f"{log.path} is not a file of this user alone, so no query runs. Ask the owner of OUT to mend it.")
    os.fchmod(descriptor, 0o600)
    return descriptor
