"""How the sample's patients are billed where not plainly: what claims leave open, and what is corrected later. It happens to the last visit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sij_audit.transforms.sample.bills import CORRECTIONS, Line, bill_facility, correct, reverse
from sij_audit.transforms.sample.courses import Dice
from sij_audit.transforms.sample.network import FACILITIES
from sij_audit.transforms.sample.truth import APPROVED, INJECTION, MEDICARE, Procedure

PLAIN, RECOVERED = "plain", "recovered"

OF_COMMERCIAL = {"commercial", "marketplace", "employer group", "ambetter"}
"""Lines of business that the policy applies to for sure."""

CORRECTED_ON = "2024-06-28"
"""When the plan decides on what corrects a claim."""

Visit = tuple[Line, ...]


@dataclass(frozen=True)
class Told:
    """What was done, and the lines of each visit. What corrects a visit's lines stands with them."""

    procedures: tuple[Procedure, ...]
    visits: tuple[Visit, ...]

    def end(self, *lines: Line) -> "Told":
        """Let the last visit have other lines."""
        return replace(self, visits=(*self.visits[:-1], lines))

    def add(self, *lines: Line) -> "Told":
        """Let the last visit have more lines."""
        return self.end(*self.visits[-1], *lines)

    def excuse(self, excuse: str) -> "Told":
        """Let the last procedure have an excuse."""
        return replace(self, procedures=(*self.procedures[:-1], replace(self.procedures[-1], excuse=excuse)))

    @property
    def last(self) -> Visit:
        return self.visits[-1]

    @property
    def by_physician(self) -> Visit:
        """The lines of the last visit on its physician's claim."""
        return tuple(line for line in self.last if line["claim_type"] == "professional")


def name_no_side(dice: Dice, told: Told) -> Told:
    """No line says which side it was."""
    sides = {"RT", "LT", "50"}
    return replace(told, visits=tuple(tuple(_without_modifiers(line, sides) for line in visit) for visit in told.visits))


def approve(dice: Dice, told: Told) -> Told:
    """The plan gave an approval; every other time it covered what was done."""
    told = told.end(*(line | {"prior_authorization_number": f"AUTH-{dice.number(1000, 9999)}"} for line in told.last))
    return told.excuse(APPROVED) if dice.percent(50) else told


def call_it_apart(dice: Dice, told: Told) -> Told:
    """Modifier 59 says that the other procedure of the day was another visit's; every other time it was."""
    told = told.end(*(_with_modifier(line, "59") if line["claim_line_number"] == 2 else line for line in told.last))
    if dice.percent(50):
        return told
    return replace(told, procedures=(*told.procedures[:-1], replace(told.procedures[-1], is_beside_another=False)))


def stop(dice: Dice, told: Told) -> Told:
    """A modifier says that it was reduced or stopped; every other time nothing was injected."""
    told = told.end(*(_with_modifier(line, "53") for line in told.last))
    return replace(told, procedures=told.procedures[:-1]) if dice.percent(50) else told


def pay_nothing(dice: Dice, told: Told) -> Told:
    """It was done, and paid by the month, not by the line: zero on the claim, as on a denial."""
    return told.end(*(line | {"paid_amount": "0.00", "allowed_amount": "0.00"} for line in told.last))


def span_days(dice: Dice, told: Told) -> Told:
    """The claim spans several days, and its lines have none of their own."""
    return told.end(*(line | {"claim_line_start_date": None, "claim_end_date": _after(line, 3)} for line in told.last))


def lose_the_original(dice: Dice, told: Told) -> Told:
    """A replacement came, and what it replaces never did."""
    return told.end(*(line | {"claim_frequency_code": "7", "replaced_claim_id": f"{line['claim_id']}0"} for line in told.last))


def date_it_twice(dice: Dice, told: Told) -> Told:
    """One visit: the facility billed it under a later day than the physician."""
    first = told.by_physician[0]
    later = _after(first, dice.number(1, 4))
    npi = FACILITIES[dice.number(0, len(FACILITIES) - 1)]
    shared = {name: first[name] for name in ("paid_date", "line_of_business")} | {"billing_npi": npi, "facility_npi": npi}
    facility = bill_facility(f"{first['claim_id']}F", later.isoformat(), "G0260", first["hcpcs_modifier_1"], **shared)
    return told.end(*told.by_physician, facility)


def send_again(dice: Dice, told: Told) -> Told:
    """One visit: the physician's claim was sent again under another day."""
    days = dice.number(1, 3)
    again = (_move(line, _after(line, days)) | {"claim_id": f"{line['claim_id']}S"} for line in told.by_physician)
    return told.end(*told.by_physician, *again)


def bill_medicare_too(dice: Dice, told: Told) -> Told:
    """Medicare paid a part; every other time it comes first."""
    too = {"claim_id": f"{told.last[0]['claim_id']}M", "line_of_business": "medicare", "paid_amount": "41.20", "allowed_amount": "41.20"}
    told = told.add(told.last[0] | too)
    return told.excuse(MEDICARE) if dice.percent(50) else told


