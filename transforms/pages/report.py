"""Write the report page of a run: one file for a person who has two minutes, made from the published tables alone."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sij_audit.transforms.columns import COLUMNS, ROW_OUTCOMES
from sij_audit.transforms.duck import fetch_dicts
from sij_audit.transforms.pages.charts import Axis, Bar, BarRow, Bin, Caption, Column, Look, Mark, draw_bars, draw_columns, draw_histogram
from sij_audit.transforms.pages.suppression import (
    LEAST_MEMBERS,
    OTHER,
    Breakdown,
    Cell,
    Value,
    choose_level,
    merge_cells,
    merge_small_cells,
    regroup_cells,
)
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.stages.running import run_stage
from sij_audit.transforms.text import dollars, list_names, whole_dollars

TWO_MONTHS = (59, 62)
"""Fewest and most days of two months."""

INTERVAL_DAYS = (15, 30, 60)
"""Widths of the histogram's bins, the finest that can be shown is taken; all begin at 59 days, some multiple of the width before or after it."""

OPEN_INTERVAL = 179
"""Longer intervals stand in one bin: 59 days and a multiple of all widths."""

MOST_PERIODS = 48
"""So many months or quarters are drawn before longer periods are taken."""

STANDING_OUT = 10
"""So many providers are shown."""

LISTED_EXTRACTS = 40
"""So many extracts have a row of their own in the control totals."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows of texts under names; `numbers` are the places of columns of numbers. The first column names the row."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    total: Sequence[str] | None = None


@dataclass(frozen=True)
class Section:
    """A part of the page: what it says, its charts, and the tables behind them.

    Where `is_open`, the tables need no opening; where `is_beside`, they stand open beside a narrow chart.
    """

    anchor: str
    title: str
    says: Sequence[str] = ()
    charts: Sequence[tuple[str, Markup]] = ()
    tables: Sequence[Table] = ()
    legend: Sequence[tuple[Look, str]] = ()
    notes: Sequence[str] = ()
    is_open: bool = False
    is_beside: bool = False


@dataclass(frozen=True)
class Measure:
    """One of the values of a cell as charts show it: its name, and how it is written beside a bar and on an axis."""

    name: str
    value: str
    write: Callable[[float | Decimal], str]
    axis: Axis


@dataclass(frozen=True)
class Tile:
    """A number that is read first."""

    number: str
    meaning: str
    look: Look = "plain"


@dataclass(frozen=True)
class PolicyPart:
    """What the page says of one policy."""

    policy_id: str
    anchor: str
    headline: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]


@dataclass(frozen=True)
class Tables:
    """The published tables that the page reads, and those of stage 7, as rows."""

    rows: Mapping[str, Sequence[Row]]

    def of_policy(self, table: str, policy_id: str) -> list[Row]:
        return [row for row in self.rows[table] if row["policy_id"] == policy_id]


READ_TABLES = (
    *("determination_cells", "rule_cells", "month_cells", "status_cells", "injection_totals", "interval_cells", "yearly_cells"),
    *("provider_cells", "biller_groups", "doubt_cells", "outcome_cells", "missing_columns", "ignored_columns"),
    *("rules", "controls", "run_facts", "doubt_meanings"),
)


def write_page(run: Path, path: Path) -> None:
    """Write the page of a run's folder; the same tables give the same bytes."""
    with open_run(run) as con:
        run_stage(con, "7_page", {})
        tables = Tables({table: fetch_dicts(con, f"from {table}") for table in READ_TABLES})
    path.write_text(render_page(tables), encoding="utf-8")


