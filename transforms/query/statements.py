"""What may be asked of a published run: each statement is read as DuckDB itself reads it, and refused where that cannot be done.

DuckDB gives the syntax tree of a SELECT (`json_serialize_sql`), and of nothing else. Of the few other statements that are open, a form is
matched whose fixed words hold names alone; what follows them is put into a SELECT, of whose tree the same is asked. The tree says what a text
does whatever its quotes, comments and nesting look like. What it may be made of, and which of the engine's table functions it may call, is
listed; a new version of DuckDB opens nothing by itself.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

from sij_audit.transforms.errors import AuditError

EXPRESSIONS = frozenset((
    *("BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "DEFAULT", "FUNCTION", "LAMBDA"),
    *("LAMBDA_REF", "OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"),
))  # fmt: skip
"""Classes of expressions in a tree."""

PARTS = frozenset((
    *("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"),
    *("BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION"),
    *("DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER", "ASCENDING", "DESCENDING", "ORDER_DEFAULT"),
))  # fmt: skip
"""All else that a tree is made of, but for types of data: nodes that read, what they read from, and how rows are ordered and limited.

A CTE of DuckDB 2 can insert, or copy to a file (`COPY_QUERY_NODE`), and the whole is a SELECT all the same.
"""

OPEN_TABLE_FUNCTIONS = frozenset((
    *("duckdb_approx_database_count", "duckdb_columns", "duckdb_connection_count", "duckdb_constraints", "duckdb_coordinate_systems"),
    *("duckdb_databases", "duckdb_dependencies", "duckdb_external_file_cache", "duckdb_functions", "duckdb_indexes", "duckdb_keywords"),
    *("duckdb_log_contexts", "duckdb_logs", "duckdb_memory", "duckdb_optimizers", "duckdb_prepared_statements", "duckdb_schemas"),
    *("duckdb_secret_types", "duckdb_secrets", "duckdb_sequences", "duckdb_settings", "duckdb_table_sample", "duckdb_tables"),
    *("duckdb_temporary_files", "duckdb_types", "duckdb_variables", "duckdb_views", "generate_series", "icu_calendar_names", "json_each"),
    *("json_tree", "pg_timezone_names", "pragma_collations", "pragma_database_size", "pragma_metadata_info", "pragma_platform"),
    *("pragma_show", "pragma_storage_info", "pragma_table_info", "pragma_user_agent", "pragma_version", "range", "repeat", "repeat_row"),
    *("summary", "test_all_types", "test_vector_types", "unnest"),
))  # fmt: skip
"""Functions in FROM that reach no file and change nothing: they read the engine's own tables, or make rows.

All others of the engine are closed: they read files, change what the engine does (logging to a file that is out of reach was seen to end the
process), or run a text as a query.
"""

CLOSED_FUNCTIONS = frozenset(("json_serialize_plan", "write_log"))
"""Functions in expressions that are closed: one plans a text as a query, one writes to the engine's log."""


class QueryRefused(AuditError):
    """A query is no SQL, or does what a locked session is closed to."""


@dataclass(frozen=True)
class Statement:
    """A statement that may run, as the text that was checked."""

    text: str
    gives_rows: bool


# --- forms of statements that are no SELECT

GAP = r"(?:[ \t\r\n\f]|--[^\r\n]*\n|/\*(?:(?!\*/|/\*).)*\*/)"
"""A blank or a comment. A comment in which another begins is none here: where it ends, versions do not agree."""

SOME = f"{GAP}++"

ANY = f"{GAP}*+"

NAME = r'(?:"[^"]++"|[A-Za-z_]\w*+)'

PATH = rf"{NAME}(?:\.{NAME}){{0,2}}"

NAMES = rf"\({ANY}{NAME}(?:{ANY},{ANY}{NAME})*+{ANY}\)"

COLUMN = rf"{NAME}{SOME}[A-Za-z_]\w*+(?:{ANY}\({ANY}\d++(?:{ANY},{ANY}\d++)?{ANY}\))?(?:\[\d*+\])*+"
"""A column of a new table, with a type of one word."""

CREATE = f"create(?:{SOME}or{SOME}replace)?(?:{SOME}temp(?:orary)?)?"

MACRO = rf"{CREATE}{SOME}(?:macro|function){SOME}{PATH}{ANY}(?:{NAMES}|\({ANY}\)){ANY}as\b"

