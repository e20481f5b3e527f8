"""What was really done to the sample's people, and what of it broke the policy.

This is what records would show. Claims show less of it: why an injection was given is seldom on them.
"""

from calendar import monthrange
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sij_audit.transforms.sample.expected import BEYOND, FIFTH, INTERVAL, NERVE, RADIO, SECOND, VISIT

INJECTION, NERVE_BLOCK, ABLATION = "27096", "64451", "64625"

DIAGNOSTIC, THERAPEUTIC, BEFORE_ABLATION, FOR_ABLATION = "diagnostic", "therapeutic", "before_radiofrequency", "radiofrequency"
"""Purposes."""

MEDICARE, STATE_RULES, APPROVED, EXCEPTION = "medicare", "state_rules", "approved", "exception"
"""Excuses: CMS coverage or a state's rules take precedence, the plan approved it beforehand, or allowed injections beyond twelve months."""

FIRST_DAY, FIRST_DAY_OF_CODES = date(2018, 8, 1), date(2020, 2, 1)
"""From when on the policy was in force, and named the codes of sections IV and V."""


@dataclass(frozen=True)
class Procedure:
    """One procedure that was done, and the rules that it broke. `excuse` says why it broke none; an exception excuses from section III alone."""

    service_date: date
    code: str
    site: str
    purpose: str
    is_beside_another: bool = False
    """Another invasive pain procedure was done in the same visit."""
    excuse: str = ""
    broken: tuple[str, ...] = ()

    @property
    def sides(self) -> frozenset[str]:
        return frozenset({"left", "right"} if self.site == "bilateral" else {self.site})


def judge(procedures: Sequence[Procedure]) -> tuple[Procedure, ...]:
    """Say of each of a person's procedures, in the order of their dates, which rules it broke."""
    injections = [procedure for procedure in procedures if procedure.code == INJECTION]
    return tuple(replace(procedure, broken=_list_broken(procedure, injections)) for procedure in procedures)


def presume(procedures: Sequence[Procedure], marked: Collection[date]) -> tuple[Procedure, ...]:
    """Judge as the policy presumes: injections on days that no claim marks were therapeutic, and nothing excuses any."""
    return judge(
        [
            replace(procedure, excuse="", purpose=procedure.purpose if procedure.service_date in marked else THERAPEUTIC)
            for procedure in procedures
        ]
    )


def _list_broken(procedure: Procedure, injections: Sequence[Procedure]) -> tuple[str, ...]:
    if procedure.service_date < FIRST_DAY or procedure.excuse in {MEDICARE, STATE_RULES, APPROVED}:
        return ()
    if procedure.code != INJECTION:
        rule = NERVE if procedure.code == NERVE_BLOCK else RADIO
        return (rule,) if procedure.service_date >= FIRST_DAY_OF_CODES else ()
    earlier = [one for one in injections if one.service_date < procedure.service_date]
    checks = {
        INTERVAL: _is_too_soon(procedure, earlier),
        SECOND: _is_second_too_soon(procedure, earlier),
        FIFTH: _is_fifth(procedure, earlier),
        BEYOND: procedure.excuse != EXCEPTION and _goes_on_too_long(procedure, earlier),
        VISIT: procedure.is_beside_another,
    }
    return tuple(rule for rule, is_broken in checks.items() if is_broken)


def _is_too_soon(procedure: Procedure, earlier: Sequence[Procedure]) -> bool:
    return any(
        one.sides & procedure.sides and procedure.service_date < add_months(one.service_date, 2)
        for one in earlier
        if one.purpose == procedure.purpose == THERAPEUTIC
    )


def _is_second_too_soon(procedure: Procedure, earlier: Sequence[Procedure]) -> bool:
    return procedure.purpose == DIAGNOSTIC and any(
        one.sides & procedure.sides and procedure.service_date < one.service_date + timedelta(days=14) for one in earlier
    )


def _is_fifth(procedure: Procedure, earlier: Sequence[Procedure]) -> bool:
    counted = [
        one
        for one in earlier
        if one.purpose == procedure.purpose == THERAPEUTIC and procedure.service_date < add_months(one.service_date, 12)
    ]
    return any(sum(side in one.sides for one in counted) >= 4 for side in procedure.sides)


def _goes_on_too_long(procedure: Procedure, earlier: Sequence[Procedure]) -> bool:
    first = procedure.service_date
    for one in sorted((one for one in earlier if one.sides & procedure.sides), key=lambda one: one.service_date, reverse=True):
        if first >= add_months(one.service_date, 12):
            break
        first = one.service_date
    return procedure.service_date > add_months(first, 12)


def add_months(day: date, months: int) -> date:
    """Go on by so many months, to the same day of the month or to the last that there is."""
    year, month = divmod(day.month - 1 + months, 12)
    last_day = monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last_day))