def open_templates() -> Environment:
    """The templates of pages: all that is put into them is escaped, and a name that is not there is an error."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_page(tables: Tables) -> str:
    """Render the page."""
    policy_ids = list(dict.fromkeys(row["policy_id"] for row in tables.rows["rules"]))
    facts = tables.rows["run_facts"][0]
    return (
        open_templates()
        .get_template("report.html")
        .render(
            facts=facts,
            as_of=write_date(facts["as_of"]),
            extracts=len(tables.rows["controls"]),
            rows_read=write_count(sum(row["rows_read"] for row in tables.rows["controls"])),
            policies=[describe_policy(tables, policy_id, f"p{n}") for n, policy_id in enumerate(policy_ids, start=1)],
            data=[describe_missing_columns(tables), describe_controls(tables)],
            least_members=LEAST_MEMBERS,
        )
    )


def cells_of(rows: Iterable[Row], key: str | Callable[[Row], str], values: Sequence[str], members: Mapping[str, str]) -> list[Cell]:
    """Make cells of rows; `members` says which column holds the persons of which value."""
    read = (lambda row: str(row[key])) if isinstance(key, str) else key
    return [
        Cell(read(row), {name: row[name] for name in values}, {name: frozenset(row[column]) for name, column in members.items()})
        for row in rows
    ]


FINDINGS = (("findings", "amount_at_risk"), {"findings": "members"})
"""The values of most breakdowns, and the persons behind them."""

LOOKS: Mapping[str, Look] = {"violation": "violation", "review": "review"}

LEFT_OUT = f"Not shown: it would give away a group of fewer than {LEAST_MEMBERS} members."


def describe_policy(tables: Tables, policy_id: str, anchor: str) -> PolicyPart:
    """Say what was found under a policy, what matters most first."""
    determinations = cells_of(tables.of_policy("determination_cells", policy_id), "determination", *FINDINGS)
    split = merge_small_cells(determinations)
    is_split = split is not None and split.other is None
    total = merge_cells(determinations) if determinations else None
    can_tell = total is None or not total.is_small
    sections = [
        describe_rules(tables, policy_id, anchor, is_split) if total and can_tell else None,
        describe_changes(tables, policy_id, anchor),
        describe_months(tables, policy_id, anchor) if total and can_tell else None,
        describe_intervals(tables, policy_id, anchor),
        describe_years(tables, policy_id, anchor),
        describe_providers(tables, policy_id, anchor, total) if total and can_tell else None,
        describe_outcomes(tables, policy_id, anchor),
        describe_doubts(tables, policy_id, anchor, is_split) if total and can_tell else None,
    ]
    return PolicyPart(
        policy_id=policy_id,
        anchor=anchor,
        headline=_headline(tables, policy_id, total, split if is_split else None),
        tiles=_tiles(tables, policy_id, total, split if is_split else None),
        sections=[section for section in sections if section is not None],
    )


def _headline(tables: Tables, policy_id: str, total: Cell | None, split: Breakdown | None) -> str:
    if total is None:
        return "Nothing was found." + _changes_sentence(tables, policy_id)
    if total.is_small:
        return f"Findings concern fewer than {LEAST_MEMBERS} members, so their number is not shown."
    says = f"{write_count(total.values['findings'])} findings put {whole_dollars(total.values['amount_at_risk'])} at risk."
    if split is not None:
        by_key = {cell.key: cell for cell in split.shown}
        said = []
        if "violation" in by_key:
            said.append(f"{_number_and_dollars(by_key['violation'])} are violations, which claims alone show")
        if "review" in by_key:
            said.append(f"{_number_and_dollars(by_key['review'])} are reviews, which records must settle")
        says += f" {'; '.join(said)}."
    return says + _changes_sentence(tables, policy_id)


def _number_and_dollars(cell: Cell) -> str:
    return f"{write_count(cell.values['findings'])} ({whole_dollars(cell.values['amount_at_risk'])})"


def _changes_sentence(tables: Tables, policy_id: str) -> str:
    if tables.rows["run_facts"][0]["previous_run_id"] is None:
        return " This is the first run: all is new."
    changes = _changes(tables, policy_id)
    told = [f"{write_count(cell.values['findings'])} {status_name(cell.key)}" for cell in changes.held.cells] if changes.held else []
    return f" Since the run before: {', '.join([*told, changes.withdrawn])}." if told else ""


def _tiles(tables: Tables, policy_id: str, total: Cell | None, split: Breakdown | None) -> list[Tile]:
    tiles = []
    if total is not None and not total.is_small:
        tiles.append(Tile(whole_dollars(total.values["amount_at_risk"]), "at risk, no dollar counted twice"))
        tiles.append(Tile(write_count(total.values["findings"]), "findings"))
    determinations = sorted(split.shown, key=lambda cell: cell.key, reverse=True) if split else []
    injections = cells_of(tables.of_policy("injection_totals", policy_id), "policy_id", ["injections"], {"injections": "members"})
    return [
        *tiles,
        *(Tile(write_count(cell.values["findings"]), DETERMINATIONS[cell.key], LOOKS[cell.key]) for cell in determinations),
        *(Tile(write_count(cell.values["injections"]), "injections looked at") for cell in injections if not cell.is_small),
    ]


DETERMINATIONS = {"violation": "violations: claims alone show it", "review": "reviews: records must settle it"}


def describe_rules(tables: Tables, policy_id: str, anchor: str, is_split: bool) -> Section:
    """Break findings and dollars down by rule: within violations and within reviews, where these can be told apart."""
    rows = tables.of_policy("rule_cells", policy_id)
    titles = {row["rule_id"]: row["title"] for row in rows}
    sections = {row["rule_id"]: row["policy_section"] for row in rows}
    parts: dict[str, Breakdown | None] = {}
    for determination in ("violation", "review") if is_split else ("",):
        cells = cells_of([row for row in rows if determination in ("", row["determination"])], "rule_id", *FINDINGS)
        merged = merge_small_cells(regroup_cells(cells, lambda key: key))
        parts[determination] = merged or (Breakdown((), merge_cells(cells), tuple(titles)) if is_split and cells else None)
    told = {determination: part for determination, part in parts.items() if part is not None}
    if not any(part.shown for part in told.values()):
        return Section(f"{anchor}-rules", "By rule", [LEFT_OUT])
    keys = {cell.key for part in told.values() for cell in part.cells}
    dollars = {
        key: sum(float(cell.values["amount_at_risk"]) for part in told.values() for cell in part.cells if cell.key == key) for key in keys
    }
    ordered = sorted(keys, key=lambda key: (key == OTHER, -dollars[key], key))
    titles = {key: f"{sections[key]}: {titles[key]}" for key in titles} | {OTHER: "Other rules together"}
    by_place = {(cell.key, determination): cell for determination, part in told.items() for cell in part.cells}
    charts = []
    for measure in MEASURES:
        bars = [
            BarRow(
                titles[key],
                [
                    _bar(by_place[key, determination].values[measure.value], measure, LOOKS.get(determination, "plain"))
                    for determination in told
                    if (key, determination) in by_place
                ],
            )
            for key in ordered
        ]
        caption = Caption(
            f"{anchor}-rules-{measure.value}", f"{measure.name} by rule", f"{measure.name} of each rule. The table has the numbers."
        )
        charts.append((caption.title, draw_bars(caption, measure.axis, bars)))
    table = Table(
        "Findings and dollars at risk by rule" + (" and determination" if is_split else ""),
        ["Rule", *(["Determination"] if is_split else []), "Findings", "At risk"],
        [
            [titles[key], *([determination] if is_split else []), *_findings_and_dollars(by_place[key, determination])]
            for key in ordered
            for determination in told
            if (key, determination) in by_place
        ],
        frozenset({2, 3} if is_split else {1, 2}),
    )
    others = [
        f"Other rules{f', {determination}s' if determination else ''}: {'; '.join(titles[key] for key in part.merged)}."
        for determination, part in told.items()
        if part.merged
    ]
    return Section(
        f"{anchor}-rules",
        "By rule" + (" and determination" if is_split else ""),
        charts=charts,
        tables=[table],
        legend=[("violation", "violation: claims alone show it"), ("review", "review: records must settle it")] if is_split else (),
        notes=[*others, *([MERGED] if others else [])],
    )


MERGED = f"Rows of fewer than {LEAST_MEMBERS} members are merged, with the next smallest where that is not enough."


def _findings_and_dollars(cell: Cell) -> list[str]:
    return [write_count(cell.values["findings"]), dollars(cell.values["amount_at_risk"])]


def _bar(value: Value, measure: Measure, look: Look = "plain") -> Bar:
    return Bar(float(value), measure.write(value), look)


def describe_months(tables: Tables, policy_id: str, anchor: str) -> Section:
    """Break findings and dollars down by month of service, or by longer periods where months have too few members."""
    cells = cells_of(tables.of_policy("month_cells", policy_id), lambda row: f"{row['month_start_date']:%Y-%m}", *FINDINGS)
    names = ("month", "quarter", "year")
    periods = (str, _quarter, lambda month: month[:4])
    first, last = min(cell.key for cell in cells), max(cell.key for cell in cells)
    slots = [list(dict.fromkeys(period(month) for month in _months(first, last))) for period in periods]
    usable = [n for n in range(3) if len(slots[n]) <= MOST_PERIODS] or [2]
    chosen = choose_level(cells, [periods[n] for n in usable], 2 / 3)
    if chosen is None:
        return Section(f"{anchor}-months", "By month of service", [LEFT_OUT])
    level, breakdown = usable[chosen[0]], chosen[1]
    name = names[level]
    charts = []
    for measure in MEASURES:
        columns = [
            Column(
                period,
                breakdown.height(period, measure.value),
                measure.write(breakdown.height(period, measure.value) or 0),
            )
            for period in slots[level]
        ]
        caption = Caption(
            f"{anchor}-months-{measure.value}",
            f"{measure.name} by {name} of service",
            f"{measure.name} of each {name}. A cross marks one that has too few members to be shown. The table has the numbers.",
        )
        charts.append((caption.title, draw_columns(caption, f"{name} of service", measure.axis, columns)))
    rows = [[cell.key, *_findings_and_dollars(cell)] for cell in breakdown.shown]
    notes = []
    if breakdown.other is not None:
        rows.append([f"Other {name}s together", *_findings_and_dollars(breakdown.other)])
        notes = [f"A cross (×) marks a {name} that is not shown by itself: {list_names(breakdown.merged)}. {MERGED}"]
    return Section(
        f"{anchor}-months",
        f"By {name} of service",
        [] if level == 0 else [f"By {name}, since too many months have fewer than {LEAST_MEMBERS} members, or there are too many to draw."],
        charts=charts,
        tables=[
            Table(f"Findings and dollars at risk by {name} of service", [name.capitalize(), "Findings", "At risk"], rows, frozenset({1, 2}))
        ],
        notes=notes,
    )


def _quarter(month: str) -> str:
    return f"{month[:4]} Q{(int(month[5:]) + 2) // 3}"


def _months(first: str, last: str) -> list[str]:
    start, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(start, end + 1)]


def describe_intervals(tables: Tables, policy_id: str, anchor: str) -> Section | None:
    """Draw the days between an injection and the one before it, with two months marked for what they are: 59 to 62 days."""
    cells = cells_of(
        tables.of_policy("interval_cells", policy_id),
        lambda row: f"{row['days_since_previous']:06}",
        ["intervals"],
        {"intervals": "members"},
    )
    if not cells:
        return None
    title = "Days between injections"
    levels = [_binned(width) for width in INTERVAL_DAYS]
    chosen = choose_level(cells, levels, 0.85)
    if chosen is None:
        return Section(f"{anchor}-intervals", title, [LEFT_OUT])
    width, breakdown = INTERVAL_DAYS[chosen[0]], chosen[1]
    first = _bin_start(1, width)
    starts = [*range(first, OPEN_INTERVAL, width), OPEN_INTERVAL]
    bins = []
    for start in starts:
        key = f"{start - first:06}"
        bins.append(Bin(start, None if start == OPEN_INTERVAL else start + width - 1, breakdown.height(key, "intervals")))
    caption = Caption(
        f"{anchor}-intervals-chart",
        "Injections by days since the one before",
        f"How many injections came so many days after the person's injection before, in bins of {width} days, with a band at two months. "
        "The table has the numbers.",
    )
    drawn = draw_histogram(
        caption,
        "days since the injection before, of either side",
        Axis("injections", write_count, is_whole=True),
        bins,
        Mark(*TWO_MONTHS, f"two months: {TWO_MONTHS[0]} to {TWO_MONTHS[1]} days"),
    )
    names = {f"{start - first:06}": _days(start, width) for start in starts}
    rows = [[names[cell.key], write_count(cell.values["intervals"])] for cell in breakdown.shown]
    notes = []
    if breakdown.other is not None:
        rows.append(["Other intervals together", write_count(breakdown.other.values["intervals"])])
        notes = [f"A cross (×) marks what is not shown by itself: {list_names(names[key] for key in breakdown.merged)}. {MERGED}"]
    return Section(
        f"{anchor}-intervals",
        title,
        [
            "Two months are 59 to 62 days, by the calendar: left of the band all is under two months, and within it the calendar decides.",
            "Not every short interval is a finding: sides, purpose and doubts count.",
        ],
        charts=[(caption.title, drawn)],
        tables=[Table("Injections by days since the one before", ["Days", "Injections"], rows, frozenset({1}))],
        notes=notes,
    )


def _bin_start(days: int, width: int) -> int:
    return min(TWO_MONTHS[0] + (days - TWO_MONTHS[0]) // width * width, OPEN_INTERVAL)


def _binned(width: int) -> Callable[[str], str]:
    """Give the key of the bin of so many days: how far it begins after the first bin, so that keys sort."""
    return lambda days: f"{_bin_start(int(days), width) - _bin_start(1, width):06}"


def _days(start: int, width: int) -> str:
    return f"{start} and more" if start == OPEN_INTERVAL else f"{max(start, 1)} to {start + width - 1}"


def describe_years(tables: Tables, policy_id: str, anchor: str) -> Section | None:
    """Draw how many injections members had in a calendar year."""
    rows = tables.of_policy("yearly_cells", policy_id)
    cells = cells_of(rows, lambda row: f"{row['injections']:06}", ["member_years"], {"member_years": "members"})
    if not cells:
        return None
    title = "Injections per member and year"
    most = range(8, 1, -1)
    chosen = choose_level(cells, [_capped(cap) for cap in most], 1.0)
    if chosen is None:
        return Section(f"{anchor}-years", title, [LEFT_OUT])
    cap, breakdown = most[chosen[0]], chosen[1]
    names = {f"{n:06}": f"{n} or more" if n == cap else str(n) for n in range(1, cap + 1)}
    highest = max(int(key) for key in (*(cell.key for cell in breakdown.shown), *breakdown.merged))
    columns = [
        Column(
            name,
            breakdown.height(key, "member_years"),
            write_count(breakdown.height(key, "member_years") or 0),
        )
        for key, name in names.items()
        if int(key) <= highest
    ]
    caption = Caption(
        f"{anchor}-years-chart",
        "Member-years by injections in the year",
        "How many members had so many injections in a calendar year; each counts once a year. The table has the numbers.",
    )
    drawn = draw_columns(caption, "injections in a calendar year", Axis("member-years", write_count, is_whole=True), columns)
    told = [[names[cell.key], write_count(cell.values["member_years"])] for cell in breakdown.shown]
    notes = []
    if breakdown.other is not None:
        told.append(["Other numbers together", write_count(breakdown.other.values["member_years"])])
        notes = [f"Other numbers: {list_names(names[key] for key in breakdown.merged)}. {MERGED}"]
    return Section(
        f"{anchor}-years",
        title,
        ["A member counts once for each year with an injection. The policy counts over twelve months, not over calendar years."],
        charts=[(caption.title, drawn)],
        tables=[Table("Member-years by injections in the year", ["Injections", "Member-years"], told, frozenset({1}))],
        notes=notes,
        is_beside=True,
    )


def _capped(cap: int) -> Callable[[str], str]:
    return lambda injections: f"{min(int(injections), cap):06}"


def describe_providers(tables: Tables, policy_id: str, anchor: str, total: Cell) -> Section:
    """Show the providers with far more findings than their injections would have at the rate of all, and the numbers behind each rate.

    Others have no row: a finding stands under each NPI that billed for it, so rows of all would sum to the total and those that stand twice.
    """
    title = "Providers that stand out"
    rows = tables.of_policy("provider_cells", policy_id)
    of_all = next((row["findings_per_100_injections_of_all"] for row in rows), None)
    injections = next((row["injections"] for row in tables.of_policy("injection_totals", policy_id)), 0)
    totals = {"injections": injections, **total.values}
    cells = cells_of(
        rows,
        lambda row: row["billing_npi"] or NO_NPI,
        ["injections", "findings", "amount_at_risk"],
        {"injections": "members", "findings": "members_with_findings"},
    )
    breakdown = merge_small_cells(cells)
    if breakdown is None or of_all is None or not injections:
        return Section(
            f"{anchor}-providers",
            title,
            [f"Not shown: no provider with findings of {LEAST_MEMBERS} members stands beside others of as many."],
        )
    standing_out = [cell for cell in breakdown.shown if _is_far_above(cell.values, of_all)]
    if not standing_out:
        says = f"None that can be shown has far more findings than its injections would have at the rate of all, {of_all:.1f} for each hundred."
        return Section(f"{anchor}-providers", title, [says])
    above = sorted(standing_out, key=lambda cell: (_expected(cell.values, of_all) - float(cell.values["findings"]), cell.key))[
        :STANDING_OUT
    ]
    while above and _leaves_few(tables, policy_id, [cell.key for cell in above]):
        above.pop()
    if not above:
        return Section(f"{anchor}-providers", title, [LEFT_OUT])
    caption = Caption(
        f"{anchor}-providers-chart",
        "Findings per 100 injections, by billing NPI",
        "Findings in each hundred injections of providers that stand out, with a line at the rate of all. The table has the numbers.",
    )
    bars = [BarRow(cell.key, [Bar(_rate(cell.values), f"{_rate(cell.values):.1f}")]) for cell in above]
    drawn = draw_bars(
        caption, Axis("findings per 100 injections", lambda value: f"{value:g}"), bars, Mark(of_all, of_all, f"all providers: {of_all:.1f}")
    )
    table = Table(
        "Findings and injections of providers",
        ["Billing NPI", "Injections", "Findings", "At the rate of all", "Per 100 injections", "Of all", "At risk"],
        [_provider_row(cell.key, cell.values, of_all) for cell in above],
        frozenset({1, 2, 3, 4, 5, 6}),
        _provider_row("All providers", totals, of_all),
    )
    return Section(
        f"{anchor}-providers",
        title,
        [
            f"At most {STANDING_OUT} providers with far more findings than their injections would have at the rate of all, the furthest first.",
            "Far more: above that number by at least twice its square root, which chance seldom does.",
            "A finding counts under each NPI that billed a judged line, of whatever procedure. A rate says where to look, not why.",
        ],
        charts=[(caption.title, drawn)],
        tables=[table],
        notes=[
            f"{write_count(len(rows) - len(above))} of {write_count(len(rows))} providers do not stand out, or cannot be shown.",
            f"A provider can be shown where at least {LEAST_MEMBERS} of its members have injections, and as many findings.",
        ],
        is_open=True,
    )


NO_NPI = "no NPI"


def _leaves_few(tables: Tables, policy_id: str, npis: Sequence[str]) -> bool:
    """Tell whether injections or findings without a line of these NPIs concern too few members: they are the total less the rows shown."""
    others: dict[str, set[str]] = {"injections": set(), "findings": set()}
    for row in tables.of_policy("biller_groups", policy_id):
        if not {npi or NO_NPI for npi in row["billing_npis"]} & set(npis):
            others[row["measure"]].update(row["members"])
    return any(len(members) < LEAST_MEMBERS for members in others.values())


def _rate(values: Mapping[str, Value]) -> float:
    return 100 * float(values["findings"]) / float(values["injections"])


def _expected(values: Mapping[str, Value], of_all: float) -> float:
    """Give the findings that a provider's injections would have at the rate of all."""
    return of_all * float(values["injections"]) / 100


