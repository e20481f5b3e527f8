"""Every query of `sql/` with the values that it may name, and a database in which all their tables are there, empty."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from sij_audit.transforms.stages.inputs import ASKED_COLUMNS, SERVED_COLUMNS, Inputs, create_table, load_inputs, open_warehouse
from sij_audit.transforms.stages.policies import Policy, load_policies, policy_folders
from sij_audit.transforms.stages.queries import Query, load_stage
from sij_audit.transforms.stages.running import SETTING_NAMES, policy_values, rule_values, run_stage, run_stages
from tests.cases import FOLDER, Case, read_cases
from tests.wide_cases import made_cases

SETTINGS: dict[str, Any] = {
    **dict.fromkeys(SETTING_NAMES),
    "as_of": date(2024, 6, 30),
    "run_id": "2024-06-30-0123456789ab",
    "version": "0.1.0",
}

LIMITS: dict[str, Any] = {"max_requests_per_provider": 2, "asked_since": date(2024, 5, 1)}

AFTER_REPORTS = ("6_handoff", "7_page", "8_changes")
"""Stages that read the tables of a finished run."""

HEADERS = "3_rules/cp_mp_166/headers"
"""What is compared with the headers of the policy's rules: the table `rule_headers`, which the policy as it was loaded fills."""

HEADER_COLUMNS = {
    **dict.fromkeys(("rule_id", "section"), "VARCHAR"),
    "rank": "BIGINT",
    **dict.fromkeys(("per", "cites"), "VARCHAR"),
    "enabled": "BOOLEAN",
    **dict.fromkeys(("effective", "text_held_from"), "DATE"),
    **dict.fromkeys(("limits", "presumes"), "VARCHAR[]"),
}


@cache
def the_policy() -> Policy:
    """The policy that comes with the program."""
    return next(policy for policy in load_policies(policy_folders()) if policy.folder.name == "cp_mp_166")


def queries() -> dict[str, tuple[Query, dict[str, Any]]]:
    """Every query and the values that it may name, by the path of its cases without the suffix."""
    return queries_of(the_policy())


def queries_of(policy: Policy) -> dict[str, tuple[Query, dict[str, Any]]]:
    """Every query with the values that it may name under a policy."""
    stages = dict.fromkeys(("1_lines", "4_findings", "5_reports", *AFTER_REPORTS), SETTINGS)
    stages["6_handoff"] = LIMITS
    stages["2_timeline"] = policy_values(policy, SETTINGS)
    found = {f"{stage}/{query.table}": (query, values) for stage, values in stages.items() for query in _queries_of_stage(stage)}
    rules = {f"3_rules/cp_mp_166/{rule.rule_id}": (rule.query, rule_values(policy, rule, SETTINGS)) for rule in policy.rules}
    headers = Query("rule_headers", "3_rules", policy.folder, "select * from rule_headers", {}, "", {}, {})
    return found | rules | {HEADERS: (headers, {})}


@cache
def _queries_of_stage(stage: str) -> list[Query]:
    return load_stage(stage)


def case_files() -> dict[str, Path]:
    """The files of cases by the name of their query."""
    return {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in sorted(FOLDER.rglob("*.yaml"))}


@cache
def all_cases(name: str) -> list[Case]:
    """The cases of a query, those made by code among them."""
    return [*made_cases(name), *read_cases(case_files()[name])]


@contextmanager
def empty_tables(threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database with all tables, empty: that they can be made at all proves the empty batch."""
    with tempfile.TemporaryDirectory() as spill, open_warehouse(Path(spill), threads=threads) as con:
        load_inputs(con, Inputs())
        run_stages(con, [the_policy()], SETTINGS)
        create_table(con, "served_findings", SERVED_COLUMNS)
        create_table(con, "asked_claims", ASKED_COLUMNS)
        for stage in AFTER_REPORTS:
            run_stage(con, stage, {**SETTINGS, **LIMITS})
        make_headers(con, the_policy())
        yield con


def make_headers(con: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Fill the table `rule_headers` with what the headers of a policy's rules say, references to other limits followed, and what it presumes."""
    rows = [
        {name: getattr(rule, name, None) for name in HEADER_COLUMNS}
        | {"limits": [f"{name} = {value}" for name, value in sorted(rule.params.items())], "presumes": policy.presumes}
        for rule in policy.rules
    ]
    create_table(con, "main.rule_headers", HEADER_COLUMNS, rows)


def set_schema(con: duckdb.DuckDBPyConnection, query: Query) -> None:
    """Let names mean what they mean where the query runs."""
    is_of_policy = query.stage in ("2_timeline", "3_rules")
    con.execute(f"set search_path = '{the_policy().schema},main'" if is_of_policy else "set search_path = 'main'")
