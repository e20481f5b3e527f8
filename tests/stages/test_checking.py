"""Whoever writes SQL learns where it breaks: file, line and what is not there, from `check-policy` and from a run alike."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages import queries
from sij_audit.transforms.stages.checking import SETTINGS, check_sql
from sij_audit.transforms.stages.inputs import Inputs, load_inputs, open_warehouse
from sij_audit.transforms.stages.planning import explain_mistakes
from sij_audit.transforms.stages.policies import load_policies, load_policy, policy_folders
from sij_audit.transforms.stages.queries import SQL, load_stage, read_query
from sij_audit.transforms.stages.running import SETTING_NAMES, describe_policies, run_rule, run_stage, run_timeline
from tests.runs import SAMPLE, command, command_of, copy_program
from tests.stages.test_policies import EVERY_INJECTION, OWN_POLICY, make_policy


def changed(old: str, new: str) -> str:
    assert EVERY_INJECTION.count(old) == 1
    return EVERY_INJECTION.replace(old, new)


TYPO = changed("    false as is_violation,", "    site = 'left' and is_diagnostc as is_violation,")

WRONG = [
    (TYPO, ', line 13: Referenced column "is_diagnostc" not found in FROM clause; Candidate bindings: "is_diagnostic"'),
    (changed("from injections", "from injectons"), ", line 16: Table with name injectons does not exist; Did you mean"),
    (changed("select\n", "selec\n"), ', line 10: syntax error at or near "selec".'),
    (
        changed("    person_id,", "    uper(person_id) as person_id,"),
        ", line 11: Scalar Function with name uper does not exist; Did you mean",
    ),
    (changed("    person_id,", "    person_id + service_date as person_id,"), ", line 11: No function matches"),
    (changed("from injections", "from injections;\ndrop table injections"), ": must be one SELECT, and nothing besides."),
    (changed("select\n", "create table x as select\n"), ": must be one SELECT, and nothing besides."),
    (EVERY_INJECTION.partition("select")[0], ": must be one SELECT, and nothing besides."),
    (changed("is_violation", "is_violaton"), ": yields column 'is_violaton', which no finding has; known: person_id, "),
    (changed("    false as is_violation,\n", ""), ": does not yield column 'is_violation', which every finding needs."),
    (changed("    service_date,\n", ""), ": does not yield column 'service_date', which every finding needs."),
    (changed("per: injection", "per: code"), ": does not yield column 'hcpcs_code', which every finding per code needs."),
    (changed("false as is_violation", "'no' as is_violation"), ": column 'is_violation' is VARCHAR, and must be BOOLEAN."),
    (
        changed("false as is_violation", "null as is_violation"),
        "must be BOOLEAN; a null needs a type: cast it, or leave",
    ),
    (changed("    service_date,", "    service_date + to_months(1) as service_date,"), "'service_date' is TIMESTAMP, and must be DATE."),
    (changed("from injections", "from injections where line_count > $limit"), " names $limit, which is neither a setting nor a limit"),
]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lines and timeline over nothing, for a rule of this plan's own."""
    folder = tmp_path_factory.mktemp("planned")
    policy = load_policy(make_policy(folder / "mine", OWN_POLICY, every_injection=EVERY_INJECTION))
    with open_warehouse(folder, threads=1) as con:
        load_inputs(con, Inputs())
        run_stage(con, "1_lines", SETTINGS)
        describe_policies(con, [policy])
        run_timeline(con, policy, SETTINGS)
        yield con


def run_own_rule(con: duckdb.DuckDBPyConnection, folder: Path, sql: str) -> None:
    policy = load_policy(make_policy(folder / "mine", OWN_POLICY, every_injection=sql))
    run_rule(con, policy, policy.rules[0], SETTINGS)


@pytest.mark.parametrize(("sql", "said"), WRONG, ids=[said.strip(" :,") for _, said in WRONG])
def test_what_is_wrong_with_a_rule_is_said_with_its_file(planned: duckdb.DuckDBPyConnection, tmp_path: Path, sql: str, said: str) -> None:
    with pytest.raises(AuditError) as caught:
        run_own_rule(planned, tmp_path, sql)
    mistake = str(caught.value)
    assert mistake.startswith("mine/every_injection.sql")
    assert said in mistake
    assert "\n" not in mistake
    assert len(mistake) < 1000


