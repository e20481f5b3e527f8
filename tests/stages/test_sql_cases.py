"""Every query of `sql/` does what its cases in `tests/sql/` say, whatever the order of the rows."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sij_audit.transforms.stages.inputs import ASKED_COLUMNS, SERVED_COLUMNS, Inputs, create_table, load_inputs, open_warehouse
from sij_audit.transforms.stages.policies import Policy, load_policies, policy_folders
from sij_audit.transforms.stages.queries import Query, load_stage
from sij_audit.transforms.stages.running import SETTING_NAMES, policy_values, rule_values, run_stage, run_stages
from tests.cases import FOLDER, Case, expected_rows, read_cases, run_case

SETTINGS: dict[str, Any] = {
    **dict.fromkeys(SETTING_NAMES),
    "as_of": date(2024, 6, 30),
    "run_id": "2024-06-30-0123456789ab",
    "version": "0.1.0",
}


LIMITS: dict[str, Any] = {"max_requests_per_provider": 2, "asked_since": date(2024, 5, 1)}

AFTER_REPORTS = ("6_handoff", "7_page", "8_changes")
"""Stages that read the tables of a finished run."""


@cache
def the_policy() -> Policy:
    return next(policy for policy in load_policies(policy_folders()) if policy.folder.name == "cp_mp_166")


@cache
def queries() -> dict[str, tuple[Query, dict[str, Any]]]:
    """Every query and the values that it may name, by the path of its cases without the suffix."""
    policy = the_policy()
    stages = dict.fromkeys(("1_lines", "4_findings", "5_reports", *AFTER_REPORTS), SETTINGS)
    stages["6_handoff"] = LIMITS
    stages["2_timeline"] = policy_values(policy, SETTINGS)
    found = {f"{stage}/{query.table}": (query, values) for stage, values in stages.items() for query in load_stage(stage)}
    rules = {f"3_rules/cp_mp_166/{rule.rule_id}": (rule.query, rule_values(policy, rule, SETTINGS)) for rule in policy.rules}
    return found | rules


def case_files() -> dict[str, Path]:
    return {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in sorted(FOLDER.rglob("*.yaml"))}


CASES = [pytest.param(name, case, id=f"{name}: {case.name}") for name, path in case_files().items() for case in read_cases(path)]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """All tables, empty: that they can be made at all proves the empty batch."""
    with open_warehouse(tmp_path_factory.mktemp("spill"), threads=2) as connection:
        load_inputs(connection, Inputs())
        run_stages(connection, [the_policy()], SETTINGS)
        create_table(connection, "served_findings", SERVED_COLUMNS)
        create_table(connection, "asked_claims", ASKED_COLUMNS)
        for stage in AFTER_REPORTS:
            run_stage(connection, stage, {**SETTINGS, **LIMITS})
        yield connection


@pytest.mark.parametrize("name", sorted(queries()))
def test_every_query_has_cases(name: str) -> None:
    assert name in case_files()
    if name.startswith("3_rules/"):
        cases = read_cases(case_files()[name])
        assert len(cases) >= 3, "one found, one just inside the limit, one lawful look-alike"
        assert any(case.expect.rows for case in cases)


def test_every_file_of_cases_has_a_query() -> None:
    assert sorted(case_files().keys() - queries().keys()) == []


@pytest.mark.parametrize(("name", "case"), CASES)
def test_query(con: duckdb.DuckDBPyConnection, name: str, case: Case) -> None:
    query, values = queries()[name]
    is_of_policy = query.stage in ("2_timeline", "3_rules")
    con.execute(f"set search_path = '{the_policy().schema},main'" if is_of_policy else "set search_path = 'main'")
    expected = str(expected_rows(con, query.sql, values, case))
    for is_reversed in (False, True):
        assert str(run_case(con, query.sql, values, case, is_reversed)) == expected, "rows reversed" if is_reversed else "rows as written"
