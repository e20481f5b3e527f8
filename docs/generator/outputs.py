"""What commands, Python and queries print, put into the pages that show it."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[[Sequence[str]], str]
"""Runs a command, given as words, and gives what it prints."""

COMMANDS = re.compile(r"^```(console|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
"""A block of commands with what they print, or a piece of Python with a block of what it prints after it."""

QUERIES = re.compile(r"^```sql\n(.*?)^```\n(?:\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
"""A query, with a block of its answer after it."""

RUN_ID = re.compile(r"\b(\d{4}-\d\d-\d\d)-[0-9a-f]{12}\b")
"""A run's id is a hash of the program too: shown as it is, every change of a file would change the pages."""


def show_outputs(page: str, run: Run) -> str:
    """Run the commands and the Python of a page, in the order shown, and put what they print in the place of what the page shows."""

    def shown(block: re.Match[str]) -> str:
        kind, body, _output = block.groups()
        if kind == "python":
            return f"```python\n{body}```\n\n```text\n{run(['python', '-c', body])}```\n"
        commands = [line for line in body.splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{command}\n{run(shlex.split(command[2:]))}" for command in commands) + "```\n"

    return COMMANDS.sub(shown, page)


def show_answers(page: str, database: Path) -> str:
    """Put what a database answers now in the place of what a page shows."""
    with duckdb.connect(database, read_only=True) as con:
        return QUERIES.sub(lambda block: f"```sql\n{block[1]}```\n\n```text\n{answer(con, block[1])}```\n", page)


def answer(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """Write what a query answers in columns, numbers to the right; an empty cell is null."""
    found = con.execute(query)
    names = [column[0] for column in found.description or []]
    rows = found.fetchall()
    columns = []
    for position, name in enumerate(names):
        values = [row[position] for row in rows]
        cells = [name, *map(_cell, values)]
        is_number = all(value is None or type(value) in (int, float, Decimal) for value in values)
        width = max(map(len, cells))
        columns.append([cell.rjust(width) if is_number else cell.ljust(width) for cell in cells])
    return "".join("  ".join(line).rstrip() + "\n" for line in zip(*columns, strict=True))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def run_in(folder: Path) -> Run:
    """Run commands in a folder that has the sample, as a reader of README.md would in a checkout."""
    (folder / "data").symlink_to(ROOT / "data")
    programs = Path(sys.executable).parent
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}

    def run(words: Sequence[str]) -> str:
        command = [str(programs / words[0]), *words[1:]]
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return "\n".join(RUN_ID.sub(r"\1-0123456789ab", line.rstrip()) for line in done.stdout.splitlines()) + "\n"

    return run
