"""The audit in plain Python, written from the contract's text alone: slow, and without a thought of how the SQL does it.

Rows are dicts with the columns of `sij_audit.transforms.columns.BATCH_SCHEMA`, normalised and typed. Sections and numbers are those of the
contract.
"""

import calendar
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sij_audit.transforms.columns import COLUMNS

Row = dict[str, Any]
Claim = tuple[str | None, str]
Key = tuple[Claim, int]

ZERO = Decimal("0.00")
MODIFIERS = [f"hcpcs_modifier_{n}" for n in range(1, 6)]
COMPARED = [column.name for column in COLUMNS if column.name not in ("file_name", "file_date")]
INJECTION, BLOCK, RADIOFREQUENCY = SIJ_FAMILIES = ("sij_injection", "sij_nerve_block", "sij_radiofrequency")
INCONCLUSIVE = ("major_joint_injection", "trigger_point_injection", "peripheral_nerve_block", "other_neurolysis")
LINE_DOUBTS = ("denial_unclear", "date_uncertain", "replacement_unmatched", "version_unclear")
PRESUMED = ("purpose_unmarked", "state_rules_unchecked")
STRENGTHS = ("proven", "presumed", "likely", "possible")
REVISIONS = ("2018-08", "2019-08", "2020-02", "2020-08", "2021-06", "2021-08", "2022-08", "2023-08")
SIDES = ("left", "right")
POLICY_FROM = date(2018, 8, 1)
TEXT_HELD_FROM = date(2021, 6, 1)
NOT_NECESSARY_FROM = date(2020, 2, 1)
SCOPES = ("same_site", "unspecified_site", "other_site")
RULES = {
    "radiofrequency_not_necessary": "V",
    "nerve_block_not_necessary": "IV",
    "multiple_procedures_per_visit": "I",
    "bilateral_injection": "I",
    "second_injection_under_two_weeks": "I.A.2",
    "interval_under_two_months": "I.A.3.c",
    "fifth_injection_in_twelve_months": "I.A.3.d",
    "injections_beyond_twelve_months": "III",
}
"""Every rule and its section, in the order of section 4."""


def codes_between(first: int, last: int) -> list[str]:
    return [str(code) for code in range(first, last + 1)]


CODES = {
    INJECTION: ["27096", "G0260"],
    BLOCK: ["64451"],
    RADIOFREQUENCY: ["64625"],
    "epidural_injection": [*codes_between(62320, 62327), "64479", "64480", "64483", "64484"],
    "epidural_adhesiolysis": ["62263", "62264"],
    "discography": ["62290", "62291"],
    "paravertebral_block": ["64461", "64462", "64463"],
    "spinal_stimulator": ["63650"],
    "facet_injection": [*codes_between(64490, 64495), "0213T", "0214T", "0215T", "0216T", "0217T", "0218T"],
    "facet_radiofrequency": codes_between(64633, 64636),
    "sympathetic_block": ["64505", "64510", "64517", "64520", "64530"],
    "major_joint_injection": ["20610", "20611"],
    "trigger_point_injection": ["20552", "20553"],
    "peripheral_nerve_block": (
        "64400 64405 64408 64415 64416 64417 64418 64420 64421 64425 64430 64435 64445 64446 64447 64448 64449 64450 64454 64455".split()
    ),
    "other_neurolysis": "64620 64624 64628 64629 64630 64632 64640 64680 64681".split(),
}
FAMILY = {code: family for family, codes in CODES.items() for code in codes}
CODE_FROM = (
    {code: date(2020, 1, 1) for code in ("64451", "64625", "64454", "64624")}
    | {code: date(2017, 1, 1) for code in codes_between(62320, 62327)}
    | {code: date(2022, 1, 1) for code in ("64628", "64629")}
    | {code: date(2016, 1, 1) for code in ("64461", "64462", "64463")}
    | {"20611": date(2015, 1, 1)}
)


def family_on(code: str | None, day: date) -> str | None:
    """The family that a code is in at a date."""
    if code is None or day < CODE_FROM.get(code, date.min):
        return None
    return FAMILY.get(code)


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def nulls_first(value: Any) -> tuple[Any, ...]:
    """A key under which null sorts before every value."""
    return (0,) if value is None else (1, value)


def claim_of(row: Row) -> Claim:
    return (row["data_source"], row["claim_id"])


def person_of(row: Row) -> str:
    """2.1."""
    if row["person_id"] is not None:
        return str(row["person_id"])
    return "|".join(part for part in (row["data_source"], row["payer"], row["member_id"]) if part is not None)


def service_date_of(row: Row) -> date:
    day: date = row["claim_line_start_date"] or row["claim_start_date"]
    return day


def modifiers_of(row: Row) -> frozenset[str]:
    return frozenset(row[name] for name in MODIFIERS if row[name] is not None)


def is_institutional(row: Row) -> bool:
    return (row["claim_type"] or "").lower() == "institutional"


def status_of(row: Row) -> str:
    return row["claim_status"] or "paid"


def frequency_of(row: Row) -> str:
    """1, 7 or 8: what the row acts as."""
    code = row["claim_frequency_code"]
    if code is None and is_institutional(row):
        code = (row["bill_type_code"] or "")[-1:]
    return code if code in ("7", "8") else "1"


