"""Sections of the report page on findings: by rule, by status, by month, by doubt, and what reviewers decided."""

from collections.abc import Iterable, Sequence

import polars as pl

from sij_audit.transforms.pages.charts import Axis, Bar, BarRow, Caption, Column, Look, draw_bars, draw_columns
from sij_audit.transforms.pages.parts import (
    COMBINED,
    FINDINGS,
    MEASURES,
    NUMBER_OF_FINDINGS,
    SUPPRESSED,
    Section,
    Table,
    Tables,
    bar,
    findings_and_dollars,
    name_part,
    write_count,
)
from sij_audit.transforms.pages.splitting import Split
from sij_audit.transforms.pages.suppression import (
    LEAST_MEMBERS,
    OTHER,
    Breakdown,
    Cell,
    choose_level,
    combine_cells,
    read_cells,
    suppress_small_cells,
)
from sij_audit.transforms.text import dollars, list_names

MOST_SHARE = 2 / 3
"""A level is fine enough where it shows this share of the findings."""

MOST_PERIODS = 48
"""So many months or quarters are drawn before longer periods are taken."""

MONTH = pl.col("month_start_date")

PERIODS = {
    "month": MONTH.dt.strftime("%Y-%m"),
    "quarter": pl.format("{} Q{}", MONTH.dt.year(), MONTH.dt.quarter()),
    "year": MONTH.dt.year().cast(pl.String),
}
"""Periods of service, from short to long, and what a month's is called."""

STATUS_ORDER = ("new", "changed", "open", OTHER)

NO_DOUBT, SEVERAL_DOUBTS = "none", "several"


def _break_rules_down(rows: pl.DataFrame, split: Split | None) -> dict[Look, Breakdown]:
    """Break findings down by rule, within each part of a split; a part of which no rule can be shown is one cell."""
    parts: dict[Look, Breakdown] = {}
    looks: Iterable[Look] = split.cells if split else ("plain",)
    for look in looks:
        cells = read_cells(rows.filter(split.part == look) if split else rows, pl.col("rule_id"), *FINDINGS)
        breakdown = suppress_small_cells(cells)
        if breakdown is None and split and cells:
            breakdown = Breakdown((), combine_cells(cells), tuple(cell.key for cell in cells))
        if breakdown is not None:
            parts[look] = breakdown
    return parts


def describe_rules(tables: Tables, policy_id: str, anchor: str, splits: Sequence[Split]) -> Section:
    """Break findings and dollars down by rule: within each part of the finest split, from fine to coarse, that shows most of them by rule."""
    rows = tables.of_policy("rule_cells", policy_id)
    names = {row["rule_id"]: f"{row['policy_section']}: {row['title']}" for row in rows.iter_rows(named=True)}
    levels = [(split, _break_rules_down(rows, split)) for split in (*splits, None)]
    shares = [sum(int(cell.values["findings"]) for part in parts.values() for cell in part.shown) for _, parts in levels]
    most = MOST_SHARE * int(rows["findings"].sum())
    split, parts = levels[next((n for n, share in enumerate(shares) if share >= most), shares.index(max(shares)))]
    if not max(shares):
        return Section(f"{anchor}-rules", "By rule", [SUPPRESSED])
    by_place = {(cell.key, look): cell for look, part in parts.items() for cell in part.cells}
    amounts = {key: sum(float(cell.values["amount_at_risk"]) for place, cell in by_place.items() if place[0] == key) for key, _ in by_place}
    ordered = sorted(amounts, key=lambda key: (key == OTHER, -amounts[key], key))
    titles = names | {OTHER: "Other rules together"}
    charts = []
    for measure in MEASURES:
        bars = [
            BarRow(
                titles[key],
                [bar(by_place[key, look].values[measure.value], measure, look) for look in parts if (key, look) in by_place],
            )
            for key in ordered
        ]
        caption = Caption(
            f"{anchor}-rules-{measure.value}", f"{measure.name} by rule", f"{measure.name} of each rule. The table has the numbers."
        )
        charts.append((caption.title, draw_bars(caption, measure.axis, bars)))
    table = Table(
        "Findings and dollars at risk by rule" + (" and strength" if split else ""),
        ["Rule", *(["Strength"] if split else []), "Findings", "At risk"],
        [
            [titles[key], *([look] if split else []), *findings_and_dollars(by_place[key, look])]
            for key in ordered
            for look in parts
            if (key, look) in by_place
        ],
        frozenset({2, 3} if split else {1, 2}),
    )
    others = [
        f"Other rules{f', {name_part(look)}' if split else ''}: {'; '.join(titles[key] for key in part.suppressed)}."
        for look, part in parts.items()
        if part.suppressed
    ]
    return Section(
        f"{anchor}-rules",
        "By rule" + (" and strength" if split else ""),
        charts=charts,
        tables=[table],
        legend=split.legend if split else (),
        notes=[*others, *([COMBINED] if others else [])],
    )


