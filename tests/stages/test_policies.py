"""Policies are data: headers that are wrong are told by file and line, a limit has one place, and a folder is a policy beside the others."""

import re
import shutil
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.stages.policies import RULES, load_policies, load_policy, policy_folders
from tests.runs import AS_OF, SAMPLE, Row, command, command_of, copy_program, findings, keys, line, read_report, run_reports, write_extract

INTERVAL = "interval_under_two_months"
PAIR = [line("A", "2023-01-10"), line("B", "2023-04-10"), line("C", "2023-07-01")]
"""The third injection comes more than two and less than three months after the second."""

EVERY_INJECTION = """\
-- title: Every injection
-- section: 7
-- criterion: All injections are looked at.
-- rank: 1
-- per: injection
-- cites: sij_injection
--
-- This plan wants to see all of them.

select
    person_id,
    service_date,
    false as is_violation,
    ['exception_possible'] as doubts,
    'is looked at by this plan, whatever it is' as rationale,
from injections
"""
OWN_POLICY = """\
policy_id = "PLAN.1"
revisions = ["2022-11", "2024-01"]
presumes = []
effective_from = 2023-01-01
text_held_from = 2023-01-01
precedence_lines = []
precedence_reason = ""
crossover_lines = []
noted_lines = []
noted_reason = ""

[params]
injection_family = "sij_injection"
injection_family_group = "sij"
series_months = 12
count_months = 12
max_diagnostic_count = 2
same_visit_days = 7
same_service_days = 3
interval_months = 2
"""