def is_reversal(row: Row) -> bool:
    """2.3."""
    amounts = (row["service_unit_quantity"], row["paid_amount"], row["charge_amount"])
    return status_of(row) == "reversed" or any(amount is not None and amount < 0 for amount in amounts)


def has_family(row: Row) -> bool:
    """Whether the code is in some family, at any date (2.3)."""
    return row["hcpcs_code"] in FAMILY


def acts_on(row: Row) -> Claim:
    return (row["data_source"], row["replaced_claim_id"] or row["claim_id"])


def supersedes(row: Row, other: Row, adjudicated: Mapping[int, date | None]) -> bool:
    """Whether an adjustment makes a row of the claim that it acts on dead."""
    if claim_of(row) != acts_on(row):
        return True
    theirs, mine = adjudicated[id(other)], adjudicated[id(row)]
    if frequency_of(row) == "8":
        return mine is None or nulls_first(theirs) <= nulls_first(mine)
    return nulls_first(theirs) < nulls_first(mine)


def find_adjudication_dates(rows: Sequence[Row]) -> dict[int, date | None]:
    """2.4: the adjudication date of each row, by its identity."""
    by_line: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        by_line[(claim_of(row), row["claim_line_number"])].append(row)
    dates = {}
    for mine in by_line.values():
        paid = [row["file_date"] for row in mine if row["paid_date"] is not None]
        for row in mine:
            is_open = None in paid or row["file_date"] in paid
            dates[id(row)] = row["paid_date"] or (None if is_open else row["file_date"])
    return dates


def group_of_business(value: str | None) -> str:
    """The table of section 1."""
    if value is None:
        return "unknown"
    denials = ("non-medicare", "non medicare", "nonmedicare", "not medicare")
    is_medicare = "medicare" in value and not any(denial in value for denial in denials)
    if is_medicare or value in "mapd,ma-pd,part c,snp,d-snp,dsnp,c-snp,csnp,i-snp,isnp,mmp".split(","):
        return "medicare"
    if value.startswith("medicaid") or value in "medi-cal,chip,tanf,ltss,star,star+plus,star kids,medical assistance".split(","):
        return "medicaid"
    others = "hix,qhp,aca,health insurance marketplace,individual,employer group,large group,small group,self-funded,self-insured,aso,fehb"
    is_commercial = value.startswith(("commercial", "marketplace", "exchange", "ambetter")) or value in others.split(",")
    return "commercial" if is_commercial else "unknown"


def keep_rows(extracts: Sequence[Sequence[Row]]) -> list[Row]:
    """Section 6: what is kept of extracts taken one after the other; then 2.2."""
    relevant: set[Claim] = set()
    kept: dict[tuple[Any, ...], Row] = {}
    for rows in extracts:
        relevant |= {claim_of(row) for row in rows if has_family(row) or frequency_of(row) != "1" or is_reversal(row)}
        for row in rows:
            if claim_of(row) not in relevant:
                continue
            values = tuple(row[name] for name in COMPARED)
            twin = kept.setdefault(values, dict(row))
            twin["file_date"] = min(twin["file_date"], row["file_date"], key=nulls_first)
    return list(kept.values())


def version_of(row: Row, adjudicated: Mapping[int, date | None]) -> tuple[Any, ...]:
    """2.4: the version that a row is of."""
    return (nulls_first(adjudicated[id(row)]), nulls_first(row["version_number"]))


def version_order(row: Row, adjudicated: Mapping[int, date | None]) -> tuple[Any, ...]:
    """2.4: the order of the rows of a line; the last counts."""
    return (
        version_of(row, adjudicated),
        nulls_first(row["file_date"]),
        frequency_of(row) == "7",
        [nulls_first(row[name]) for name in COMPARED],
    )


@dataclass
class Line:
    """A standing line: its key, the row it takes its values from, and what becomes of it."""

    claim: Claim
    number: int
    row: Row
    person: str
    day: date
    family: str | None
    modifiers: frozenset[str]
    statuses: set[str] = field(default_factory=set)
    doubts: set[str] = field(default_factory=set)
    group: str = "unknown"
    """medicare, medicaid, commercial or unknown; a crossover line of Medicaid is medicare."""
    has_medicare_beside: bool = False

    @property
    def paid(self) -> Decimal:
        return self.row["paid_amount"] or ZERO

    @property
    def key(self) -> Key:
        return (self.claim, self.number)

    @property
    def sides(self) -> set[str]:
        sides = set()
        if self.modifiers & {"RT", "50"}:
            sides.add("right")
        if self.modifiers & {"LT", "50"}:
            sides.add("left")
        return sides

    @property
    def billing_provider(self) -> Any:
        return self.row["billing_npi"] or self.claim

    @property
    def is_facility(self) -> bool:
        row = self.row
        by_type = is_institutional(row) or (row["claim_type"] is None and (row["bill_type_code"] or row["revenue_center_code"]) is not None)
        at_its_own = row["billing_npi"] is not None and row["billing_npi"] == row["facility_npi"]
        return by_type or row["hcpcs_code"] == "G0260" or (at_its_own and row["place_of_service_code"] in ("19", "22", "24"))

    @property
    def is_cited(self) -> bool:
        """Whether the policy applies to the line."""
        return self.day >= POLICY_FROM and self.group != "medicare"


