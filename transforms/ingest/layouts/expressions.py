"""SQL expressions of a layout: what they may be made of, and a database that can reach nothing, in which they are evaluated.

A layout may come from a stranger. Its expressions are read as DuckDB itself reads them; what they may be made of is listed, so that a new
version of DuckDB opens nothing by itself.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from sij_audit.transforms.duck import quote_name, registered

CLASSES = frozenset(("BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "OPERATOR"))
"""Of the nodes of an expression's tree."""

FUNCTIONS = frozenset((
    *("+", "-", "*", "/", "//", "%", "||"),
    *("abs", "ceil", "ceiling", "floor", "greatest", "least", "round", "sign", "trunc"),
    *("array_extract", "concat", "concat_ws", "contains", "ends_with", "ifnull", "instr", "lcase", "left", "len", "length", "list_extract"),
    *("lower", "lpad", "ltrim", "md5", "nullif", "position", "prefix", "regexp_extract", "regexp_full_match", "regexp_matches"),
    *("regexp_replace", "replace", "reverse", "right", "rpad", "rtrim", "sha256", "split", "split_part", "starts_with", "str_split"),
    *("string_split", "strip_accents", "strlen", "strpos", "substr", "substring", "suffix", "translate", "trim", "ucase", "upper"),
    *("date_add", "date_diff", "date_part", "date_sub", "date_trunc", "datediff", "day", "last_day", "make_date", "month", "strftime"),
    *("strptime", "to_days", "to_hours", "to_minutes", "to_months", "to_seconds", "to_weeks", "to_years", "try_strptime", "year"),
))  # fmt: skip
"""Functions and operators of one row that give the same whenever they are asked, and reach nothing but what they are given.

LIKE is none of them: with some patterns it takes hours for a row.
"""

REPLACING = frozenset(("regexp_replace", "replace"))
"""Functions that make a text longer by their third argument, for each place that they find."""

REPLACEMENT_LIMIT = 10
"""Letters of what they put in."""

NESTED_REPLACING = 3
"""So many of them may stand within one another."""

PADDING = frozenset(("lpad", "rpad"))

PADDING_LIMIT = 100
"""Letters that a text is filled up to at most."""

