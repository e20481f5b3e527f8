"""Where something stands in a TOML file: tomllib reads what a file says, and tells no line of it."""

import tomllib
from collections.abc import Sequence
from typing import Any

LONG = 1000
"""Lines of a text in which no line is looked for: that takes a look at each beginning of it."""

Step = str | int
"""A key of a table, or the position of an item in a list."""


def find_line(text: str, place: Sequence[Step]) -> int | None:
    """Find the line at which something stands in a valid TOML text, or the nearest part of its place that is there; None where none is.

    It is the last line of the shortest beginning of the text that says it, be it in the midst of a list.
    """
    if not place:
        return None
    lines = text.split("\n")
    for number in range(1, len(lines) + 1):
        beginning = "\n".join(lines[:number])
        if any(_has(_read(part), place) for part in (beginning, f"{beginning}\n]")):
            return number
    return find_line(text, place[:-1])


def name_line(name: str, text: str, place: Sequence[Step]) -> str:
    """Name a TOML file, and the line at which something stands in it, where one is found."""
    number = find_line(text, place) if text.count("\n") < LONG else None
    return f"{name}, line {number}" if number else name


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _has(content: Any, place: Sequence[Step]) -> bool:
    for step in place:
        match content, step:
            case dict(), str() if step in content:
                content = content[step]
            case list(), int() if step < len(content):
                content = content[step]
            case _:
                return False
    return True