def _is_far_above(values: Mapping[str, Value], of_all: float) -> bool:
    expected = _expected(values, of_all)
    return expected > 0 and float(values["findings"]) >= expected + 2 * math.sqrt(expected)


def _provider_row(name: str, values: Mapping[str, Value], of_all: float) -> list[str]:
    return [
        name,
        write_count(values["injections"]),
        write_count(values["findings"]),
        f"{_expected(values, of_all):,.1f}",
        f"{_rate(values):.1f}",
        f"{of_all:.1f}",
        dollars(values["amount_at_risk"]),
    ]


@dataclass(frozen=True)
class Changes:
    """What came since the run before: findings that hold, by status, where that can be told; and a word on those withdrawn."""

    held: Breakdown | None
    withdrawn: str


def _changes(tables: Tables, policy_id: str) -> Changes:
    cells = cells_of(tables.of_policy("status_cells", policy_id), "status", *FINDINGS)
    withdrawn = next((cell for cell in cells if cell.key == "withdrawn"), None)
    if withdrawn is None:
        word = "none withdrawn"
    elif withdrawn.is_small:
        word = f"withdrawn findings of fewer than {LEAST_MEMBERS} members"
    else:
        word = f"{write_count(withdrawn.values['findings'])} withdrawn"
    return Changes(merge_small_cells([cell for cell in cells if cell.key != "withdrawn"]), word)


