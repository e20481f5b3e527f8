"""Other limits are tried on published claims: what is shown is what a run by the file written would publish, and OUT stays as it was."""

import os
import re
import shutil
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sij_audit.transforms.audit.comparison import compare_runs
from sij_audit.transforms.audit.progress import StageBegun
from sij_audit.transforms.audit.what_if import WhatIf, choose_policy, read_trial, try_limits, write_trial
from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.stages.policies import RULES, Policy, load_policies, load_policy, policy_folders
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.retractions import retract
from tests.runs import command, line, read_report, run_reports, write_extract

INTERVAL = "interval_under_two_months"
MEMORY = "500MB"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(RULES / "cp_mp_166")


def try_on(out: Path, policy: Policy, *assignments: str, enable: Sequence[str] = (), as_of: date | None = None) -> WhatIf:
    return try_limits(Store(out), read_trial(policy, assignments, enable), as_of, MEMORY)


def extend(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "policy.toml").write_text("\n".join(['extends = "cp_mp_166"', *lines, ""]), encoding="utf-8")
    return folder


def dollars_today(out: Path) -> Decimal:
    dollars = sum((row["amount_at_risk"] for row in read_report(out)), Decimal(0))
    assert dollars > 0
    return dollars


def files(folder: Path) -> dict[str, bytes | None]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


# --- what is shown is what would be published


def test_todays_side_is_what_is_published(sample: Path, policy: Policy) -> None:
    published = {row["finding_id"]: row for row in read_report(sample)}
    today = {finding.finding_id: finding for finding in try_on(sample, policy, "series_months=11").comparison.findings}
    before = {finding_id: finding for finding_id, finding in today.items() if finding.strength_before}
    assert before.keys() == published.keys()
    for finding_id, finding in before.items():
        assert (finding.strength_before, finding.amount_before) == (
            published[finding_id]["strength"],
            published[finding_id]["amount_at_risk"],
        )


@pytest.mark.parametrize(
    ("assignments", "enable", "disable"),
    [
        ([f"{INTERVAL}.min_months=3"], [], []),
        (["series_months=6", "fifth_injection_in_twelve_months.max_count=2"], ["bilateral_injection"], [INTERVAL]),
    ],
)
def test_a_run_by_the_file_that_is_written_publishes_what_was_shown(
    sample: Path, policy: Policy, tmp_path: Path, assignments: list[str], enable: list[str], disable: list[str]
) -> None:
    trial = read_trial(policy, assignments, enable, disable)
    shown = try_limits(Store(sample), trial, None, MEMORY).comparison
    assert {finding.status for finding in shown.findings} == {"new", "changed", "open", *(["withdrawn"] if disable else [])}
    copy = Path(shutil.copytree(sample, tmp_path / "out", symlinks=True))
    write_trial(trial, tmp_path / "live/policy.toml")
    before = (copy / "current").resolve()
    done = command("run", "--policy", tmp_path / "live", "--out", copy, "--as-of", "2024-06-30")
    assert done.returncode == 0, done.stderr
    assert compare_runs(before, (copy / "current").resolve()) == shown


def test_only_what_the_limits_say_is_not_the_same(tmp_path: Path, policy: Policy) -> None:
    """The third injection comes more than two and less than three months after the second."""
    pair = [line("A", "2023-01-10"), line("B", "2023-04-10"), line("C", "2023-07-01", billing_npi="1000000004")]
    run_reports(tmp_path / "out", write_extract(tmp_path / "1.parquet", pair))
    found = try_on(tmp_path / "out", policy, f"{INTERVAL}.min_months=3").comparison
    [finding] = found.findings
    assert (finding.status, finding.rule_id, finding.strength_after) == ("new", INTERVAL, "presumed")
    [provider] = found.providers
    assert (provider.billing_npi, provider.new_findings, provider.amount_after) == ("1000000004", 1, Decimal("186.40"))
    assert try_on(tmp_path / "out", policy, f"{INTERVAL}.min_months=3", as_of=date(2023, 6, 30)).comparison.findings == ()


