"""Run the SQL stages on a DuckDB connection.

Stage 1 runs once; stages 2 and 3 run once per policy, in a schema of that policy, and are then laid together in `main` with their policy_id;
stages 4 and 5 run once. All that a stage reads are tables, so every stage can be tested alone.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.duck import quote_name, quote_text, scan_parquet
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages.policies import Policy, Rule, load_stage, reference_files

RULE_COLUMNS = {
    "person_id": "VARCHAR",
    "service_date": "DATE",
    "hcpcs_code": "VARCHAR",
    "is_violation": "BOOLEAN",
    "scope": "VARCHAR",
    "doubt_bits": "BIGINT",
    "noted_doubt_bits": "BIGINT",
    "prior_service_date": "DATE",
    "interval_days": "BIGINT",
    "prior_count": "BIGINT",
    "earliest_compliant_date": "DATE",
    "breaks_left": "BOOLEAN",
    "breaks_right": "BOOLEAN",
    "may_cover_more": "BOOLEAN",
    "procedure_codes": "VARCHAR[]",
    "prior_claim_ids": "VARCHAR[]",
    "rationale": "VARCHAR",
}
"""What every rule's SELECT yields; `docs/architecture.md` says what each column means."""


CONTROL_COLUMNS = {
    "extract": "VARCHAR",
    "extract_sha256": "VARCHAR",
    "outcome": "VARCHAR",
    "reason": "VARCHAR",
    **{f"rows_{part}": "BIGINT" for part in ("read", "kept", "not_relevant", "quarantined", "duplicate")},
    **{f"paid_{part}": "DECIMAL(18, 2)" for part in ("read", "kept", "not_relevant", "quarantined", "duplicate")},
}

EXTRACT_COLUMNS = {
    "extract": "VARCHAR",
    "extract_sha256": "VARCHAR",
    "column_order": "BIGINT",
    "column": "VARCHAR",
    "is_canonical": "BOOLEAN",
    "is_present": "BOOLEAN",
    "filled_count": "BIGINT",
}

CLAIM_LINE = (
    "STRUCT(claim_id VARCHAR, claim_line_number BIGINT, hcpcs_code VARCHAR, claim_type VARCHAR, billing_npi VARCHAR, "
    "paid_amount DECIMAL(14, 2), amount_at_risk DECIMAL(14, 2))"
)

FINDING_COLUMNS = {
    **dict.fromkeys(("finding_id", "run_id", "status"), "VARCHAR"),
    "first_reported": "DATE",
    **dict.fromkeys(("policy_id", "policy_version", "policy_section", "rule_id", "determination", "scope"), "VARCHAR"),
    "doubts": "VARCHAR[]",
    **dict.fromkeys(("person_id", "member_id", "line_of_business", "payer", "plan"), "VARCHAR"),
    "service_date": "DATE",
    "site": "VARCHAR",
    "procedure_codes": "VARCHAR[]",
    "prior_service_date": "DATE",
    "interval_days": "BIGINT",
    "prior_count": "BIGINT",
    "earliest_compliant_date": "DATE",
    "claim_lines": f"{CLAIM_LINE}[]",
    "prior_claim_ids": "VARCHAR[]",
    **dict.fromkeys(("billing_npi", "rendering_npi", "facility_npi"), "VARCHAR"),
    "paid_amount": "DECIMAL(14, 2)",
    "amount_at_risk": "DECIMAL(14, 2)",
    "is_upper_bound": "BOOLEAN",
    "precedence_note": "VARCHAR",
    "rationale": "VARCHAR",
}
"""The report `findings`, which the next run reads back as `previous_findings`."""


DISPOSITION_COLUMNS = {
    "import_number": "BIGINT",
    "row_number": "BIGINT",
    **dict.fromkeys(("finding_id", "run_id", "evidence_id", "policy_id", "rule_id", "determination", "disposition"), "VARCHAR"),
    "recovered_amount": "DECIMAL(14, 2)",
    **dict.fromkeys(("reviewer", "note"), "VARCHAR"),
    "imported_on": "DATE",
}
"""What reviewers have said of findings, as OUT/reviews keeps it; a later import, and a later row, has the last word on a finding."""

SUPPRESSION_COLUMNS = {
    "import_number": "BIGINT",
    "row_number": "BIGINT",
    **dict.fromkeys(("claim_id", "data_source", "finding_id", "reason"), "VARCHAR"),
    "suppressed_until": "DATE",
    "imported_on": "DATE",
}
"""Claims and findings that somebody else has, as OUT/reviews keeps them; the last word on each counts."""

