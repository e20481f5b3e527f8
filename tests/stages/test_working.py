"""What rules read is published, and each rule's file runs there as it stands, with the rows of the run."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sij_audit.transforms.errors import SqlError
from sij_audit.transforms.stages.checking import SETTINGS
from sij_audit.transforms.stages.inputs import Inputs, load_inputs, open_warehouse
from sij_audit.transforms.stages.policies import Policy, Rule, load_policies
from sij_audit.transforms.stages.queries import load_stage
from sij_audit.transforms.stages.running import run_stages
from sij_audit.transforms.stages.working import read_tables, working_schemas, write_literal, write_working
from sij_audit.transforms.store.folder import Store
from tests.queries import HEADERS, queries, the_policy
from tests.runs import AS_OF

RULES = the_policy().rules


@pytest.fixture(scope="module")
def audited(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of the stages themselves, of the same claims."""
    with open_warehouse(tmp_path_factory.mktemp("spill"), threads=2) as con:
        load_inputs(con, Inputs(batch_files=[batch.path for batch in Store(sample).batches()]))
        run_stages(con, [the_policy()], {**SETTINGS, "as_of": AS_OF})
        yield con


@pytest.fixture
def audit(sample: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(sample / "current/audit.duckdb", read_only=True) as con:
        yield con


def rows_of(con: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any] | None = None) -> list[str]:
    """The rows of a query, each with the names of its columns, in an order that does not depend on the query."""
    found = con.execute(query, values or {})
    names = [column[0] for column in found.description]
    return sorted(repr(dict(zip(names, row, strict=True))) for row in found.fetchall())


def reported_limits(con: duckdb.DuckDBPyConnection, rule: Rule) -> dict[str, Any]:
    """What a rule names of the report `limits`: its own, else those of the policy."""
    own_last = "from main.limits where rule_id is null or rule_id = ? order by rule_id nulls first"
    limits = con.execute(f"select limit_name, limit_value {own_last}", [rule.rule_id]).fetchall()
    named = duckdb.extract_statements(rule.query.sql)[0].named_parameters
    return {name: int(value) if value.isdigit() else value for name, value in limits if name in named}


# --- the policy that comes with the program


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule_id)
def test_the_file_of_a_rule_gives_the_rows_of_the_run(
    audited: duckdb.DuckDBPyConnection, audit: duckdb.DuckDBPyConnection, rule: Rule
) -> None:
    of_run = f"{the_policy().schema}.{rule.rule_id}"
    expected = rows_of(audited, f"from {of_run}")
    columns = ", ".join(name for name, *_ in audited.execute(f"describe {of_run}").fetchall())
    found = rows_of(audited, f"select {columns} from rule_findings where rule_id = $rule_id", {"rule_id": rule.rule_id})
    assert found == (expected if rule.enabled else [])
    assert expected or not rule.enabled
    literals = audit.execute("select parameter_name, parameter_value from working.parameters where rule_id = ?", [rule.rule_id]).fetchall()
    cites = {"cites": rule.cites} if "$cites" in rule.query.sql else {}
    parameters = {**reported_limits(audit, rule), **cites}
    assert {name: write_literal(value) for name, value in parameters.items()} == dict(literals)
    text = rule.query.path.read_text(encoding="utf-8")
    audit.execute("use working")
    assert rows_of(audit, text, parameters) == expected
    assert rows_of(audit, f"from working.{rule.rule_id}") == expected
    audit.execute(f"prepare rule as {text}")
    arguments = ", ".join(f"{name} := {literal}" for name, literal in literals)
    assert rows_of(audit, f"execute rule({arguments})" if arguments else "execute rule") == expected


def test_the_tables_are_those_that_rules_read_and_every_column_is_explained(audit: duckdb.DuckDBPyConnection) -> None:
    words = {word for rule in RULES for word in re.findall(r"(?:from|join) (\w+)", rule.query.sql)}
    stages = {query.table: query for stage in ("1_lines", "2_timeline") for query in load_stage(stage)}
    tables = {name for (name,) in audit.execute("select table_name from duckdb_tables() where schema_name = 'working'").fetchall()}
    assert tables == (words & stages.keys()) | {"parameters"}
    comments = audit.execute("select table_name, column_name, comment from dictionary where table_name like 'working.%'").fetchall()
    meanings = {(table.removeprefix("working."), column): comment for table, column, comment in comments}
    for table in tables - {"parameters"}:
        columns = [name for name, *_ in audit.execute(f"describe working.{table}").fetchall()]
        assert meanings[table, None] == f"{stages[table].title}: {stages[table].grain}"
        assert {name: meanings[table, name] for name in columns} == stages[table].columns
    assert all(meaning for (table, _), meaning in meanings.items() if table in tables)