def status_name(key: str) -> str:
    """What a status is called where it is told."""
    return {OTHER: "of other kinds", "open": "open as before"}.get(key, key)


def describe_changes(tables: Tables, policy_id: str, anchor: str) -> Section:
    """Say what is new since the run before."""
    title = "New since the run before"
    previous = tables.rows["run_facts"][0]["previous_run_id"]
    if previous is None:
        return Section(f"{anchor}-changes", title, ["There was no run before: all findings are new."])
    changes = _changes(tables, policy_id)
    says = [f"Compared with run {previous}: {changes.withdrawn}."]
    if changes.held is None:
        statuses = tables.of_policy("status_cells", policy_id)
        return Section(f"{anchor}-changes", title, [*says, LEFT_OUT if statuses else "No findings hold."])
    order = ("new", "changed", "open", OTHER)
    cells = sorted(changes.held.cells, key=lambda cell: order.index(cell.key))
    merged = f"of other kinds ({list_names(changes.held.merged)})"
    names = [merged if cell.key == OTHER else status_name(cell.key) for cell in cells]
    charts = []
    for measure in MEASURES:
        caption = Caption(
            f"{anchor}-changes-{measure.value}",
            f"{measure.name} by status",
            f"{measure.name} by status against the run before. The table has the numbers.",
        )
        bars = [BarRow(label, [_bar(cell.values[measure.value], measure)]) for label, cell in zip(names, cells, strict=True)]
        charts.append((caption.title, draw_bars(caption, measure.axis, bars)))
    return Section(
        f"{anchor}-changes",
        title,
        says,
        charts=charts,
        tables=[
            Table(
                "Findings and dollars at risk by status",
                ["Status", "Findings", "At risk"],
                [[label, *_findings_and_dollars(cell)] for label, cell in zip(names, cells, strict=True)],
                frozenset({1, 2}),
            )
        ],
        notes=[MERGED] if changes.held.merged else [],
    )


