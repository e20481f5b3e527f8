"""A rule runs again in the locked session: its file as it stands, on the tables that it read, with the limits of the run."""

from pathlib import Path

import duckdb
import pytest

from sij_audit.transforms.duck import fetch_dicts
from sij_audit.transforms.stages.policies import policy_folders
from sij_audit.transforms.stages.queries import SQL
from tests.runs import command, line, run, write_extract

FILE = SQL / "3_rules/cp_mp_166/interval_under_two_months.sql"
LINES = [line("A", "2024-01-01"), line("B", "2024-02-20"), line("C", "2024-05-10")]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    run(folder / "out", write_extract(folder / "x.parquet", LINES))
    return folder / "out"


@pytest.fixture(scope="module")
def two_policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy, and a stricter one beside it."""
    folder = tmp_path_factory.mktemp("two")
    strict = folder / "strict"
    strict.mkdir()
    changes = 'extends = "cp_mp_166"\npolicy_id = "PLAN.2"\n[rules.interval_under_two_months]\nmin_months = 3\n'
    (strict / "policy.toml").write_text(changes, encoding="utf-8")
    run(folder / "out", write_extract(folder / "x.parquet", LINES), policy_folders=(*policy_folders(), strict))
    return folder / "out"


def test_the_file_of_a_rule_runs_as_it_stands(out: Path, tmp_path: Path) -> None:
    done = command("sql", "--out", out, "--rule", FILE.stem, "-f", FILE)
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split()[:3] == ["person_id", "service_date", "is_violation"]
    assert [row.split()[:2] for row in rows] == [["P1", "2024-02-20"]]
    done = command("sql", "--out", out, "--rule", FILE.stem, "-f", FILE, "--to", tmp_path / "found.csv")
    assert done.stderr.startswith("1 row written")


def test_names_mean_what_they_meant_to_the_rule(out: Path) -> None:
    query = (
        "select count(previous_date) as n, $min_months as months from injections; create table mine as select $min_days as days; from mine"
    )
    done = command("sql", query, "--out", out, "--rule", FILE.stem)
    assert done.stdout.split() == ["n", "months", "2", "2", "days", "14"]
    done = command("sql", "select count(applicability) as n from main.injections", "--out", out, "--rule", FILE.stem)
    assert done.stdout.split() == ["n", "3"]
    done = command("sql", "select policy_id from injections limit 1", "--out", out)
    assert done.stdout.split() == ["policy_id", "CP.MP.166"]


@pytest.mark.parametrize("arguments", [[], ["--rule", FILE.stem]])
def test_a_parameter_that_there_is_not_is_an_error(out: Path, arguments: list[str]) -> None:
    done = command("sql", "select $nothing", "--out", out, *arguments)
    assert done.returncode == 2
    assert "$nothing has no value here" in done.stderr


@pytest.mark.parametrize("name", ["nothing", "injections", "open_findings", "main.open_findings", f"nowhere.{FILE.stem}"])
def test_a_rule_that_the_run_does_not_hold_is_wrong_usage(out: Path, name: str) -> None:
    done = command("sql", "select 1", "--out", out, "--rule", name)
    assert done.returncode == 2
    assert "holds no rule of that name" in done.stderr


def test_a_rule_of_several_policies_is_named_with_its_schema(two_policies: Path) -> None:
    refused = command("sql", "-f", FILE, "--out", two_policies, "--rule", FILE.stem)
    assert refused.returncode == 2
    for schema, months, found in (("working_cp_mp_166", "2", 1), ("working_plan_2", "3", 2)):
        rule = f"{schema}.{FILE.stem}"
        assert rule in refused.stderr
        assert command("sql", "select $min_months as m", "--out", two_policies, "--rule", rule).stdout.split() == ["m", months]
        assert len(command("sql", "-f", FILE, "--out", two_policies, "--rule", rule).stdout.splitlines()) == found + 1


def test_why_has_the_rows_of_the_policy_of_the_finding(two_policies: Path) -> None:
    with duckdb.connect(two_policies / "current/audit.duckdb", read_only=True) as con:
        for schema, policy, months in (("working_cp_mp_166", "CP.MP.166", "2"), ("working_plan_2", "PLAN.2", "3")):
            findings = fetch_dicts(con, "from findings where policy_id = ? and rule_id = ?", [policy, FILE.stem])
            assert len(findings) == len(fetch_dicts(con, f"from {schema}.{FILE.stem}"))
            for finding in findings:
                inputs = {row["column_name"]: row["value"] for row in fetch_dicts(con, "from why(?)", [finding["finding_id"]])}
                assert inputs["min_months"] == months
                assert inputs["interval_end_date"] == str(finding["earliest_compliant_date"])


def test_what_rules_read_and_the_rows_of_a_finding_are_asked_without_a_rule(out: Path) -> None:
    done = command("sql", "from working.injections; from working.nearest_injections", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "interval_end_date" in done.stdout
    [finding] = command("sql", "select finding_id from findings", "--out", out).stdout.split()[1:]
    assert "prior_service_date" in command("sql", f"from why('{finding}')", "--out", out).stdout
    assert "would comply from" in command("sql", f"from explain('{finding}')", "--out", out).stdout