@dataclass
class Sites:
    certain: set[str]
    possible: set[str]

    @property
    def name(self) -> str:
        if len(self.certain) == 2:
            return "bilateral"
        return min(self.certain, default="unspecified")


@dataclass
class Injection:
    person: str
    day: date
    lines: list[Line]
    sites: Sites
    series: list["Injection"]
    """All injections of its series, in date order, itself among them."""
    is_diagnostic: bool = False
    doubts: set[str] = field(default_factory=set)

    @property
    def is_sound(self) -> bool:
        return not self.is_diagnostic and not self.doubts

    @property
    def is_of_facilities(self) -> bool:
        return all(line.is_facility for line in self.lines)

    @property
    def is_of_no_facility(self) -> bool:
        return not any(line.is_facility for line in self.lines)

    @property
    def earlier(self) -> list["Injection"]:
        """Those of its series that came before it."""
        return [one for one in self.series if one.day < self.day]

    def may_be_diagnostic_at(self, side: str) -> bool:
        before = [one for one in self.earlier if not one.doubts and side in one.sites.certain]
        return not self.is_diagnostic and side in self.sites.certain and len(before) < 2


@dataclass
class Audit:
    findings: list[Row]
    injections: list[Row]
    payees: list[Row]
    rules: list[Row]
    timelines: list[Row]
    lines: list[Row]
    totals: dict[str, int]


def standing_lines(rows: Iterable[Row], adjudicated: Mapping[int, date | None]) -> dict[Key, Line]:
    """2.4; `rows` are those that take part."""
    versions: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        versions[(claim_of(row), row["claim_line_number"])].append(row)
    standing = {}
    for key, mine in versions.items():
        latest = max(version_of(row, adjudicated) for row in mine)
        last = [is_reversal(row) for row in mine if version_of(row, adjudicated) == latest]
        if all(last):
            continue
        if any(last):
            reversals = sum(is_reversal(row) for row in mine if has_family(row))
            others = sum(not is_reversal(row) for row in mine if has_family(row))
            if others <= reversals:
                continue
        row = max((row for row in mine if not is_reversal(row)), key=lambda row: version_order(row, adjudicated))
        day = service_date_of(row)
        standing[key] = Line(*key, row, person_of(row), day, family_on(row["hcpcs_code"], day), modifiers_of(row))
        if any(is_unclear_beside(other, row, adjudicated) for other in mine if other is not row):
            standing[key].doubts.add("version_unclear")
    return standing


def is_unclear_beside(other: Row, row: Row, adjudicated: Mapping[int, date | None]) -> bool:
    """Whether another row of the line may have come after the one that the line takes its values from."""

    def says(one: Row) -> tuple[Any, ...]:
        return (status_of(one), one["hcpcs_code"], modifiers_of(one), service_date_of(one), person_of(one))

    differs = says(other) != says(row)
    if adjudicated[id(other)] is None and (is_reversal(other) or differs):
        return True
    same_version = version_of(other, adjudicated) == version_of(row, adjudicated) and other["file_date"] == row["file_date"]
    return differs and not is_reversal(other) and same_version


def takes_part(row: Row) -> bool:
    frequency, status = frequency_of(row), status_of(row)
    return frequency != "8" and status != "pending" and not (frequency == "7" and status == "denied")


def reverse_elsewhere(rows: Sequence[Row], standing: dict[Key, Line], adjudicated: Mapping[int, date | None]) -> int:
    """2.5: mark the lines that reversals under another claim number back out; count the reversing lines that make none dead."""

    def likeness(row: Row) -> tuple[Any, ...]:
        paid = row["paid_amount"]
        return (
            row["data_source"],
            person_of(row),
            service_date_of(row),
            row["hcpcs_code"],
            modifiers_of(row),
            row["billing_npi"],
            None if paid is None else abs(paid),
        )

    def rank(row: Row) -> tuple[Any, ...]:
        return (nulls_first(row["paid_date"]), row["claim_id"], row["claim_line_number"])

    by_claim: dict[Claim, list[Row]] = defaultdict(list)
    for row in rows:
        if takes_part(row) and has_family(row):
            by_claim[claim_of(row)].append(row)
    reversing: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    count = 0
    for mine in by_claim.values():
        if not all(is_reversal(row) for row in mine):
            continue
        for number in {row["claim_line_number"] for row in mine}:
            of_line = [row for row in mine if row["claim_line_number"] == number]
            row = max(of_line, key=lambda row: version_order(row, adjudicated))
            reversing[likeness(row)].append(row)
            count += 1
    candidates: dict[tuple[Any, ...], list[Line]] = defaultdict(list)
    for line in standing.values():
        candidates[likeness(line.row)].append(line)
    for like, backs in reversing.items():
        lines = sorted(candidates[like], key=lambda line: rank(line.row))
        if not lines:
            continue
        first = nulls_first(lines[0].row["paid_date"])
        backs = sorted((row for row in backs if nulls_first(row["paid_date"]) >= first), key=rank)
        for line, back in zip(lines, backs, strict=False):
            if nulls_first(line.row["paid_date"]) <= nulls_first(back["paid_date"]):
                line.statuses.add("reversed_elsewhere")
                count -= 1
    return count


