"""`sij-audit sql`: one query, or an interactive shell, on a published run in a locked session; each query is logged before it runs.

The shell keeps no history on disk. What a query gives is written by this module, outside of the session: DuckDB itself can write no file.
"""

import os
import re
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, is_done
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.query.session import QUOTING, READING, open_run, run_within, split_query
from sij_audit.transforms.spreadsheets import write_csv
from sij_audit.transforms.store.access_log import AccessLog, Outcome, find_log, log_outcome, log_query
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import PRIVATE_UMASK, Store
from sij_audit.transforms.store.runs import find_run

BATCH_ROWS = 8_192

SHOWN_ROWS = 200
"""Rows that a terminal is shown of one result; a pipe and a file get all."""

SHOWN_RECORDS = 20
"""The same where a row is a block of lines."""

CELL_WIDTH = 48
"""A column that is wider is folded."""

HELP = (
    (r"\d", "tables, views and macros, and what they hold"),
    (r"\d NAME", "its columns, or the parameters of a macro"),
    (r"\x", "rows as blocks of lines: always, never, or where a table would be too wide"),
    (r"\o FILE", "write the next result to FILE (.csv or .parquet), all of it; without FILE, show it after all"),
    (r"\?", "this help"),
    (r"\q", "leave; so does Ctrl-D"),
)

PROMPT = "sij-audit> "

RELATION_COMES = re.compile(r"\b(from|join|into|update|describe|summarize)\s+\w*$", re.IGNORECASE)
"""What stands before the cursor where a table, view or macro is to be named."""


@dataclass(frozen=True)
class Entry:
    """A table, view or macro that can be asked, or a column of one."""

    kind: str
    name: str
    of: str = ""
    """The table that a column is of."""
    told: str = ""
    data_type: str = ""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a statement gave: rows up to as many as are shown, and how many there were."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]
    count: int


@dataclass
class Shell:
    """A session on one run, and how its results are shown now."""

    con: duckdb.DuckDBPyConnection
    log: AccessLog
    out: Path
    seconds: float
    console: Console
    is_expanded: bool | None = None
    """None: where a table would be too wide."""
    output: Path | None = None
    """Where the next result goes."""
    has_shown: bool = False
    """Whether a result stands above the next one in a pipe."""
    catalog: tuple[Entry, ...] = ()


def read_query(query: str | None, file: Path | None) -> str | None:
    """Take the query from the argument, a file, or standard input; None where somebody is to be talked to. UsageError where there are two."""
    if query is not None and file is not None:
        raise UsageError("Give a query or a file with one, not both.")
    if query is not None:
        return query
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        return None if sys.stdin.isatty() and sys.stdout.isatty() else sys.stdin.read()
    except OSError as error:
        raise UsageError(f"{clean(str(file))} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError("The query is no UTF-8 text.") from None


def ask(out: Path, run_id: str | None, query: str | None, to: Path | None, seconds: float) -> None:
    """Answer a query on standard output or in a file; without a query, talk to whoever sits at the terminal.

    UsageError for a run that is not there or a file that cannot be written to, AuditError where a query fails or takes too long.
    """
    os.umask(PRIVATE_UMASK)
    store = Store(out)
    run = find_run(store, run_id)
    output = check_output(to, out) if to else None
    log = find_log(store.access, run.name)
    with open_run(run) as con:
        shell = Shell(con, log, out, seconds, Console(highlight=False, markup=False, emoji=False), output=output)
        if query is not None:
            answer(shell, query)
        else:
            talk(shell)


def check_output(path: Path, out: Path) -> Path:
    """Make sure that a result can be written there: as CSV or Parquet, and not into OUT. UsageError where not."""
    path = path.expanduser()
    if path.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{clean(path.name)}: a result is written to a file that ends in .csv or .parquet.")
    if not path.parent.is_dir():
        raise UsageError(f"{clean(str(path.parent))} is no folder.")
    if path.parent.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"{clean(path.name)} would lie in OUT, where nothing but the audit writes. Name a folder of your own.")
    if path.is_dir():
        raise UsageError(f"{clean(path.name)} is a folder.")
    return path


# --- asking


