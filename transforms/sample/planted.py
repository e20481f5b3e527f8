"""The sample's planted persons: each scenario's lines under a person's number, and what was really done."""

from datetime import date

from sij_audit.transforms.sample.bills import CORRECTIONS, Line, day
from sij_audit.transforms.sample.courses import Dice
from sij_audit.transforms.sample.expected import Scenario
from sij_audit.transforms.sample.network import FACILITIES, PHYSICIANS, PRACTICES, list_shares
from sij_audit.transforms.sample.scenarios import PLANTED
from sij_audit.transforms.sample.truth import (
    ABLATION,
    BEFORE_ABLATION,
    DIAGNOSTIC,
    FOR_ABLATION,
    INJECTION,
    MEDICARE,
    NERVE_BLOCK,
    THERAPEUTIC,
    Procedure,
    judge,
)
from sij_audit.transforms.sample.truth_file import Person

OTHER_PROCEDURES = {"62323", "64493"}
MEDICARE_NAMES = {"medicare", "medicare advantage", "ma-pd", "mapd", "dsnp"}
"""Names of Medicare in the scenarios."""


def plant_people() -> tuple[list[Line], tuple[Person, ...]]:
    """Turn each scenario into the lines of a person, and say what was done and what must be found."""
    rows: list[Line] = []
    people: list[Person] = []
    for number, scenario in enumerate(PLANTED):
        mine = {"person_id": f"P9{number:07}", "member_id": f"M9{number:07}"}
        npis = _draw_npis(number)
        for line in scenario.lines:
            claims = {name: f"S{number:07}{line[name]}" for name in ("claim_id", "replaced_claim_id") if name in line}
            names = {name: npis[line[name]] for name in ("rendering_npi", "billing_npi", "facility_npi") if line.get(name)}
            rows.append(mine | line | claims | names)
        person_id = mine["person_id"]
        if all(line.get("person_id", "") is None for line in scenario.lines):
            first = scenario.lines[0]
            person_id = f"{first['data_source']}|{first['payer']}|{mine['member_id']}"
        people.append(Person(person_id, scenario.name, scenario.why, list_procedures(scenario), scenario.findings))
    return rows, tuple(people)


def _draw_npis(number: int) -> dict[str, str]:
    """Say who stands behind the NPIs of the scenarios for a person: two physicians of two practices, and a facility."""
    dice = Dice(0, number)
    place = dice.weighted(list_shares(len(PRACTICES)))
    one, two = PRACTICES[place], PRACTICES[place - 1]
    facility = FACILITIES[dice.weighted(list_shares(len(FACILITIES)))]
    physicians = {practice: [physician.npi for physician in PHYSICIANS if physician.practice_npi == practice] for practice in (one, two)}
    return {
        "9100090001": physicians[one][dice.weighted(list_shares(len(physicians[one])))],
        "9200090001": one,
        "9100090002": physicians[two][0],
        "9200090002": two,
        "9200090500": facility,
        "9300090500": facility,
    }


def list_procedures(scenario: Scenario) -> tuple[Procedure, ...]:
    """Say what was done: what the lines that were paid say, but for what the scenario says of their claims."""
    lines = [line for line in scenario.lines if line["extract"] != CORRECTIONS and line["claim_status"] == "paid"]
    groups: dict[tuple[date, str], list[Line]] = {}
    for line in lines:
        done_on = scenario.done_on.get(line["claim_id"], line["claim_start_date"].isoformat())
        code = INJECTION if line["hcpcs_code"] == "G0260" else line["hcpcs_code"]
        if done_on is not None and code in {INJECTION, NERVE_BLOCK, ABLATION}:
            groups.setdefault((day(done_on), code), []).append(line)
    return judge([_read_procedure(*key, group, lines) for key, group in sorted(groups.items())])


def _read_procedure(service_date: date, code: str, group: list[Line], lines: list[Line]) -> Procedure:
    modifiers = {line[name] for line in group for name in ("hcpcs_modifier_1", "hcpcs_modifier_2")}
    is_bilateral = "50" in modifiers or {"RT", "LT"} <= modifiers
    purposes = {NERVE_BLOCK: BEFORE_ABLATION, ABLATION: FOR_ABLATION, INJECTION: DIAGNOSTIC if "KX" in modifiers else THERAPEUTIC}
    return Procedure(
        service_date,
        code,
        "bilateral" if is_bilateral else "left" if "LT" in modifiers else "right",
        purposes[code],
        is_beside_another=code == INJECTION and any(_is_of_the_visit(line, group[0]) for line in lines),
        excuse=_find_excuse(group),
    )


def _is_of_the_visit(line: Line, injection: Line) -> bool:
    same = ("claim_start_date", "rendering_npi")
    return (
        line["hcpcs_code"] in OTHER_PROCEDURES and line["hcpcs_modifier_1"] != "59" and all(line[name] == injection[name] for name in same)
    )


def _find_excuse(group: list[Line]) -> str:
    """Medicare comes first where it stands alone, or Medicaid pays what it left."""
    names = {(line["line_of_business"] or "").lower() for line in group}
    return MEDICARE if names & MEDICARE_NAMES and names <= {*MEDICARE_NAMES, "medicaid"} else ""