def test_a_rule_depends_on_at_most_8_files_of_the_timeline() -> None:
    texts = {name: query.sql for name, (query, _) in queries().items()}
    timeline = {name.removeprefix("2_timeline/") for name in texts if name.startswith("2_timeline/")}

    def depends_on(name: str) -> set[str]:
        read = set(re.findall(r"\b(?:from|join) (\w+)", texts[name])) & timeline - {name.removeprefix("2_timeline/")}
        return read.union(*(depends_on(f"2_timeline/{table}") for table in read))

    rules = [name for name in texts if name.startswith("3_rules/") and name != HEADERS]
    assert max(len(depends_on(rule)) for rule in rules) == 8


def test_a_rule_that_is_off_says_so(audit: duckdb.DuckDBPyConnection) -> None:
    comments = dict(audit.execute("select view_name, comment from duckdb_views() where schema_name = 'working'").fetchall())
    assert {name: "(off in this run)" in comment for name, comment in comments.items()} == {
        rule.rule_id: not rule.enabled for rule in RULES
    }


def test_one_policy_is_working_and_of_several_each_has_a_schema() -> None:
    policy = the_policy()
    other = replace(policy, facts={**policy.facts, "policy_id": "9 Lives"})
    assert working_schemas([policy]) == {"CP.MP.166": "working"}
    assert working_schemas([policy, other]) == {"CP.MP.166": "working_cp_mp_166", "9 Lives": "working_9_lives"}


# --- rules of a plan


def planned(folder: Path, sql: str) -> tuple[duckdb.DuckDBPyConnection, Policy]:
    """All stages over no claims, with one rule of a plan's own beside those of the policy."""
    header = "-- title: Own\n-- section: X\n-- rank: 99\n-- per: date\n-- cites: sij_injection\n-- criterion: One."
    plan = folder / "plan"
    plan.mkdir()
    (plan / "policy.toml").write_text('extends = "cp_mp_166"\n', encoding="utf-8")
    (plan / "own_rule.sql").write_text(f"{header}\n\n{sql}\n", encoding="utf-8")
    [policy] = load_policies([plan])
    con = open_warehouse(folder, threads=1)
    load_inputs(con, Inputs())
    run_stages(con, [policy], SETTINGS)
    return con, policy


OWN_SQL = """\
select
    person_id,
    service_date,
    false as is_violation,
    ['exception_possible'] as doubts, -- not $nothing
    'costs $cites' as rationale,
from live_lines
where service_date < $as_of and hcpcs_code in (select hcpcs_code from procedure_codes) and $series_months > 0"""


def test_a_rule_may_read_any_table_of_the_stages_and_name_any_setting(tmp_path: Path) -> None:
    con, policy = planned(tmp_path, OWN_SQL)
    with con:
        assert {"live_lines", "procedure_codes"} <= set(read_tables(con, policy, SETTINGS))
        write_working(con, "memory", "memory", [policy], SETTINGS)
        assert rows_of(con, "from working.own_rule") == []
        parameters = con.execute("select parameter_name, parameter_value from working.parameters where rule_id = 'own_rule'").fetchall()
        assert parameters == [("as_of", "date '2000-01-01'"), ("series_months", "12")]
        assert rows_of(con, "from finding_inputs") == []


def test_a_rule_that_cannot_run_there_is_named(tmp_path: Path) -> None:
    """What a name with a schema means in the run is not there in a published database."""
    con, policy = planned(tmp_path, OWN_SQL.replace("from live_lines", "from main.live_lines"))
    con.execute("attach ':memory:' as elsewhere")
    with con, pytest.raises(SqlError, match=r"plan/own_rule\.sql"):
        write_working(con, "memory", "elsewhere", [policy], SETTINGS)


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (2, "2"),
        (True, "true"),
        (date(2024, 6, 30), "date '2024-06-30'"),
        ("it's", "'it''s'"),
        (["a", "b'"], "['a', 'b''']"),
        (None, "null"),
    ],
)
def test_a_value_is_written_as_sql_reads_it(value: object, literal: str) -> None:
    assert write_literal(value) == literal
    with duckdb.connect() as con:
        assert con.execute(f"select {literal}").fetchall() == [(value,)]