def test_line_of_business_and_date_are_those_of_the_run(tmp_path: Path, policy: Policy) -> None:
    lines = [line(claim, day, line_of_business=None) for claim, day in (("A", "2023-01-10"), ("B", "2023-04-10"), ("C", "2023-05-10"))]
    run_reports(tmp_path / "out", write_extract(tmp_path / "1.parquet", lines), as_of=date(2023, 5, 31), line_of_business="commercial")
    found = try_on(tmp_path / "out", policy, f"{INTERVAL}.min_months=1")
    assert found.as_of == date(2023, 5, 31)
    assert [(finding.status, finding.strength_before) for finding in found.comparison.findings] == [("withdrawn", "presumed")]


def test_claims_that_are_not_published_yet_or_were_retracted_do_not_count(tmp_path: Path, policy: Policy) -> None:
    out = tmp_path / "out"
    early = [line(claim, day) for claim, day in (("A", "2023-01-10"), ("B", "2023-04-10"), ("C", "2023-05-10"))]
    run_reports(out, write_extract(tmp_path / "1.parquet", early[:2]))
    other = tmp_path / "other"
    run_reports(other, write_extract(tmp_path / "2.parquet", early[2:]))
    for batch in (other / "claims").iterdir():
        shutil.copy(batch, out / "claims")
    trial = f"{INTERVAL}.min_months=4"
    assert [finding.status for finding in try_on(out, policy, trial).comparison.findings] == ["new"]
    run_reports(out)
    assert len(try_on(out, policy, trial).comparison.findings) == 2
    retract(Store(out), "2.parquet", "test data")
    assert len(try_on(out, policy, trial).comparison.findings) == 1


def test_a_batch_that_is_gone_is_reported(sample: Path, policy: Policy, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(sample, tmp_path / "out", symlinks=True))
    next((copy / "claims").iterdir()).unlink()
    with pytest.raises(AuditError, match=r"claims/ lacks the batch of claims_\d"):
        try_on(copy, policy, "series_months=6")


def test_without_a_run_nothing_can_be_tried(tmp_path: Path, policy: Policy) -> None:
    with pytest.raises(UsageError, match="holds no published run yet"):
        try_on(tmp_path / "out", policy, "series_months=6")
    assert not (tmp_path / "out").exists()


# --- OUT stays as it was


def test_out_stays_as_it_was(early: Path, policy: Policy, tmp_path: Path) -> None:
    before = files(early)
    try_on(early, policy, "series_months=6")
    with pytest.raises(UsageError, match="out of range"):
        try_on(early, policy, f"{INTERVAL}.min_months=99999999")
    assert files(early) == before


def test_it_goes_on_beside_a_run(early: Path, policy: Policy) -> None:
    with Store(early).lock():
        (Store(early).work / "spill").write_text("")
        assert try_on(early, policy, "series_months=6").comparison.findings
        assert (Store(early).work / "spill").exists()


def test_a_run_that_begins_meanwhile_does_not_disturb_it(early: Path, policy: Policy) -> None:
    def begin_a_run(_event: object) -> None:
        with Store(early).lock():
            pass

    trial = read_trial(policy, ["series_months=6"])
    assert try_limits(Store(early), trial, None, MEMORY, begin_a_run) == try_limits(Store(early), trial, None, MEMORY)


def test_a_killed_one_leaves_nothing_for_long(early: Path, policy: Policy) -> None:
    before = files(early)

    def die(event: object) -> None:
        if isinstance(event, StageBegun) and "tried" in event.name:
            os.kill(os.getpid(), signal.SIGKILL)

    if (child := os.fork()) == 0:
        try_limits(Store(early), read_trial(policy, ["series_months=6"]), None, MEMORY, die)
        os._exit(1)
    os.waitpid(child, 0)
    assert files(early).keys() - before.keys()
    try_on(early, policy, "series_months=6")
    assert files(early) == before