TREND_COLUMNS = {
    "run_order": "BIGINT",
    "run_id": "VARCHAR",
    "as_of": "DATE",
    **dict.fromkeys(("policy_id", "rule_id"), "VARCHAR"),
    **dict.fromkeys(("violations", "reviews", "new_findings", "changed_findings", "withdrawn_findings"), "BIGINT"),
    **dict.fromkeys(("paid_amount", "amount_at_risk"), "DECIMAL(14, 2)"),
}
"""The report `trend`, which the next run reads back as `previous_trend`."""

SETTING_NAMES = ("as_of", "line_of_business", "run_id", "previous_run_id", "version")
"""What a query of stages 1 to 5 may name besides limits and facts of a policy."""


@dataclass(frozen=True)
class Inputs:
    """All that the SQL stages read besides reference tables; without any of it they run over nothing."""

    batch_files: Sequence[Path] = ()
    previous_run: Path | None = None
    extract_controls: Sequence[Mapping[str, Any]] = ()
    extract_columns: Sequence[Mapping[str, Any]] = ()
    dispositions: Sequence[Path] = ()
    suppressions: Sequence[Path] = ()


def open_warehouse(folder: Path, memory_limit: str = "1500MB", threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB in memory that spills into `folder` and can load no extension."""
    config: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    return duckdb.connect(config=config)


def load_reference(con: duckdb.DuckDBPyConnection) -> None:
    """Make a table of each reference CSV: dates where a name begins with effective_, booleans with is_, whole numbers for _bit and _order."""
    for path in reference_files():
        with path.open(encoding="utf-8", newline="") as lines:
            header, *rows = list(csv.reader(lines))
        columns = ", ".join(f"{name} {_reference_type(name)}" for name in header)
        con.execute(f"create or replace table {path.stem} ({columns})")
        con.executemany(
            f"insert into {path.stem} values ({', '.join('?' * len(header))})", [[cell or None for cell in row] for row in rows]
        )


def _reference_type(name: str) -> str:
    if name.startswith("effective_"):
        return "DATE"
    if name.startswith("is_"):
        return "BOOLEAN"
    return "BIGINT" if name.endswith(("_bit", "_order")) else "VARCHAR"


def create_table(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]] = ()) -> None:
    """Make a table of these columns and fill it."""
    con.execute(f"create or replace table {name} ({', '.join(f'{quote_name(column)} {kind}' for column, kind in columns.items())})")
    if rows:
        con.executemany(
            f"insert into {name} values ({', '.join('?' * len(columns))})", [[row[column] for column in columns] for row in rows]
        )


def load_inputs(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Offer the reference tables, `kept_lines` (read from the batches as they are needed) and, as tables, all else that the stages read."""
    load_reference(con)
    if inputs.batch_files:
        names = ", ".join(column.name for column in COLUMNS)
        con.execute(f"create view kept_lines as select {names} from {scan_parquet(inputs.batch_files)}")
    else:
        create_table(con, "kept_lines", {column.name: column.sql_type for column in COLUMNS})
    previous = inputs.previous_run
    _load_files(con, "previous_findings", FINDING_COLUMNS, [previous / "findings.parquet"] if previous else [])
    trend = [previous / "trend.parquet"] if previous else []
    _load_files(con, "previous_trend", TREND_COLUMNS, [path for path in trend if path.is_file()])
    _load_files(con, "given_dispositions", DISPOSITION_COLUMNS, inputs.dispositions)
    _load_files(con, "given_suppressions", SUPPRESSION_COLUMNS, inputs.suppressions)
    create_table(con, "extract_controls", CONTROL_COLUMNS, inputs.extract_controls)
    create_table(con, "extract_columns", EXTRACT_COLUMNS, inputs.extract_columns)


def _load_files(con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], files: Sequence[Path]) -> None:
    create_table(con, table, columns)
    if files:
        con.execute(f"insert into {table} by name from {scan_parquet(files)}")


def run_query(con: duckdb.DuckDBPyConnection, table: str, sql: str, values: Mapping[str, Any]) -> None:
    """Fill a new table with what a SELECT yields, with the parameters that it names bound."""
    con.execute(f"create or replace table {table} as {sql}", _bound(table, sql, values))


def _bound(table: str, sql: str, values: Mapping[str, Any]) -> dict[str, Any]:
    names = duckdb.extract_statements(sql)[0].named_parameters
    unknown = sorted(names - values.keys())
    if unknown:
        raise AuditError(f"{table}.sql names ${unknown[0]}, which is neither a setting nor a limit of its policy")
    return {name: values[name] for name in names}