def adjust(rows: Sequence[Row], standing: dict[Key, Line], adjudicated: Mapping[int, date | None]) -> dict[str, int]:
    """2.6: mark the lines that voids and replacements make dead."""
    by_claim: dict[Claim, list[Row]] = defaultdict(list)
    lines_of: dict[Claim, list[Line]] = defaultdict(list)
    for row in rows:
        by_claim[claim_of(row)].append(row)
    for line in standing.values():
        lines_of[line.claim].append(line)
    orphans = across = 0
    for row in rows:
        frequency = frequency_of(row)
        if frequency == "1" or status_of(row) in ("denied", "pending"):
            continue
        own, target = claim_of(row), acts_on(row)
        if own != target and target not in by_claim and any(has_family(mine) for mine in by_claim[own]):
            orphans += 1
        if any(person_of(other) != person_of(row) and supersedes(row, other, adjudicated) for other in by_claim.get(target, [])):
            across += 1
        for line in lines_of.get(target, []):
            if supersedes(row, line.row, adjudicated):
                line.statuses.add("voided" if frequency == "8" else "replaced")
    return {"orphan_adjustments": orphans, "adjustments_across_persons": across}


def doubt_lines(rows: Sequence[Row], lines: Iterable[Line]) -> None:
    """Section 2, doubts."""
    frequencies: dict[Claim, set[str]] = defaultdict(set)
    for row in rows:
        frequencies[claim_of(row)].add(frequency_of(row))
    for line in lines:
        row = line.row
        if not row["paid_amount"] and not row["allowed_amount"]:
            line.doubts.add("denial_unclear")
        start, end = row["claim_start_date"], row["claim_end_date"]
        is_from_header = row["claim_line_start_date"] is None and end is not None and end > start
        if is_from_header or (row["claim_line_end_date"] is not None and row["claim_line_end_date"] > line.day):
            line.doubts.add("date_uncertain")
        if frequency_of(row) == "7":
            others = frequencies.get(acts_on(row), set())
            if not (others - {"7"} if acts_on(row) == claim_of(row) else others):
                line.doubts.add("replacement_unmatched")
        if line.modifiers & {"52", "53", "74"}:
            line.doubts.add("discontinued")
        if row["prior_authorization_number"] is not None:
            line.doubts.add("authorized")
        if line.group == "unknown":
            line.doubts.add("line_of_business_unknown")


def group_doubts(lines: Sequence[Line]) -> set[str]:
    """The doubts of lines that belong together."""
    doubts = {"discontinued"} if any("discontinued" in line.doubts for line in lines) else set()
    if all(line.doubts & set(LINE_DOUBTS) for line in lines):
        doubts |= {doubt for line in lines for doubt in line.doubts if doubt in LINE_DOUBTS}
    return doubts


def find_sites(lines: Sequence[Line]) -> Sites:
    said: dict[Any, set[str]] = defaultdict(set)
    for line in lines:
        said[line.billing_provider] |= line.sides
    speakers = [sides for sides in said.values() if sides]
    certain = {side for side in SIDES if speakers and all(side in sides for sides in speakers)}
    if not certain:
        return Sites(set(), set(SIDES))
    return Sites(certain, {side for sides in speakers for side in sides})


def scope_of(earlier: Injection, injection: Injection) -> str:
    if earlier.sites.certain & injection.sites.certain:
        return "same_site"
    return "unspecified_site" if earlier.sites.possible & injection.sites.possible else "other_site"


def find_injections(live: Sequence[Line]) -> dict[str, list[Injection]]:
    """Section 3: the injections of every person, in date order."""
    by_date: dict[tuple[str, date], list[Line]] = defaultdict(list)
    for line in live:
        if line.family == INJECTION:
            by_date[(line.person, line.day)].append(line)
    people: dict[str, list[Injection]] = defaultdict(list)
    for (person, day), lines in sorted(by_date.items()):
        before = people[person][-1] if people[person] else None
        series = before.series if before and day < add_months(before.day, 12) else []
        injection = Injection(person, day, lines, find_sites(lines), series, doubts=group_doubts(lines))
        is_marked = any("KX" in line.modifiers for line in lines)
        injection.is_diagnostic = is_marked and any(
            sum(side in earlier.sites.possible for earlier in series) < 2 for side in injection.sites.possible
        )
        if before and may_be_one_visit(before, injection):
            injection.doubts.add("may_be_one_visit")
        if before and may_be_same_service(before, injection):
            injection.doubts.add("may_be_same_service")
        series.append(injection)
        people[person].append(injection)
    return people


def may_be_one_visit(before: Injection, injection: Injection) -> bool:
    if (injection.day - before.day).days > 7:
        return False
    npis = {line.row["billing_npi"] for line in before.lines + injection.lines}
    return (
        (before.is_of_facilities and injection.is_of_no_facility)
        or (injection.is_of_facilities and before.is_of_no_facility)
        or (before.is_of_facilities and injection.is_of_facilities and len(npis) == 1 and None not in npis)
    )


def may_be_same_service(before: Injection, injection: Injection) -> bool:
    def likeness(line: Line) -> tuple[Any, ...]:
        return (line.row["hcpcs_code"], line.modifiers, line.row["billing_npi"], line.row["paid_amount"])

    return (injection.day - before.day).days <= 3 and {likeness(line) for line in injection.lines} <= {
        likeness(line) for line in before.lines
    }


