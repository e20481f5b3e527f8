"""One query of `sij-audit sql`: it is logged, checked, run within its time, and its answer shown or written; then how it ended is logged."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.query.answers import SHOWN_ROWS, Answer, Display, escape, notify, show_answer, write_answer
from sij_audit.transforms.query.session import run_within
from sij_audit.transforms.query.statements import Statement, split_query
from sij_audit.transforms.store.access_log import AccessLog, Outcome, log_outcome, log_query
from sij_audit.transforms.text import count_of

BATCH_ROWS = 8_192


@dataclass
class Session:
    """A locked connection to one run, the log of what is asked there, and where answers go."""

    con: duckdb.DuckDBPyConnection
    log: AccessLog
    out: Path
    seconds: float
    """How long a statement may take."""
    display: Display
    output: Path | None = None
    """The file that the next result goes to."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What a query may name as $name: the parameters of the rule that is run again."""


def answer(session: Session, query: str) -> None:
    """Run what somebody asks, statement by statement, and show or write what each gives; AuditError where one fails."""
    started = time.monotonic()
    query_id = log_query(session.log, query)
    output, session.output = session.output, None
    rows, error = 0, "Interrupted"
    try:
        statements = run_within(session.con, session.seconds, partial(split_query, query))
        if output and sum(statement.gives_rows for statement in statements) != 1:
            raise UsageError(f"{output.name} takes the rows of one SELECT, and there are none or several here.")
        for statement in statements:
            rows += _run_statement(session, statement, output)
        error = ""
    except Exception as failure:
        error = type(failure.__cause__ or failure).__name__
        raise
    finally:
        written = output.name if output and not error else None
        outcome = Outcome(time.monotonic() - started, None if error else rows, error or None, written)
        log_outcome(session.log, query_id, outcome)


def _run_statement(session: Session, statement: Statement, output: Path | None) -> int:
    """Run one statement within its time, show or write what it gives, and count the rows."""
    started = time.monotonic()
    try:
        if not statement.gives_rows:
            run_within(session.con, session.seconds, partial(_run, session, statement))
            if session.display.console.is_terminal:
                notify("Done.")
            return 0
        if output:
            count = run_within(session.con, session.seconds, partial(_write, session, statement, output))
            notify(f"{count_of(count, 'row')} written to {output}")
            return count
        most = SHOWN_ROWS if session.display.console.is_terminal else None
        result = run_within(session.con, session.seconds, partial(_fetch, session, statement, most))
    except duckdb.Error as error:
        raise AuditError(explain_error(error)) from error
    except pa.ArrowException as error:
        raise AuditError(f"The result cannot be written so ({type(error).__name__}): cast its columns to plain types.") from error
    except OSError as error:
        raise AuditError(f"{output or 'The result'} cannot be written: {error.strerror}.") from error
    show_answer(session.display, result, time.monotonic() - started)
    return result.count


def explain_error(error: duckdb.Error) -> str:
    """What DuckDB says of a query, for who asked it; where it does not go on after it, that too."""
    text = escape(str(error), keep="\n")
    if isinstance(error, duckdb.OutOfMemoryException):
        return "The query needs more memory than it may take, and nothing is spilled to disk. Ask for less at a time."
    if isinstance(error, duckdb.FatalException | duckdb.InternalException):
        return f"{text.splitlines()[0]}\nThe session cannot go on: start it again."
    return text


def _run(session: Session, statement: Statement) -> None:
    session.con.execute(statement.text, _bound(session, statement)).fetchall()


def _read(session: Session, statement: Statement) -> pa.RecordBatchReader:
    """Run a statement that gives rows, and read them as they come."""
    return session.con.sql(statement.text, params=_bound(session, statement)).to_arrow_reader(BATCH_ROWS)


def _bound(session: Session, statement: Statement) -> dict[str, Any] | None:
    """Choose the parameters that a statement names, since DuckDB takes no others; UsageError where there is no such parameter."""
    names = {name for part in duckdb.extract_statements(statement.text) for name in part.named_parameters}
    if unknown := sorted(names - session.parameters.keys()):
        raise UsageError(f"${escape(unknown[0])} has no value here; with --rule RULE_ID, $names are the parameters of that rule.")
    return {name: session.parameters[name] for name in names} or None


def _fetch(session: Session, statement: Statement, most: int | None) -> Answer:
    """Fetch the rows that are shown, `most` at most, and count the others."""
    reader = _read(session, statement)
    rows: list[Sequence[Any]] = []
    count = 0
    for batch in reader:
        wanted = batch if most is None else batch.slice(0, max(0, most - len(rows)))
        columns = [column.to_pylist() for column in wanted.columns]
        rows += zip(*columns, strict=True)
        count += batch.num_rows
    return Answer(reader.schema.names, rows, count)


def _write(session: Session, statement: Statement, path: Path) -> int:
    """Write all that a statement gives to a file that is complete or not there, and count the rows."""
    return write_answer(_read(session, statement), path)
