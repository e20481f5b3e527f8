"""What can go wrong, each kind with the exit code that the command ends with."""

EXIT_CODES = {
    0: "done: a run was published, or nothing was new",
    2: "wrong usage: an impossible option, a path that does not exist, or a folder without extracts; nothing was changed",
    3: "done, but at least one extract was refused; the report controls says why",
    4: "failed, and nothing was published; or `verify` found a difference",
    5: "on hold, and nothing was published: too much would change, or a feed lost a column; look, then --accept-change",
    75: "another run has locked OUT; try again later",
}
"""What the command's exit codes mean; `--help` and docs/nightly.md show this table."""


class AuditError(Exception):
    """Say what failed and what to do; shown without a traceback, so never with a cell's value in it."""

    exit_code = 4


class UsageError(AuditError):
    """The command was called with something that cannot be: a path that does not exist, an impossible date."""

    exit_code = 2


class BusyError(AuditError):
    """Another run holds the OUT folder."""

    exit_code = 75


class HeldBack(AuditError):
    """The audit is done and not published, since somebody should look first."""

    exit_code = 5


class ExtractRefused(AuditError):
    """A whole extract cannot be used; the other extracts go on.

    The message is the `reason` in the controls report: it names the column where there is one, and never a cell.
    """

    exit_code = 3


class ExtractUnreadable(ExtractRefused):
    """The system did not let a whole extract be read, which may pass though the extract stays as it is."""


class ExtractNotReady(AuditError):
    """An extract changed while it was read: somebody still writes it. It is left for the next run."""

    exit_code = 0


class SqlError(AuditError):
    """A file of SQL cannot be planned, or does not yield what it must; the message quotes SQL, never a cell."""
