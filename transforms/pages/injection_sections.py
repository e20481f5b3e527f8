"""Sections of the report page on injections: the days between them, and how many a member has in a year."""

from datetime import date

import polars as pl

from sij_audit.transforms.pages.charts import Axis, Bin, Caption, Column, Mark, draw_columns, draw_histogram
from sij_audit.transforms.pages.parts import COMBINED, SUPPRESSED, Section, Table, Tables, write_count
from sij_audit.transforms.pages.suppression import choose_level, read_cells
from sij_audit.transforms.text import count_of, list_names

BIN_DAYS = (15, 30, 60, 120)
"""Widths of the histogram's bins; the finest that can be shown is taken."""

MOST_BINS = 16
"""So many bins are drawn before wider ones are taken."""

DAYS_BEYOND = 120
"""Intervals longer than the limit by so much are in one bin; a multiple of all widths."""

MOST_INJECTIONS = range(8, 1, -1)
"""Numbers of injections in a year from which on members are put together: the highest that can be shown is taken."""


def days_of_months(months: int) -> tuple[int, int]:
    """Give the fewest and the most days that so many months take; a day that the later month lacks is its last, as in the rules."""
    cycle = pl.select(day=pl.date_range(date(2000, 1, 1), date(2399, 12, 31), "1d"))
    spans = (pl.col("day").dt.offset_by(f"{months}mo") - pl.col("day")).dt.total_days()
    return cycle.select(spans.min().alias("fewest"), spans.max().alias("most")).row(0)


def bin_start(days: pl.Expr, width: int, anchor: int) -> pl.Expr:
    """Give the first day of the bin of an interval; bins lie to both sides of the anchor, and the last one, DAYS_BEYOND after it, is open."""
    return (anchor + (days - anchor).floordiv(width) * width).clip(upper_bound=anchor + DAYS_BEYOND)


def list_bins(width: int, anchor: int) -> list[int]:
    """List the first days of all bins from that of one day on."""
    first = pl.select(bin_start(pl.lit(1), width, anchor)).item()
    return [*range(first, anchor + DAYS_BEYOND, width), anchor + DAYS_BEYOND]


def describe_intervals(tables: Tables, policy_id: str, anchor: str) -> Section | None:
    """Draw the days between an injection and the one before it, with a band at the interval that the policy requires."""
    rows = tables.of_policy("interval_cells", policy_id)
    if rows.is_empty():
        return None
    title = "Days between injections"
    months = tables.months(policy_id, "interval_months")
    limit = count_of(months, "month")
    fewest, most = days_of_months(months)
    widths = [width for width in BIN_DAYS if len(list_bins(width, fewest)) <= MOST_BINS] or [BIN_DAYS[-1]]
    keys = {width: {f"{n:06}": start for n, start in enumerate(list_bins(width, fewest))} for width in widths}
    levels = [
        read_cells(
            rows.with_columns(bin=bin_start(pl.col("days_since_previous"), width, fewest)),
            pl.col("bin").replace_strict({start: key for key, start in keys[width].items()}),
            ["intervals"],
            {"intervals": "members"},
        )
        for width in widths
    ]
    chosen = choose_level(levels, 0.85)
    if chosen is None:
        return Section(f"{anchor}-intervals", title, [SUPPRESSED])
    width, breakdown = widths[chosen[0]], chosen[1]
    last = fewest + DAYS_BEYOND
    bins = [
        Bin(start, None if start == last else start + width - 1, breakdown.height(key, "intervals")) for key, start in keys[width].items()
    ]
    names = {key: f"{start} and more" if start == last else f"{max(start, 1)} to {start + width - 1}" for key, start in keys[width].items()}
    caption = Caption(
        f"{anchor}-intervals-chart",
        "Injections by days since the one before",
        f"How many injections came so many days after the person's injection before, in bins of {width} days, with a band at {limit}. "
        "The table has the numbers.",
    )
    drawn = draw_histogram(
        caption,
        "days since the injection before, of either side",
        Axis("injections", write_count, is_whole=True),
        bins,
        Mark(fewest, most, f"{limit}: {fewest} to {most} days"),
    )
    written = [[names[cell.key], write_count(cell.values["intervals"])] for cell in breakdown.shown]
    notes = []
    if breakdown.other is not None:
        written.append(["Other intervals together", write_count(breakdown.other.values["intervals"])])
        notes = [f"A cross (×) marks what is suppressed: {list_names(names[key] for key in breakdown.suppressed)}. {COMBINED}"]
    return Section(
        f"{anchor}-intervals",
        title,
        [
            f"The policy asks for {limit}, {fewest} to {most} days: left of the band every interval is shorter, within it the calendar decides.",
            "Not every short interval is a finding: sides, purpose and doubts count.",
        ],
        charts=[(caption.title, drawn)],
        tables=[Table("Injections by days since the one before", ["Days", "Injections"], written, frozenset({1}))],
        notes=notes,
    )


def describe_years(tables: Tables, policy_id: str, anchor: str) -> Section | None:
    """Draw how many injections members had in a calendar year."""
    rows = tables.of_policy("yearly_cells", policy_id)
    if rows.is_empty():
        return None
    title = "Injections per member and year"
    injections = pl.col("injections")
    levels = [
        read_cells(rows, injections.clip(upper_bound=cap).cast(pl.String).str.zfill(6), ["member_years"], {"member_years": "members"})
        for cap in MOST_INJECTIONS
    ]
    chosen = choose_level(levels, 1.0)
    if chosen is None:
        return Section(f"{anchor}-years", title, [SUPPRESSED])
    cap, breakdown = MOST_INJECTIONS[chosen[0]], chosen[1]
    names = {f"{n:06}": f"{n} or more" if n == cap else str(n) for n in range(1, cap + 1)}
    highest = max((*(cell.key for cell in breakdown.shown), *breakdown.suppressed))
    columns = [
        Column(name, breakdown.height(key, "member_years"), write_count(breakdown.height(key, "member_years") or 0))
        for key, name in names.items()
        if key <= highest
    ]
    caption = Caption(
        f"{anchor}-years-chart",
        "Member-years by injections in the year",
        "How many members had so many injections in a calendar year; each counts once a year. The table has the numbers.",
    )
    drawn = draw_columns(caption, "injections in a calendar year", Axis("member-years", write_count, is_whole=True), columns)
    written = [[names[cell.key], write_count(cell.values["member_years"])] for cell in breakdown.shown]
    notes = []
    if breakdown.other is not None:
        written.append(["Other numbers together", write_count(breakdown.other.values["member_years"])])
        notes = [f"Other numbers: {list_names(names[key] for key in breakdown.suppressed)}. {COMBINED}"]
    counted = count_of(tables.months(policy_id, "count_months"), "month")
    return Section(
        f"{anchor}-years",
        title,
        [f"A member counts once for each year with an injection. The policy counts over {counted}, not over calendar years."],
        charts=[(caption.title, drawn)],
        tables=[Table("Member-years by injections in the year", ["Injections", "Member-years"], written, frozenset({1}))],
        notes=notes,
        is_beside=True,
    )