def test_sums_and_typed_nulls_are_no_mistake(planned: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    more = "    false as is_violation,\n    sum(line_count) over () as prior_count,\n    null::date as prior_service_date,"
    run_own_rule(planned, tmp_path, changed("    false as is_violation,", more))


def test_all_rules_that_are_wrong_are_named_at_once(tmp_path: Path) -> None:
    other = TYPO.replace("rank: 1", "rank: 2")
    mine = make_policy(tmp_path / "mine", OWN_POLICY, first=TYPO, second=other, right=EVERY_INJECTION.replace("rank: 1", "rank: 3"))
    checked = check_sql([load_policy(mine)])
    assert [mistake.partition(",")[0] for mistake in checked.mistakes] == ["mine/first.sql", "mine/second.sql"]
    assert checked.rules == 3


def test_the_run_and_the_check_say_the_same(tmp_path: Path) -> None:
    mine = make_policy(tmp_path / "mine", OWN_POLICY, every_injection=TYPO)
    [mistake] = check_sql(load_policies([*policy_folders(), mine])).mistakes
    assert mistake.startswith('mine/every_injection.sql, line 13: Referenced column "is_diagnostc" not found')
    done = command("run", "--out", tmp_path / "out", "--policy", tmp_path / "mine")
    assert (done.returncode, done.stderr) == (4, f"sij-audit: {mistake}\n")
    assert not (tmp_path / "out/current").exists()
    checked = command("check-policy", tmp_path / "mine")
    assert (checked.returncode, checked.stdout, checked.stderr) == (4, "", f"sij-audit: {mistake}\n")


def test_what_is_right_is_said_in_a_line(tmp_path: Path) -> None:
    mine = make_policy(tmp_path / "mine", OWN_POLICY, every_injection=EVERY_INJECTION)
    done = command("check-policy", mine)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing is wrong with CP.MP.166, PLAN.1: planned 9 rules, ")
    assert done.stdout.count("\n") == 1


def test_a_path_that_is_no_policy_is_wrong_usage(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        done = command("check-policy", path)
        assert (done.returncode, done.stdout) == (2, "")
        assert "is no policy folder" in done.stderr


def test_a_header_that_is_wrong_fails_the_check(tmp_path: Path) -> None:
    mine = make_policy(tmp_path / "mine", OWN_POLICY, every_injection=changed("rank: 1", "ranc: 1"))
    done = command("check-policy", mine)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("sij-audit: mine/every_injection.sql, line 4: unknown header key 'ranc'")


# --- the SQL of the program itself


def test_nothing_is_wrong_with_the_program() -> None:
    checked = check_sql(load_policies(policy_folders()))
    assert checked.mistakes == ()
    files = len(list(SQL.rglob("*.sql")))
    assert checked.queries + checked.rules + checked.views == files


def test_every_setting_has_a_value_to_plan_with() -> None:
    assert tuple(SETTINGS) == SETTING_NAMES


@pytest.fixture
def sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a file of a stage say something else, while a test runs."""

    def change(stage: str, name: str, old: str, new: str) -> None:
        def load(folder: str) -> list[queries.Query]:
            return [read_query(tmp_path / stage / name, folder) if query.path.name == name else query for query in load_stage(folder)]

        text = (SQL / stage / name).read_text(encoding="utf-8")
        assert old in text
        (tmp_path / stage).mkdir()
        (tmp_path / stage / name).write_text(text.replace(old, new), encoding="utf-8")
        for module in ("checking", "running"):
            monkeypatch.setattr(f"sij_audit.transforms.stages.{module}.load_stage", load)

    return change


@pytest.mark.parametrize(
    ("stage", "name", "old", "new", "said"),
    [
        ("1_lines", "04_adjustments.sql", "claim_rows.claim_key,", "claim_rows.claim_kee,", 'does not have a column named "claim_kee"'),
        ("2_timeline", "07_nearest_pairs.sql", "from ", "from no_such_table, ", "no_such_table does not exist"),
        ("4_findings", "04_finding_evidence.sql", "finding_id,", "no_such_id,", "no_such_id"),
        ("6_handoff", "07_left_out_requests.sql", "from ", "from no_such_table, ", "no_such_table does not exist"),
        ("auditor", "07_by_month.sql", "from ", "from no_such_table, ", "no_such_table does not exist"),
        (
            "2_timeline",
            "10_tracks.sql",
            "-- column: track_seq: ",
            "-- column: trak_seq: ",
            "explains no column 'track_seq'",
        ),
        (
            "2_timeline",
            "10_tracks.sql",
            "-- column: track_seq: ",
            "-- column: other: x\n-- column: track_seq: ",
            "column 'other', which the query does not",
        ),
        ("2_timeline", "10_tracks.sql", "-- grain: person_id, track", "-- grain: person_id, trak", "grain names column 'trak'"),
    ],
)
def test_a_mistake_in_any_stage_names_its_file(sql: Callable[..., None], stage: str, name: str, old: str, new: str, said: str) -> None:
    sql(stage, name, old, new)
    [mistake] = check_sql(load_policies(policy_folders())).mistakes
    assert mistake.startswith(f"{stage}/{name}")
    assert said in mistake


def test_only_what_quotes_sql_is_shown() -> None:
    """A conversion error quotes the cell that it could not convert."""
    query = load_stage("1_lines")[0]
    with duckdb.connect() as con, pytest.raises(duckdb.ConversionException), explain_mistakes(query):
        con.execute("select cast(name as integer) from (values ('MEMBER')) as rows(name)")


# --- reports


NEW_REPORT = """\
-- title: Persons
-- grain: person_id
-- column: person_id: the person
-- column: finding_count: findings that hold

select
    person_id,
    count(*) as finding_count,
from compared_findings
group by person_id
"""


def test_a_file_among_the_reports_is_a_report(tmp_path: Path) -> None:
    """Published as Parquet and in the database, explained there, and listed in the manifest, with nothing else changed."""
    program = copy_program(tmp_path / "program")
    (program / "sij_audit/sql/5_reports/99_persons.sql").write_text(NEW_REPORT, encoding="utf-8")
    done = command_of(program, "run", SAMPLE, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    current = tmp_path / "out/current"
    with duckdb.connect(current / "audit.duckdb", read_only=True) as con:
        rows = con.execute(f"select * from persons except select * from '{current}/persons.parquet'").fetchall()
        assert rows == []
        assert con.execute("select count(*) > 50 from persons").fetchall() == [(True,)]
        assert con.execute("select column_name, comment from dictionary where table_name = 'persons'").fetchall() == [
            (None, "Persons: one row per person_id"),
            ("person_id", "the person"),
            ("finding_count", "findings that hold"),
        ]
    assert command("verify", tmp_path / "out").returncode == 0
