"""How the sample's patients are treated: courses of injections, blocks and ablations, each step with its true purpose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sij_audit.transforms.sample.ordinary import pick_number
from sij_audit.transforms.sample.truth import ABLATION, BEFORE_ABLATION, DIAGNOSTIC, FOR_ABLATION, INJECTION, NERVE_BLOCK, THERAPEUTIC

TOPIC = 100
"""Numbers of courses are drawn under this topic and those after it; ordinary claims have the topics below."""


class Dice:
    """Numbers that hang on nothing but a seed, a person's number, and how many were drawn before."""

    def __init__(self, seed: int, person: int) -> None:
        self.seed, self.person, self.drawn = seed, person, 0

    def number(self, lowest: int, highest: int) -> int:
        """Draw a whole number from the lowest to the highest."""
        self.drawn += 1
        return lowest + int(pick_number(self.seed, TOPIC + self.drawn, np.array([self.person]), highest - lowest + 1)[0])

    def percent(self, percent: int) -> bool:
        """Say yes so often."""
        return self.number(1, 100) <= percent

    def weighted(self, weights: Sequence[int]) -> int:
        """Draw a place in a list of weights, as often as its weight says."""
        left = self.number(0, sum(weights) - 1)
        for place, weight in enumerate(weights):
            if left < weight:
                return place
            left -= weight
        raise AssertionError("unreachable: a number below the sum lies under one of the weights")

    def pick(self, weights: Mapping[str, int]) -> str:
        """Draw a key, as often as its weight says."""
        return list(weights)[self.weighted(list(weights.values()))]


@dataclass(frozen=True)
class Step:
    """One procedure of a course, or several alike: days since the one before, and how often, from and to."""

    days: tuple[int, int]
    times: tuple[int, int] = (1, 1)
    purpose: str = THERAPEUTIC
    code: str = INJECTION
    is_marked: bool = False
    """Modifier KX says that it was diagnostic."""
    side: int = 0
    """0 is the patient's side, 1 the other one, 2 both."""
    is_beside_another: bool = False


@dataclass(frozen=True)
class Course:
    """What is done to a patient. The weights say how often, with most practices and with those that treat too often."""

    name: str
    weight: int
    eager_weight: int
    steps: tuple[Step, ...]
    may_be_excepted: bool = False
    """The plan may allow that it goes on, where more definitive therapies cannot be had."""


START = (0, 0)
WELL_APART, WITHIN_TWO_MONTHS, MONTHLY = (63, 125), (21, 50), (25, 45)

MARKED = (Step(START, purpose=DIAGNOSTIC, is_marked=True), Step((14, 28), purpose=DIAGNOSTIC, is_marked=True))
UNMARKED = (Step(START, purpose=DIAGNOSTIC), Step((14, 28), purpose=DIAGNOSTIC))

COURSES = (
    Course("one injection", 22, 4, (Step(START),)),
    Course("injections well apart", 34, 6, (Step(START), Step(WELL_APART, (1, 3)))),
    Course("both sides, well apart", 5, 2, (Step(START, side=2), Step(WELL_APART, (1, 2), side=2))),
    Course("two marked diagnostic injections, treatment well after", 10, 2, (*MARKED, Step((62, 90)), Step(WELL_APART, (0, 2)))),
    Course("two marked diagnostic injections, treatment soon after", 6, 4, (*MARKED, Step(WITHIN_TWO_MONTHS), Step(WELL_APART, (0, 2)))),
    Course(
        "two unmarked diagnostic injections, treatment soon after", 11, 6, (*UNMARKED, Step(WITHIN_TWO_MONTHS), Step(WELL_APART, (0, 2)))
    ),
    Course("two unmarked diagnostic injections, three treatments", 4, 2, (*UNMARKED, Step((62, 75), (3, 3)))),
    Course(
        "two diagnostic injections within two weeks",
        3,
        8,
        (Step(START, purpose=DIAGNOSTIC, is_marked=True), Step((5, 12), purpose=DIAGNOSTIC, is_marked=True), Step((62, 90))),
    ),
    Course("monthly injections", 4, 30, (Step(START), Step(MONTHLY, (2, 5)))),
    Course("the third too early", 6, 16, (Step(START), Step((70, 100)), Step((40, 57), (1, 2)))),
    Course("five or six in a year", 4, 16, (Step(START), Step((62, 70), (4, 5)))),
    Course("goes on for more than a year", 6, 8, (Step(START), Step((100, 150), (4, 6))), may_be_excepted=True),
    Course("the other side soon after", 4, 3, (Step(START), Step((14, 40), side=1), Step((70, 110)))),
    Course(
        "blocks, then ablation",
        5,
        10,
        (
            Step(START, purpose=DIAGNOSTIC, is_marked=True),
            Step((20, 60), purpose=BEFORE_ABLATION, code=NERVE_BLOCK),
            Step((20, 50), purpose=FOR_ABLATION, code=ABLATION),
        ),
    ),
    Course("another procedure in the same visit", 6, 12, (Step(START), Step((70, 120), is_beside_another=True))),
)


def list_steps(course: Course, dice: Dice, first: date) -> list[tuple[date, Step]]:
    """Say when which step of a course is done, if it begins on that day."""
    dated: list[tuple[date, Step]] = []
    day = first
    for step in course.steps:
        for _ in range(dice.number(*step.times)):
            day += timedelta(days=dice.number(*step.days))
            dated.append((day, step))
    return dated