def describe_outcomes(tables: Tables, policy_id: str, anchor: str) -> Section | None:
    """Say how often reviewers overturned findings; None where nobody has reviewed any."""
    rows = tables.of_policy("outcome_cells", policy_id)
    if not rows:
        return None
    title = "What reviewers said"
    titles = {f"{row['rule_id']} {row['determination']}": f"{row['title']}, {row['determination']}" for row in rows}
    cells = [
        Cell(
            f"{row['rule_id']} {row['determination']}",
            {name: row[name] for name in ("reviewed", "upheld", "overturned", "recovered_amount")},
            {
                "reviewed": frozenset((*row["members_upheld"], *row["members_overturned"])),
                "upheld": frozenset(row["members_upheld"]),
                "overturned": frozenset(row["members_overturned"]),
            },
        )
        for row in rows
    ]
    breakdown = merge_small_cells(cells)
    total = merge_cells(cells, "All reviewed findings")
    if breakdown is None and total.is_small:
        return Section(f"{anchor}-outcomes", title, [LEFT_OUT])
    shown = breakdown.cells if breakdown is not None else (total,)
    titles |= {OTHER: "Others together", "All reviewed findings": "All reviewed findings"}
    bars = [BarRow(titles[cell.key], [Bar(_overturned_rate(cell), f"{_overturned_rate(cell):.1f} %")]) for cell in shown]
    caption = Caption(
        f"{anchor}-outcomes-chart",
        "Overturned in each hundred reviewed",
        "Share of reviewed findings that were overturned. The table has the numbers.",
    )
    drawn = draw_bars(caption, Axis("overturned in each hundred reviewed", lambda value: f"{value:g}"), bars)
    table = Table(
        "What became of reviewed findings",
        ["Rule and determination", "Reviewed", "Upheld", "Overturned", "Overturn rate", "Recovered"],
        [
            [
                titles[cell.key],
                *(write_count(cell.values[name]) for name in ("reviewed", "upheld", "overturned")),
                f"{_overturned_rate(cell):.1f} %",
                dollars(cell.values["recovered_amount"]),
            ]
            for cell in shown
        ],
        frozenset({1, 2, 3, 4, 5}),
    )
    merged = breakdown.merged if breakdown is not None else ()
    notes = [f"Others: {list_names(titles[key] for key in merged)}. {MERGED}"] if merged else []
    return Section(
        f"{anchor}-outcomes",
        title,
        ["A finding counts with what was said of it last, and as it was determined when it was reviewed."],
        charts=[(caption.title, drawn)],
        tables=[table],
        notes=notes,
    )


