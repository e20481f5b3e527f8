"""Run the SQL stages on a DuckDB connection.

Stage 1 runs once; stages 2 and 3 run once per policy, in a schema of that policy, and are then laid together in `main` with their policy_id;
stages 4 and 5 run once. All that a stage reads are tables, so every stage can be tested alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from sij_audit.transforms.duck import fetch_one, list_columns, quote_name, quote_text
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages.inputs import FINDING_COLUMNS, create_table
from sij_audit.transforms.stages.planning import RULE_COLUMNS, bind_parameters, check_columns, check_rule_columns, explain_mistakes
from sij_audit.transforms.stages.policies import Policy, Rule
from sij_audit.transforms.stages.queries import Query, load_stage

PUBLISHED_ONLY = ("run_id", "status", "first_reported")
"""Columns of published findings that are not about the finding itself."""

SETTING_NAMES = ("as_of", "line_of_business", "run_id", "previous_run_id", "version")
"""What a query of stages 1 to 5 may name besides limits and facts of a policy."""


def run_query(con: duckdb.DuckDBPyConnection, query: Query, values: Mapping[str, Any], schema: str = "main") -> dict[str, str]:
    """Fill a new table of the schema in use, or make a view, with what a query yields, its parameters bound; give its columns with their types.

    SqlError where it cannot be planned, or yields other columns than its header explains.
    """
    bound = bind_parameters(query, values)
    with explain_mistakes(query):
        kind = "view" if query.is_view else "table"
        con.execute(f"create or replace {kind} {quote_name(query.table)} as {query.sql}", bound)
    if query.is_view:
        columns = dict(con.execute(f"select column_name, column_type from (describe {quote_name(query.table)})").fetchall())
    else:
        columns = list_columns(con, query.table, schema)
    check_columns(query, columns)
    return columns


def run_stages(con: duckdb.DuckDBPyConnection, policies: Sequence[Policy], settings: Mapping[str, Any]) -> None:
    """Run all SQL stages; `settings` has a value, or None, for each of SETTING_NAMES."""
    run_lines(con, policies, settings)
    run_timelines(con, policies, settings)
    run_rules(con, policies, settings)
    run_stage(con, "4_findings", settings)
    run_stage(con, "5_reports", settings)


def run_lines(con: duckdb.DuckDBPyConnection, policies: Sequence[Policy], settings: Mapping[str, Any]) -> None:
    """Run stage 1, and describe the policies to all that follow."""
    run_stage(con, "1_lines", settings)
    describe_policies(con, policies)


def run_timelines(con: duckdb.DuckDBPyConnection, policies: Sequence[Policy], settings: Mapping[str, Any]) -> None:
    """Run stage 2 for each policy."""
    for policy in policies:
        run_timeline(con, policy, settings)


def run_rules(con: duckdb.DuckDBPyConnection, policies: Sequence[Policy], settings: Mapping[str, Any]) -> None:
    """Run stage 3 for each policy; what follows then sees the timelines of all policies together."""
    for policy in policies:
        for rule in policy.rules:
            run_rule(con, policy, rule, settings)
    share_timeline(con, policies)


def run_stage(con: duckdb.DuckDBPyConnection, stage: str, settings: Mapping[str, Any]) -> None:
    """Run all queries of a stage that knows no policies, each filling its table."""
    for query in load_stage(stage):
        run_query(con, query, settings)


def run_timeline(con: duckdb.DuckDBPyConnection, policy: Policy, settings: Mapping[str, Any]) -> None:
    """Run stage 2 for a policy, in a schema of its own."""
    con.execute(f"create schema {policy.schema}")
    with _schema_of(con, policy):
        for query in load_stage("2_timeline"):
            run_query(con, query, policy_values(policy, settings), policy.schema)


def run_rule(con: duckdb.DuckDBPyConnection, policy: Policy, rule: Rule, settings: Mapping[str, Any]) -> None:
    """Run one rule on the timeline of its policy, and lay what it finds into `rule_findings` where the rule is on."""
    with _schema_of(con, policy):
        columns = run_query(con, rule.query, rule_values(policy, rule, settings), policy.schema)
        check_rule_columns(con, rule.query, columns)
        if "doubts" in columns:
            _check_doubts(con, policy, rule)
        if rule.enabled:
            con.execute(
                f"insert into main.rule_findings by name select ? as policy_id, ? as rule_id, * from {quote_name(rule.rule_id)}",
                [policy.policy_id, rule.rule_id],
            )


def _check_doubts(con: duckdb.DuckDBPyConnection, policy: Policy, rule: Rule) -> None:
    """Check that a rule names doubts that there are, and one at least for what is no violation; AuditError with its file."""
    table, place = quote_name(rule.rule_id), rule.query.place
    named = f"select unnest(doubts) as doubt_id from {table}"
    unknown = fetch_one(con, f"select min(doubt_id) from ({named}) anti join doubts using (doubt_id)")
    if unknown:
        raise AuditError(f"{place}: yields the doubt '{unknown}', and there is no such doubt in 0_reference/doubts.csv.")
    without = fetch_one(
        con,
        f"select count(*) from {table} where not is_violation and list_has_all($presumes, coalesce(doubts, []))",
        {"presumes": policy.presumes},
    )
    if without:
        raise AuditError(f"{place}: {without:,} of its reviews say nothing of what is open; what is no violation must have a doubt.")


@contextmanager
def _schema_of(con: duckdb.DuckDBPyConnection, policy: Policy) -> Iterator[None]:
    """Let names without a schema mean the policy's tables first."""
    con.execute(f"set search_path = '{policy.schema},main'")
    try:
        yield
    finally:
        con.execute("set search_path = 'main'")