# --- what is tried


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["interval.min_months=3"], r"interval is no rule of CP\.MP\.166; its rules are: .*interval_under_two_months"),
        ([f"{INTERVAL}.months=3"], rf"no limit {INTERVAL}\.months; it has: .*{INTERVAL}\.min_months=2, .*series_months=12"),
        (["min_months=3"], "no limit min_months; it has: "),
        ([f"{INTERVAL}.enabled=false"], "no limit"),
        ([f"{INTERVAL}.min_months=three"], "is a whole number, 2 today; three is none"),
        ([f"{INTERVAL}.min_months=2.5"], "is a whole number, 2 today; 2.5 is none"),
        ([f"{INTERVAL}.min_months=true"], "is a whole number, 2 today; true is none"),
        ([f"{INTERVAL}.min_months='3'"], "is a whole number, 2 today"),
        ([f"{INTERVAL}.min_months=2024-01-01"], "is a whole number, 2 today"),
        ([f"{INTERVAL}.min_months=-1"], "cannot be less than 0"),
        (["injection_family=27096"], 'is a text, "sij_injection" today'),
        ([f"{INTERVAL}.min_months"], "say RULE.LIMIT=VALUE, such as "),
        ([f"{INTERVAL}.min_months="], "say RULE.LIMIT=VALUE"),
        (["=3"], "has no limit"),
        (["interval_months=3"], f"is what {INTERVAL}.min_months says: set that"),
        ([f"{INTERVAL}.min_days=3"], "is what second_injection_under_two_weeks.min_days says: set that"),
        ([f"{INTERVAL}.min_months=3", f"{INTERVAL}.min_months = 4"], "is given twice"),
        ([f"{INTERVAL}.min_months=2"], "min_months is 2 today already. Name a limit"),
        ([], "Nothing is to be tried. Name a limit with --set: "),
    ],
)
def test_what_cannot_be_tried_is_reported(policy: Policy, assignments: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_trial(policy, assignments)


def test_rules_that_cannot_be_switched_are_reported(policy: Policy) -> None:
    with pytest.raises(UsageError, match=r"nothing is no rule of CP\.MP\.166; its rules are: .*bilateral_injection \(off\)"):
        read_trial(policy, [], enable=["nothing"])
    with pytest.raises(UsageError, match=r"is on today already\. bilateral_injection is off today already\."):
        read_trial(policy, [], enable=[INTERVAL], disable=["bilateral_injection"])
    with pytest.raises(UsageError, match="enabled is given twice"):
        read_trial(policy, [], enable=[INTERVAL], disable=[INTERVAL])


def test_what_is_in_force_anyhow_is_reported_and_left_out(policy: Policy) -> None:
    trial = read_trial(policy, ["series_months=12", f" {INTERVAL}.min_months = 3 "], enable=[INTERVAL])
    assert trial.notices == ("series_months is 12 today already.", f"{INTERVAL} is on today already.")
    assert str(trial) == f"{INTERVAL}.min_months 3 instead of 2"


@settings(max_examples=50)
@given(
    months=st.integers(0, 10**6).filter(lambda months: months != 2),
    family=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text == text.strip()),
)
def test_what_is_written_holds_exactly_what_is_tried(policy: Policy, tmp_path: Path, months: int, family: str) -> None:
    limits = [replace(setting, tried=family) for setting in read_trial(policy, ["injection_family=x"]).settings]
    trial = read_trial(policy, [f"{INTERVAL}.min_months={months}"], enable=["bilateral_injection"])
    trial = replace(trial, settings=(*trial.settings, *limits))
    shutil.rmtree(tmp_path / "tried", ignore_errors=True)
    write_trial(trial, tmp_path / "tried/policy.toml")
    tried = load_policy(tmp_path / "tried")
    assert tried.facts == policy.facts
    assert tried.params == policy.params | {"interval_months": months, "injection_family": family}
    rules = {rule.rule_id: rule for rule in tried.rules}
    assert rules[INTERVAL].params == {"min_months": months, "min_days": 14}
    assert [rule.rule_id for rule in tried.rules if not rule.enabled] == []
    assert [policy.folder.name for policy in load_policies([*policy_folders(), tmp_path / "tried"])] == ["tried"]