TYPES = frozenset((
    *("BIGINT", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER", "INTERVAL", "SMALLINT", "TIME", "TIMESTAMP"),
    *("TINYINT", "VARCHAR"),
))  # fmt: skip
"""What a value may be cast to."""

MEMORY_LIMIT = "256MB"
"""Of what evaluates: cells come in small tables."""

LENGTH_LIMIT = 10_000
"""Letters of an expression."""


def read_expression(text: str) -> frozenset[str]:
    """List the columns that an expression reads, as it writes them; ValueError, whose text says what is wrong, where it may not be used."""
    if len(text) > LENGTH_LIMIT:
        raise ValueError(f"it has more than {LENGTH_LIMIT:,} letters")
    _parse(text)
    tree = _parse(_enclosed(text))
    node = tree["statements"][0]["node"]
    is_bare = len(tree["statements"]) == 1 and node["type"] == "SELECT_NODE" and node["from_table"]["type"] == "EMPTY"
    if not is_bare or node["modifiers"] or len(node["select_list"]) != 1 or node["cte_map"]["map"]:
        raise ValueError("it is more than one expression over the columns of a row")
    clauses = ("where_clause", "having", "qualify", "sample")
    if any(node.get(clause) for clause in clauses) or node.get("group_expressions"):
        raise ValueError("it is more than one expression over the columns of a row")
    _check_replacing(node["select_list"][0])
    return frozenset(_find_columns(node["select_list"][0]))


def _parse(text: str) -> Any:
    """Read what a SELECT of a text is; alone too, since parentheses round it may be closed within it."""
    try:
        tree = json.loads(_reader().execute("select json_serialize_sql(?)", [f"select {text}"]).fetchall()[0][0])
    except (duckdb.Error, RecursionError):
        raise ValueError("it cannot be read as SQL") from None
    if tree["error"]:
        raise ValueError(f"it cannot be read as SQL: {str(tree.get('error_message', '')).splitlines()[0]}")
    return tree


def _check_replacing(tree: Any, depth: int = 0) -> None:
    """ValueError where functions that make texts longer stand within one another too often."""
    if isinstance(tree, dict) and str(tree.get("function_name")).lower() in REPLACING:
        depth += 1
        if depth > NESTED_REPLACING:
            raise ValueError(f"more than {NESTED_REPLACING} of {', '.join(sorted(REPLACING))} may not stand within one another in it")
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _check_replacing(part, depth)


def _enclosed(text: str) -> str:
    return f"(\n{text}\n)"


def _find_columns(tree: Any) -> Iterator[str]:
    """Give the columns of a tree; ValueError where it has a part that is not listed."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left += node
        if not isinstance(node, dict):
            continue
        left += node.values()
        if "class" in node:
            yield from _check_node(node)


def _check_node(node: Mapping[str, Any]) -> Iterator[str]:
    kind = node["class"]
    if kind not in CLASSES:
        raise ValueError(f"{kind.lower()} may not be in it; it is made of columns, constants, operators, CASE, CAST and functions of a row")
    if kind == "FUNCTION":
        name = str(node["function_name"]).lower()
        if name not in FUNCTIONS or node.get("schema") or node.get("catalog"):
            raise ValueError(f"the function {name} may not be in it; docs/layouts.md lists those that may")
        _check_arguments(name, node["children"])
    if kind == "CAST" and node["cast_type"]["id"] not in TYPES:
        raise ValueError(f"it may not cast to that type; it may to {', '.join(sorted(TYPES))}")
    if kind == "COLUMN_REF":
        if len(node["column_names"]) != 1:
            raise ValueError(f"{'.'.join(node['column_names'])} is no column's name; put a name with a point in double quotes")
        if not node["column_names"][0].isprintable() or not node["column_names"][0]:
            raise ValueError("it may not name a column that has no name, or one with control characters")
        yield node["column_names"][0]


def _check_arguments(name: str, arguments: Sequence[Mapping[str, Any]]) -> None:
    """ValueError where a text would be made long by what is no short constant."""
    if name in REPLACING and not (len(arguments) > 2 and len(str(_constant(arguments[2], ""))) <= REPLACEMENT_LIMIT):
        raise ValueError(f"what {name} puts in may not be more than a constant of {REPLACEMENT_LIMIT} letters")
    if name in PADDING and not (len(arguments) > 1 and 0 <= int(_constant(arguments[1], 0)) <= PADDING_LIMIT):
        raise ValueError(f"{name} must fill up to a constant number of letters, at most {PADDING_LIMIT}: it may not be in it otherwise")


def _constant(argument: Mapping[str, Any], kind: object) -> Any:
    """Give the value of a constant of a kind; ValueError for anything else."""
    value = argument.get("value", {}).get("value") if argument["class"] == "CONSTANT" else None
    if not isinstance(value, type(kind)):
        raise ValueError("lpad, rpad, replace and regexp_replace may not be in it with what is no constant")
    return value


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1, "enable_external_access": False, "autoload_known_extensions": False})


class FailedExpression(Exception):
    """An expression cannot be evaluated: for any row, whose reason quotes SQL alone, or for the one at a position."""

    def __init__(self, name: str, reason: str = "", position: int | None = None) -> None:
        super().__init__(name, reason, position)
        self.name = name
        self.reason = reason
        self.position = position


class Evaluator:
    """Evaluates the same expressions over one table of cells after another, all with the same columns."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, expressions: Mapping[str, str], kept_types: Mapping[str, frozenset[str] | None]
    ) -> None:
        self._con = con
        self._expressions = expressions
        self._kept_types = kept_types
        self._select = ""

    def evaluate(self, cells: pa.Table, first_position: int) -> pa.Table:
        """Give what the expressions, by name, make of each row, in the order of the rows; FailedExpression where one makes nothing.

        A value becomes text where its type is not among those that the name keeps; a name that keeps none must be made of text.
        `first_position` is that of the first row.
        """
        with registered(self._con, "cells", cells):
            self._select = self._select or f"select {', '.join(map(self._select_value, self._expressions))} from cells"
            try:
                return self._con.sql(self._select).to_arrow_table()
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.Error:
                name, row = self._find_failure(len(cells))
                raise FailedExpression(name, position=first_position + row) from None

    def _select_value(self, name: str) -> str:
        """Write, as SQL, what a name stands for, in a type that it keeps."""
        expression = _enclosed(self._expressions[name])
        try:
            [[given]] = self._con.execute(f"select column_type from (describe select {expression} as value from cells)").fetchall()
        except duckdb.Error as error:
            raise FailedExpression(name, str(error).splitlines()[0]) from None
        kept = self._kept_types[name]
        is_kept = kept is not None and given.partition("(")[0] in kept
        if kept is None and _is_no_text(given, is_column=self._expressions[name].startswith('"')):
            raise FailedExpression(name, f"it is of type {given}, and a code or an id that is stored as a number may have lost digits")
        return f"{expression if is_kept else f'{expression}::varchar'} as {quote_name(name)}"

    def _find_failure(self, count: int) -> tuple[str, int]:
        """Find an expression that fails, and the first row for which it does."""
        for name, expression in self._expressions.items():
            if self._fails(expression, 0, count):
                low, high = 0, count
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (low, middle) if self._fails(expression, low, middle) else (middle, high)
                return name, low
        return "a column", 0

    def _fails(self, expression: str, low: int, high: int) -> bool:
        try:
            self._con.execute(f"select {_enclosed(expression)} from (from cells limit {high - low} offset {low})").to_arrow_table()
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            return True
        return False


def _is_no_text(given: str, is_column: bool) -> bool:
    """Say whether a type is none of which an id or a code may be made; of a column as it is, all but text are not."""
    if is_column:
        return given not in ("VARCHAR", '"NULL"') and not given.startswith("ENUM")
    return given in ("DOUBLE", "FLOAT") or given.startswith(("STRUCT", "MAP", "UNION")) or given.endswith("]")


@contextmanager
def open_evaluator(expressions: Mapping[str, str], kept_types: Mapping[str, frozenset[str] | None]) -> Iterator[Evaluator]:
    """Open a database that reaches no file, no network and no setting, to evaluate expressions in."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "autoload_known_extensions": False,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": "",
    }
    with duckdb.connect(config=config) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("set lock_configuration = true")
        yield Evaluator(con, expressions, kept_types)
