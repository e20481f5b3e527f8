"""No limit is said twice: what people see of a limit is what it was in the run, whatever it was."""

import re
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from rich.console import Console

from sij_audit.transforms.pages.injection_sections import days_of_months
from sij_audit.transforms.pages.member_page import render_member
from sij_audit.transforms.pages.member_text import show_member
from sij_audit.transforms.pages.members import read_member
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.stages.policies import RULES, load_policy
from tests.pages.test_report import Page
from tests.runs import PLANTED, SAMPLE, read_report, run, run_reports

SHIPPED = RULES / "cp_mp_166"

WORDS = dict(enumerate("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split()))
ORDINALS = dict(enumerate(("", *"first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split())))

OF_A_CLAIM = re.compile(r"came \d+ days? after|\d+ days?\Z")
"""How many days passed between two services, which is no limit."""


def limits() -> dict[str, int]:
    """The shipped limits that are numbers, by rule and name, those that refer to another aside."""
    policy = load_policy(SHIPPED)
    places = policy.params | {f"{rule.rule_id}.{name}": value for rule in policy.rules for name, value in rule.params.items()}
    return {place: value for place, value in places.items() if type(value) is int and place not in policy.references}


def ways_to_say(place: str, value: int) -> list[str]:
    """Patterns of the words in which a limit can be said."""
    name = place.rpartition(".")[2]
    number = rf"\b({value}|{WORDS[value]})"
    if name.endswith("_months"):
        fewest, most = days_of_months(value)
        years = [rf"\b({value // 12}|{WORDS[value // 12]}) years?\b"] if value % 12 == 0 else []
        return [rf"{number}[- ]months?\b", rf"\b{fewest} to {most}\b", *years]
    if name.endswith("_days"):
        weeks = [rf"\b({value // 7}|{WORDS[value // 7]})[- ]weeks?\b"] if value % 7 == 0 else []
        return [rf"{number}[- ]days?\b", *weeks]
    return [
        rf"\b(fewer than|at most|up to|more than|at least) {value}\b(?! (members|months|days))",
        rf"\b({ORDINALS[value + 1]}|{value + 1}th) injection",
    ]


def what_people_see(out: Path) -> Iterator[tuple[str, list[str]]]:
    """All text of each thing that people look at, by its name, but for the policy's own words.

    A rule's id, whatever words are in it, is only its id.
    """
    folder = (out / "current").resolve()
    rules = read_report(out, "rules")

    def lines(text: str) -> list[str]:
        for rule in rules:
            text = text.replace(rule["criterion"], "CRITERION")
            text = text.replace(rule["rule_id"], "RULE").replace(rule["rule_id"].replace("_", " "), "RULE")
        return [OF_A_CLAIM.sub("", line.strip(" │┃")) for line in text.splitlines()]

    yield "report page", lines(Page((folder / "report.html").read_text(encoding="utf-8")).text)
    book = CalamineWorkbook.from_path(folder / "handoff" / "findings.xlsx")
    cells = [str(cell) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row if cell != ""]
    yield "workbook", lines("\n".join(cells))
    pages, texts, memos = [], [], []
    with open_run(folder) as con:
        findings = [row for row in read_report(out) if row["person_id"] in PLANTED]
        for person in sorted({row["person_id"] for row in findings}):
            member = read_member(con, folder, person)
            pages.append(Page(render_member(member)).text)
            console = Console(width=1000, highlight=False, markup=False, emoji=False, record=True, file=StringIO())
            show_member(member, console)
            texts.append(console.export_text())
        for finding in findings:
            memos += [str(cell) for row in con.execute("from explain(?)", [finding["finding_id"]]).fetchall() for cell in row]
    yield "member page", lines("\n".join(pages))
    yield "member in the terminal", lines("\n".join(texts))
    yield "explain()", lines("\n".join(memos))


@pytest.fixture(scope="module")
def shipped(sample: Path) -> dict[str, list[str]]:
    """What people see of a run with the limits that come with the program."""
    return dict(what_people_see(sample))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What people see of a run in which every limit is one higher."""
    folder = tmp_path_factory.mktemp("changed")
    policy = folder / "policy"
    policy.mkdir()
    of_policy: list[str] = []
    of_rules: list[str] = []
    for place, value in limits().items():
        rule_id, _, name = place.rpartition(".")
        (of_rules if rule_id else of_policy).append(f"{f'rules.{rule_id}.' if rule_id else 'params.'}{name} = {value + 1}")
    (policy / "policy.toml").write_text("\n".join(['extends = "cp_mp_166"', *of_policy, *of_rules]), encoding="utf-8")
    run(folder / "out", SAMPLE, policy_folders=(policy,))
    return dict(what_people_see(folder / "out"))


def said(lines: list[str], place: str, value: int) -> list[str]:
    pattern = re.compile("|".join(ways_to_say(place, value)), re.IGNORECASE)
    return [line for line in lines if pattern.search(line)]


def test_the_patterns_find_the_limits_where_they_are_said(shipped: dict[str, list[str]]) -> None:
    found = {place: {name for name, lines in shipped.items() if said(lines, place, value)} for place, value in limits().items()}
    everywhere = set(shipped)
    assert found["interval_under_two_months.min_months"] == everywhere
    assert found["count_months"] == everywhere
    assert found["fifth_injection_in_twelve_months.max_count"] >= everywhere - {"report page"}
    assert found["second_injection_under_two_weeks.min_days"] >= everywhere - {"report page"}


def test_no_limit_is_said_that_was_not_in_force(changed: dict[str, list[str]]) -> None:
    old = {(name, place): said(lines, place, value) for name, lines in changed.items() for place, value in limits().items()}
    assert {key: lines for key, lines in old.items() if lines} == {}


def test_the_limits_in_force_are_said(changed: dict[str, list[str]]) -> None:
    months = limits()["interval_under_two_months.min_months"] + 1
    fewest, most = days_of_months(months)
    assert f"{months} months: {fewest} to {most} days" in " ".join(changed["report page"])
    assert f"min_months {months}" in " ".join(changed["workbook"])
    assert any(f"at least {months} months apart" in line for line in changed["explain()"])
    for name, lines in changed.items():
        assert said(lines, "count_months", limits()["count_months"] + 1), name


def test_every_limit_in_force_is_listed(tmp_path: Path) -> None:
    run_reports(tmp_path / "out", SAMPLE, as_of=date(2023, 1, 31))
    rows = read_report(tmp_path / "out", "limits")
    policy = load_policy(SHIPPED)
    expected: list[tuple[str | None, str, str]] = [(None, name, str(value)) for name, value in policy.params.items()]
    expected += [(rule.rule_id, name, str(value)) for rule in policy.rules for name, value in rule.params.items()]
    assert [(row["policy_id"], row["rule_id"], row["limit_name"], row["limit_value"]) for row in rows] == [
        (policy.policy_id, *limit) for limit in sorted(expected, key=lambda limit: (limit[0] or "", limit[1]))
    ]