def share_timeline(con: duckdb.DuckDBPyConnection, policies: Sequence[Policy]) -> None:
    """Lay each table of stage 2 of all policies together, with their policy_id."""
    for query in load_stage("2_timeline"):
        selects = [f"select {quote_text(policy.policy_id)} as policy_id, * from {policy.schema}.{query.table}" for policy in policies]
        con.execute(f"create view {shared_name(query.table)} as {' union all '.join(selects)}")


def shared_name(table: str) -> str:
    """The name under which stages 4 and 5 see a table of stage 2, all policies together with their policy_id."""
    return table if table.startswith("policy_") else f"policy_{table}"


def policy_values(policy: Policy, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the timeline of a policy may name."""
    return {**settings, **policy.facts, **policy.params}


def rule_values(policy: Policy, rule: Rule, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a rule may name."""
    return {**policy_values(policy, settings), **rule.params, "cites": rule.cites}


def compare_findings(con: duckdb.DuckDBPyConnection, before: str, now: str) -> None:
    """Fill `compared_findings` outside a run: from findings as they were published before (a SELECT), and those that hold now (another)."""
    create_table(con, "previous_findings", FINDING_COLUMNS)
    con.execute(f"insert into previous_findings by name {before}")
    create_table(con, "current_findings", {name: kind for name, kind in FINDING_COLUMNS.items() if name not in PUBLISHED_ONLY})
    con.execute(f"insert into current_findings by name select * exclude ({', '.join(PUBLISHED_ONLY)}) from ({now})")
    [query] = [query for query in load_stage("4_findings") if query.table == "compared_findings"]
    run_query(con, query, {"as_of": None})


def describe_policies(con: duckdb.DuckDBPyConnection, policies: Sequence[Policy]) -> None:
    """Make the tables `policies`, `policy_rules`, `policy_limits` and, still empty, `rule_findings`."""
    families = {family for (family,) in con.execute("select family_id from procedure_families").fetchall()}
    create_table(
        con,
        "policies",
        {"policy_id": "VARCHAR", "noted_reason": "VARCHAR", "presumes": "VARCHAR[]", "injection_family": "VARCHAR"},
        [
            {
                "policy_id": policy.policy_id,
                "noted_reason": policy.facts["noted_reason"],
                "presumes": policy.presumes,
                "injection_family": policy.params.get("injection_family"),
            }
            for policy in policies
        ],
    )
    create_table(
        con,
        "policy_revisions",
        {"policy_id": "VARCHAR", "policy_version": "VARCHAR", "effective_from": "DATE"},
        [
            {"policy_id": policy.policy_id, "policy_version": revision, "effective_from": f"{revision}-01"}
            for policy in policies
            for revision in policy.revisions
        ],
    )
    create_table(
        con,
        "state_rules",
        {"policy_id": "VARCHAR", "state": "VARCHAR", "effective_from": "DATE", "effective_to": "DATE", "outcome": "VARCHAR"},
        [
            {
                "policy_id": policy.policy_id,
                "state": rule.state,
                "effective_from": rule.effective_from,
                "effective_to": rule.effective_to,
                "outcome": rule.outcome,
            }
            for policy in policies
            for rule in policy.states
        ],
    )
    doubts = {doubt for (doubt,) in con.execute("select doubt_id from doubts").fetchall()}
    for policy in policies:
        if unknown := sorted(set(policy.presumes) - doubts):
            raise AuditError(f"{policy.folder.name}/policy.toml: presumes: {unknown[0]}: there is no such doubt in 0_reference/doubts.csv")
        for rule in policy.rules:
            if rule.cites not in families:
                raise AuditError(f"{rule.query.place}: cites: {rule.cites}: there is no such family")
    create_table(
        con,
        "policy_rules",
        {
            "policy_id": "VARCHAR",
            "rule_id": "VARCHAR",
            "section": "VARCHAR",
            "title": "VARCHAR",
            "rank": "BIGINT",
            "cites": "VARCHAR",
            "is_enabled": "BOOLEAN",
            "effective_from": "DATE",
            "text_held_from": "DATE",
            "criterion": "VARCHAR",
            "records": "VARCHAR",
        },
        [
            {
                "policy_id": policy.policy_id,
                "rule_id": rule.rule_id,
                "section": rule.section,
                "title": rule.query.title,
                "rank": rule.rank,
                "cites": rule.cites,
                "is_enabled": rule.enabled,
                "effective_from": rule.effective,
                "text_held_from": rule.text_held_from,
                "criterion": rule.criterion,
                "records": rule.query.header.get("records"),
            }
            for policy in policies
            for rule in policy.rules
        ],
    )
    create_table(
        con,
        "policy_limits",
        dict.fromkeys(("policy_id", "rule_id", "limit_name", "limit_value"), "VARCHAR"),
        [
            {"policy_id": policy.policy_id, "rule_id": rule_id, "limit_name": name, "limit_value": str(value)}
            for policy in policies
            for rule_id, limits in ((None, policy.params), *((rule.rule_id, rule.params) for rule in policy.rules))
            for name, value in limits.items()
        ],
    )
    create_table(con, "rule_findings", {"policy_id": "VARCHAR", "rule_id": "VARCHAR", **RULE_COLUMNS})
