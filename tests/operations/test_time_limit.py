"""A run that hangs is ended, leaves OUT as it was, and the next run tells of it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.operations.time_limit import wall_clock
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.journal import attempts
from tests.runs import ROOT, command, line, run, write_extract

SOON = 0.01
"""Minutes."""

HANGS = {
    "a query": "duckdb.sql('select count(*) from range(1000000000) a, range(1000000000) b where a.range + b.range = -1').fetchall()",
    "a read": "os.read(os.pipe()[0], 1)",
    "a lock": "threading.Lock().acquire(), threading.Event().wait()",
}

STUCK = "re.match('(a+)+$', 'a' * 99 + 'b')"
"""Holds Python's own lock, so that no thread of it runs."""


def hang(how: str, before: str = "") -> subprocess.CompletedProcess[str]:
    script = f"""
import os, re, threading
import duckdb
from sij_audit.transforms.operations import time_limit as limits
{before}
with limits.wall_clock({SOON}):
    {how}
"""
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("how", HANGS.values(), ids=HANGS.keys())
def test_what_hangs_is_ended_with_a_sentence_and_the_exit_code_of_a_failure(how: str) -> None:
    done = hang(how)
    assert done.returncode == AuditError.exit_code
    assert done.stderr.startswith(f"sij-audit: The run was ended after {SOON} minutes (the setting wall_clock_minutes).")


def test_somebody_is_notified_and_may_fail_to_hear(tmp_path: Path) -> None:
    script = f"""
import threading
from pathlib import Path
from sij_audit.transforms.operations.time_limit import wall_clock

def tell(sentence):
    Path({str(tmp_path / "told")!r}).write_text(sentence)
    raise OSError("deaf")

with wall_clock({SOON}, tell):
    threading.Event().wait()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == AuditError.exit_code
    assert (tmp_path / "told").read_text().startswith("The run was ended after")


def test_the_system_ends_what_python_cannot() -> None:
    assert hang(STUCK, "limits.BACKSTOP_SECONDS = 1").returncode == -signal.SIGALRM


def test_what_ends_in_time_is_not_ended_later() -> None:
    script = f"""
import time
from sij_audit.transforms.operations import time_limit as limits
limits.BACKSTOP_SECONDS = 0
with limits.wall_clock({SOON}):
    pass
time.sleep({SOON * 60 * 2})
"""
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_an_error_passes_and_lifts_the_limit() -> None:
    with pytest.raises(KeyError), wall_clock(1000):
        raise KeyError
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_run_after_one_that_hung_tells_of_it_and_publishes(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "x.parquet", [line("C1", "2024-01-02")])
    out = tmp_path / "out"
    script = f"""
import time
from datetime import date
from pathlib import Path
from sij_audit.transforms.audit.run import Request, run_audit
from sij_audit.transforms.audit.steps import RunSteps
from sij_audit.transforms.operations.time_limit import wall_clock

class Hanging(RunSteps):
    def lines(self, inputs):
        with wall_clock({SOON}):
            time.sleep(10**6)

run_audit(Request(out=Path({str(out)!r}), extracts=(Path({str(extract)!r}),), as_of=date(2024, 6, 30)), steps=Hanging())
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, Store(out).current_run()) == (AuditError.exit_code, None)
    result = run(out)
    assert result.run is not None
    assert len(result.notices) == 1
    assert result.notices[0].endswith("never ended: it was killed, cancelled or ran out of time.")
    assert [attempt.outcome for attempt in attempts(Store(out))] == [None, "published"]


def test_the_command_keeps_to_the_setting(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "x.parquet", [line("C1", "2024-01-02")])
    done = command("run", extract, "--out", tmp_path / "out", SIJ_AUDIT_WALL_CLOCK_MINUTES="0.00001")
    assert done.returncode == AuditError.exit_code
    assert "ended after 1e-05 minutes" in done.stderr