def list_periods(rows: pl.DataFrame, period: pl.Expr) -> list[str]:
    """List the periods from the first month of rows to their last, those without a row too."""
    months = rows.select(pl.date_range(MONTH.min(), MONTH.max(), "1mo"))
    return months.select(period.unique(maintain_order=True)).to_series().to_list()


def describe_months(tables: Tables, policy_id: str, anchor: str) -> Section:
    """Break findings and dollars down by month of service, or by longer periods where months have too few members."""
    rows = tables.of_policy("month_cells", policy_id)
    slots = {name: list_periods(rows, period) for name, period in PERIODS.items()}
    usable = [name for name in PERIODS if len(slots[name]) <= MOST_PERIODS] or ["year"]
    chosen = choose_level([read_cells(rows, PERIODS[name], *FINDINGS) for name in usable], MOST_SHARE)
    if chosen is None:
        return Section(f"{anchor}-months", "By month of service", [SUPPRESSED])
    name, breakdown = usable[chosen[0]], chosen[1]
    charts = []
    for measure in MEASURES:
        columns = [
            Column(period, breakdown.height(period, measure.value), measure.write(breakdown.height(period, measure.value) or 0))
            for period in slots[name]
        ]
        caption = Caption(
            f"{anchor}-months-{measure.value}",
            f"{measure.name} by {name} of service",
            f"{measure.name} of each {name}. A cross marks one that is suppressed. The table has the numbers.",
        )
        charts.append((caption.title, draw_columns(caption, f"{name} of service", measure.axis, columns)))
    written = [[cell.key, *findings_and_dollars(cell)] for cell in breakdown.shown]
    notes = []
    if breakdown.other is not None:
        written.append([f"Other {name}s together", *findings_and_dollars(breakdown.other)])
        notes = [f"A cross (×) marks a {name} that is suppressed: {list_names(breakdown.suppressed)}. {COMBINED}"]
    return Section(
        f"{anchor}-months",
        f"By {name} of service",
        []
        if name == "month"
        else [f"By {name}, since too many months have fewer than {LEAST_MEMBERS} members, or there are too many to draw."],
        charts=charts,
        tables=[
            Table(
                f"Findings and dollars at risk by {name} of service", [name.capitalize(), "Findings", "At risk"], written, frozenset({1, 2})
            )
        ],
        notes=notes,
    )


def read_changes(tables: Tables, policy_id: str) -> tuple[Breakdown | None, str]:
    """Break findings that hold down by status against the run before, where that can be shown; and describe those withdrawn."""
    cells = read_cells(tables.of_policy("status_cells", policy_id), pl.col("status"), *FINDINGS)
    withdrawn = next((cell for cell in cells if cell.key == "withdrawn"), None)
    if withdrawn is None:
        description = "none withdrawn"
    elif withdrawn.is_small:
        description = f"withdrawn findings of fewer than {LEAST_MEMBERS} members"
    else:
        description = f"{write_count(withdrawn.values['findings'])} withdrawn"
    return suppress_small_cells([cell for cell in cells if cell.key != "withdrawn"]), description


def status_name(key: str) -> str:
    """Name a status for people."""
    return {OTHER: "of other kinds", "open": "open as before"}.get(key, key)


def describe_changes(tables: Tables, policy_id: str, anchor: str) -> Section:
    """Show what is new since the run before."""
    title = "New since the run before"
    if tables.previous_run_id is None:
        return Section(f"{anchor}-changes", title, ["There was no run before: all findings are new."])
    held, withdrawn = read_changes(tables, policy_id)
    sentences = [f"Compared with run {tables.previous_run_id}: {withdrawn}."]
    if held is None:
        statuses = tables.of_policy("status_cells", policy_id)
        return Section(f"{anchor}-changes", title, [*sentences, "No findings hold." if statuses.is_empty() else SUPPRESSED])
    cells = sorted(held.cells, key=lambda cell: STATUS_ORDER.index(cell.key))
    others = f"of other kinds ({list_names(held.suppressed)})"
    names = [others if cell.key == OTHER else status_name(cell.key) for cell in cells]
    charts = []
    for measure in MEASURES:
        caption = Caption(
            f"{anchor}-changes-{measure.value}",
            f"{measure.name} by status",
            f"{measure.name} by status against the run before. The table has the numbers.",
        )
        bars = [BarRow(label, [bar(cell.values[measure.value], measure)]) for label, cell in zip(names, cells, strict=True)]
        charts.append((caption.title, draw_bars(caption, measure.axis, bars)))
    return Section(
        f"{anchor}-changes",
        title,
        sentences,
        charts=charts,
        tables=[
            Table(
                "Findings and dollars at risk by status",
                ["Status", "Findings", "At risk"],
                [[label, *findings_and_dollars(cell)] for label, cell in zip(names, cells, strict=True)],
                frozenset({1, 2}),
            )
        ],
        notes=[COMBINED] if held.suppressed else [],
    )