EXPLAIN_OPTION = rf"(?:analyze|format{SOME}\w++)"


@dataclass(frozen=True)
class Form:
    """How a statement may look that is no SELECT, and the SELECT that holds all of it that is more than names; none where nothing is."""

    pattern: re.Pattern[str]
    select: Callable[[re.Match[str]], str] | None
    gives_rows: bool = False


def _form(beginning: str, select: Callable[[re.Match[str]], str] | None, gives_rows: bool = False) -> Form:
    """A form that begins so; where it has a SELECT, anything may follow, and nothing else."""
    end = f"{ANY};*{ANY}" if select is None else "(?P<rest>.*)"
    return Form(re.compile(f"{ANY}{beginning}{end}", re.IGNORECASE | re.DOTALL), select, gives_rows)


def _rest(match: re.Match[str]) -> str:
    return match["rest"]


def _expressions(match: re.Match[str]) -> str:
    """Read what follows as the list of a SELECT: assignments of UPDATE read as comparisons there, and its FROM and WHERE are the same."""
    return f"select {match['rest']}"


FORMS = (
    _form(
        rf"explain\b(?:{SOME}analyze\b)?(?:{ANY}\({ANY}{EXPLAIN_OPTION}(?:{ANY},{ANY}{EXPLAIN_OPTION})*+{ANY}\))?", _rest, gives_rows=True
    ),
    _form(rf"set{SOME}variable{SOME}{NAME}{ANY}(?:=|to\b)", _expressions),
    _form(rf"{CREATE}{SOME}(?:table|view)(?:{SOME}if{SOME}not{SOME}exists)?{SOME}{PATH}(?:{ANY}{NAMES})?{ANY}as\b", _rest),
    _form(rf"{CREATE}{SOME}table(?:{SOME}if{SOME}not{SOME}exists)?{SOME}{PATH}{ANY}\({ANY}{COLUMN}(?:{ANY},{ANY}{COLUMN})*+{ANY}\)", None),
    _form(rf"{MACRO}{ANY}table\b", _rest),
    _form(rf"{MACRO}(?!{ANY}table\b)", _expressions),
    _form(rf"insert{SOME}into{SOME}{PATH}(?:{ANY}{NAMES})?(?:{SOME}by{SOME}(?:name|position)\b)?", _rest),
    _form(rf"update{SOME}{PATH}(?:{SOME}(?:as{SOME})?{NAME})?{SOME}set\b", _expressions),
    _form(rf"delete{SOME}from{SOME}(?P<table>{PATH})", lambda match: f"from {match['table']} {match['rest']}"),
    _form(rf"drop{SOME}(?:table|view|(?:macro|function)(?:{SOME}table)?)(?:{SOME}if{SOME}exists)?{SOME}{PATH}", None),
)

PIVOT = _form(
    rf"(?P<start>pivot{SOME}{PATH}{SOME}on{SOME}{NAME})(?={ANY};*{ANY}\Z|{SOME}(?:using|group|order|limit)\b)",
    lambda match: f"{match['start']} in (0) {match['rest']}",
    gives_rows=True,
)
"""A PIVOT that looks for its values itself, which DuckDB makes several statements of. With values it is a SELECT."""

OPEN_FORMS = {
    "CREATE": (
        "CREATE TABLE name AS SELECT …, TABLE name (column type, …), VIEW name AS SELECT …, MACRO name(parameter, …) AS …, "
        "MACRO name(…) AS TABLE SELECT …"
    ),
    "INSERT": "INSERT INTO name (column, …) SELECT … or VALUES …",
    "UPDATE": "UPDATE name SET column = …, … WHERE …",
    "DELETE": "DELETE FROM name WHERE …",
    "DROP": "DROP TABLE, VIEW or MACRO name",
    "SET": "SET VARIABLE name = …",
    "EXPLAIN": "EXPLAIN, also with ANALYZE, of a SELECT",
    "PIVOT": "PIVOT name ON column USING … as the only statement; elsewhere with the values, ON column IN (…)",
}
"""How statements that are open in some forms are written, by their first word."""


# --- what a query asks