def answer(shell: Shell, query: str) -> None:
    """Run what somebody asks, statement by statement, and show or write what each gives; AuditError where one fails."""
    started = time.monotonic()
    query_id = log_query(shell.log, query)
    output, shell.output = shell.output, None
    rows, error = 0, "Interrupted"
    try:
        statements = split_query(shell.con, query)
        if output and sum(statement.type.name in READING for statement in statements) != 1:
            raise UsageError(f"{output.name} takes the rows of one SELECT, and there are none or several here.")
        for statement in statements:
            rows += _run_statement(shell, statement, output)
        error = ""
    except Exception as failure:
        error = type(failure.__cause__ or failure).__name__
        raise
    finally:
        written = output.name if output and not error else None
        outcome = Outcome(time.monotonic() - started, None if error else rows, error or None, written)
        log_outcome(shell.log, query_id, outcome)


def _run_statement(shell: Shell, statement: duckdb.Statement, output: Path | None) -> int:
    """Run one statement within its time, show or write what it gives, and count the rows."""
    started = time.monotonic()
    try:
        if output and statement.type.name in READING:
            count = run_within(shell.con, shell.seconds, partial(_write_result, shell.con, statement, output))
            say(f"{count:,} {'row' if count == 1 else 'rows'} written to {output}")
            return count
        shown = SHOWN_ROWS if shell.console.is_terminal else None
        result = run_within(shell.con, shell.seconds, partial(_fetch, shell.con, statement, shown))
    except duckdb.Error as error:
        raise AuditError(tell_error(error)) from error
    except pa.ArrowException as error:
        raise AuditError(f"The result cannot be written so ({type(error).__name__}): cast its columns to plain types.") from error
    except OSError as error:
        raise AuditError(f"{output or 'The result'} cannot be written: {error.strerror}.") from error
    if result is None:
        if shell.console.is_terminal:
            say("Done.")
        return 0
    show(shell, result, time.monotonic() - started)
    return result.count


def tell_error(error: duckdb.Error) -> str:
    """What DuckDB says of a query, for who asked it; where it does not go on after it, that too."""
    text = clean(str(error), keep="\n")
    if isinstance(error, duckdb.OutOfMemoryException):
        return "The query needs more memory than it may take, and nothing is spilled to disk. Ask for less at a time."
    if isinstance(error, duckdb.FatalException | duckdb.InternalException):
        return f"{text.splitlines()[0]}\nThe session cannot go on: start it again."
    return text


def _fetch(con: duckdb.DuckDBPyConnection, statement: duckdb.Statement, shown: int | None) -> Answer | None:
    """Run a statement and fetch the rows that are shown, counting the others; None for one that gives no rows."""
    con.execute(statement)
    names = [column[0] for column in con.description or []]
    if statement.type.name not in READING and names in ([], ["Count"], ["Success"]):
        con.fetchall()
        return None
    rows: list[Sequence[Any]] = []
    count = 0
    for batch in con.to_arrow_reader(BATCH_ROWS):
        wanted = batch if shown is None else batch.slice(0, max(0, shown - len(rows)))
        columns = [column.to_pylist() for column in wanted.columns]
        rows += zip(*columns, strict=True)
        count += batch.num_rows
    return Answer(names, rows, count)


def _write_result(con: duckdb.DuckDBPyConnection, statement: duckdb.Statement, path: Path) -> int:
    """Write all that a statement gives to a file that is complete or not there, and count the rows."""
    reader = con.execute(statement).to_arrow_reader(BATCH_ROWS)
    counts = []

    def write(temporary: Path) -> None:
        counts.append(write_csv(reader, temporary) if path.suffix == ".csv" else _write_parquet(reader, temporary))

    write_durably(path, write)
    return counts[0]