def test_a_policy_of_ones_own_is_tried_on_and_extended_wherever_it_lies(early: Path, tmp_path: Path) -> None:
    mine = load_policy(extend(tmp_path / "plans/mine", f"[rules.{INTERVAL}]", "min_months = 3"))
    trial = read_trial(mine, [f"{INTERVAL}.min_months=4"])
    assert str(trial) == f"{INTERVAL}.min_months 4 instead of 3"
    more = try_limits(Store(early), trial, None, MEMORY).comparison
    assert sum(rule.new_findings for rule in more.rules) > 0
    write_trial(trial, tmp_path / "elsewhere/tried/policy.toml")
    folders = [*policy_folders(), mine.folder, tmp_path / "elsewhere/tried"]
    assert [policy.folder.name for policy in load_policies(folders)] == ["tried"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("limits.toml", r"name the file so, in a folder of its own"),
        ("taken/policy.toml", "is there already; nothing is overwritten"),
        ("cp_mp_166/policy.toml", "choose another"),
        ("beside/mine/policy.toml", "choose another"),
        ("taken/policy.toml/policy.toml", "cannot be written: "),
    ],
)
def test_where_it_cannot_be_written_is_reported(policy: Policy, tmp_path: Path, file: str, said: str) -> None:
    extend(tmp_path / "taken", "")
    extend(tmp_path / "beside/cp_mp_166", "")
    before = files(tmp_path)
    with pytest.raises(UsageError, match=said):
        write_trial(read_trial(policy, ["series_months=6"]), tmp_path / file)
    assert files(tmp_path) == before


def test_one_of_several_policies_must_be_named(policy: Policy, tmp_path: Path) -> None:
    other = load_policy(extend(tmp_path / "other", 'policy_id = "PLAN.1"'))
    assert choose_policy([policy], None) == policy
    assert choose_policy([policy, other], "PLAN.1") == other
    assert choose_policy([policy, other], str(tmp_path / "other")) == other
    for named, said in ((None, "several policies: name one"), ("PLAN.2", "PLAN.2 is no policy that is in force here")):
        with pytest.raises(UsageError, match=rf"{said}.*: CP\.MP\.166, PLAN\.1\."):
            choose_policy([policy, other], named)


# --- the command


def test_the_command_says_it_in_a_sentence_by_rule_and_by_provider(sample: Path, policy: Policy, tmp_path: Path) -> None:
    before = files(sample)
    written = tmp_path / "three/policy.toml"
    done = command("what-if", "--out", sample, "--set", f"{INTERVAL}.min_months=3", "--set", "series_months=12", "--write", written)
    assert done.returncode == 0, done.stderr
    found = try_on(sample, policy, f"{INTERVAL}.min_months=3").comparison
    [of_rule] = [rule for rule in found.rules if rule.rule_id == INTERVAL]
    risk = sum(rule.amount_after - rule.amount_before for rule in found.rules)
    assert "NOTICE series_months is 12 today already." in done.stdout
    assert f"With {INTERVAL}.min_months 3 instead of 2:\n{of_rule.new_findings} findings more, 0 fewer" in done.stdout
    assert f"${risk:,.2f} more at risk (${dollars_today(sample):,.2f} today" in done.stdout
    assert re.search(rf"^{INTERVAL} +{of_rule.new_findings} +0 +{of_rule.changed_findings} ", done.stdout, re.MULTILINE)
    for provider in found.providers[:10]:
        assert re.search(rf"^{provider.billing_npi} .* \${provider.amount_after:,.2f} ", done.stdout, re.MULTILINE)
    assert f"sij-audit run --policy {written.parent}` audits by it" in done.stdout
    assert written.read_text(encoding="utf-8").splitlines()[1:] == [
        "",
        'extends = "cp_mp_166"',
        "",
        f"[rules.{INTERVAL}]",
        "min_months = 3  # instead of 2",
    ]
    assert files(sample) == before
    for row in read_report(sample):
        assert row["person_id"] not in done.stdout


def test_providers_beyond_those_asked_for_are_one_row(sample: Path, policy: Policy) -> None:
    done = command("what-if", "--out", sample, "--set", f"{INTERVAL}.min_months=3", "--top", "1")
    providers = try_on(sample, policy, f"{INTERVAL}.min_months=3").comparison.providers
    changed = [one for one in providers if one.new_findings or one.withdrawn_findings or one.changed_findings]
    assert re.search(rf"^{len(changed) - 1} others? ", done.stdout, re.MULTILINE)


def test_the_same_findings_are_said_to_be_the_same(sample: Path) -> None:
    done = command("what-if", "--out", sample, "--set", "same_visit_days=4")
    assert f"the same findings, and the same ${dollars_today(sample):,.2f} at risk." in done.stdout
    assert "Rule" not in done.stdout


def test_wrong_usage_is_one_line(early: Path) -> None:
    done = command("what-if", "--out", early, "--set", "interval.min_months=3")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