@dataclass
class Found:
    """What a rule found, before the columns that all findings have in common."""

    rule_id: str
    person: str
    day: date
    cited: list[Line]
    is_violation: bool
    """Whether the rule's own condition for a violation holds."""
    doubts: set[str]
    """With what the policy presumes away; those of `cited` are added."""
    sites: Sites
    scope: str | None = None
    values: Row = field(default_factory=dict)
    prior: list[Line] = field(default_factory=list)
    codes: set[str] | None = None
    is_upper_bound: bool = False
    authorized_by: list[Line] | None = None


def find_not_necessary(person: str, day: date, lines: Sequence[Line]) -> list[Found]:
    """V and IV."""
    found = []
    for rule_id, code in (("radiofrequency_not_necessary", "64625"), ("nerve_block_not_necessary", "64451")):
        mine = [line for line in lines if line.row["hcpcs_code"] == code]
        if mine and day >= NOT_NECESSARY_FROM:
            each = [line.doubts & {"denial_unclear", "version_unclear"} for line in mine]
            doubts = set().union(*each) if all(each) else set()
            found.append(Found(rule_id, person, day, [line for line in mine if line.is_cited], True, doubts, find_sites(mine)))
    return found


def find_on_the_day(injection: Injection, lines: Sequence[Line]) -> list[Found]:
    """I, multiple procedures."""
    families: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.family and line.family not in SIJ_FAMILIES:
            families[line.family].append(line)
    if not families:
        return []

    def by_one(one: Line, other: Line) -> bool:
        npi = one.row["rendering_npi"]
        return npi is not None and npi == other.row["rendering_npi"] and not one.is_facility and not other.is_facility

    def is_shown(family: str, theirs: Sequence[Line]) -> bool:
        is_marked = any(line.modifiers & {"59", "XE", "XP"} for line in [*injection.lines, *theirs])
        return family not in INCONCLUSIVE and not is_marked and any(by_one(one, other) for one in injection.lines for other in theirs)

    is_violation = any(is_shown(family, theirs) for family, theirs in families.items())
    others = [line for theirs in families.values() for line in theirs]
    doubts = group_doubts(injection.lines).union(*(group_doubts(theirs) for theirs in families.values()))
    if not is_violation:
        doubts.add("visit_open")
    cited = [line for line in injection.lines if line.is_cited]
    return [
        Found(
            "multiple_procedures_per_visit",
            injection.person,
            injection.day,
            cited,
            is_violation,
            doubts,
            injection.sites,
            prior=others,
            codes={line.row["hcpcs_code"] for line in [*cited, *others]},
            is_upper_bound=True,
            authorized_by=[*injection.lines, *others],
        )
    ]


def at_sides(cited: Sequence[Line], breaking: set[str]) -> list[Line]:
    """Without the cited lines that name one side only, which does not break the rule."""
    return [line for line in cited if not (len(line.sides) == 1 and not line.sides <= breaking)]


def upper_bound(injection: Injection, cited: Sequence[Line], breaking: set[str]) -> bool:
    return bool(injection.sites.possible - breaking) and any(len(line.sides) != 1 for line in cited)


def find_intervals(injection: Injection, earlier: Sequence[Injection]) -> list[Found]:
    """I.A.3.c and I.A.2."""
    day = injection.day
    close = [prior for prior in earlier if day < add_months(prior.day, 2)]
    if not close:
        return []
    scope = next(scope for scope in SCOPES if any(scope_of(prior, injection) == scope for prior in close))
    such = [prior for prior in close if scope_of(prior, injection) == scope]
    prior = ([one for one in such if one.is_sound] or such)[-1]
    shared = injection.sites.certain & prior.sites.certain
    if scope == "same_site":
        by_side = [[one for one in injection.earlier if side in one.sites.certain] for side in sorted(shared)]
    else:
        by_side = [[one for one in injection.earlier if scope_of(one, injection) == scope]]
    k = max(map(len, by_side))
    without_doubt = max(sum(not one.doubts for one in counted) for counted in by_side)
    gap = day - prior.day
    cited = [line for line in injection.lines if line.is_cited]
    is_upper_bound = False
    if scope == "same_site":
        breaking = {
            side
            for side in injection.sites.certain
            if any(side in one.sites.certain and (one.is_sound or not prior.is_sound) for one in close)
        }
        cited = at_sides(cited, breaking)
        is_upper_bound = upper_bound(injection, cited, breaking)

    def finding(rule_id: str, is_violation: bool, doubts: set[str], compliant: date) -> Found:
        values = {
            "prior_service_date": prior.day,
            "interval_days": gap.days,
            "prior_count": k,
            "earliest_compliant_date": compliant,
        }
        return Found(
            rule_id,
            injection.person,
            day,
            cited,
            is_violation,
            doubts,
            injection.sites,
            scope,
            values=values,
            prior=prior.lines,
            is_upper_bound=is_upper_bound,
        )

    found = []
    doubts = injection.doubts | prior.doubts | {"unspecified_site": {"side_open"}, "other_site": {"other_site"}}.get(scope, set())
    is_second = gap >= timedelta(days=14)
    if not (injection.is_diagnostic and prior.is_diagnostic):
        is_open = injection.is_diagnostic or prior.is_diagnostic or (k == 1 and is_second)
        more = {"purpose_open"} if is_open else set()
        if without_doubt == 1 and is_second:
            more = more.union(*(one.doubts for counted in by_side for one in counted))
        is_violation = scope == "same_site" and not is_open
        if is_violation and all(prior.may_be_diagnostic_at(side) for side in shared):
            more.add("purpose_unmarked")
        found.append(finding("interval_under_two_months", is_violation, doubts | more, add_months(prior.day, 2)))
    if injection.is_diagnostic and k == 1 and not is_second:
        found.append(finding("second_injection_under_two_weeks", scope == "same_site", doubts, prior.day + timedelta(days=14)))
    return found