def _write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    count = 0
    with pq.ParquetWriter(path, reader.schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


# --- showing


def show(shell: Shell, result: Answer, seconds: float) -> None:
    """Show rows: on a terminal as a table, or as blocks where it would be too wide; in a pipe as plain columns, all of them."""
    cells = [[tell(value) for value in row] for row in result.rows]
    if not shell.console.is_terminal:
        if shell.has_shown:
            sys.stdout.write("\n")
        shell.has_shown = True
        sys.stdout.writelines(f"{line}\n" for line in align(result, cells))
        sys.stdout.flush()
        return
    is_expanded = shell.is_expanded
    if is_expanded is None:
        is_expanded = bool(cells) and table_width(result.names, cells) > shell.console.width
    if is_expanded:
        cells = cells[:SHOWN_RECORDS]
        show_records(shell.console, result.names, cells)
    else:
        show_table(shell.console, result, cells)
    told = f"{result.count:,} {'row' if result.count == 1 else 'rows'}, {seconds:.2f} s"
    if len(cells) < result.count:
        told += f"; {result.count - len(cells):,} more than are shown here: \\o FILE.csv or --to FILE.csv has all"
    shell.console.print(Text(told, style="dim"))


def show_table(console: Console, result: Answer, cells: Sequence[Sequence[str | None]]) -> None:
    """Draw rows as a table, numbers to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for position, name in enumerate(result.names):
        is_right = is_number([row[position] for row in result.rows])
        table.add_column(Text(clean(name)), justify="right" if is_right else "left", overflow="fold", max_width=CELL_WIDTH)
    for row in cells:
        table.add_row(*(Text("null", style="dim") if cell is None else Text(cell) for cell in row))
    console.print(table)


def show_records(console: Console, names: Sequence[str], cells: Sequence[Sequence[str | None]]) -> None:
    """Draw each row as a block, one line a column."""
    for number, row in enumerate(cells, 1):
        console.rule(Text(f"row {number}"), align="left", style="dim")
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, cell in zip(names, row, strict=True):
            grid.add_row(Text(clean(name)), Text("null", style="dim") if cell is None else Text(cell))
        console.print(grid)


def table_width(names: Sequence[str], cells: Sequence[Sequence[str | None]]) -> int:
    """How wide the table of some cells is drawn where the terminal sets no bound."""
    widths = [max(map(cell_len, column)) for column in zip(names, *([cell or "null" for cell in row] for row in cells), strict=True)]
    return sum(min(width, CELL_WIDTH) for width in widths) + 2 * (len(widths) - 1)


def align(result: Answer, cells: Sequence[Sequence[str | None]]) -> Iterator[str]:
    """Write rows under their header in columns, numbers to the right; an empty cell is null."""
    columns = []
    for position, name in enumerate(result.names):
        column = [clean(name), *(row[position] or "" for row in cells)]
        width = max(map(cell_len, column))
        pads = [" " * (width - cell_len(cell)) for cell in column]
        is_right = is_number([row[position] for row in result.rows])
        columns.append([pad + cell if is_right else cell + pad for cell, pad in zip(column, pads, strict=True)])
    return ("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def is_number(values: Sequence[Any]) -> bool:
    """Tell whether a column holds numbers alone, and one at least."""
    present = [value for value in values if value is not None]
    return bool(present) and all(type(value) in (int, float, Decimal) for value in present)


def tell(value: Any) -> str | None:
    """Write a value as people read it; null stays None. No character of it can steer a terminal or begin another line."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case list():
            return ", ".join(tell(part) or "" for part in value)
        case dict():
            return "{" + ", ".join(f"{clean(name)}: {tell(part) or ''}" for name, part in value.items()) + "}"
        case bytes():
            return value.hex()
        case pa.MonthDayNano():
            return f"{value.months} months {value.days} days {value.nanoseconds / 1e9:g} seconds"
        case _:
            return clean(str(value))


def clean(text: str, keep: str = "") -> str:
    """Write control characters, and those that turn text around, as escapes: a cell must not steer the terminal."""
    return "".join(
        character
        if character in keep or unicodedata.category(character)[0] != "C"
        else character.encode("unicode_escape", "replace").decode()
        for character in text
    )


def say(text: str) -> None:
    """Say what was done, beside the results."""
    sys.stderr.write(f"{clean(text)}\n")


# --- what there is


def read_catalog(con: duckdb.DuckDBPyConnection) -> tuple[Entry, ...]:
    """List what can be asked: of the run, and what was made in memory."""
    rows = con.execute("""
        with relations as (
            select 'table' as kind, database_name, table_name as name, comment
            from duckdb_tables()
            union all
            select 'view', database_name, view_name, comment
            from duckdb_views() where not internal
        )
        select kind, name, '', coalesce(comment, ''), '', []
        from relations where database_name in ('audit', 'memory', 'temp')
        union all
        select 'macro', function_name, '', coalesce(comment, ''), '', parameters
        from duckdb_functions() where database_name in ('audit', 'memory', 'temp') and not internal
        union all
        select 'column', column_name, table_name, coalesce(comment, ''), data_type, []
        from (from duckdb_columns() where database_name in ('audit', 'memory', 'temp') and not internal order by table_name, column_index)
    """).fetchall()
    entries = [Entry(kind, name, of, told, data_type, tuple(parameters)) for kind, name, of, told, data_type, parameters in rows]
    return tuple(sorted(entries, key=lambda entry: (entry.kind == "column", entry.of or entry.name)))


def describe(shell: Shell, name: str) -> None:
    """Show what there is, or the columns of one table, view or macro; UsageError where there is none of that name."""
    shell.catalog = read_catalog(shell.con)
    name = name.rstrip(";").strip().strip('"').split("(")[0]
    if not name:
        kinds = [(entry.name, entry.kind, entry.told) for entry in shell.catalog if entry.kind != "column"]
        _show_words(shell.console, ("name", "kind", "what it holds"), kinds)
        return
    found = [entry for entry in shell.catalog if entry.name.lower() == name.lower() and entry.kind != "column"]
    if not found:
        raise UsageError(rf"There is no table, view or macro {clean(name)}; \d lists them.")
    entry = found[0]
    title = f"{entry.kind} {entry.name}" + (f"({', '.join(entry.parameters)})" if entry.kind == "macro" else "")
    shell.console.print(Text(title, style="bold"))
    shell.console.print(Text(entry.told))
    if entry.kind == "macro":
        _show_words(shell.console, ("column", "type"), _macro_columns(shell.con, entry))
        return
    columns = [
        (column.name, column.data_type, column.told) for column in shell.catalog if column.kind == "column" and column.of == entry.name
    ]
    _show_words(shell.console, ("column", "type", "what it means"), columns)


def _macro_columns(con: duckdb.DuckDBPyConnection, macro: Entry) -> list[tuple[str, ...]]:
    try:
        con.execute(f'select column_name, column_type from (describe from "{macro.name}"({", ".join("null" for _ in macro.parameters)}))')
    except duckdb.Error:
        return []
    return con.fetchall()


def _show_words(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table of words whose last column is folded between them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, no_wrap=name in ("name", "kind", "column"), max_width=None if name != "type" else 24, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    if rows:
        console.print(table)


# --- talking


def talk(shell: Shell) -> None:
    """Answer what is typed until somebody leaves; Ctrl-C ends a query, or clears what was typed, and never the shell."""
    shell.catalog = read_catalog(shell.con)
    shell.console.print(Text(f"Run {shell.log.run_id}. Tables are listed by \\d, help by \\?; a query ends with ;"))
    shell.console.print(Text("What is asked is written to the access log of OUT.", style="dim"))
    session = make_prompt(shell)
    while True:
        try:
            text = session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            if not obey(shell, text):
                return
        except KeyboardInterrupt:
            say("The query was ended.")
        except AuditError as error:
            say_error(shell.console, str(error))


def obey(shell: Shell, text: str) -> bool:
    r"""Do what was typed, a \command or a query; false where it says to leave."""
    command, _, argument = text.strip().partition(" ")
    argument = argument.strip()
    if not command.startswith("\\"):
        if text.strip(" \t\n;"):
            answer(shell, text)
            shell.catalog = read_catalog(shell.con)
        return True
    match command:
        case r"\q":
            return False
        case r"\?" | r"\h":
            _show_words(shell.console, ("name", "what it does"), HELP)
        case r"\d":
            describe(shell, argument)
        case r"\x":
            shell.is_expanded = {None: True, True: False, False: None}[shell.is_expanded]
            say(
                {None: "Rows are blocks where a table is too wide.", True: "Rows are blocks.", False: "Rows are a table."}[
                    shell.is_expanded
                ]
            )
        case r"\o":
            shell.output = check_output(Path(argument.strip("'\"")), shell.out) if argument else None
            say(f"The next result goes to {shell.output}." if shell.output else "The next result is shown here.")
        case _:
            raise UsageError(rf"{clean(command)} is no command; \? lists them.")
    return True


def say_error(console: Console, text: str) -> None:
    """Show what went wrong; the session goes on."""
    console.print(Text(text, style="red" if console.is_terminal else ""))


def is_complete(text: str) -> bool:
    """Tell whether Enter ends what was typed: a command, nothing, or a query whose last character of weight is a semicolon."""
    if not text.strip() or text.lstrip().startswith("\\"):
        return True
    bare = QUOTING.sub(" ", re.sub(r'"[^"]*"', " ", text))
    return bare.rstrip().endswith(";") and not re.search(r"""['"]|/\*""", bare)


def make_prompt(shell: Shell) -> PromptSession[str]:
    """Make the line that people type at: history in memory, completion, several lines until a semicolon."""
    keys = KeyBindings()

    @keys.add("enter", filter=Condition(lambda: is_complete(get_app().current_buffer.text)) & ~is_done)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return PromptSession(
        PROMPT,
        multiline=True,
        prompt_continuation=lambda width, line, wrapped: "-> ".rjust(width),
        history=InMemoryHistory(),
        lexer=PygmentsLexer(SqlLexer),
        completer=WordCompleter(shell),
        key_bindings=keys,
        reserve_space_for_menu=6,
    )


class WordCompleter(Completer):
    """Completes what there is: tables and macros, columns (those of the tables that are named first), keywords, commands."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.keywords = [word for (word,) in shell.con.execute("select keyword_name from duckdb_keywords() order by 1").fetchall()]

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        if before.startswith("\\"):
            yield from self._complete_command(before)
            return
        bare = QUOTING.sub(" ", before)
        word = re.search(r"(?:(\w+)\.)?(\w*)$", before)
        if word is None or "'" in bare or "/*" in bare or "--" in bare or not (word[1] or word[2]):
            return
        found = find_words(self.shell.catalog, self.keywords, document.text, word[1], word[2], bool(RELATION_COMES.search(before)))
        for text, told in islice(found, 200):
            yield Completion(text, -len(word[2]), display_meta=told)

    def _complete_command(self, before: str) -> Iterator[Completion]:
        command, blank, argument = before.partition(" ")
        if not blank:
            yield from (Completion(name.split()[0], -len(before), display_meta=told) for name, told in HELP if name.startswith(before))
        elif command == r"\d":
            entries = (entry for entry in self.shell.catalog if entry.kind != "column" and entry.name.startswith(argument.lower()))
            yield from (Completion(entry.name, -len(argument), display_meta=entry.kind) for entry in entries)


def find_words(
    catalog: Sequence[Entry], keywords: Sequence[str], text: str, qualifier: str | None, start: str, is_relation: bool = False
) -> Iterator[tuple[str, str]]:
    """Find what a word may become, with what it is: columns of named tables, then tables and macros, other columns, keywords.

    After a name and a point only columns come: of that table, or, where the name is an alias, of the tables that are named. Where a table
    is to be named, tables come first.
    """
    named = {word.lower() for word in re.findall(r"\w+", text)}
    relations = {entry.name.lower(): entry for entry in catalog if entry.kind != "column"}
    tables = {qualifier.lower()} if qualifier and qualifier.lower() in relations else named & set(relations)
    columns = [entry for entry in catalog if entry.kind == "column"]
    near = [(entry.name, f"{entry.of}: {entry.data_type.lower()}") for entry in columns if entry.of.lower() in tables]
    if qualifier:
        words = near
    else:
        names = [(entry.name + ("(" if entry.kind == "macro" else ""), entry.kind) for entry in relations.values()]
        others = [*((entry.name, f"column of {entry.of}") for entry in columns), *((keyword, "") for keyword in keywords)]
        words = [*names, *near, *others] if is_relation else [*near, *names, *others]
    seen = set()
    for word, told in words:
        if word.lower().startswith(start.lower()) and word not in seen:
            seen.add(word)
            yield word, told
