"""The sample's patients: who they are, what was really done to them, and the claims that came of it."""

from dataclasses import dataclass
from datetime import date, timedelta

from sij_audit.transforms.sample.bills import AS_OF, PRICES, Line, bill, bill_facility
from sij_audit.transforms.sample.courses import COURSES, Course, Dice, Step, list_steps
from sij_audit.transforms.sample.network import EAGER_PRACTICES, FACILITIES, PHYSICIANS, PRACTICES, Physician, list_shares
from sij_audit.transforms.sample.stories import OF_COMMERCIAL, PLAIN, RECOVERED, Told, pick_story, tell
from sij_audit.transforms.sample.truth import EXCEPTION, INJECTION, MEDICARE, STATE_RULES, Procedure, judge, presume

FIRST_DAY = date(2021, 7, 1)
START_DAYS = 1_000
"""Courses begin on one of so many days from the first."""
LAST_DAY = AS_OF - timedelta(days=40)
"""The last day with a procedure: its claims are paid before the audit."""

BUSINESS = {
    "commercial": 30,
    "marketplace": 9,
    "employer group": 7,
    "ambetter": 4,
    "medicaid": 16,
    "medicaid managed care": 6,
    "chip": 2,
    "medicare advantage": 6,
    "medicare": 4,
    "dsnp": 3,
    "dual": 3,
    "": 5,
    "ma": 3,
    "hmo": 1,
}
"""Lines of business of a hundred patients. A dual one's claims go to Medicare, and what it leaves to Medicaid; the last three say too little."""
OF_MEDICAID = {"medicaid", "medicaid managed care", "chip"}
OF_MEDICARE = {"medicare advantage", "medicare", "dsnp", "dual"}

PLANS = {"Gold, open access": 5, "Silver": 3, "Bronze": 2}
FACILITY_PERCENT = 30
OTHER_PROCEDURES = {"62323": 3, "64493": 2}
"""An epidural injection or a facet injection."""
MODIFIERS = {"right": "RT", "left": "LT", "bilateral": "50"}


@dataclass(frozen=True)
class Facts:
    """What all claims of a patient share."""

    physician: Physician
    facility_npi: str | None
    business: str
    plan: str
    side: int
    price_percent: int


@dataclass(frozen=True)
class Patient:
    """A patient: the truth, how it looks while claims mark no purpose, and the claims."""

    number: int
    person_id: str
    business: str
    course: str
    story: str
    procedures: tuple[Procedure, ...]
    presumed: tuple[Procedure, ...]
    lines: tuple[Line, ...]

    @property
    def is_reviewed(self) -> bool:
        """Reviewers looked at every finding of those whose claims leave nothing else open, and of all whose last claim was taken back."""
        return self.story == RECOVERED or (self.story == PLAIN and self.business in OF_COMMERCIAL)


def make_patient(seed: int, number: int) -> Patient:
    """Make a patient: the same seed and number make the same one."""
    dice = Dice(seed, number)
    facts = draw_facts(dice)
    course = draw_course(dice, facts.physician)
    first = FIRST_DAY + timedelta(days=dice.number(0, START_DAYS - 1))
    steps = [(day, step) for day, step in list_steps(course, dice, first) if day <= LAST_DAY]
    excuse = draw_excuse(dice, facts.business, course)
    done = tuple(do_step(day, step, facts.side, excuse) for day, step in steps)
    marked = frozenset(day for day, step in steps if step.is_marked)
    visits = tuple(bill_visit(dice, facts, chr(ord("A") + place), procedure, marked) for place, procedure in enumerate(done))
    plain = Told(done, visits)
    story = pick_story(dice, plain, is_broken=bool(judge(done)[-1].broken))
    told = tell(story, dice, plain)
    own = {"person_id": f"P6{number:07}", "member_id": f"M6{number:07}", "plan": facts.plan}
    lines = tuple(line | own for visit in told.visits for line in visit)
    return Patient(
        number, own["person_id"], facts.business, course.name, story, judge(told.procedures), presume(told.procedures, marked), lines
    )