def deny_at_first(dice: Dice, told: Told) -> Told:
    """Denied, and paid under another claim number."""
    denied = (line | {"claim_status": "denied", "paid_amount": "0.00", "allowed_amount": "0.00"} for line in told.last)
    return told.end(*denied, *(correct(line, CORRECTED_ON, claim_id=f"{line['claim_id']}2") for line in told.last))


def replace_amount(dice: Dice, told: Told) -> Told:
    """Replaced by a claim that paid less."""
    changes = {"claim_frequency_code": "7", "paid_amount": "120.00", "allowed_amount": "120.00"}
    replaced = (
        correct(line, CORRECTED_ON, claim_id=f"{line['claim_id']}7", replaced_claim_id=line["claim_id"]) | changes for line in told.last
    )
    return told.add(*replaced)


def void_and_bill_again(dice: Dice, told: Told) -> Told:
    """Voided, and billed again under another claim number."""
    voids = tuple(correct(line, CORRECTED_ON, claim_frequency_code="8") for line in told.last)
    return told.add(*voids, *(correct(line, CORRECTED_ON, claim_id=f"{line['claim_id']}2") for line in told.last))


def bill_in_error(dice: Dice, told: Told) -> Told:
    """Billed three weeks later for somebody else's visit, and reversed."""
    wrong = tuple(_move(line, _after(line, 21)) | {"claim_id": f"{line['claim_id']}E"} for line in told.by_physician)
    return told.add(*wrong, *(reverse(line, CORRECTED_ON) for line in wrong))


def send_twice(dice: Dice, told: Told) -> Told:
    """The same rows came again with the corrections."""
    return told.add(*(line | {"extract": CORRECTIONS} for line in told.last))


def take_back(dice: Dice, told: Told) -> Told:
    """The plan upheld a finding and took back what it paid; another procedure of the visit may stand."""
    return told.add(*(reverse(line, CORRECTED_ON) for line in told.last if line["claim_line_number"] == 1))


@dataclass(frozen=True)
class Story:
    """What may happen to claims. The weights say how often, where the last procedure broke no rule and where it broke one."""

    weight: int
    weight_if_broken: int
    tell: Callable[[Dice, Told], Told]
    fits: Callable[[Told], bool] = lambda told: True


def _is_one_injection(told: Told) -> bool:
    return told.procedures[-1].code == INJECTION and not told.procedures[-1].is_beside_another


def _is_commercial(told: Told) -> bool:
    return told.last[0]["line_of_business"] in OF_COMMERCIAL


STORIES = {
    PLAIN: Story(72, 34, lambda dice, told: told),
    "no side named": Story(3, 4, name_no_side),
    "approved beforehand": Story(2, 6, approve),
    "other procedure called apart": Story(30, 30, call_it_apart, lambda told: told.procedures[-1].is_beside_another),
    "reduced or stopped": Story(2, 9, stop, _is_one_injection),
    "paid nothing": Story(2, 7, pay_nothing),
    "spans several days": Story(2, 10, span_days),
    "original never came": Story(1, 12, lose_the_original),
    "one visit, dated twice": Story(3, 6, date_it_twice, _is_one_injection),
    "sent again under another day": Story(3, 3, send_again, _is_one_injection),
    "Medicare billed too": Story(1, 15, bill_medicare_too, _is_commercial),
    "denied, then paid": Story(1, 2, deny_at_first),
    "replaced with another amount": Story(1, 2, replace_amount),
    "voided and billed again": Story(1, 2, void_and_bill_again),
    "billed in error": Story(2, 3, bill_in_error),
    "sent twice": Story(1, 2, send_twice),
    RECOVERED: Story(0, 17, take_back, _is_commercial),
}


def pick_story(dice: Dice, told: Told, is_broken: bool) -> str:
    """Draw what happens to a patient's claims."""
    fitting = {name: story for name, story in STORIES.items() if story.fits(told)}
    return dice.pick({name: story.weight_if_broken if is_broken else story.weight for name, story in fitting.items()})


def tell(story: str, dice: Dice, told: Told) -> Told:
    """Let it happen."""
    return STORIES[story].tell(dice, told)


def _after(line: Line, days: int) -> date:
    day: date = line["claim_start_date"]
    return day + timedelta(days=days)


def _move(line: Line, day: date) -> Line:
    return line | {"claim_start_date": day, "claim_end_date": day, "claim_line_start_date": day}


def _with_modifier(line: Line, modifier: str) -> Line:
    return line | {"hcpcs_modifier_2" if line["hcpcs_modifier_1"] else "hcpcs_modifier_1": modifier}


def _without_modifiers(line: Line, unwanted: set[str]) -> Line:
    left = [modifier for modifier in (line["hcpcs_modifier_1"], line["hcpcs_modifier_2"]) if modifier and modifier not in unwanted]
    one, two = (*left, None, None)[:2]
    return line | {"hcpcs_modifier_1": one, "hcpcs_modifier_2": two}