def describe_outcomes(tables: Tables, policy_id: str, anchor: str) -> Section | None:
    """Show how often reviewers overturned findings; None where nobody has reviewed any."""
    rows = tables.of_policy("outcome_cells", policy_id).with_columns(
        pl.format("{} {}", "rule_id", "determination").alias("reviewed_key"),
        pl.concat_list("members_upheld", "members_overturned").alias("members_reviewed"),
    )
    if rows.is_empty():
        return None
    title = "What reviewers decided"
    titles = {row["reviewed_key"]: f"{row['title']}, {row['determination']}" for row in rows.iter_rows(named=True)}
    cells = read_cells(
        rows,
        pl.col("reviewed_key"),
        ("reviewed", "upheld", "overturned", "recovered_amount"),
        {"reviewed": "members_reviewed", "upheld": "members_upheld", "overturned": "members_overturned"},
    )
    breakdown = suppress_small_cells(cells)
    total = combine_cells(cells, "All reviewed findings")
    if breakdown is None and total.is_small:
        return Section(f"{anchor}-outcomes", title, [SUPPRESSED])
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
    suppressed = breakdown.suppressed if breakdown is not None else ()
    notes = [f"Others: {list_names(titles[key] for key in suppressed)}. {COMBINED}"] if suppressed else []
    return Section(
        f"{anchor}-outcomes",
        title,
        ["A finding counts with its latest disposition, and as it was determined when it was reviewed."],
        charts=[(caption.title, drawn)],
        tables=[table],
        notes=notes,
    )


def _overturned_rate(cell: Cell) -> float:
    return 100 * float(cell.values["overturned"]) / float(cell.values["reviewed"] or 1)


def describe_doubts(tables: Tables, policy_id: str, anchor: str, split: Split | None) -> Section:
    """Show what claims leave open, and what would settle it.

    Where violations and reviews can both be shown, reviews alone are broken down: a violation has no doubt.
    """
    of_all = tables.of_policy("doubt_cells", policy_id)
    reviews = of_all.filter(pl.col("determination") == "review") if split else of_all.clear()
    cells = read_cells(of_all if reviews.is_empty() else reviews, pl.col("doubt_id"), *FINDINGS)
    what = "findings" if reviews.is_empty() else "reviews"
    doubts = {
        row["doubt_id"]: (row["description"][:1].upper() + row["description"][1:], row["settled_by"])
        for row in tables["doubt_meanings"].iter_rows(named=True)
    } | {
        NO_DOUBT: ("No doubt", ""),
        SEVERAL_DOUBTS: ("Several doubts at once", "all that would settle each"),
        OTHER: ("Others together", ""),
    }
    meanings = {key: doubts.get(key, (key, "")) for key in (OTHER, *(cell.key for cell in cells))}
    breakdown = suppress_small_cells(cells)
    title = "What claims leave open"
    sentences = [f"A doubt makes a review of what would be a violation. Each {what.removesuffix('s')} is in one row."]
    names = ["Doubt", "What would settle it"]
    if breakdown is None:
        named = [list(meanings[cell.key]) for cell in cells if cell.key not in (NO_DOUBT, SEVERAL_DOUBTS)]
        table = Table("Doubts that findings have, and what would settle them", names, named)
        return Section(f"{anchor}-doubts", title, [*sentences, SUPPRESSED], tables=[table] if named else (), is_open=True)
    last = (SEVERAL_DOUBTS, NO_DOUBT, OTHER)
    ordered = sorted(breakdown.cells, key=lambda cell: (cell.key in last and last.index(cell.key) + 1, -cell.values["findings"], cell.key))
    caption = Caption(
        f"{anchor}-doubts-chart", f"{what.capitalize()} by doubt", f"How many {what} have each doubt. The table has the numbers."
    )
    bars = [BarRow(meanings[cell.key][0], [bar(cell.values["findings"], NUMBER_OF_FINDINGS)]) for cell in ordered]
    others = [[*meanings[key], "in others", "in others"] for key in breakdown.suppressed]
    rows = [[*meanings[cell.key], *findings_and_dollars(cell)] for cell in ordered]
    rows[len(rows) - 1 : len(rows) - 1] = others
    return Section(
        f"{anchor}-doubts",
        title,
        sentences,
        charts=[(caption.title, draw_bars(caption, NUMBER_OF_FINDINGS.axis, bars))],
        tables=[Table("Doubts, and what would settle them", [*names, "Findings", "At risk"], rows, frozenset({2, 3}))],
        notes=[COMBINED] if others else [],
        is_open=True,
    )