def find_fifth(injection: Injection, earlier: Sequence[Injection]) -> list[Found]:
    """I.A.3.d."""
    if injection.is_diagnostic:
        return []
    counted = [prior for prior in earlier if not prior.is_diagnostic and add_months(prior.day, 12) > injection.day]
    by_scope = {
        "same_site": {side: [prior for prior in counted if side in prior.sites.certain] for side in injection.sites.certain},
        "unspecified_site": {side: [prior for prior in counted if side in prior.sites.possible] for side in injection.sites.possible},
    }
    for scope, sites in by_scope.items():
        prior_count = max((len(priors) for priors in sites.values()), default=0)
        if prior_count < 4:
            continue
        full = {site: priors for site, priors in sites.items() if len(priors) >= 4}
        sound = {site: [prior for prior in priors if prior.is_sound] for site, priors in sites.items()}
        soundly_full = {site for site, priors in sound.items() if len(priors) >= 4}
        cited = [line for line in injection.lines if line.is_cited]
        is_upper_bound = False
        if scope == "same_site":
            breaking = soundly_full or set(full)
            cited = at_sides(cited, breaking)
            is_upper_bound = upper_bound(injection, cited, breaking)
        doubts = set(injection.doubts)
        if not soundly_full:
            doubts |= {doubt for priors in full.values() for prior in priors for doubt in prior.doubts}
        if scope == "unspecified_site":
            doubts.add("side_open")
        elif not any(sum(not prior.may_be_diagnostic_at(side) for prior in priors) >= 4 for side, priors in sound.items()):
            doubts.add("purpose_unmarked")
        return [
            Found(
                "fifth_injection_in_twelve_months",
                injection.person,
                injection.day,
                cited,
                scope == "same_site",
                doubts,
                injection.sites,
                scope,
                values={
                    "prior_count": prior_count,
                    "earliest_compliant_date": max(add_months(priors[-4].day, 12) for priors in full.values()),
                },
                prior=[line for priors in full.values() for prior in priors[-4:] for line in prior.lines],
                is_upper_bound=is_upper_bound,
            )
        ]
    return []


def find_beyond(injection: Injection, earlier: Sequence[Injection]) -> list[Found]:
    """III."""
    first = injection
    for prior in reversed(earlier):
        if scope_of(prior, injection) == "other_site":
            continue
        if first.day >= add_months(prior.day, 12):
            break
        first = prior
    if injection.day <= add_months(first.day, 12):
        return []
    return [
        Found(
            "injections_beyond_twelve_months",
            injection.person,
            injection.day,
            [line for line in injection.lines if line.is_cited],
            False,
            injection.doubts | first.doubts | {"exception_possible"},
            injection.sites,
            values={"prior_service_date": first.day},
            prior=first.lines,
        )
    ]


def paid_sum(lines: Iterable[Any]) -> Decimal:
    return sum((line.paid for line in lines), ZERO)


def describe(found: Found) -> Row:
    """The columns of a finding, but for its status and its amounts at risk."""
    open_facts = set(found.doubts)
    if any("authorized" in line.doubts for line in found.authorized_by or found.cited):
        open_facts.add("authorized")
    if all("line_of_business_unknown" in line.doubts for line in found.cited):
        open_facts.add("line_of_business_unknown")
    if any(line.has_medicare_beside for line in found.cited):
        open_facts.add("medicare_beside")
    if any(line.group == "medicaid" for line in found.cited):
        open_facts.add("state_rules_unchecked")
    if found.day < TEXT_HELD_FROM and RULES[found.rule_id] not in ("IV", "V"):
        open_facts.add("policy_text_not_held")
    presumptions = open_facts & set(PRESUMED)
    doubts = open_facts - presumptions
    is_violation = found.is_violation and not doubts
    violation = "presumed" if presumptions else "proven"
    review = "likely" if found.is_violation else "possible"
    alike = Counter(
        (line.row["hcpcs_code"], line.modifiers, line.row["billing_npi"], line.paid, line.claim) for line in found.cited if line.paid
    )
    came_twice = any(count > 1 for count in Counter(key[:-1] for key in alike).values())
    lead = min(
        found.cited,
        key=lambda line: (-line.paid, line.row["claim_id"], line.row["claim_line_number"], nulls_first(line.row["data_source"])),
    )
    identity = ["CP.MP.166", found.rule_id, found.person, found.day.isoformat()]
    if RULES[found.rule_id] in ("IV", "V"):
        identity.append(found.cited[0].row["hcpcs_code"])
    return {
        "finding_id": hashlib.sha256("\x1f".join(identity).encode()).hexdigest()[:32],
        "policy_id": "CP.MP.166",
        "policy_version": max(revision for revision in REVISIONS if f"{revision}-01" <= found.day.isoformat()),
        "policy_section": RULES[found.rule_id],
        "rule_id": found.rule_id,
        "determination": "violation" if is_violation else "review",
        "strength": violation if is_violation else review,
        "scope": found.scope,
        "doubts": sorted(doubts),
        "presumptions": sorted(presumptions),
        "person_id": found.person,
        **{name: lead.row[name] for name in ("member_id", "line_of_business", "payer", "plan", "state")},
        "service_date": found.day,
        "site": found.sites.name,
        "procedure_codes": sorted(found.codes or {line.row["hcpcs_code"] for line in found.cited}),
        "prior_service_date": None,
        "interval_days": None,
        "prior_count": None,
        "earliest_compliant_date": None,
        **found.values,
        "prior_claim_ids": sorted({line.row["claim_id"] for line in found.prior})[:50],
        **{name: lead.row[name] for name in ("billing_npi", "rendering_npi", "facility_npi")},
        "paid_amount": paid_sum(found.cited),
        "is_upper_bound": found.is_upper_bound or came_twice,
        "precedence_note": any(line.group == "medicaid" for line in found.cited),
    }