def _overturned_rate(cell: Cell) -> float:
    return 100 * float(cell.values["overturned"]) / float(cell.values["reviewed"] or 1)


def describe_doubts(tables: Tables, policy_id: str, anchor: str, is_split: bool) -> Section:
    """Say what claims leave open, and what would settle it.

    Where violations are told from reviews, these alone are broken down: a violation has hardly ever a doubt, so that of all findings without
    one, less the violations, there would be left the few reviews without one.
    """
    rows_of_all = tables.of_policy("doubt_cells", policy_id)
    reviews = [row for row in rows_of_all if is_split and row["determination"] == "review"]
    cells = regroup_cells(cells_of(reviews or rows_of_all, "doubt_id", *FINDINGS), lambda key: key)
    doubts = {row["doubt_id"]: (_sentence(row["description"]), row["settled_by"]) for row in tables.rows["doubt_meanings"]}
    doubts |= {
        "none": ("No doubt", ""),
        "several": ("Several doubts at once", "all that would settle each"),
        OTHER: ("Others together", ""),
    }
    breakdown = merge_small_cells(cells)
    title = "What claims leave open"
    says = [f"Most doubts make a review of what would be a violation. Each {'review' if reviews else 'finding'} stands in one row."]
    names = ["Doubt", "What would settle it"]
    if breakdown is None:
        rows = [[*doubts.get(cell.key, (cell.key, ""))] for cell in cells if cell.key not in ("none", "several")]
        table = Table("Doubts that findings have, and what would settle them", names, rows)
        return Section(f"{anchor}-doubts", title, [*says, LEFT_OUT], tables=[table] if rows else (), is_open=True)
    last = ("several", "none", OTHER)
    ordered = sorted(breakdown.cells, key=lambda cell: (cell.key in last and last.index(cell.key) + 1, -cell.values["findings"], cell.key))
    told = {cell.key: doubts.get(cell.key, (cell.key, "")) for cell in ordered}
    what = "reviews" if reviews else "findings"
    caption = Caption(
        f"{anchor}-doubts-chart", f"{what.capitalize()} by doubt", f"How many {what} have each doubt. The table has the numbers."
    )
    bars = [BarRow(told[cell.key][0], [_bar(cell.values["findings"], NUMBER_OF_FINDINGS)]) for cell in ordered]
    others = [[*doubts.get(key, (key, "")), "in others", "in others"] for key in breakdown.merged]
    rows = [[*told[cell.key], *_findings_and_dollars(cell)] for cell in ordered]
    rows[len(rows) - 1 : len(rows) - 1] = others
    return Section(
        f"{anchor}-doubts",
        title,
        says,
        charts=[(caption.title, draw_bars(caption, NUMBER_OF_FINDINGS.axis, bars))],
        tables=[
            Table(
                "Doubts, and what would settle them",
                [*names, "Findings", "At risk"],
                rows,
                frozenset({2, 3}),
            )
        ],
        notes=[MERGED] if others else [],
        is_open=True,
    )


