"""`sij-audit sql`: one query, or an interactive shell, on a published run in a locked session. The shell keeps no history on disk."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, is_done
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer
from rich.console import Console
from rich.text import Text

from sij_audit.transforms.duck import quote_name
from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.query.answers import Display, check_output, escape, notify, show_error, show_words
from sij_audit.transforms.query.asking import Session, answer
from sij_audit.transforms.query.catalog import Entry, find_words, read_catalog
from sij_audit.transforms.query.rules import use_rule
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.store.access_log import find_log
from sij_audit.transforms.store.folder import PRIVATE_UMASK, Store
from sij_audit.transforms.store.runs import find_run

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

QUOTING = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL)
"""Texts and comments of a query, as far as they are closed. Nothing but the keyboard goes by it."""

ROW_FORMS = {None: "Rows are blocks where a table is too wide.", True: "Rows are blocks.", False: "Rows are a table."}


@dataclass
class Shell:
    """A session at a terminal, and what there is to ask, as last seen."""

    session: Session
    catalog: tuple[Entry, ...] = ()


def read_query(query: str | None, file: Path | None) -> str | None:
    """Take the query from the argument, a file, or standard input; None where somebody sits at a terminal. UsageError where there are two."""
    if query is not None and file is not None:
        raise UsageError("Give a query or a file with one, not both.")
    if query is not None:
        return query
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        return None if sys.stdin.isatty() and sys.stdout.isatty() else sys.stdin.read()
    except OSError as error:
        raise UsageError(f"{escape(str(file))} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError("The query is no UTF-8 text.") from None


def ask(out: Path, run_id: str | None, query: str | None, to: Path | None, seconds: float, rule: str | None = None) -> None:
    """Answer a query on standard output or in a file; without a query, to whoever sits at the terminal, one after another.

    With `rule`, names mean what they meant to that rule, and $names its parameters. UsageError for a run or rule that is not there, or a file
    that cannot be written to, AuditError where a query fails or takes too long.
    """
    os.umask(PRIVATE_UMASK)
    store = Store(out)
    run = find_run(store, run_id)
    output = check_output(to, out) if to else None
    log = find_log(store.access, run.name)
    with open_run(run) as con:
        display = Display(Console(highlight=False, markup=False, emoji=False))
        session = Session(con, log, out, seconds, display, output, use_rule(con, rule) if rule else {})
        if query is not None:
            answer(session, query)
        else:
            run_shell(Shell(session))


# --- commands


def run_shell(shell: Shell) -> None:
    """Answer what is typed until somebody leaves; Ctrl-C ends a query, or clears what was typed, and never the shell."""
    shell.catalog = read_catalog(shell.session.con)
    shell.session.display.console.print(Text(f"Run {shell.session.log.run_id}. Tables are listed by \\d, help by \\?; a query ends with ;"))
    shell.session.display.console.print(Text("What is asked is written to the access log of OUT.", style="dim"))
    prompt = make_prompt(shell)
    while True:
        try:
            text = prompt.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            if not run_input(shell, text):
                return
        except KeyboardInterrupt:
            notify("The query was ended.")
        except AuditError as error:
            show_error(shell.session.display.console, str(error))


def run_input(shell: Shell, text: str) -> bool:
    r"""Do what was typed, a \command or a query; false where it says to leave."""
    command, _, argument = text.strip().partition(" ")
    argument = argument.strip()
    if not command.startswith("\\"):
        if text.strip(" \t\n;"):
            answer(shell.session, text)
            shell.catalog = read_catalog(shell.session.con)
        return True
    match command:
        case r"\q":
            return False
        case r"\?" | r"\h":
            show_words(shell.session.display.console, ("name", "what it does"), HELP)
        case r"\d":
            describe(shell, argument)
        case r"\x":
            display = shell.session.display
            display.is_expanded = {None: True, True: False, False: None}[display.is_expanded]
            notify(ROW_FORMS[display.is_expanded])
        case r"\o":
            session = shell.session
            session.output = check_output(Path(argument.strip("'\"")), session.out) if argument else None
            notify(f"The next result goes to {session.output}." if session.output else "The next result is shown here.")
        case _:
            raise UsageError(rf"{escape(command)} is no command; \? lists them.")
    return True


def describe(shell: Shell, name: str) -> None:
    """Show what there is, or the columns of one table, view or macro; UsageError where there is none of that name."""
    shell.catalog = read_catalog(shell.session.con)
    name = name.rstrip(";").strip().strip('"').split("(")[0]
    if not name:
        kinds = [(entry.name, entry.kind, entry.comment) for entry in shell.catalog if entry.kind != "column"]
        show_words(shell.session.display.console, ("name", "kind", "what it holds"), kinds)
        return
    found = [entry for entry in shell.catalog if entry.name.lower() == name.lower() and entry.kind != "column"]
    if not found:
        raise UsageError(rf"There is no table, view or macro {escape(name)}; \d lists them.")
    entry = found[0]
    title = f"{entry.kind} {entry.name}" + (f"({', '.join(entry.parameters)})" if entry.kind == "macro" else "")
    shell.session.display.console.print(Text(title, style="bold"))
    shell.session.display.console.print(Text(entry.comment))
    if entry.kind == "macro":
        show_words(shell.session.display.console, ("column", "type"), _macro_columns(shell.session.con, entry))
        return
    columns = [
        (column.name, column.data_type, column.comment) for column in shell.catalog if column.kind == "column" and column.of == entry.name
    ]
    show_words(shell.session.display.console, ("column", "type", "what it means"), columns)


def _macro_columns(con: duckdb.DuckDBPyConnection, macro: Entry) -> list[tuple[str, ...]]:
    """The columns that a macro gives; none where it cannot be called with nulls alone."""
    try:
        con.execute(
            f"select column_name, column_type from (describe from {quote_name(macro.name)}({', '.join('null' for _ in macro.parameters)}))"
        )
    except duckdb.Error:
        return []
    return con.fetchall()


# --- typing


def is_complete(text: str) -> bool:
    """Say whether Enter ends what was typed: a command, nothing, or a query whose last character of weight is a semicolon."""
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
        self.keywords = [word for (word,) in shell.session.con.execute("select keyword_name from duckdb_keywords() order by 1").fetchall()]

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
        for text, meaning in islice(found, 200):
            yield Completion(text, -len(word[2]), display_meta=meaning)

    def _complete_command(self, before: str) -> Iterator[Completion]:
        command, blank, argument = before.partition(" ")
        if not blank:
            yield from (
                Completion(name.split()[0], -len(before), display_meta=meaning) for name, meaning in HELP if name.startswith(before)
            )
        elif command == r"\d":
            entries = (entry for entry in self.shell.catalog if entry.kind != "column" and entry.name.startswith(argument.lower()))
            yield from (Completion(entry.name, -len(argument), display_meta=entry.kind) for entry in entries)