STRUCT = (
    *("data_source", "claim_id", "claim_line_number", "hcpcs_code", "claim_type", "billing_npi"),
    *("paid_date", "paid_amount", "amount_at_risk"),
)


def sort_structs(structs: Iterable[Row]) -> list[Row]:
    return sorted(structs, key=lambda struct: [nulls_first(struct[name]) for name in STRUCT])


def claim_dollars(all_found: Sequence[Found]) -> list[Row]:
    """The findings with their amounts at risk: each line's dollars go to the highest-ranked finding that has it."""
    findings = [(found, describe(found)) for found in all_found]
    order = list(RULES)
    findings.sort(key=lambda pair: (STRENGTHS.index(pair[1]["strength"]), order.index(pair[0].rule_id), pair[1]["finding_id"]))
    claimed: set[Key] = set()
    for found, finding in findings:
        structs = []
        for line in found.cited:
            at_risk = ZERO if line.key in claimed else line.paid
            claimed.add(line.key)
            structs.append({name: line.row.get(name) for name in STRUCT} | {"amount_at_risk": at_risk})
        finding["claim_lines"] = sort_structs(structs)
        finding["amount_at_risk"] = sum((Decimal(struct["amount_at_risk"] or 0) for struct in structs), ZERO)
    return [finding for _, finding in findings]


def compare_with_previous(findings: list[Row], previous: Sequence[Row], as_of: date) -> list[Row]:
    """Section 5: status and first_reported; the withdrawn ones are added."""
    last = {finding["finding_id"]: finding for finding in previous if finding["status"] != "withdrawn"}
    not_compared = ("status", "first_reported", "policy_version", "precedence_note")
    for finding in findings:
        before = last.pop(finding["finding_id"], None)
        if before is None:
            finding |= {"status": "new", "first_reported": as_of}
        else:
            is_same = all(finding[name] == before[name] for name in finding if name not in not_compared)
            finding |= {"status": "open" if is_same else "changed", "first_reported": before["first_reported"]}
    for before in last.values():
        structs = sort_structs(struct | {"amount_at_risk": ZERO} for struct in before["claim_lines"])
        findings.append(before | {"status": "withdrawn", "claim_lines": structs, "amount_at_risk": ZERO})
    return findings


def find_payees(findings: Sequence[Row]) -> list[Row]:
    payees: dict[tuple[Any, ...], Row] = {}
    for finding in findings:
        for struct in finding["claim_lines"]:
            names = {"finding_id": finding["finding_id"], "billing_npi": struct["billing_npi"], "claim_type": struct["claim_type"]}
            payee = payees.setdefault(tuple(names.values()), names | {"line_count": 0, "paid_amount": ZERO, "amount_at_risk": ZERO})
            payee["line_count"] += 1
            payee["paid_amount"] += struct["paid_amount"] or ZERO
            payee["amount_at_risk"] += struct["amount_at_risk"]
    return list(payees.values())


def count_rules(findings: Sequence[Row], live: Sequence[Line], injections: Sequence[Injection]) -> list[Row]:
    """The rules report."""

    def dates(lines: Iterable[Line]) -> int:
        return len({(line.person, line.day) for line in lines if line.is_cited})

    looked_at = {
        "V": dates(line for line in live if line.row["hcpcs_code"] == "64625" and line.day >= NOT_NECESSARY_FROM),
        "IV": dates(line for line in live if line.row["hcpcs_code"] == "64451" and line.day >= NOT_NECESSARY_FROM),
    }
    applies = sum(any(line.is_cited for line in injection.lines) for injection in injections)
    rows = []
    for rule_id, section in RULES.items():
        mine = [finding for finding in findings if finding["rule_id"] == rule_id and finding["status"] != "withdrawn"]
        kinds = Counter(finding["determination"] for finding in mine)
        rows.append(
            {
                "policy_id": "CP.MP.166",
                "rule_id": rule_id,
                "policy_section": section,
                "looked_at": looked_at.get(section, applies),
                "violations": kinds["violation"],
                "reviews": kinds["review"],
                **{strength: sum(finding["strength"] == strength for finding in mine) for strength in STRENGTHS},
                "paid_amount": sum((finding["paid_amount"] for finding in mine), ZERO),
                "amount_at_risk": sum((finding["amount_at_risk"] for finding in mine), ZERO),
            }
        )
    return [row for row in rows if row["rule_id"] != "bilateral_injection"]