def describe_missing_columns(tables: Tables) -> Section:
    """Say which columns extracts lack, and what cannot be told for it."""
    meanings = {column.name: column.without for column in COLUMNS}
    rows = tables.rows["missing_columns"]
    costly = [row for row in rows if meanings.get(row["column"])]
    harmless = [row["column"] for row in rows if not meanings.get(row["column"])]
    table = Table(
        "Columns that extracts lack",
        ["Column", "Extracts without it", "Extracts where it is empty", "What that means, for their rows"],
        [
            [
                row["column"],
                f"{write_count(row['extracts_without'])} of {write_count(row['extracts'])}",
                f"{write_count(row['extracts_unfilled'])} of {write_count(row['extracts'])}",
                meanings[row["column"]],
            ]
            for row in costly
        ],
        frozenset({1, 2}),
    )
    says = [] if costly else ["Every extract has, and fills, all columns without which something cannot be told."]
    if harmless:
        says.append(f"Lacking or empty in some extract, and of less weight: {list_names(_ranges(harmless), most=len(COLUMNS))}.")
    if ignored := len(tables.rows["ignored_columns"]):  # their names are not told: in a file without a header, they are a member's data
        says.append(f"Columns that the audit does not know, and ignored: {write_count(ignored)}; the report columns names them.")
    return Section("columns", "What the extracts lack", says, tables=[table] if costly else (), is_open=True)