def run_stages(
    con: duckdb.DuckDBPyConnection,
    policies: Sequence[Policy],
    settings: Mapping[str, Any],
    step: Callable[[str], None] = lambda stage: None,
) -> None:
    """Run all SQL stages; `settings` has a value, or None, for each of SETTING_NAMES. `step` hears each stage begin."""
    step("lines")
    run_stage(con, "1_lines", settings)
    describe_policies(con, policies)
    timeline = load_stage("2_timeline")
    for policy in policies:
        step(f"timeline and rules of {policy.policy_id}")
        con.execute(f"create schema {policy.schema}")
        con.execute(f"set search_path = '{policy.schema},main'")
        for query in timeline:
            run_query(con, query.table, query.sql, policy_values(policy, settings))
        for rule in policy.rules:
            run_rule(con, policy, rule, settings)
    con.execute("set search_path = 'main'")
    for query in timeline:
        con.execute(f"create view {shared_name(query.table)} as {_over_policies(policies, query.table)}")
    step("findings")
    run_stage(con, "4_findings", settings)
    step("reports")
    run_stage(con, "5_reports", settings)


def run_stage(con: duckdb.DuckDBPyConnection, stage: str, settings: Mapping[str, Any]) -> None:
    """Run all queries of a stage that knows no policies, each filling its table."""
    for query in load_stage(stage):
        run_query(con, query.table, query.sql, settings)


def shared_name(table: str) -> str:
    """The name under which stages 4 and 5 see a table of stage 2, all policies together with their policy_id."""
    return table if table.startswith("policy_") else f"policy_{table}"


def _over_policies(policies: Sequence[Policy], table: str) -> str:
    return " union all ".join(f"select {quote_text(policy.policy_id)} as policy_id, * from {policy.schema}.{table}" for policy in policies)


def policy_values(policy: Policy, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the timeline of a policy may name."""
    return {**settings, **policy.facts, **policy.params}


def rule_values(policy: Policy, rule: Rule, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a rule may name."""
    return {**policy_values(policy, settings), **rule.params, "judges": rule.judges}


def describe_policies(con: duckdb.DuckDBPyConnection, policies: Sequence[Policy]) -> None:
    """Make the tables `policies`, `policy_rules` and, still empty, `rule_findings`."""
    families = {family for (family,) in con.execute("select family_id from procedure_families").fetchall()}
    groups = {group for (group,) in con.execute("select family_group from procedure_families").fetchall()}
    create_table(
        con,
        "policies",
        {"policy_id": "VARCHAR", "policy_version": "VARCHAR", "noted_reason": "VARCHAR"},
        [
            {"policy_id": policy.policy_id, "policy_version": policy.facts["version"], "noted_reason": policy.facts["noted_reason"]}
            for policy in policies
        ],
    )
    for policy in policies:
        for rule in policy.rules:
            if rule.judges not in families | groups:
                raise AuditError(f"{rule.query.path.name}: judges: {rule.judges}: there is no such family, or group of families")
    create_table(
        con,
        "policy_rules",
        {
            "policy_id": "VARCHAR",
            "rule_id": "VARCHAR",
            "section": "VARCHAR",
            "title": "VARCHAR",
            "rank": "BIGINT",
            "judges": "VARCHAR",
            "group_kind": "VARCHAR",
            "is_enabled": "BOOLEAN",
            "effective_from": "DATE",
            "text_held_from": "DATE",
            "records": "VARCHAR",
        },
        [
            {
                "policy_id": policy.policy_id,
                "rule_id": rule.rule_id,
                "section": rule.section,
                "title": rule.query.title,
                "rank": rule.rank,
                "judges": rule.judges,
                "group_kind": "family" if rule.judges in families else "family_group",
                "is_enabled": rule.enabled,
                "effective_from": rule.effective,
                "text_held_from": rule.text_held_from,
                "records": rule.query.header.get("records"),
            }
            for policy in policies
            for rule in policy.rules
        ],
    )
    create_table(con, "rule_findings", {"policy_id": "VARCHAR", "rule_id": "VARCHAR", **RULE_COLUMNS})


def run_rule(con: duckdb.DuckDBPyConnection, policy: Policy, rule: Rule, settings: Mapping[str, Any]) -> None:
    """Run one rule, and lay what it finds into `rule_findings` where the rule is on."""
    run_query(con, rule.rule_id, rule.query.sql, rule_values(policy, rule, settings))
    if rule.enabled:
        con.execute(
            f"insert into main.rule_findings by name select ? as policy_id, ? as rule_id, * from {rule.rule_id}",
            [policy.policy_id, rule.rule_id],
        )
