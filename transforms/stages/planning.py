"""Mistakes in SQL, said in a sentence that names file, line and what is not there.

Only errors of parsing, binding and catalog are shown: they quote the SQL itself. All others may quote a cell, and stay what they are.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import duckdb

from sij_audit.transforms.duck import fetch_dicts, quote_name
from sij_audit.transforms.errors import AuditError, SqlError
from sij_audit.transforms.stages.queries import Query

PLANNING_ERRORS = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)

LINE = re.compile(r"\s*\nLINE (\d+): ")
"""Where DuckDB's message ends and its copy of the line begins."""

MOST_PARTS = 8
"""So many lines of a message are shown: DuckDB may offer a hundred functions."""

RULE_COLUMNS = {
    "person_id": "VARCHAR",
    "service_date": "DATE",
    "hcpcs_code": "VARCHAR",
    "is_violation": "BOOLEAN",
    "scope": "VARCHAR",
    "doubts": "VARCHAR[]",
    "prior_service_date": "DATE",
    "interval_days": "BIGINT",
    "prior_count": "BIGINT",
    "earliest_compliant_date": "DATE",
    "breaks_left": "BOOLEAN",
    "breaks_right": "BOOLEAN",
    "may_cover_more": "BOOLEAN",
    "other_procedure_codes": "VARCHAR[]",
    "prior_claim_ids": "VARCHAR[]",
    "rationale": "VARCHAR",
}
"""What a rule's SELECT may yield."""

RULE_MEANINGS = {
    "person_id": "the person",
    "service_date": "the date of service of the finding",
    "hcpcs_code": "the code, where findings are per code; else left out",
    "is_violation": "true where claims show it, given what the policy presumes; false makes a review, which must have a doubt",
    "scope": "same_site, unspecified_site or other_site, where the rule looks at earlier injections",
    "doubts": (
        "what claims leave open: ids of `0_reference/doubts.csv`; those that the policy presumes away become presumptions, any other makes a "
        "review"
    ),
    "prior_service_date": "the earlier date that it is measured against",
    "interval_days": "days since then",
    "prior_count": "earlier injections that count",
    "earliest_compliant_date": "the first date that would have complied",
    "breaks_left": (
        "whether the left side breaks the rule: where false, lines that name the left side alone are not cited; null where the rule does not "
        "look at sides"
    ),
    "breaks_right": "the same for the right side",
    "may_cover_more": "whether the cited lines may also pay for what breaks no rule: `is_upper_bound`, unless each names one side alone",
    "other_procedure_codes": "codes of other procedures that the finding is about, shown beside those of the cited lines",
    "prior_claim_ids": "claims that it is measured against",
    "rationale": 'the sentence after "CODES on DATE (SITE) ", without a full stop',
}
"""What each of these columns means."""

NO_TYPE = '"NULL"'
UNTYPED = ("INTEGER", NO_TYPE)
"""What a null without a type counts as, in DuckDB 1.5 and in 2.0."""

NEEDED_RULE_COLUMNS = ("person_id", "service_date", "is_violation", "rationale")
"""What it must yield; where `per` is code, hcpcs_code too."""


@contextmanager
def explain_mistakes(query: Query) -> Iterator[None]:
    """Turn what DuckDB says of a mistake in this file into a SqlError."""
    try:
        yield
    except PLANNING_ERRORS as error:
        raise SqlError(describe_mistake(error, query.place)) from None


def describe_mistake(error: duckdb.Error, place: str) -> str:
    """Write what is wrong in one sentence, with the line where DuckDB says it, and with the names that it offers instead."""
    message, *rest = LINE.split(str(error), maxsplit=1)
    parts = [part.strip().rstrip("!.") for part in message.partition(" Error: ")[2].splitlines() if part.strip()]
    if len(parts) > MOST_PARTS:
        parts = [*parts[:MOST_PARTS], f"and {len(parts) - MOST_PARTS} more"]
    return f"{place}{f', line {rest[0]}' if rest else ''}: {'; '.join(parts)}."


def select_parameters(query: Query) -> set[str]:
    """Name the parameters of the one SELECT that a file must be; SqlError where it is none."""
    with explain_mistakes(query):
        names = _named_parameters(query.sql)
    if names is None:
        raise SqlError(f"{query.place}: must be one SELECT, and nothing besides.")
    return set(names)


@cache
def _named_parameters(sql: str) -> frozenset[str] | None:
    """Name the parameters of one SELECT; None of what is none. A run asks several times, and each time costs as much as to parse it."""
    statements = duckdb.extract_statements(sql)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        return None
    return frozenset(statements[0].named_parameters)


def bind_parameters(query: Query, values: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the values that a query names, since DuckDB takes no others; AuditError where it names one that there is not."""
    names = select_parameters(query)
    if unknown := sorted(names - values.keys()):
        raise AuditError(f"{query.place} names ${unknown[0]}, which is neither a setting nor a limit of its policy")
    return {name: values[name] for name in names}


def check_columns(query: Query, columns: Mapping[str, str]) -> None:
    """Hold a header against the columns that its query yields; SqlError names one that either lacks, or the grain's."""
    if query.columns:
        if unexplained := [name for name in columns if name not in query.columns]:
            raise SqlError(f"{query.place}: the header explains no column '{unexplained[0]}', which the query yields.")
        if lost := [name for name in query.columns if name not in columns]:
            raise SqlError(f"{query.place}: the header explains column '{lost[0]}', which the query does not yield.")
    if "grain" in query.header and (lost := [name for name in query.grain.columns or () if name not in columns]):
        raise SqlError(f"{query.place}: grain names column '{lost[0]}', which the query does not yield.")


def check_rule_columns(con: duckdb.DuckDBPyConnection, query: Query, columns: Mapping[str, str]) -> None:
    """Hold what a rule yields against what a finding is made of; SqlError names a column that is unknown, lacking or of a wrong type."""
    for name in columns:
        if name not in RULE_COLUMNS:
            raise SqlError(f"{query.place}: yields column '{name}', which no finding has; known: {', '.join(RULE_COLUMNS)}.")
    for name in (*NEEDED_RULE_COLUMNS, *(("hcpcs_code",) if query.header["per"] == "code" else ())):
        if name not in columns:
            raise SqlError(
                f"{query.place}: does not yield column '{name}', which every finding{' per code' * (name == 'hcpcs_code')} needs."
            )
    casts = ", ".join(
        f"can_cast_implicitly(null::{kind}, null::{RULE_COLUMNS[name]}) as {quote_name(name)}" for name, kind in columns.items()
    )
    [fits] = fetch_dicts(con, f"select {casts}")
    for name, does_fit in fits.items():
        kind, wanted = columns[name], RULE_COLUMNS[name]
        if (not does_fit or kind.startswith(NO_TYPE)) and (kind, wanted) != ("HUGEINT", "BIGINT"):  # sums are that wide
            hint = "; a null needs a type: cast it, or leave the column out" if kind.startswith(UNTYPED) else ""
            raise SqlError(f"{query.place}: column '{name}' is {kind}, and must be {wanted}{hint}.")
