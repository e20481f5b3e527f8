"""Claim lines made to be nasty: few persons, dates on every limit, billers who disagree, adjustments that cross."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sij_audit.transforms.columns import COLUMNS
from tests.oracle import CODES, add_months

Row = dict[str, Any]

EMPTY: Row = {column.name: None for column in COLUMNS}
STARTS = [
    date(2018, 7, 31),
    date(2018, 8, 1),
    date(2019, 12, 31),
    date(2020, 1, 1),
    date(2020, 1, 31),
    date(2020, 2, 1),
    date(2020, 2, 29),
    date(2021, 5, 31),
    date(2021, 6, 1),
    date(2021, 12, 31),
    date(2022, 6, 30),
    date(2023, 2, 28),
    date(2023, 8, 31),
    date(2024, 2, 29),
]
NPIS = [None, "1003000126", "1992000003", "0000000001"]
RENDERING = [None, None, "1888888883", "1999999984", "1003000126"]
CLAIM_TYPES = ["professional", "professional", "institutional", "Institutional", "INSTITUTIONAL", None, "pharmacy"]
BUSINESSES = (
    ["commercial"] * 12
    + ["marketplace", "exchange", "medicaid", "medicaid", "medicaid mco", "medicare", "medicare advantage", "ma", "mapd", "ma-pd"]
    + ["part c", "snp", "d-snp", "dsnp", "c-snp", "csnp", "i-snp", "isnp", "mmp", "medicaid-medicare", "hmo", "mai", "xmedicaid", None]
    + [
        "non-medicare",
        "not medicare medicaid",
        "medi-cal",
        "star kids",
        "chips",
        "commercial ppo",
        "exchange silver",
        "fehb",
        "ambetter",
        "aca x",
    ]
)
AMOUNTS = [Decimal(text) for text in ("0.00", "0.01", "0.10", "99.50", "100.00", "100.00", "100.00", "1251.76")]
SIDE_MODIFIERS = [["RT"], ["RT"], ["LT"], ["LT"], ["50"], ["RT", "LT"], ["RT", "50"], [], []]
OTHER_MODIFIERS = ["52", "53", "74", "73", "59", "XE", "XP", "26", "TC"]
SPINE = [code for family, codes in CODES.items() if not family.startswith("sij_") for code in codes]
SHARED = {"20553", "64405", "64447", "64454", "64624", "64628", "62323", "64483", "64493", "64635", "64520", "0216T"}


@dataclass
class Household:
    """Persons who share claim numbers, so that adjustments and reversals meet."""

    chance: random.Random
    number: int
    calm: bool
    """Whether its rows have few doubts, so that violations come about."""
    next_claim: int = 0
    rows: list[Row] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    """The dates of the person at hand."""

    def claim(self) -> str:
        self.next_claim += 1
        return f"{self.number:04}{self.next_claim:03}"

    def sometimes(self, likelihood: float) -> bool:
        return self.chance.random() < likelihood / (4 if self.calm else 1)

    def gap(self, day: date) -> date:
        """A next date of service, near a limit more often than not."""
        kind = self.chance.randrange(11)
        if kind == 10 and len(self.days) >= 4:
            return add_months(self.chance.choice(self.days[-5:]), 12) + timedelta(days=self.chance.choice([-1, 0, 0, 1]))
        if kind < 3:
            return add_months(day, 2) + timedelta(days=self.chance.choice([-2, -1, -1, 0, 0, 1]))
        if kind == 3:
            return add_months(day, 12) + timedelta(days=self.chance.choice([-1, 0, 0, 1]))
        if kind < 6:
            return day + timedelta(days=self.chance.choice([13, 14, 14, 15]))
        if kind == 6:
            return day + timedelta(days=self.chance.choice([1, 2, 3, 4, 6, 7, 8]))
        return day + timedelta(days=self.chance.choice([30, 45, 61, 75, 92, 120]))

    def line(self, person: Row, day: date, code: str, side: Sequence[str], business: str | None) -> Row:
        chance = self.chance
        modifiers = list(side)
        if self.sometimes(0.25):
            modifiers.append(chance.choice(OTHER_MODIFIERS))
        chance.shuffle(modifiers)
        places = sorted(chance.sample(range(1, 6), len(modifiers)))
        row = EMPTY | person | {f"hcpcs_modifier_{place}": modifier for place, modifier in zip(places, modifiers, strict=True)}
        row |= {
            "claim_id": self.claim(),
            "claim_line_number": chance.choice([1, 1, 2, 10]),
            "claim_type": chance.choice(CLAIM_TYPES),
            "hcpcs_code": code,
            "billing_npi": chance.choice(NPIS),
            "rendering_npi": chance.choice(RENDERING),
            "facility_npi": chance.choice(NPIS),
            "plan": chance.choice([None, "HMO", "PPO"]),
            "paid_date": None if self.sometimes(0.08) else day + timedelta(days=chance.choice([10, 20, 30])),
            "file_date": chance.choice([None, date(2025, 1, 1), date(2025, 2, 9)]),
            "paid_amount": chance.choice(AMOUNTS),
            "allowed_amount": chance.choice([None, None, Decimal("0.00"), Decimal("99.50")]),
            "charge_amount": chance.choice([None, Decimal("100.00"), Decimal("596.92")]),
            "service_unit_quantity": chance.choice([None, Decimal("1.0000"), Decimal("2.0000"), Decimal("0.5000")]),
            "line_of_business": business,
            "claim_status": chance.choice([None, "paid"]),
            "claim_frequency_code": chance.choice([None, "1", "1", "2", "9"]),
            "bill_type_code": chance.choice([None, None, None, "0131", "131"]),
            "revenue_center_code": chance.choice([None, None, None, None, "0490"]),
            "place_of_service_code": chance.choice([None, "11", "19", "22", "24"]),
            "version_number": chance.choice([None, None, None, 1, 2]),
            "file_name": chance.choice([None, "a", "b"]),
            "diagnosis_code_1": chance.choice([None, "M461"]),
        }
        if self.calm:
            row["paid_amount"] = row["paid_amount"] or Decimal("83.88")
            row["line_of_business"] = business or "commercial"
        elif chance.random() < 0.05:
            row["paid_amount"] = None
        if self.sometimes(0.04):
            row["prior_authorization_number"] = "A1"
        if self.sometimes(0.04):
            row["claim_status"] = "denied"
        if chance.random() < 0.15:
            row |= {"claim_start_date": day, "claim_end_date": day + timedelta(days=chance.choice([0, 0, 1, 3]))}
            if chance.random() < 0.3:
                row["claim_end_date"] = None
            if chance.random() < 0.3:
                row["claim_start_date"] = day - timedelta(days=1)
                row["claim_line_start_date"] = day
        else:
            row["claim_line_start_date"] = day
        if self.sometimes(0.15):
            row["claim_line_end_date"] = day + timedelta(days=chance.choice([-1, 0, 0, 1]))
        return row

    def visit(self, person: Row, day: date, business: str | None, usual: Sequence[str], diagnostic: float) -> None:
        chance = self.chance
        side = usual if chance.random() < 0.6 else chance.choice(SIDE_MODIFIERS)
        count = chance.choice([1, 1, 1, 2, 2, 3])
        for _ in range(count):
            if chance.random() < 0.25:
                side = chance.choice(SIDE_MODIFIERS)
            marks = [*side, "KX"] if chance.random() < diagnostic else list(side)
            mine = chance.choice(BUSINESSES) if chance.random() < 0.1 else business
            self.deliver(self.line(person, day, chance.choice(["27096", "27096", "G0260"]), marks, mine))
        if chance.random() < 0.2:
            self.elsewhere(person, day, business)

    def elsewhere(self, person: Row, day: date, business: str | None) -> None:
        """Other procedures of a date, often by the same people."""
        chance = self.chance
        for _ in range(chance.choice([1, 1, 2, 3])):
            code = chance.choice(["64451", "64451", "64625", "64625", *SHARED, chance.choice(SPINE), "99213"])
            row = self.line(person, day, code, chance.choice(SIDE_MODIFIERS), business)
            if self.rows and chance.random() < 0.6:
                row["rendering_npi"] = self.rows[-1]["rendering_npi"]
            if self.rows and chance.random() < 0.6:
                row["billing_npi"] = self.rows[-1]["billing_npi"]
            self.deliver(row)

    def deliver(self, row: Row) -> None:
        """Append a line with its versions, duplicates, reversals and adjustments; sometimes as a further line of the claim before."""
        chance = self.chance
        if self.rows and chance.random() < 0.2:
            before = self.rows[-1]
            row["claim_id"], row["data_source"] = before["claim_id"], before["data_source"]
            if chance.random() < 0.8:
                row["claim_line_number"] = before["claim_line_number"] + 1
        self.rows.append(row)
        while self.sometimes(0.3):
            self.rows.append(self.version(chance.choice([row, row, self.rows[-1]])))
        if self.sometimes(0.05):
            self.rows.extend(self.tangle(row))
        if self.sometimes(0.12):
            self.rows.extend(self.reversal_elsewhere(row))
        if self.sometimes(0.2):
            self.rows.append(self.adjustment(row))
        if self.sometimes(0.05):
            later = row | {"claim_id": self.claim()}
            later["claim_line_start_date"] = (row["claim_line_start_date"] or row["claim_start_date"]) + timedelta(
                days=chance.choice([1, 2, 3, 4])
            )
            self.rows.append(later)
        if self.sometimes(0.05):
            self.rows.append(row | {"file_date": chance.choice([None, date(2024, 12, 1)]), "file_name": "again"})

    def move_paid_date(self, row: Row) -> date | None:
        paid = row["paid_date"]
        if self.chance.random() < 0.1:
            return None
        return (paid or date(2022, 1, 1)) + timedelta(days=self.chance.choice([0, 0, -1, 1, 30, -10]))

    def make_reversal(self, row: Row) -> Row:
        kind = self.chance.randrange(5)
        if kind == 0:
            return row | {"claim_status": "reversed"}
        if kind == 1 and row["service_unit_quantity"]:
            return row | {"service_unit_quantity": -row["service_unit_quantity"]}
        if kind == 2 and row["charge_amount"]:
            return row | {"charge_amount": -row["charge_amount"]}
        if row["paid_amount"]:
            return row | {"paid_amount": -row["paid_amount"]}
        return row | {"claim_status": "reversed"}

    def version(self, row: Row) -> Row:
        chance = self.chance
        row = row | {"paid_date": self.move_paid_date(row)}
        if chance.random() < 0.6:
            row["file_date"] = chance.choice([None, date(2025, 1, 1), date(2025, 2, 9)])
        if chance.random() < 0.4:
            row["version_number"] = chance.choice([None, 1, 2, 3])
        if chance.random() < 0.45:
            return self.make_reversal(row)
        change = chance.randrange(12)
        if change == 0:
            row["claim_status"] = chance.choice(["denied", "pending", "paid", None])
        elif change == 1:
            row["paid_amount"] = chance.choice(AMOUNTS)
        elif change == 2:
            row["hcpcs_modifier_1"] = chance.choice(["RT", "LT", "50", None, "KX"])
        elif change == 3:
            row["hcpcs_code"] = chance.choice(["27096", "G0260", "64451", "64625", "99213", None])
        elif change == 4:
            row["claim_line_start_date"] = (row["claim_line_start_date"] or row["claim_start_date"]) + timedelta(days=1)
        elif change == 5:
            row["plan"] = chance.choice([None, "HMO", "PPO", "ÄPO"])
        elif change == 6:
            row["claim_frequency_code"] = chance.choice(["7", "7", "8", None])
        elif change == 7:
            row["person_id"] = chance.choice([None, f"P{self.number:04}0", f"P{self.number:04}1"])
        elif change == 8:
            row["claim_frequency_code"] = None
            row["bill_type_code"] = chance.choice(["0137", "0138", "137", "7", "0131"])
        elif change == 9:
            row["billing_npi"] = chance.choice(NPIS)
        return row

    def tangle(self, row: Row) -> list[Row]:
        """Versions of a line on two or three dates, some reversals, some under a code that no family has."""
        chance = self.chance
        dates = [row["paid_date"], chance.choice([None, date(2025, 1, 5)]), row["paid_date"]]
        rows = []
        for _ in range(chance.choice([2, 3, 4, 6])):
            version = row | {
                "paid_date": chance.choice(dates),
                "file_date": chance.choice([None, date(2025, 1, 1), date(2025, 2, 9)]),
                "hcpcs_code": chance.choice([row["hcpcs_code"], row["hcpcs_code"], "99213", "64483"]),
                "claim_frequency_code": chance.choice([None, "1", "1", "7"]),
                "diagnosis_code_2": chance.choice([None, "M533"]),
                "hcpcs_modifier_1": chance.choice([row["hcpcs_modifier_1"], row["hcpcs_modifier_1"], "RT"]),
            }
            rows.append(self.make_reversal(version) if chance.random() < 0.5 else version)
        return rows

    def reversal_elsewhere(self, row: Row) -> list[Row]:
        """Rows under another claim number that back the line out, in several ranks."""
        chance = self.chance
        rows = []
        for _ in range(chance.choice([1, 1, 2, 3])):
            back = row | {"claim_id": self.claim(), "paid_date": self.move_paid_date(row)}
            back = back | {"claim_status": "reversed"} if chance.random() < 0.5 else self.make_reversal(back)
            if chance.random() < 0.2:
                back["paid_amount"] = chance.choice([None, Decimal("-100.00"), row["paid_amount"]])
            if chance.random() < 0.1:
                back["billing_npi"] = chance.choice(NPIS)
            if chance.random() < 0.1:
                back["claim_frequency_code"] = chance.choice(["7", "8"])
            if chance.random() < 0.2:
                back["hcpcs_modifier_1"], back["hcpcs_modifier_5"] = back["hcpcs_modifier_5"], back["hcpcs_modifier_1"]
            rows.append(back)
            if chance.random() < 0.3:
                rows.append(row | {"claim_id": self.claim(), "paid_date": self.move_paid_date(row)})
            if chance.random() < 0.15:
                rows.append(back | {"claim_line_number": back["claim_line_number"] + 1, "hcpcs_code": chance.choice(["99213", "27096"])})
        return rows

    def adjustment(self, row: Row) -> Row:
        chance = self.chance
        target = row if chance.random() < 0.6 else chance.choice(self.rows)
        adjusting = row | {"paid_date": self.move_paid_date(target), "claim_frequency_code": chance.choice(["7", "7", "8"])}
        where = chance.randrange(6)
        if where < 2:
            adjusting["claim_id"] = self.claim()
            adjusting["replaced_claim_id"] = target["claim_id"]
        elif where == 2:
            adjusting["replaced_claim_id"] = row["claim_id"]
        elif where == 3:
            adjusting["claim_id"] = self.claim()
            adjusting["replaced_claim_id"] = chance.choice(["lost", None, chance.choice(self.rows)["claim_id"]])
        if chance.random() < 0.15:
            adjusting["claim_status"] = chance.choice(["denied", "pending", "reversed"])
        if chance.random() < 0.15:
            adjusting["person_id"] = f"P{self.number:04}{chance.randrange(3)}"
        if chance.random() < 0.15:
            adjusting["data_source"] = chance.choice([None, "SYS-A"])
        if chance.random() < 0.2:
            adjusting["claim_line_number"] += 1
        if chance.random() < 0.2:
            adjusting["claim_frequency_code"] = None
            adjusting["claim_type"], adjusting["bill_type_code"] = chance.choice(CLAIM_TYPES), chance.choice(["0137", "0138"])
        if chance.random() < 0.1:
            adjusting["hcpcs_code"] = chance.choice(["99213", None])
        if chance.random() < 0.1:
            adjusting = self.make_reversal(adjusting)
        return adjusting


def make_household(chance: random.Random, number: int) -> list[Row]:
    household = Household(chance, number, calm=chance.random() < 0.5)
    for index in range(chance.choice([1, 1, 2, 3])):
        person: Row = {
            "person_id": f"P{number:04}{index}" if chance.random() < 0.8 else None,
            "member_id": f"M{number:04}{chance.choice([index, 0])}",
            "payer": chance.choice([None, "Payer, B", "Zähler"]),
            "data_source": chance.choice([None, "SYS-A", "SYS-A"]),
            "state": chance.choice([None, "TX"]),
        }
        household.days = []
        business = chance.choice(BUSINESSES)
        usual = chance.choice(SIDE_MODIFIERS)
        diagnostic = chance.choice([0, 0, 0.3, 0.8])
        turns = chance.choice([None, None, None, 4, 5])
        day = chance.choice(STARTS) + timedelta(days=chance.choice([-1, 0, 0, 1, 17]))
        for visit in range(chance.choice([1, 2, 3, 5, 7, 10])):
            if visit == turns:
                usual, diagnostic = chance.choice([["RT"], ["LT"]]), chance.choice([0, 1])
            if chance.random() < 0.12:
                household.elsewhere(person, day, business)
            else:
                household.visit(person, day, business, usual, diagnostic)
            if chance.random() < 0.1:
                day += timedelta(days=chance.choice([0, 0, 1]))
            household.days.append(day)
            day = max(household.gap(day), day)
    return household.rows


def make_rows(seed: int, households: int) -> list[Row]:
    """Rows of as many households, in an order that chance gives them."""
    chance = random.Random(seed)
    rows = [row for number in range(households) for row in make_household(chance, number)]
    chance.shuffle(rows)
    return rows


def split_rows(seed: int, rows: Sequence[Row], nights: int) -> list[list[Row]]:
    """The rows of each night; the later ones have few, so that much stays as it was."""
    chance = random.Random(seed)
    parts: list[list[Row]] = [[] for _ in range(nights)]
    for row in rows:
        night = 0 if chance.random() < 0.8 else chance.randrange(nights)
        parts[night].append(row)
    return parts