def split_query(text: str) -> list[Statement]:
    """Split what somebody asks into statements; QueryRefused where it is no SQL, or does what a locked session is closed to.

    What is allowed is listed, not what is refused: the engine's own lock leaves ways to the database's file (detach it, attach it for
    writing; copy to the log beside it), and a new version of it may open others.
    """
    if "\0" in text or not _is_unicode(text):
        raise QueryRefused("The query is no text.")
    pivot = PIVOT.pattern.fullmatch(text)
    if pivot:
        return [_read_form(text, PIVOT, pivot)]
    try:
        statements = _reader().extract_statements(text)
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from None
    return [_read_statement(statement.query, _kind_of(statement)) for statement in statements]


def _kind_of(statement: duckdb.Statement) -> str:
    """What DuckDB calls a statement; nothing where its Python module lacks a name for it, as 2.0.1 does for UPDATE EXTENSIONS."""
    try:
        return statement.type.name
    except ValueError:
        return ""


def _is_unicode(text: str) -> bool:
    """Say whether a text can be written as UTF-8: what the shell cannot decode of an argument, it hands over as halves of characters."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _read_statement(text: str, kind: str) -> Statement:
    """Judge one statement; `kind` is what DuckDB calls it. Where it has no text, it is one of the statements that DuckDB makes of a PIVOT."""
    for form in FORMS:
        match = form.pattern.fullmatch(text)
        if match:
            return _read_form(text, form, match)
    _check_tree(text, "PIVOT" if kind == "MULTI" or not text.strip() else _first_word(text, kind))
    return Statement(text, gives_rows=True)


def _read_form(text: str, form: Form, match: re.Match[str]) -> Statement:
    if form.select:
        _check_tree(form.select(match), _first_word(text, ""))
    return Statement(text, form.gives_rows)


def _first_word(text: str, kind: str) -> str:
    """What a statement is called to who asks it: its first word, but its kind where that is only WITH."""
    match = re.match(rf"{ANY}\(*([A-Za-z]+)", text, re.DOTALL)
    word = match[1].upper() if match else kind
    return kind if word in ("WITH", "FROM") else word


def _check_tree(select: str, word: str) -> None:
    """Look through the tree of a SELECT; QueryRefused where it is none, or holds what is not open."""
    try:
        [[serialized]] = _reader().execute("select json_serialize_sql(?)", [select]).fetchall()
        tree = json.loads(serialized)
    except RecursionError:
        raise QueryRefused("The query is nested too deeply to be looked through.") from None
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from None
    if tree["error"] or len(tree["statements"]) != 1:
        form = f"is open here as {OPEN_FORMS[word]}" if word in OPEN_FORMS else "is closed here"
        raise QueryRefused(f"{word or 'That'} {form}: the session reads the run, writes to memory alone, and keeps its settings.")
    for part in _find_parts(tree["statements"]):
        _check_part(part)


def _find_parts(tree: list[Any]) -> Iterator[dict[str, Any]]:
    """Find all objects of a tree, however deep."""
    left: list[Any] = list(tree)
    while left:
        node = left.pop()
        if isinstance(node, dict):
            yield node
            left += node.values()
        elif isinstance(node, list):
            left += node


def _check_part(part: dict[str, Any]) -> None:
    """QueryRefused where a part of a tree is of a kind that is not listed, or calls a function that is closed."""
    kind = part.get("type")
    if isinstance(kind, str) and not kind.endswith("_TYPE_INFO"):
        listed, kind = (EXPRESSIONS, part["class"]) if "class" in part else (PARTS, kind)
        if kind not in listed:
            raise QueryRefused(f"{kind} within a query is closed here: the session reads the run, and writes to memory alone.")
    name = part.get("function_name")
    if name is not None and str(name).lower() in _closed_functions():
        raise QueryRefused(f"{str(name).lower()}() is closed here: the session reads the run, and writes to memory alone.")


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    """A database of its own that reads queries and runs none: in the one that is asked, a macro could stand in for what reads them."""
    return duckdb.connect(config={"threads": 1, "enable_external_access": False, "autoload_known_extensions": False})


@cache
def _closed_functions() -> frozenset[str]:
    """All functions in FROM that this version of the engine has and nobody has opened, and some others."""
    rows = _reader().execute("select lower(function_name) from duckdb_functions() where function_type = 'table'").fetchall()
    return CLOSED_FUNCTIONS | ({name for (name,) in rows} - OPEN_TABLE_FUNCTIONS)
