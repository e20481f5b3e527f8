"""What an auditor needs to run a rule again: the tables that rules read, each rule with its limits bound, and the rows behind a finding.

With one policy all of it is in the schema `working`; with several each policy has a schema of its own. Names without a schema mean there what
they meant in the run, so a rule's file runs there as it stands.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb

from sij_audit.transforms.duck import list_columns, quote_name, quote_text
from sij_audit.transforms.stages.inputs import create_table
from sij_audit.transforms.stages.planning import RULE_MEANINGS, bind_parameters, explain_mistakes
from sij_audit.transforms.stages.policies import Policy, Rule
from sij_audit.transforms.stages.queries import Query, load_stage
from sij_audit.transforms.stages.running import rule_values

SCHEMA = "working"

PARAMETERS = "parameters"

PARAMETER_COLUMNS = {
    "rule_id": "the rule",
    "parameter_name": "what its SQL names as $parameter_name",
    "parameter_value": "what that was in this run, as a literal of SQL",
}

INPUT_COLUMNS = {
    "finding_id": "the finding",
    "table_order": "position of the table among those that the rule reads",
    "table_name": f"the table of the schema {SCHEMA}",
    "service_date": "date of service of the row; empty where it has none",
    "facts": "the columns of the row that the rule's SQL names, each with its value as text and its meaning",
}

NO_INPUTS = """
    select null::varchar as finding_id, null::bigint as table_order, null::varchar as table_name, null::date as service_date,
        null::struct(column_name varchar, value varchar, meaning varchar)[] as facts
    where false"""
"""No row, with the types of INPUT_COLUMNS."""

EARLIER_INPUTS = """
    input_rows.service_date < findings.service_date
    and input_rows.service_date = coalesce(findings.prior_service_date, input_rows.service_date)
    and list_has_any(input_rows.claim_ids, findings.prior_claim_ids)"""
"""Which rows, of a table that names the claims of each, are about the dates that a finding is measured against."""

SKIPPED = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
"""Comments and texts of a query."""

KEYS = ("person_id", "service_date")
"""Columns that say which row it is, and are no facts of it."""


def working_schemas(policies: Sequence[Policy]) -> dict[str, str]:
    """Name the schema of each policy, by policy_id."""
    if len(policies) == 1:
        return {policies[0].policy_id: SCHEMA}
    return {policy.policy_id: f"{SCHEMA}_{policy.name_in_sql}" for policy in policies}


def write_working(
    con: duckdb.DuckDBPyConnection, source: str, target: str, policies: Sequence[Policy], settings: Mapping[str, Any]
) -> None:
    """Write the schemas and the view `finding_inputs` into the database `target`, which is in use afterwards; the run's tables are in `source`.

    Views are made while their own schema is in use, so that they name no database. SqlError where a rule cannot be planned there.
    """
    inputs = [NO_INPUTS]
    queries = {query.table: query for stage in ("1_lines", "2_timeline") for query in load_stage(stage)}
    for policy in policies:
        schema = working_schemas(policies)[policy.policy_id]
        con.execute(f"create schema {quote_name(target)}.{schema}")
        con.execute(f"set search_path = {quote_text(f'{quote_name(source)}.{policy.schema},{quote_name(source)}.main')}")
        tables = read_tables(con, policy, settings)
        for table in tables:
            con.execute(f"create table {quote_name(target)}.{schema}.{quote_name(table)} as from {quote_name(table)}")
        con.execute(f"use {quote_name(target)}.{schema}")
        _comment_on_tables(con, tables, queries)
        _write_parameters(con, policy, settings)
        for rule in policy.rules:
            _make_rule_view(con, policy, rule, settings)
            inputs += _select_inputs(con, schema, policy, rule, settings, queries)
    con.execute(f"use {quote_name(target)}.main")
    con.execute(f"create view finding_inputs as {' union all '.join(inputs)}")
    comment_on(
        con, "view", "finding_inputs", "The rows behind each finding, as its rule reads them; why(finding) has those of one", INPUT_COLUMNS
    )


def read_tables(con: duckdb.DuckDBPyConnection, policy: Policy, settings: Mapping[str, Any]) -> list[str]:
    """Name the tables that the rules of a policy read, rules that are off among them."""
    tables = {table for rule in policy.rules for table in _tables_of(con, policy, rule, settings)}
    return sorted(tables - {rule.rule_id for rule in policy.rules})


def _tables_of(con: duckdb.DuckDBPyConnection, policy: Policy, rule: Rule, settings: Mapping[str, Any]) -> list[str]:
    return sorted(con.get_table_names(_bound_sql(policy, rule, settings)))


def _bound_sql(policy: Policy, rule: Rule, settings: Mapping[str, Any]) -> str:
    """Write the SQL of a rule with the values in the place of the parameters: a view can have none."""
    literals = {name: write_literal(value) for name, value in _parameters(policy, rule, settings).items()}
    return re.sub(rf"{SKIPPED.pattern}|\$(?P<name>\w+)", lambda match: literals.get(match["name"], match[0]), rule.query.sql)


def _parameters(policy: Policy, rule: Rule, settings: Mapping[str, Any]) -> dict[str, Any]:
    return bind_parameters(rule.query, rule_values(policy, rule, settings))


def write_literal(value: object) -> str:
    """Write a value that a query may name as a literal of SQL."""
    match value:
        case None:
            return "null"
        case bool() | int():
            return str(value).lower()
        case date():
            return f"date {quote_text(value.isoformat())}"
        case list():
            return f"[{', '.join(map(write_literal, value))}]"
        case _:
            return quote_text(str(value))


# --- tables and views of one policy


def _comment_on_tables(con: duckdb.DuckDBPyConnection, tables: Sequence[str], queries: Mapping[str, Query]) -> None:
    """Say what the tables mean, as far as the headers of their queries do."""
    for table in tables:
        if query := queries.get(table):
            comment_on(con, "table", table, f"{query.title}: {query.grain}", query.columns)


def comment_on(con: duckdb.DuckDBPyConnection, kind: str, name: str, comment: str, columns: Mapping[str, str]) -> None:
    """Say in the database what a table or view, and each of these columns of it, mean."""
    comments = [f"comment on {kind} {quote_name(name)} is {quote_text(comment)}"]
    comments += [
        f"comment on column {quote_name(name)}.{quote_name(column)} is {quote_text(meaning)}" for column, meaning in columns.items()
    ]
    con.execute("; ".join(comments))


def _write_parameters(con: duckdb.DuckDBPyConnection, policy: Policy, settings: Mapping[str, Any]) -> None:
    rows = [
        dict(zip(PARAMETER_COLUMNS, (rule.rule_id, name, write_literal(value)), strict=True))
        for rule in policy.rules
        for name, value in sorted(_parameters(policy, rule, settings).items())
    ]
    create_table(con, PARAMETERS, dict.fromkeys(PARAMETER_COLUMNS, "VARCHAR"), rows)
    comment_on(con, "table", PARAMETERS, "What the rules' parameters were: one row per rule_id and parameter_name", PARAMETER_COLUMNS)


def _make_rule_view(con: duckdb.DuckDBPyConnection, policy: Policy, rule: Rule, settings: Mapping[str, Any]) -> None:
    with explain_mistakes(rule.query):
        con.execute(f"create view {quote_name(rule.rule_id)} as {_bound_sql(policy, rule, settings)}")
    off = "" if rule.enabled else " (off in this run)"
    columns = [name for (name,) in con.execute(f"select column_name from (describe {quote_name(rule.rule_id)})").fetchall()]
    meanings = {name: RULE_MEANINGS[name] for name in columns}
    comment_on(con, "view", rule.rule_id, f"{rule.query.title}{off}: the rule as it ran, with its limits", meanings)


# --- the rows behind a finding


def _select_inputs(
    con: duckdb.DuckDBPyConnection, schema: str, policy: Policy, rule: Rule, settings: Mapping[str, Any], queries: Mapping[str, Query]
) -> list[str]:
    """Write a SELECT of INPUT_COLUMNS for the rule's parameters, where it has some, and for each table that it reads with a person_id.

    Each SELECT begins with the rule's findings, so that those of one finding cost no more than a scan of keys.
    """
    of_rule = f"findings.policy_id = {quote_text(policy.policy_id)} and findings.rule_id = {quote_text(rule.rule_id)}"
    selects = [f"{_select_parameters(schema, rule)} where {of_rule}"] if _parameters(policy, rule, settings) else []
    named = set(re.findall(r"\w+", SKIPPED.sub(" ", rule.query.sql)))
    for table in _tables_of(con, policy, rule, settings):
        columns = list(list_columns(con, table, schema))
        if "person_id" in columns:
            facts = [name for name in columns if name in named and name not in KEYS]
            conditions = [of_rule, *_row_conditions(rule, columns)]
            position = len(selects)
            meanings = queries[table].columns if table in queries else {}
            pairs = ", ".join(_write_fact(name, meanings.get(name, "")) for name in facts)
            selects.append(f"{_select_rows(schema, table, columns, pairs, position)} where {' and '.join(conditions)}")
    return selects


def _select_parameters(schema: str, rule: Rule) -> str:
    return f"""
        select findings.finding_id, 0, {quote_text(PARAMETERS)}, null, parameter_rows.facts
        from findings
        cross join (
            select list({{'column_name': parameter_name, 'value': parameter_value, 'meaning': 'parameter of the rule'}} order by parameter_name)
                as facts
            from {schema}.{PARAMETERS}
            where rule_id = {quote_text(rule.rule_id)}
        ) as parameter_rows"""


def _select_rows(schema: str, table: str, columns: Sequence[str], pairs: str, position: int) -> str:
    service_date = "input_rows.service_date" if "service_date" in columns else "null"
    return f"""
        select findings.finding_id, {position}, {quote_text(table)}, {service_date}, [{pairs}]
        from findings
        inner join {schema}.{quote_name(table)} as input_rows on findings.person_id = input_rows.person_id"""


def _write_fact(name: str, meaning: str) -> str:
    value = f"input_rows.{quote_name(name)}::varchar"
    return f"{{'column_name': {quote_text(name)}, 'value': {value}, 'meaning': {quote_text(meaning)}}}"


def _row_conditions(rule: Rule, columns: Sequence[str]) -> list[str]:
    """Say which rows of a person are behind a finding, as far as the columns of their table tell."""
    conditions = []
    if "service_date" in columns:
        same_date = "input_rows.service_date = findings.service_date"
        conditions.append(f"({same_date} or ({EARLIER_INPUTS}))" if "claim_ids" in columns else same_date)
    if rule.per == "code" and "hcpcs_code" in columns:
        conditions.append("list_contains(findings.procedure_codes, input_rows.hcpcs_code)")
    return conditions