def make_policy(folder: Path, text: str, **rules: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    for name, sql in rules.items():
        (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
    return folder


def extend(folder: Path, *lines: str) -> Path:
    """A policy that says only in what it differs from the one that comes with the program."""
    return make_policy(folder, "\n".join(['extends = "cp_mp_166"', *lines, ""]))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The policy that comes with the program, to do with as one likes."""
    return Path(shutil.copytree(RULES / "cp_mp_166", tmp_path / "copied"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def audit(place: Path, rows: Sequence[Row], *folders: Path) -> list[Row]:
    """What policies find in the lines."""
    place.mkdir()
    run_reports(place / "out", write_extract(place / "x.parquet", rows), policy_folders=folders)
    return findings(place / "out")


def at_risk(found: Sequence[Row]) -> dict[tuple[str, int], dict[str, Decimal]]:
    """Dollars at risk of each claim line, by policy."""
    dollars: dict[tuple[str, int], dict[str, Decimal]] = {}
    for finding in found:
        for claim_line in finding["claim_lines"]:
            of_line = dollars.setdefault((claim_line["claim_id"], claim_line["claim_line_number"]), {})
            of_line[finding["policy_id"]] = of_line.get(finding["policy_id"], Decimal(0)) + claim_line["amount_at_risk"]
    return dollars


# --- headers and policy.toml that are wrong

HEADER = f"{INTERVAL}.sql"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("-- per: injection\n", "-- per: injection\n-- colour: red\n", r"line 5: unknown header key 'colour'; known here: .*cites.*title"),
        ("-- rank: 6\n", "-- rank: 6\n-- rank: 7\n", r"line 4: header key 'rank' is there twice"),
        ("-- section: I.A.3.c\n", "", r"line 1: the header lacks 'section'"),
        ("-- param: min_months = 2\n", "-- param: min_months = 2\n-- param: min_months = 3\n", r"line 7: .*'min_months' is there twice"),
        ("-- param: min_months = 2\n", "-- param: min_months\n", r"line 6: .*'min_months' has no value"),
        ("-- rank: 6\n", "-- rank: sixth\n", r"rank: sixth"),
        ("-- rank: 6\n", "-- rank: 6\n-- enabled: off\n", r"enabled: off"),
        ("-- rank: 6\n", "-- rank: 6\n-- effective: 1.2.2020\n", r"effective: 1\.2\.2020"),
        ("-- rank: 6\n", "-- rank: 6\n-- text_held_from: soon\n", r"text_held_from: soon"),
        ("-- per: injection\n", "-- per: person\n", r"per: person: must be injection, date or code"),
        ("min_days = second_injection_under_two_weeks.min_days", f"min_days = {INTERVAL}.days", rf"{INTERVAL} has no such limit"),
    ],
)
def test_a_header_that_is_wrong_names_file_and_place(copied: Path, old: str, new: str, said: str) -> None:
    change(copied / HEADER, old, new)
    with pytest.raises(AuditError, match=rf"{re.escape(HEADER)}.*{said}") as caught:
        load_policy(copied)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('extends = "cp_mp_166"\nlimit = 3\n', "unknown key 'limit'; known: .*effective_from"),
        ('extends = "cp_mp_166"\ntitle = "1"\ntitle = "2"\n', r"line 3"),
        ('extends = "cp_mp_166"\ntitle = \n', r"line 2"),
        (OWN_POLICY.replace('revisions = ["2022-11", "2024-01"]\n', ""), "'revisions' is missing"),
        (OWN_POLICY.replace("presumes = []\n", ""), "'presumes' is missing"),
        ('extends = "cp_mp_166"\nrevisions = "2018-08"\n', "line 2: revisions is no list"),
        (OWN_POLICY.replace("effective_from = 2023-01-01", 'effective_from = "2023"'), "effective_from"),
        (OWN_POLICY.replace("noted_lines = []", 'noted_lines = "medicaid"'), "noted_lines"),
        ('extends = "nowhere"\n', 'extends = "nowhere": there is no such policy folder'),
        ('extends = "mine"\n', 'extends = "mine": there is no such policy folder'),
        ('extends = "cp_mp_166"\n[rules.interval]\nmin_months = 3\n', r"\[rules.interval\] is no rule of this policy"),
        (
            f'extends = "cp_mp_166"\n[rules.{INTERVAL}]\nmonths = 3\n',
            rf"\[rules.{INTERVAL}\]: .*no limit 'months'.*min_months",
        ),
        ('extends = "cp_mp_166"\n[rules.bilateral_injection]\nenabled = "false"\n', "enabled must be true or false"),
        (f'extends = "cp_mp_166"\n[params]\ninterval_months = "{INTERVAL}.months"\n', "has no such limit"),
    ],
)
def test_a_policy_toml_that_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AuditError, match=rf"mine/policy\.toml.*{said}|{said}.*mine/policy\.toml"):
        load_policy(make_policy(tmp_path / "mine", text))


@pytest.mark.parametrize(
    ("revisions", "said"),
    [
        ("[]", "line 2: revisions: must be months of approval, YYYY-MM"),
        ('["2018-08", "2018-13"]', "line 2: revisions: must be months of approval, YYYY-MM"),
        ('[\n"2018-08",\n"2019-08-01",\n]', "line 4: revisions: must be months of approval, YYYY-MM"),
        ("[\n2018]", "line 3: revisions: must be months of approval, YYYY-MM"),
        ('[\n"2018-08",\n"2018-08",\n]', "line 4: revisions: must stand in the order of their months, each once"),
        ('[\n"2020-02",\n"2018-08",\n"2021-06"]', "line 4: revisions: must stand in the order of their months, each once"),
        ('["2018-09"]', "line 2: revisions: the first is later than effective_from"),
    ],
)
def test_revisions_that_contradict_each_other_are_named_by_line(tmp_path: Path, revisions: str, said: str) -> None:
    with pytest.raises(AuditError, match=rf"^mine/policy\.toml, {said}"):
        load_policy(make_policy(tmp_path / "mine", f'extends = "cp_mp_166"\nrevisions = {revisions}\n'))


def test_what_is_wrong_in_a_policy_that_is_extended_is_named_there(tmp_path: Path) -> None:
    make_policy(tmp_path / "base", 'extends = "cp_mp_166"\nrevisions = ["2018-08", "2018-08"]\n')
    with pytest.raises(AuditError, match=r"^base/policy\.toml, line 2: revisions"):
        load_policy(make_policy(tmp_path / "mine", 'extends = "base"\n'))


@pytest.mark.parametrize("name", ["precedence_lines", "crossover_lines", "noted_lines"])
def test_a_group_of_lines_of_business_that_does_not_exist_is_named_by_line(tmp_path: Path, name: str) -> None:
    mine = make_policy(tmp_path / "mine", f'extends = "cp_mp_166"\n{name} = [\n"medicare",\n"medicade",\n]\n')
    with pytest.raises(AuditError, match=rf"^mine/policy\.toml, line 4: {name}: must be of the groups commercial, medicaid, "):
        load_policy(mine)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (EVERY_INJECTION.replace("sij_injection", "hip_injection"), "cites: hip_injection: there is no such family"),
        (EVERY_INJECTION.replace("from injections", "from injections where line_count > $limit"), r"names \$limit, which is neither"),
        (EVERY_INJECTION.replace("exception_possible", "exceptional"), "yields the doubt 'exceptional', and there is no such doubt"),
        (EVERY_INJECTION.replace("['exception_possible']", "[]::varchar[]"), "3 of its reviews say nothing of what is open"),
        (EVERY_INJECTION.replace("exception_possible", "purpose_unmarked"), "3 of its reviews say nothing of what is open"),
    ],
)
def test_a_rule_that_cannot_be_run_fails_the_run_with_its_name(tmp_path: Path, sql: str, said: str) -> None:
    folder = make_policy(tmp_path / "mine", OWN_POLICY.replace("presumes = []", 'presumes = ["purpose_unmarked"]'), every_injection=sql)
    with pytest.raises(AuditError, match=rf"every_injection\.sql.*{said}"):
        run_reports(tmp_path / "out", write_extract(tmp_path / "x.parquet", PAIR), policy_folders=(folder,))
    assert not (tmp_path / "out" / "current").exists()


def test_two_rules_of_one_rank_are_an_error(copied: Path) -> None:
    change(copied / HEADER, "-- rank: 6\n", "-- rank: 7\n")
    with pytest.raises(AuditError, match="two rules have one rank"):
        load_policy(copied)


@pytest.mark.parametrize("ids", [("PLAN.1", "PLAN 1"), ("PLAN.1", "PLAN.1.A", "plan-1")])
def test_two_policies_of_one_id_are_an_error(tmp_path: Path, ids: Sequence[str]) -> None:
    mine = [extend(tmp_path / f"p{number}", f'policy_id = "{policy_id}"') for number, policy_id in enumerate(ids)]
    with pytest.raises(AuditError, match=r"policy\.toml: policy_id .*give one of them another"):
        load_policies(mine)


# --- states


STATES = "state,effective_from,effective_to,outcome,source"


def with_states(folder: Path, *rows: str, header: str = STATES) -> Path:
    mine = extend(folder)
    (mine / "states.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return mine


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["TX,2020-01-01,2020-12-31,no_conflict,manual", "TX,2020-12-31,,precedence,manual"], "line 3: overlaps in TX with line 2"),
        (["TX,2021-01-01,,no_conflict,manual", "TX,,2021-01-01,precedence,manual"], "line 2: overlaps in TX with line 3"),
        (["TX,,,no_conflict,manual", "OH,,,precedence,manual", "TX,,,no_conflict,manual"], "line 4: overlaps in TX with line 2"),
        (["OH,,,precedence,manual", "TX,2021-01-02,2021-01-01,precedence,manual"], "line 3: effective_to lies before effective_from"),
        (["tx,,,precedence,manual"], "line 2: state must be two capital letters"),
        (["TX,1/1/2020,,precedence,manual"], "line 2: effective_from must be a date, YYYY-MM-DD, or empty"),
        (["TX,,2020-02-30,precedence,manual"], "line 2: effective_to must be a date, YYYY-MM-DD, or empty"),
        (["TX,,,conflict,manual"], "line 2: outcome must be precedence or no_conflict"),
        (["TX,,,precedence, "], "line 2: source is empty"),
        (["TX,,,precedence"], "line 2: has 4 cells; it needs 5"),
    ],
)
def test_states_that_contradict_each_other_or_say_nothing_are_named_by_line(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(AuditError, match=rf"^mine/states\.csv, {re.escape(said)}"):
        load_policy(with_states(tmp_path / "mine", *rows))


def test_a_table_of_states_needs_its_header(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=rf"^mine/states\.csv, line 1: the header must be {STATES}"):
        load_policy(with_states(tmp_path / "mine", "TX,precedence", header="state,outcome"))


def test_a_table_of_states_is_utf_8(tmp_path: Path) -> None:
    folder = with_states(tmp_path / "mine")
    (folder / "states.csv").write_bytes(f"{STATES}\nTX,,,precedence,".encode() + b"\xff\n")
    with pytest.raises(AuditError, match=r"^mine/states\.csv: is not UTF-8, from byte \d+ on"):
        load_policy(folder)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("states.csv", f"{STATES}\nTX,,,precedence,manual\nTX,,,no_conflict,manual\n", "states.csv, line 3: overlaps in TX with line 2"),
        ("policy.toml", 'extends = "cp_mp_166"\nrevisions = ["2018-08", "2018-08"]\n', "policy.toml, line 2: revisions: must stand in"),
    ],
)
def test_a_policy_that_contradicts_itself_stops_the_command_before_it_reads_claims(tmp_path: Path, name: str, text: str, said: str) -> None:
    mine = extend(tmp_path / "mine")
    (mine / name).write_text(text, encoding="utf-8")
    extract = write_extract(tmp_path / "x.parquet", PAIR)
    done = command("run", extract, "--out", tmp_path / "out", "--as-of", "2024-06-30", "--policy", mine)
    assert (done.returncode, done.stdout) == (4, "")
    assert f"mine/{said}" in done.stderr
    assert not (tmp_path / "out").exists()


def test_dates_of_a_state_may_touch_and_states_may_share_dates(tmp_path: Path) -> None:
    rows = ("TX,2021-01-01,,precedence,manual", "OH,2020-06-01,,no_conflict,manual", "TX,,2020-12-31,no_conflict,manual")
    policy = load_policy(with_states(tmp_path / "mine", *rows))
    assert [(rule.state, str(rule.effective_from), str(rule.effective_to), rule.outcome) for rule in policy.states] == [
        ("TX", "2021-01-01", "None", "precedence"),
        ("OH", "2020-06-01", "None", "no_conflict"),
        ("TX", "None", "2020-12-31", "no_conflict"),
    ]


def test_the_states_of_a_plan_stand_in_the_place_of_those_it_extends(tmp_path: Path) -> None:
    with_states(tmp_path / "base", "TX,,,precedence,manual")
    without = make_policy(tmp_path / "without", 'extends = "base"\n')
    other = make_policy(tmp_path / "other", 'extends = "base"\n')
    (other / "states.csv").write_text(f"{STATES}\nOH,,,no_conflict,manual\n", encoding="utf-8")
    assert [[rule.state for rule in load_policy(folder).states] for folder in (without, other)] == [["TX"], ["OH"]]


# --- limits


def test_a_limit_that_is_changed_where_it_stands_changes_the_audit(tmp_path: Path, copied: Path) -> None:
    change(copied / HEADER, "min_months = 2", "min_months = 3")
    assert audit(tmp_path / "two", PAIR, RULES / "cp_mp_166") == []
    [found] = audit(tmp_path / "three", PAIR, copied)
    assert (found["rule_id"], found["interval_days"], str(found["earliest_compliant_date"])) == (INTERVAL, 82, "2023-07-10")
    assert "at least 3 months apart" in found["rationale"]


def test_a_policy_that_extends_another_says_only_what_differs(tmp_path: Path, copied: Path) -> None:
    change(copied / HEADER, "min_months = 2", "min_months = 3")
    extending = extend(tmp_path / "extending", f"[rules.{INTERVAL}]", "min_months = 3")
    assert audit(tmp_path / "one", PAIR, extending) == audit(tmp_path / "other", PAIR, copied) != []


def test_what_refers_to_a_limit_follows_it(tmp_path: Path) -> None:
    """`interval_months` of policy.toml refers to the interval rule's limit, and `min_days` of that rule to I.A.2's."""
    plain = load_policy(RULES / "cp_mp_166")
    assert (plain.params["interval_months"], {rule.rule_id: rule.params for rule in plain.rules}[INTERVAL]) == (
        2,
        {"min_months": 2, "min_days": 14},
    )
    lines = (f"[rules.{INTERVAL}]", "min_months = 3", "[rules.second_injection_under_two_weeks]", "min_days = 21")
    mine = load_policy(extend(tmp_path / "mine", *lines))
    assert (mine.params["interval_months"], {rule.rule_id: rule.params for rule in mine.rules}[INTERVAL]) == (
        3,
        {"min_months": 3, "min_days": 21},
    )
    assert {rule.rule_id: rule.params for rule in mine.rules}["second_injection_under_two_weeks"] == {"min_days": 21}


def test_both_interval_rules_go_by_one_limit_of_days(tmp_path: Path) -> None:
    """On day 16 a second injection may be I.A.2's; where that asks for 21 days it is too early, by the one rule if it is marked diagnostic."""
    rows = [
        line(f"{day}-{person}", day, "27096", *modifiers, person=person)
        for person, modifiers in (("plain", ["RT"]), ("marked", ["RT", "KX"]))
        for day, modifiers in (("2023-01-10", ["RT"]), ("2023-01-26", modifiers))
    ]
    mine = extend(tmp_path / "mine", "[rules.second_injection_under_two_weeks]", "min_days = 21")
    names = ("person_id", "rule_id", "determination")
    assert keys(audit(tmp_path / "fourteen", rows, RULES / "cp_mp_166"), *names) == [
        ("marked", INTERVAL, "review"),
        ("plain", INTERVAL, "review"),
    ]
    assert keys(audit(tmp_path / "twenty-one", rows, mine), *names) == [
        ("marked", INTERVAL, "review"),
        ("marked", "second_injection_under_two_weeks", "violation"),
        ("plain", INTERVAL, "violation"),
    ]


def test_a_policys_own_limit_wins_over_that_of_the_one_it_extends(tmp_path: Path) -> None:
    extend(tmp_path / "base", f"[rules.{INTERVAL}]", "min_months = 3", "[params]", "series_months = 10", "count_months = 11")
    mine = make_policy(tmp_path / "mine", f'extends = "base"\n[params]\nseries_months = 9\n[rules.{INTERVAL}]\nmin_months = 4\n')
    policy = load_policy(mine)
    assert [policy.params[name] for name in ("interval_months", "series_months", "count_months", "same_visit_days")] == [4, 9, 11, 7]
    assert [path.parent.name for path in policy.files if path.name == "policy.toml"] == ["cp_mp_166", "base", "mine"]


def test_a_changed_limit_is_a_new_run(tmp_path: Path, copied: Path) -> None:
    out, extract = tmp_path / "out", write_extract(tmp_path / "x.parquet", PAIR)
    run_reports(out, extract, policy_folders=(copied,))
    assert run_reports(out, extract, policy_folders=(copied,)).run is None
    change(copied / HEADER, "min_months = 2", "min_months = 3")
    assert run_reports(out, extract, policy_folders=(copied,)).run is not None
    assert [(row["rule_id"], row["status"]) for row in findings(out)] == [(INTERVAL, "new")]


# --- rules that are off


def test_a_rule_that_is_off_finds_nothing_until_a_plan_turns_it_on(tmp_path: Path, copied: Path) -> None:
    rows = [line("A", "2023-01-10", "27096", "50"), line("B", "2023-06-10")]
    assert audit(tmp_path / "off", rows, RULES / "cp_mp_166") == []
    [found] = audit(tmp_path / "extends", rows, extend(tmp_path / "on", "[rules.bilateral_injection]", "enabled = true"))
    assert (found["rule_id"], found["determination"], found["site"], found["policy_section"]) == (
        "bilateral_injection",
        "review",
        "bilateral",
        "I",
    )
    rules = {row["rule_id"]: row for row in read_report(tmp_path / "extends/out", "rules")}
    assert rules["bilateral_injection"]["reviews"] == 1
    assert "bilateral_injection" not in {row["rule_id"] for row in read_report(tmp_path / "off/out", "rules")}
    change(copied / "bilateral_injection.sql", "enabled: false", "enabled: true")
    assert audit(tmp_path / "edited", rows, copied) == [found]


def test_a_rule_can_be_turned_off(tmp_path: Path) -> None:
    rows = [line("A", "2023-01-10"), line("B", "2023-01-13", "64451")]
    mine = extend(tmp_path / "mine", "[rules.nerve_block_not_necessary]", "enabled = false")
    assert [row["rule_id"] for row in audit(tmp_path / "on", rows, RULES / "cp_mp_166")] == ["nerve_block_not_necessary"]
    assert audit(tmp_path / "off", rows, mine) == []


# --- a policy beside another


def run_three(folder: Path) -> tuple[Result, Path]:
    """Audit the sample by the policy that comes with the program, one of a plan's own, and one that extends the first."""
    own = make_policy(folder / "plan_1", OWN_POLICY, every_injection=EVERY_INJECTION)
    strict = extend(folder / "plan_2", 'policy_id = "PLAN.2"', f"[rules.{INTERVAL}]", "min_months = 3")
    result = run_reports(folder / "out", SAMPLE, policy_folders=(*policy_folders(), own, strict))
    return result, folder / "out"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    return run_three(tmp_path_factory.mktemp("three"))


def of_policy(place: Path, policy_id: str) -> list[Row]:
    return [row for row in findings(place) if row["policy_id"] == policy_id]


def test_policies_run_beside_each_other(three: tuple[Result, Path], tmp_path: Path) -> None:
    out = three[1]
    first, own, strict = (of_policy(out, policy_id) for policy_id in ("CP.MP.166", "PLAN.1", "PLAN.2"))
    assert len(first) + len(own) + len(strict) == len(findings(out))
    assert len({row["finding_id"] for row in findings(out)}) == len(findings(out))
    assert {(row["rule_id"], row["determination"], row["policy_version"], row["service_date"].year) for row in own} == {
        ("every_injection", "review", "2022-11", 2023),
        ("every_injection", "review", "2024-01", 2024),
    }
    names = ("rule_id", "person_id", "service_date")
    assert set(keys(first, *names)) < set(keys(strict, *names))
    for policy_id in ("CP.MP.166", "PLAN.2"):
        assert len([row for row in read_report(out, "rules") if row["policy_id"] == policy_id]) == 7
    assert [row["rule_id"] for row in read_report(out, "rules") if row["policy_id"] == "PLAN.1"] == ["every_injection"]


def test_another_policy_changes_no_finding_of_the_first(three: tuple[Result, Path], tmp_path: Path) -> None:
    run_reports(tmp_path / "out", SAMPLE)
    assert of_policy(three[1], "CP.MP.166") == findings(tmp_path / "out")


def test_every_injection_is_looked_at_that_the_policy_applies_to(three: tuple[Result, Path]) -> None:
    injections = {
        (row["person_id"], row["service_date"])
        for row in read_report(three[1], "injections")
        if row["policy_id"] == "PLAN.1" and row["applicability"] == "applies"
    }
    assert len(injections) > 100
    assert {(row["person_id"], row["service_date"]) for row in of_policy(three[1], "PLAN.1")} == injections
    assert min(day for _, day in injections).year == 2023


def test_dollars_are_ranked_within_each_policy_and_the_total_counts_none_twice(three: tuple[Result, Path]) -> None:
    result, out = three
    dollars = at_risk(findings(out))
    shared = [by_policy for by_policy in dollars.values() if len(by_policy) > 1]
    assert len(shared) > 20
    paid = {(row["claim_id"], row["claim_line_number"]): row["paid_amount"] or 0 for row in read_report(out, "lines")}
    assert all(set(by_policy.values()) == {paid[claim_line]} for claim_line, by_policy in dollars.items())
    assert result.summary is not None
    assert result.summary.amount_at_risk == sum(paid[claim_line] for claim_line in dollars)
    assert result.summary.amount_at_risk < sum(row["amount_at_risk"] for row in findings(out))


def test_a_run_that_would_lose_a_policy_of_the_current_run_is_refused(tmp_path: Path) -> None:
    mine = extend(tmp_path / "mine", 'policy_id = "PLAN.2"', f"[rules.{INTERVAL}]", "min_months = 3")
    extract = write_extract(tmp_path / "x.parquet", PAIR)
    run_reports(tmp_path / "out", extract, policy_folders=(*policy_folders(), mine))
    with pytest.raises(UsageError, match=r"has findings of PLAN\.2, of which this one knows no policy"):
        run_reports(tmp_path / "out", extract)
    assert [(row["policy_id"], row["status"]) for row in findings(tmp_path / "out")] == [("PLAN.2", "new")]
    assert command("run", "--out", tmp_path / "out", "--as-of", "2024-06-30", "--policy", mine).returncode == 0
    assert command("run", "--out", tmp_path / "out", "--policy", tmp_path).returncode == 2


@pytest.mark.parametrize("policy_id", ["2024.1", "main", "temp", "select", "É", "It's; a \\\"policy"])
def test_a_policy_may_have_any_id(tmp_path: Path, policy_id: str) -> None:
    mine = extend(tmp_path / "mine", f'policy_id = "{policy_id}"')
    found = audit(tmp_path / "x", [line("A", "2023-01-10"), line("B", "2023-01-13", "64451")], *policy_folders(), mine)
    assert sorted(row["policy_id"] for row in found) == sorted(["CP.MP.166", policy_id.replace("\\", "")])


def test_adding_a_folder_is_enough(tmp_path: Path) -> None:
    """In a copy of the program a folder under sql/3_rules is a policy, with nothing else changed."""
    program = copy_program(tmp_path / "program")
    make_policy(program / "sij_audit/sql/3_rules/plan_1", OWN_POLICY, every_injection=EVERY_INJECTION)
    extract = write_extract(tmp_path / "x.parquet", [line("A", "2023-01-10"), line("B", "2023-01-30")])
    done = command_of(program, "run", extract, "--out", tmp_path / "out", "--as-of", str(AS_OF))
    assert done.returncode == 0
    names = ("policy_id", "rule_id", "service_date")
    assert keys(findings(tmp_path / "out"), *names) == [
        ("CP.MP.166", INTERVAL, "2023-01-30"),
        ("PLAN.1", "every_injection", "2023-01-10"),
        ("PLAN.1", "every_injection", "2023-01-30"),
    ]
    assert "PLAN.1 every_injection" in done.stdout
    assert "At risk, no dollar counted twice: $372.80" in done.stdout


def test_a_policy_that_extends_another_under_its_id_stands_in_its_place(tmp_path: Path) -> None:
    mine = extend(tmp_path / "mine", f"[rules.{INTERVAL}]", "min_months = 3")
    [found] = audit(tmp_path / "audit", PAIR, *policy_folders(), mine)
    assert (found["policy_id"], found["prior_claim_ids"]) == ("CP.MP.166", ["B"])
    assert {row["policy_id"] for row in read_report(tmp_path / "audit/out", "rules")} == {"CP.MP.166"}
    [policy] = load_policies([mine, *policy_folders()])
    assert policy.folder == mine


def test_two_policies_cannot_stand_in_the_place_of_one(tmp_path: Path) -> None:
    mine, other = (extend(tmp_path / name, f"[rules.{INTERVAL}]", "min_months = 3") for name in ("mine", "other"))
    with pytest.raises(AuditError, match="give one of them another"):
        load_policies([*policy_folders(), mine, other])


def test_a_policy_of_the_same_id_that_extends_nothing_stands_in_nobodys_place(copied: Path) -> None:
    with pytest.raises(AuditError, match="give one of them another"):
        load_policies([*policy_folders(), copied])


def test_limits_that_stand_elsewhere_are_known() -> None:
    assert load_policy(RULES / "cp_mp_166").references == {
        "interval_months": f"{INTERVAL}.min_months",
        f"{INTERVAL}.min_days": "second_injection_under_two_weeks.min_days",
    }
