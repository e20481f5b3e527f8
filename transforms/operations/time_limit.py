"""A run ends in bounded time, whatever it hangs in: a share that is away, a query that never returns."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sij_audit.transforms.errors import AuditError

BACKSTOP_SECONDS = 180.0
"""How long after its time a process that cannot end itself, since Python is stuck, is ended by the system."""


def notify_nobody(_sentence: str) -> None:
    """Notify nobody."""


@contextmanager
def wall_clock(minutes: float, notify: Callable[[str], object] = notify_nobody) -> Iterator[None]:
    """End this process, with the exit code of a failed run, where the block has not ended after so many minutes.

    `notify` is called with a sentence before, so that somebody hears of it. The system frees the lock of OUT; the journal keeps a beginning
    without an end, which the next run reports, and what was loaded is not read again.
    """
    is_over = threading.Event()
    sentence = f"The run was ended after {minutes:g} minutes (the setting wall_clock_minutes). OUT/current is the last complete run."

    def end_in_time() -> None:
        if is_over.wait(minutes * 60):
            return
        try:
            sys.stderr.write(f"sij-audit: {sentence}\n")
            sys.stderr.flush()
            notify(sentence)
        finally:
            os._exit(AuditError.exit_code)

    threading.Thread(target=end_in_time, name="wall clock", daemon=True).start()
    signal.setitimer(signal.ITIMER_REAL, minutes * 60 + BACKSTOP_SECONDS)
    try:
        yield
    finally:
        is_over.set()
        signal.setitimer(signal.ITIMER_REAL, 0)