def _ranges(names: Sequence[str]) -> list[str]:
    """Write the diagnosis codes as one: they come 25 at a time."""
    diagnoses = [name for name in names if name.startswith("diagnosis_code_")]
    others = [name for name in names if name not in diagnoses]
    return [*others, "a diagnosis code"] if len(diagnoses) == 1 else [*others, f"{len(diagnoses)} diagnosis codes"] if diagnoses else others


def describe_controls(tables: Tables) -> Section:
    """Account for every row and dollar that was read."""
    rows = tables.rows["controls"]
    order = {"refused": 0, "retracted": 1, "taken": 2, "held": 3}
    ordered = sorted(rows, key=lambda row: (order[row["outcome"]], row["extract"]))
    listed, rest = ordered[:LISTED_EXTRACTS], ordered[LISTED_EXTRACTS:]
    refused = [f"{row['extract']} was refused: {row['reason']}" for row in rows if row["outcome"] == "refused"]
    told_tables = []
    for kind, caption, write in (("rows", "Rows", write_count), ("paid", "Dollars paid", dollars)):
        columns = [f"{kind}_read", *(f"{kind}_{outcome}" for outcome in ROW_OUTCOMES)]
        told = [[row["extract"], row["outcome"], *(write(row[column]) for column in columns)] for row in listed]
        if rest:
            name = f"{write_count(len(rest))} more extracts"
            told.append([name, "", *(write(sum((row[column] for row in rest), start=0)) for column in columns)])
        total = ["All", "", *(write(sum((row[column] for row in rows), start=0)) for column in columns)]
        names = ["Extract", "Outcome", "Read", *(outcome.replace("_", " ").capitalize() for outcome in ROW_OUTCOMES)]
        told_tables.append(Table(f"{caption}: read, and what became of them", names, told, frozenset(range(2, len(names))), total))
    balances = all(
        row[f"{kind}_read"] == sum(row[f"{kind}_{outcome}"] for outcome in ROW_OUTCOMES) for row in rows for kind in ("rows", "paid")
    )
    return Section(
        "controls",
        "Control totals",
        [
            f"Read = kept + not relevant + quarantined + duplicate, in rows and in dollars: this {'holds' if balances else 'does NOT hold'}.",
            "Taken: new in this run. Held: an earlier run had it. Refused, or retracted (taken back): not used, and counted nowhere.",
            *refused,
        ],
        tables=told_tables,
        is_open=True,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def write_count(value: float | Decimal) -> str:
    """Write a whole number with its thousands apart."""
    return f"{int(value):,}"


def write_short_dollars(value: float) -> str:
    """Write an amount for an axis, where there is little room."""
    return next((f"${value / unit:g}{letter}" for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if value >= unit), f"${value:g}")


def write_date(value: date) -> str:
    """Write a date so that nobody takes the month for the day."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")

NUMBER_OF_FINDINGS = Measure("Findings", "findings", write_count, Axis("findings", write_count, is_whole=True))

MEASURES = (NUMBER_OF_FINDINGS, Measure("Dollars at risk", "amount_at_risk", whole_dollars, Axis("dollars at risk", write_short_dollars)))
