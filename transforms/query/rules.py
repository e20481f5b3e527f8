"""A rule of a published run, to be run again: which tables its names mean, and what its parameters were."""

from typing import Any

import duckdb

from sij_audit.transforms.duck import fetch_one, quote_name
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.query.session import set_schemas

OF_RULES = "database_name = 'audit' and view_name = ? and schema_name like 'working%'"
"""The views of a rule, which are named as the rule is: one in the schema of each policy that has it."""


def use_rule(con: duckdb.DuckDBPyConnection, rule: str) -> dict[str, Any]:
    """Let names without a schema mean first what they meant to a rule (RULE_ID or SCHEMA.RULE_ID), and give its parameters.

    UsageError where the run has no such rule, or several.
    """
    schema, _, rule_id = rule.rpartition(".")
    found = con.execute(f"select schema_name from duckdb_views() where {OF_RULES} order by 1", [rule_id]).fetchall()
    schemas = [name for (name,) in found if schema in ("", name)]
    if not schemas:
        raise UsageError("The run holds no rule of that name; the table rules lists those that are on.")
    if len(schemas) > 1:
        raise UsageError(f"Several policies have that rule. Name one: {', '.join(f'{name}.{rule_id}' for name in schemas)}.")
    set_schemas(con, schemas[0])
    literals = con.execute(f"select parameter_name, parameter_value from {schemas[0]}.parameters where rule_id = ?", [rule_id]).fetchall()
    return {name: fetch_one(con, f"select {literal} as {quote_name(name)}") for name, literal in literals}