def draw_timelines(injections: Sequence[Injection]) -> list[Row]:
    """The timelines of one person's injections."""
    rows = []
    tracks = {"any": injections}
    for side in SIDES:
        tracks[side] = [injection for injection in injections if side in injection.sites.certain]
        tracks[f"possible_{side}"] = [injection for injection in injections if side in injection.sites.possible]
    for track, mine in tracks.items():
        for index, injection in enumerate(mine):
            before = mine[:index]
            previous = before[-1].day if before else None
            rows.append(
                {
                    "person_id": injection.person,
                    "track": track,
                    "service_date": injection.day,
                    "track_seq": index + 1,
                    "series_seq": injection.series.index(injection) + 1,
                    "previous_date": previous,
                    "days_since_previous": (injection.day - previous).days if previous else None,
                    "count_12_months": sum(not one.is_diagnostic and add_months(one.day, 12) > injection.day for one in before),
                    "is_diagnostic": injection.is_diagnostic,
                }
            )
    return rows


def describe_injection(injection: Injection) -> Row:
    if injection.day < POLICY_FROM:
        applicability = "not_in_force"
    else:
        applicability = "applies" if any(line.is_cited for line in injection.lines) else "precedence"
    return {
        "person_id": injection.person,
        "service_date": injection.day,
        "site": injection.sites.name,
        "series_seq": injection.series.index(injection) + 1,
        "series_start_date": injection.series[0].day,
        "is_diagnostic": injection.is_diagnostic,
        "may_be_diagnostic": not injection.is_diagnostic
        and (not injection.sites.certain or any(map(injection.may_be_diagnostic_at, injection.sites.certain))),
        "doubts": sorted(injection.doubts),
        "applicability": applicability,
        "line_count": len(injection.lines),
        "paid_amount": paid_sum(injection.lines),
    }


STATUSES = ("reversed_elsewhere", "voided", "replaced", "denied", "not_done", "after_as_of")


def describe_line(line: Line) -> Row:
    """A standing line whose code is in some family, as in the lines report."""
    return {
        "data_source": line.claim[0],
        "claim_id": line.claim[1],
        "claim_line_number": line.number,
        "person_id": line.person,
        "service_date": line.day,
        "hcpcs_code": line.row["hcpcs_code"],
        "family": line.family,
        "modifiers": sorted(line.modifiers),
        "paid_amount": line.row["paid_amount"],
        "doubts": sorted(line.doubts) if not line.statuses else [],
        "line_status": next((status for status in STATUSES if status in line.statuses), "live"),
    }


def audit(extracts: Sequence[Sequence[Row]], as_of: date, previous: Sequence[Row] = (), line_of_business: str | None = None) -> Audit:
    """Audit extracts, loaded in this order, against the findings of the run before."""
    rows = keep_rows(extracts)
    adjudicated = find_adjudication_dates(rows)
    standing = standing_lines((row for row in rows if takes_part(row)), adjudicated)
    totals = {"unmatched_reversals": reverse_elsewhere(rows, standing, adjudicated)}
    totals |= adjust(rows, standing, adjudicated)
    for line in standing.values():
        if status_of(line.row) == "denied":
            line.statuses.add("denied")
        if "73" in line.modifiers:
            line.statuses.add("not_done")
    totals["lines_after_as_of"] = sum(line.day > as_of and has_family(line.row) and not line.statuses for line in standing.values())
    for line in standing.values():
        if line.day > as_of:
            line.statuses.add("after_as_of")
        if line.row["line_of_business"] is None:
            line.row = line.row | {"line_of_business": line_of_business}
        line.group = group_of_business(line.row["line_of_business"])
    live = [line for line in standing.values() if not line.statuses]
    doubt_lines(rows, standing.values())
    medicare = {(line.person, line.day, line.family) for line in live if line.group == "medicare"}
    for line in live:
        if line.family and (line.person, line.day, line.family) in medicare:
            line.has_medicare_beside = line.group in ("commercial", "unknown")
            line.group = "medicare" if line.group == "medicaid" else line.group

    found: list[Found] = []
    days: dict[tuple[str, date], list[Line]] = defaultdict(list)
    for line in live:
        days[(line.person, line.day)].append(line)
    for (person, day), lines in days.items():
        found += find_not_necessary(person, day, lines)
    people = find_injections(live)
    for injections in people.values():
        for index, injection in enumerate(injections):
            earlier = injections[:index]
            found += find_on_the_day(injection, days[(injection.person, injection.day)])
            found += find_intervals(injection, earlier) + find_fifth(injection, earlier) + find_beyond(injection, earlier)
    findings = compare_with_previous(claim_dollars([one for one in found if one.cited]), previous, as_of)
    every = [injection for injections in people.values() for injection in injections]
    return Audit(
        findings=findings,
        injections=[describe_injection(injection) for injection in every],
        payees=find_payees(findings),
        rules=count_rules(findings, live, every),
        timelines=[row for injections in people.values() for row in draw_timelines(injections)],
        lines=[describe_line(line) for line in standing.values() if has_family(line.row)],
        totals=totals,
    )
