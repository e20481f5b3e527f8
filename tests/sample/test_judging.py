"""What the sample's truth holds against the policy, and that the planted findings agree with it."""

from datetime import date
from typing import Any

import pytest

from sij_audit.transforms.sample.bills import AS_OF
from sij_audit.transforms.sample.courses import COURSES, Dice
from sij_audit.transforms.sample.expected import BEYOND, FIFTH, INTERVAL, NERVE, RADIO, SECOND, VISIT, Scenario
from sij_audit.transforms.sample.planted import list_procedures
from sij_audit.transforms.sample.scenarios import PLANTED
from sij_audit.transforms.sample.truth import (
    ABLATION,
    APPROVED,
    BEFORE_ABLATION,
    DIAGNOSTIC,
    EXCEPTION,
    FOR_ABLATION,
    INJECTION,
    MEDICARE,
    NERVE_BLOCK,
    STATE_RULES,
    THERAPEUTIC,
    Procedure,
    add_months,
    judge,
    presume,
)


def inject(day: str, purpose: str = THERAPEUTIC, site: str = "right", **facts: Any) -> Procedure:
    return Procedure(date.fromisoformat(day), INJECTION, site, purpose, **facts)


def broken(*procedures: Procedure) -> list[tuple[str, ...]]:
    return [procedure.broken for procedure in judge(procedures)]


def test_two_months_lie_between_therapeutic_injections_of_a_side() -> None:
    assert broken(inject("2023-12-31"), inject("2024-02-28")) == [(), (INTERVAL,)]
    assert broken(inject("2023-12-31"), inject("2024-02-29")) == [(), ()]
    assert broken(inject("2023-12-31"), inject("2024-01-10", site="left")) == [(), ()]
    assert broken(inject("2023-12-31", site="bilateral"), inject("2024-01-10", site="left")) == [(), (INTERVAL,)]
    assert broken(inject("2023-12-31", DIAGNOSTIC), inject("2024-01-20")) == [(), ()]


def test_two_weeks_lie_before_a_diagnostic_injection() -> None:
    assert broken(inject("2023-03-01", DIAGNOSTIC), inject("2023-03-14", DIAGNOSTIC)) == [(), (SECOND,)]
    assert broken(inject("2023-03-01", DIAGNOSTIC), inject("2023-03-15", DIAGNOSTIC)) == [(), ()]


def test_four_therapeutic_injections_in_twelve_months_are_enough() -> None:
    dates = ["2023-01-10", "2023-03-10", "2023-05-10", "2023-07-10"]
    four = [inject(day) for day in dates]
    assert broken(*four, inject("2024-01-09"))[-1] == (FIFTH,)
    assert broken(*four, inject("2024-01-10"))[-1] == ()
    assert broken(inject(dates[0], DIAGNOSTIC), *four[1:], inject("2023-09-10"))[-1] == ()
    assert broken(*four, inject("2023-09-10", site="left"))[-1] == ()


def test_twelve_months_are_enough_without_an_exception() -> None:
    dates = ["2022-01-10", "2022-07-10", "2023-01-10", "2023-01-11"]
    assert broken(*map(inject, dates[:3]))[-1] == ()
    assert broken(inject(dates[0]), inject(dates[1]), inject(dates[3]))[-1] == (BEYOND,)
    assert broken(inject(dates[0]), inject(dates[1]), inject(dates[3], excuse=EXCEPTION))[-1] == ()
    assert broken(inject("2022-01-10"), inject("2023-01-10"), inject("2024-01-10"))[-1] == ()


@pytest.mark.parametrize(
    ("procedure", "rules"),
    [
        (inject("2023-01-10", is_beside_another=True), (VISIT,)),
        (inject("2018-07-31", is_beside_another=True), ()),
        (inject("2023-01-10", is_beside_another=True, excuse=MEDICARE), ()),
        (inject("2023-01-10", is_beside_another=True, excuse=STATE_RULES), ()),
        (inject("2023-01-10", is_beside_another=True, excuse=APPROVED), ()),
        (inject("2023-01-10", is_beside_another=True, excuse=EXCEPTION), (VISIT,)),
        (Procedure(date(2020, 2, 1), NERVE_BLOCK, "right", BEFORE_ABLATION), (NERVE,)),
        (Procedure(date(2020, 1, 31), NERVE_BLOCK, "right", BEFORE_ABLATION), ()),
        (Procedure(date(2020, 2, 1), ABLATION, "right", FOR_ABLATION), (RADIO,)),
    ],
)
def test_what_one_procedure_breaks(procedure: Procedure, rules: tuple[str, ...]) -> None:
    assert broken(procedure) == [rules]


def test_what_no_claim_marks_looks_therapeutic() -> None:
    procedures = [inject("2023-03-01", DIAGNOSTIC), inject("2023-03-20", DIAGNOSTIC), inject("2023-04-20", excuse=EXCEPTION)]
    assert [one.broken for one in presume(procedures, marked=[])] == [(), (INTERVAL,), (INTERVAL,)]
    assert [one.broken for one in presume(procedures, marked=[date(2023, 3, 1), date(2023, 3, 20)])] == [(), (), ()]


@pytest.mark.parametrize(("day", "later"), [("2023-12-31", "2024-02-29"), ("2022-12-31", "2023-02-28"), ("2023-11-30", "2024-01-30")])
def test_months_end_on_the_last_day_that_there_is(day: str, later: str) -> None:
    assert add_months(date.fromisoformat(day), 2) == date.fromisoformat(later)


@pytest.mark.parametrize("scenario", PLANTED, ids=lambda scenario: scenario.name)
def test_planted_violations_are_right_and_who_complies_broke_nothing(scenario: Scenario) -> None:
    really = {(rule, done.service_date) for done in list_procedures(scenario) for rule in done.broken if done.service_date <= AS_OF}
    violations = {(finding.rule_id, finding.service_date) for finding in scenario.findings if finding.determination == "violation"}
    assert violations <= really
    assert scenario.findings or not really


def test_no_course_has_more_than_two_diagnostic_injections() -> None:
    """The policy knows no third one: it would be a therapeutic injection by another name."""
    for course in COURSES:
        assert sum(step.times[1] for step in course.steps if step.purpose == DIAGNOSTIC) <= 2, course.name


def test_dice_fall_alike_for_the_same_seed_and_person_alone() -> None:
    def throw(seed: int, person: int) -> list[int]:
        dice = Dice(seed, person)
        return [dice.number(1, 6) for _ in range(50)]

    assert throw(1, 1) == throw(1, 1)
    assert len({tuple(throw(seed, person)) for seed in (1, 2) for person in (1, 2)}) == 4
    assert set(throw(1, 1)) == set(range(1, 7))
    dice = Dice(1, 1)
    drawn = [dice.pick({"often": 9, "seldom": 1, "never": 0}) for _ in range(500)]
    assert drawn.count("never") == 0
    assert 20 < drawn.count("seldom") < 80