def draw_facts(dice: Dice) -> Facts:
    """Draw who treats a patient, where, and who pays."""
    practice = PRACTICES[dice.weighted(list_shares(len(PRACTICES)))]
    colleagues = [physician for physician in PHYSICIANS if physician.practice_npi == practice]
    facility = FACILITIES[dice.weighted(list_shares(len(FACILITIES)))]
    return Facts(
        physician=colleagues[dice.weighted(list_shares(len(colleagues)))],
        facility_npi=facility if dice.percent(FACILITY_PERCENT) else None,
        business=dice.pick(BUSINESS),
        plan=dice.pick(PLANS),
        side=dice.number(0, 1),
        price_percent=dice.number(85, 130),
    )


def draw_course(dice: Dice, physician: Physician) -> Course:
    """Draw what is done to a patient; it hangs on the practice."""
    is_eager = physician.practice_npi in EAGER_PRACTICES
    return COURSES[dice.weighted([course.eager_weight if is_eager else course.weight for course in COURSES])]


def draw_excuse(dice: Dice, business: str, course: Course) -> str:
    """Draw why the policy does not count against a patient, whatever was done: mostly nothing."""
    if business in OF_MEDICARE:
        return MEDICARE
    if business in OF_MEDICAID:
        return STATE_RULES if dice.percent(12) else ""
    if business not in OF_COMMERCIAL and dice.percent(33):
        return MEDICARE
    return EXCEPTION if course.may_be_excepted and dice.percent(40) else ""


def do_step(day: date, step: Step, side: int, excuse: str) -> Procedure:
    """Do a step of a course on a day."""
    site = "bilateral" if step.side == 2 else ("right", "left")[(side + step.side) % 2]
    return Procedure(day, step.code, site, step.purpose, step.is_beside_another, excuse)


def bill_visit(dice: Dice, facts: Facts, claim: str, procedure: Procedure, marked: frozenset[date]) -> tuple[Line, ...]:
    """Bill a visit as it was: the physician's claim, and in a facility the facility's."""
    service_date = procedure.service_date.isoformat()
    modifiers = (MODIFIERS[procedure.site], *(["KX"] if procedure.service_date in marked else []))
    shared = {"paid_date": procedure.service_date + timedelta(days=dice.number(14, 35)), "line_of_business": facts.business or None}
    if facts.business == "dual":
        shared["line_of_business"] = "medicare"
    npis = {"rendering_npi": facts.physician.npi, "billing_npi": facts.physician.practice_npi}
    lines = [bill(claim, service_date, procedure.code, *modifiers, **npis, **shared, **pay(procedure.code, facts.price_percent))]
    if procedure.is_beside_another:
        other = dice.pick(OTHER_PROCEDURES)
        lines.append(bill(claim, service_date, other, claim_line_number=2, **npis, **shared, **pay(other, facts.price_percent)))
    if facts.facility_npi is not None:
        npis = {"billing_npi": facts.facility_npi, "facility_npi": facts.facility_npi}
        code = "G0260" if procedure.code == INJECTION else procedure.code
        lines.append(bill_facility(f"{claim}F", service_date, code, *modifiers[:1], **npis, **shared, **pay(code, facts.price_percent)))
    if facts.business == "dual":
        lines += [line | {"claim_id": f"{line['claim_id']}X", "line_of_business": "medicaid"} | cents(2_500) for line in lines]
    return tuple(lines)


def pay(code: str, percent: int) -> dict[str, str]:
    """Pay so many hundredths of a code's price."""
    return cents(int(PRICES[code].replace(".", "")) * percent // 100)


def cents(amount: int) -> dict[str, str]:
    """Pay and allow so many cents."""
    text = f"{amount // 100}.{amount % 100:02}"
    return {"paid_amount": text, "allowed_amount": text}
