"""A member's timeline as a picture: one self-contained page that draws each injection, the windows after it, and why a finding was made."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from markupsafe import Markup, escape

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.pages.members import Finding, Injection, Line, Member, Timeline, read_families, read_member
from sij_audit.transforms.pages.report import open_templates
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.store.access_log import Outcome, find_log, log_outcome, log_query
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import PRIVATE_UMASK, Store
from sij_audit.transforms.store.runs import find_run
from sij_audit.transforms.text import dollars

WIDTH = 1016.0
"""Of a picture, in its own units: a CSS pixel each where the page is as wide as it gets."""

LEFT, RIGHT = 142.0, 996.0
"""Between these lies time; the names of the tracks stand before."""

INSET = 14.0
"""Room at both ends, so that no mark covers a name."""

MARKS_A_PANEL = 24
"""With more marks a picture is cut into panels of less time each."""

LONGEST_PANEL_DAYS = 1500

PANEL_MONTHS = (24, 12, 6, 3, 1)

WINDOWS_A_PANEL = 12
"""So many windows of counting are drawn in a panel; where there are more, only those that a finding names. Each finding draws its own anyway."""

FLAG, TRACK, LANE, WINDOW, AXIS = 27.0, 60.0, 54.0, 11.0, 44.0
"""Heights: a row of findings, a track, a track of other things, a window of counting, the axis."""

LETTER, BOLD_LETTER = 7.0, 8.0
"""Widths of a letter of the small labels and of the callouts, generously."""

DAYS_BY_WIDTH = ((600, (1, 8, 15, 22)), (260, (1, 15)))
"""Days of a month that the axis labels, by the least width of a month."""

ELLIPSIS = "…"


@dataclass(frozen=True)
class Scale:
    """Where a day lies between LEFT and RIGHT."""

    start: date
    end: date

    def x(self, day: date) -> float:
        """The day's place; one outside lies on the edge."""
        share = (day - self.start) / (self.end - self.start)
        return round(LEFT + INSET + (RIGHT - LEFT - 2 * INSET) * min(max(share, 0), 1), 1)

    def holds(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def month_width(self) -> float:
        return (RIGHT - LEFT - 2 * INSET) * 30.4 / (self.end - self.start).days


def shape(kind: str, content: str = "", **attributes: object) -> Markup:
    """Write an SVG element; all that is not Markup is escaped, `_` in a name stands for `-`."""
    told = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"' for name, value in attributes.items() if value is not None)
    return Markup(f"<{kind}{told}>{escape(content)}</{kind}>")  # noqa: S704 - values and content are escaped, names are this module's own


def text(x: float, y: float, content: str, class_: str = "small", anchor: str = "start") -> Markup:
    """Write a label."""
    return shape("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Write a straight line."""
    return shape("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def joined(shapes: Iterable[Markup]) -> Markup:
    """Lay shapes over each other, the last on top."""
    return Markup("\n").join(shapes)


def short(day: date) -> str:
    """Write a day without its year, as labels beside marks do."""
    return f"{day.day} {day:%b}"


# --- time


def first_of_month(day: date, months: int = 0) -> date:
    """The first day of the month so many months later."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def cut_panels(days: Iterable[date], until: date) -> list[Scale]:
    """Cut time into panels that hold few enough marks to be told apart; time without a mark is left out, unless all fits in one panel."""
    marked = sorted(set(days))
    start = first_of_month(marked[0] - timedelta(days=20))
    end = first_of_month(max(until, marked[-1]) + timedelta(days=12), 1)
    while (end - start).days < 180:
        end = first_of_month(end, 1)
    if len(marked) <= MARKS_A_PANEL and (end - start).days <= LONGEST_PANEL_DAYS:
        return [Scale(start, end)]
    for months in PANEL_MONTHS:
        starts: dict[date, int] = {}
        for day in marked:
            index = (day.year * 12 + day.month - 1) // months * months
            first = date(index // 12, index % 12 + 1, 1)
            starts[first] = starts.get(first, 0) + 1
        if max(starts.values()) <= MARKS_A_PANEL:
            break
    return [Scale(first, first_of_month(first, months)) for first in starts]


def draw_axis(scale: Scale, top: float, bottom: float) -> Iterator[Markup]:
    """Draw a grid of months, or of days where a month is wide, and the axis with its labels below; a year stands where it begins."""
    yield line(LEFT, bottom, RIGHT, bottom, "axis")
    width = scale.month_width
    days = next((days for least, days in DAYS_BY_WIDTH if width >= least), (1,))
    step = next((months for months in (1, 3, 6) if width * months >= 38), 12)
    month = first_of_month(scale.start)
    has_year = False
    while month <= scale.end:
        for day in (month.replace(day=number) for number in days):
            if scale.holds(day):
                yield line(scale.x(day), top, scale.x(day), bottom + 5, "year" if day == day.replace(month=1, day=1) else "grid")
            if scale.holds(day) and (month.month - 1) % step == 0 and scale.x(day) <= RIGHT - 45:
                yield text(scale.x(day) + 3, bottom + 17, f"{day:%b}" if days == (1,) else short(day))
                if not has_year or day == day.replace(month=1, day=1):
                    yield text(scale.x(day) + 3, bottom + 33, str(day.year), "strong small")
                    has_year = True
        month = first_of_month(month, 1)


# --- marks and tracks


@dataclass(frozen=True)
class Track:
    """A line on which marks lie. `is_middle` is the one between the sides, for injections of which no side is certain."""

    name: str
    side: str

    def holds(self, injection: Injection) -> str | None:
        """How certain the injection is here: certain, possible, or not at all."""
        if self.side == "middle":
            return None if injection.is_sided else "possible"
        certain = injection.is_certain_left if self.side == "left" else injection.is_certain_right
        possible = injection.is_possible_left if self.side == "left" else injection.is_possible_right
        return "certain" if certain else "possible" if possible and injection.is_sided else None


def choose_tracks(injections: Iterable[Injection]) -> list[Track]:
    """Left and right, and one between them where some injection needs it."""
    between = [Track("Side not known", "middle")] if any(not injection.is_sided for injection in injections) else []
    return [Track("Left", "left"), *between, Track("Right", "right")]


def mark(x: float, y: float, is_diagnostic: bool, certainty: str, size: float = 7) -> Markup:
    """Draw an injection: a disc is therapeutic, a triangle diagnostic; hollow is a side that is only possible."""
    class_ = f"injection {certainty}"
    if is_diagnostic:
        points = f"{x},{y - size - 1} {x + size + 1},{y + size - 1} {x - size - 1},{y + size - 1}"
        return shape("polygon", points=points, class_=class_)
    return shape("circle", cx=x, cy=y, r=size, class_=class_)


class Labels:
    """Places labels on a track so that none covers another: below a mark, else above it, else nowhere."""

    def __init__(self) -> None:
        self.ends = {1: -1.0, -1: -1.0}

    def place(self, x: float, y: float, content: str, class_: str = "small") -> Markup | None:
        half = len(content) * LETTER / 2
        x = min(max(x, LEFT + half), WIDTH - half)
        for side, offset in ((1, 23), (-1, -14)):
            if x - half > self.ends[side]:
                self.ends[side] = x + half + 3
                return text(x, y + offset, content, class_, "middle")
        return None


def draw_intervals(scale: Scale, top: float, injections: Sequence[Injection], tracks: Sequence[Track]) -> Iterator[Markup]:
    """Draw on each track the interval after each injection; where two overlap, the later injection came within the earlier one's."""
    for index, track in enumerate(tracks):
        y = top + TRACK * (index + 0.5)
        ends = []
        for injection in injections:
            certainty = track.holds(injection)
            if certainty and injection.interval_end_date > scale.start and injection.service_date < scale.end:
                left, right = scale.x(injection.service_date), scale.x(injection.interval_end_date)
                yield shape("rect", x=left, y=y - 10, width=round(right - left, 1), height=20, class_=f"interval {certainty}")
                if scale.holds(injection.interval_end_date):
                    ends.append(line(right, y - 10, right, y + 10, "interval-end"))
        yield from ends


def draw_tracks(
    scale: Scale, top: float, injections: Sequence[Injection], tracks: Sequence[Track], judged: Mapping[date, str]
) -> Iterator[Markup]:
    """Draw the tracks with their injections; `judged` are dates to put a ring around, and its class."""
    centres = {track: top + TRACK * (index + 0.5) for index, track in enumerate(tracks)}
    for track, y in centres.items():
        yield text(LEFT - 10, y + 4, track.name, "strong", "end")
        yield line(LEFT, y, RIGHT, y, "track")
    shown = [injection for injection in injections if scale.holds(injection.service_date)]
    for injection in shown:
        x = scale.x(injection.service_date)
        on = [(track, certainty) for track in tracks if (certainty := track.holds(injection))]
        if len(on) > 1:
            yield line(x, centres[on[0][0]], x, centres[on[-1][0]], "tie")
    for track, y in centres.items():
        labels = Labels()
        for injection in shown:
            certainty = track.holds(injection)
            if not certainty:
                continue
            x = scale.x(injection.service_date)
            if ring := judged.get(injection.service_date):
                yield shape("circle", cx=x, cy=y, r=12, class_=f"ring {ring}")
            yield mark(x, y, injection.is_diagnostic, certainty)
            if label := labels.place(x, y, short(injection.service_date)):
                yield label


def draw_windows(scale: Scale, top: float, injections: Sequence[Injection], classes: Mapping[date, str]) -> Iterator[Markup]:
    """Draw how long each injection counts, one below another; `classes` are those of the injections that a finding names."""
    for index, injection in enumerate(injections):
        y = top + WINDOW * (index + 0.5)
        class_ = f"window {classes.get(injection.service_date, '')}"
        left, right = scale.x(injection.service_date), scale.x(injection.count_end_date)
        yield line(left, y, right, y, class_)
        if scale.holds(injection.service_date):
            yield shape("circle", cx=left, cy=y, r=2.5, class_=f"{class_} dot")
        if scale.holds(injection.count_end_date):
            yield line(right, y - 4, right, y + 4, class_)
        else:
            yield shape("polygon", points=f"{right},{y - 4} {right + 7},{y} {right},{y + 4}", class_=f"{class_} dot")


def draw_lane(scale: Scale, y: float, name: str, marks: Sequence[tuple[date, str, Markup]]) -> Iterator[Markup]:
    """Draw a track of other things: day, label and mark of each, the mark drawn about 0, 0."""
    yield text(LEFT - 10, y + 4, name, "strong", "end")
    yield line(LEFT, y, RIGHT, y, "track")
    labels = Labels()
    for day, label, drawn in marks:
        if scale.holds(day):
            x = scale.x(day)
            yield shape("g", drawn, transform=f"translate({x} {y})")
            if placed := labels.place(x, y, label):
                yield placed


def draw_procedures(lines: Sequence[Line], families: Mapping[str, Mapping[str, str]], group: str | None) -> list[tuple[date, str, Markup]]:
    """One diamond a day: filled where a procedure is one that the policy is about, else hollow; its label lists the codes."""
    marks = []
    for day in sorted({line.service_date for line in lines}):
        of_day = [line for line in lines if line.service_date == day]
        codes = sorted({line.hcpcs_code for line in of_day})
        label = ", ".join(codes[:2]) + (ELLIPSIS if len(codes) > 2 else "")
        is_own = any(families.get(line.family or "", {}).get("family_group") == group for line in of_day)
        marks.append((day, label, shape("polygon", points="0,-8 8,0 0,8 -8,0", class_=f"procedure {'certain' if is_own else 'possible'}")))
    return marks


def draw_uncounted(lines: Sequence[Line]) -> list[tuple[date, str, Markup]]:
    """One cross a day, labelled with the date."""
    cross = joined([line(-5, -5, 5, 5, "cross"), line(-5, 5, 5, -5, "cross")])
    return [(day, short(day), cross) for day in sorted({line.service_date for line in lines})]


# --- pictures


@dataclass(frozen=True)
class Picture:
    """An SVG with what it is called, and what it shows in words."""

    name: str
    title: str
    description: str
    height: float
    shapes: Markup
    flags: Markup


def draw_panel(timeline: Timeline, member: Member, scale: Scale, name: str) -> Picture:
    """Draw all that lies in a stretch of time: findings, both sides, other procedures, lines that do not count, windows of counting."""
    families = read_families()
    injected = {line.family for line in member.lines if line.is_injection}
    group = next((families[family]["family_group"] for family in injected if family in families), "sij")
    injections = timeline.injections
    tracks = choose_tracks(injections)
    findings = [finding for finding in timeline.findings if finding.number and scale.holds(finding.service_date)]
    rows = place_flags(scale, findings)
    top = 14 + FLAG * (max(rows.values(), default=-1) + 1)
    lanes_top = top + TRACK * len(tracks)
    lanes = [("Other procedures", draw_procedures(member.other_procedures, families, group))] if member.other_procedures else []
    if member.uncounted:
        lanes.append(("Not counted", draw_uncounted(member.uncounted)))
    windows_top = lanes_top + LANE * len(lanes)
    windows, classes = choose_windows(timeline, scale)
    bottom = windows_top + (WINDOW * len(windows) + 16 if windows else 18)
    judged = {finding.service_date: finding.determination for finding in reviews_first(findings)}
    shapes = [*draw_axis(scale, 4, bottom), *draw_intervals(scale, top, injections, tracks)]
    if scale.holds(member.as_of):
        shapes += [line(scale.x(member.as_of), 4, scale.x(member.as_of), bottom, "as-of")]
        shapes += [text(scale.x(member.as_of) + 4, bottom - 4, "as of", "muted small")]
    for finding in findings:
        x = scale.x(finding.service_date)
        shapes.append(line(x, 14 + FLAG * rows[finding.number] + 11, x, bottom, f"plumb {finding.determination}"))
    shapes += draw_tracks(scale, top, injections, tracks, judged)
    for index, (title, marks) in enumerate(lanes):
        shapes += draw_lane(scale, lanes_top + LANE * (index + 0.5), title, marks)
    if windows:
        shapes.append(text(LEFT - 10, windows_top + 14, "Counts until", "strong", "end"))
        shapes += draw_windows(scale, windows_top + 4, windows, classes)
    flags = [draw_flag(scale.x(finding.service_date), 14 + FLAG * rows[finding.number], finding) for finding in findings]
    shown = [injection for injection in injections if scale.holds(injection.service_date)]
    told = [f"{injection.service_date} {injection.site}, {injection.purpose}" for injection in shown]
    found = [f"{finding.number}: {finding.title}, {finding.determination}, {finding.service_date}" for finding in findings]
    description = f"Injections: {'; '.join(told) or 'none'}. Findings: {'; '.join(found) or 'none'}. The tables below hold the same."
    return Picture(
        name,
        f"{timeline.policy_id}, {scale.start} to {scale.end - timedelta(days=1)}",
        description,
        bottom + AXIS,
        joined(shapes),
        joined(flags),
    )


def choose_windows(timeline: Timeline, scale: Scale) -> tuple[list[Injection], dict[date, str]]:
    """Choose the injections whose windows of counting are drawn in a panel, and the class of those that a finding there names."""
    classes: dict[date, str] = {}
    for finding in reviews_first(timeline.findings):
        if finding.number and scale.holds(finding.service_date):
            classes |= dict.fromkeys(finding.counted_dates, finding.determination)
    therapeutic = [
        injection
        for injection in timeline.injections
        if not injection.is_diagnostic and injection.service_date < scale.end and injection.count_end_date > scale.start
    ]
    if len(therapeutic) > WINDOWS_A_PANEL:
        therapeutic = [injection for injection in therapeutic if injection.service_date in classes]
    return (therapeutic if len(therapeutic) <= WINDOWS_A_PANEL else []), classes


def reviews_first(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings so that of those that colour one thing the violation has the last word."""
    return sorted(findings, key=lambda finding: finding.determination)


def place_flags(scale: Scale, findings: Sequence[Finding]) -> dict[int | None, int]:
    """Give each finding a row above the tracks, so that no flag covers another."""
    ends: list[float] = []
    rows: dict[int | None, int] = {}
    for finding in findings:
        x = scale.x(finding.service_date)
        row = next((index for index, end in enumerate(ends) if x - 17 > end), len(ends))
        ends[row:] = [x + 17, *ends[row + 1 :]]
        rows[finding.number] = row
    return rows


def draw_flag(x: float, y: float, finding: Finding) -> Markup:
    """Draw a finding's number as a link to what explains it: filled is a violation, hollow a review."""
    width = 24 if (finding.number or 0) < 100 else 31
    box = shape("rect", x=x - width / 2, y=y - 11, width=width, height=22, rx=3, class_=f"flag {finding.determination}")
    number = text(x, y + 5, str(finding.number), f"flag-number {finding.determination}", "middle")
    name = f"Finding {finding.number}, {finding.determination}: {finding.title}"
    return shape("a", joined([box, number]), href=f"#finding-{finding.number}", aria_label=name)


def draw_finding(finding: Finding, timeline: Timeline) -> Picture | None:
    """Draw why a finding was made; None where it goes by what was done that day, which no axis of time shows."""
    if finding.kind == "day":
        return None
    dates = [finding.service_date, *finding.counted_dates]
    dates += [day for day in (finding.prior_service_date, finding.earliest_compliant_date) if day]
    pad = max((max(dates) - min(dates)) * 0.12, timedelta(days=4))
    scale = Scale(min(dates) - pad, max(dates) + pad)
    shown = [injection for injection in timeline.injections if scale.holds(injection.service_date)]
    counted = [injection for injection in timeline.injections if injection.service_date in finding.counted_dates]
    tracks = choose_tracks(shown)
    callouts = list(call_out(finding))
    top = 8 + 18.0 * len(callouts)
    below = top + TRACK * len(tracks)
    bottom = below + (WINDOW * 1.5 * len(counted) + 12 if finding.kind == "count" else 40)
    shapes = [*draw_axis(scale, top - 4, bottom)]
    if finding.kind == "interval":
        shapes.append(draw_asked(scale, top, bottom, finding))
    for index, (day, told, class_) in enumerate(callouts):
        x, y = scale.x(day), 16 + 18.0 * index
        shapes.append(line(x, y - 10, x, bottom, f"plumb {class_}"))
        is_right = x + len(told) * BOLD_LETTER > WIDTH
        shapes.append(text(x - 6 if is_right else x + 6, y, told, f"callout {class_}", "end" if is_right else "start"))
    shapes += draw_tracks(scale, top, shown, tracks, {finding.service_date: finding.determination})
    if finding.kind == "count":
        shapes.append(text(LEFT - 10, below + 12, "Counts until", "strong", "end"))
        shapes += draw_counted(scale, below, counted, finding)
    elif finding.prior_service_date:
        shapes += draw_span(scale, below + 20, finding)
    return Picture(
        f"why-{finding.number}",
        f"Finding {finding.number}, drawn",
        "; ".join(f"{told}" for _, told, _ in callouts),
        bottom + AXIS,
        joined(shapes),
        joined([]),
    )


def call_out(finding: Finding) -> Iterator[tuple[date, str, str]]:
    """The dates that decide, in words, in the order of time."""
    judged = f"{finding.service_date}: the injection judged"
    if finding.kind == "count":
        judged += f"; {finding.row['prior_count']} earlier ones count on this day"
    days = [(finding.service_date, judged, finding.determination)]
    if finding.prior_service_date:
        name = "the earlier injection" if finding.kind == "interval" else "the series begins"
        days.append((finding.prior_service_date, f"{finding.prior_service_date}: {name}", "earlier"))
    if finding.earliest_compliant_date:
        days.append((finding.earliest_compliant_date, f"{finding.earliest_compliant_date}: the first date that would comply", "compliant"))
    yield from sorted(days, key=lambda told: told[0])


def draw_counted(scale: Scale, top: float, counted: Sequence[Injection], finding: Finding) -> Iterator[Markup]:
    """Draw the windows of the injections that a finding names, numbered, each crossed by the date that is judged."""
    for index, injection in enumerate(counted):
        y = top + 8 + WINDOW * 1.5 * index
        left, right = scale.x(injection.service_date), scale.x(injection.count_end_date)
        yield line(left, y, right, y, f"window {finding.determination}")
        if scale.holds(injection.count_end_date):
            yield line(right, y - 5, right, y + 5, f"window {finding.determination}")
        else:
            yield shape("polygon", points=f"{right},{y - 4} {right + 7},{y} {right},{y + 4}", class_=f"window {finding.determination} dot")
        yield shape("circle", cx=left, cy=y, r=7.5, class_=f"counted {finding.determination}")
        yield text(left, y + 4, str(index + 1), "tiny", "middle")


def draw_asked(scale: Scale, top: float, bottom: float, finding: Finding) -> Markup:
    """Draw the time from the earlier date to the first that would comply, over all tracks."""
    left = scale.x(finding.prior_service_date or finding.service_date)
    right = scale.x(finding.earliest_compliant_date or finding.service_date)
    return shape("rect", x=left, y=top, width=round(right - left, 1), height=bottom - top, class_="asked")


def draw_span(scale: Scale, y: float, finding: Finding) -> Iterator[Markup]:
    """Draw the days from the earlier date to the judged one as a measure."""
    start = finding.prior_service_date or finding.service_date
    left, right = scale.x(start), scale.x(finding.service_date)
    yield line(left, y - 5, left, y + 5, "measure")
    yield line(right, y - 5, right, y + 5, "measure")
    yield line(left, y, right, y, "measure")
    days = (finding.service_date - start).days
    told = f"{days} day" if days == 1 else f"{days} days"
    if right - left > len(told) * LETTER + 12:
        yield text((left + right) / 2, y - 6, told, "strong small", "middle")
    else:
        yield text(left - 8, y + 4, told, "strong small", "end")


# --- page


@dataclass(frozen=True)
class Explained:
    """A finding with the picture of why it was made."""

    finding: Finding
    picture: Picture | None


@dataclass(frozen=True)
class Drawn:
    """A policy's timeline with its pictures."""

    timeline: Timeline
    pictures: tuple[Picture, ...]
    explained: tuple[Explained, ...]
    has_all_windows: bool
    """Whether the pictures show of every injection how long it counts."""


def draw_timeline(timeline: Timeline, member: Member, name: str) -> Drawn:
    """Draw a timeline in as many panels as it takes, and each finding by itself."""
    days = [injection.service_date for injection in timeline.injections]
    days += [line.service_date for line in (*member.other_procedures, *member.uncounted)]
    days += [finding.service_date for finding in timeline.findings if finding.number]
    until = [injection.interval_end_date for injection in timeline.injections[-1:]]
    until += [finding.earliest_compliant_date for finding in timeline.findings if finding.number and finding.earliest_compliant_date]
    panels = cut_panels(days, max(until, default=max(days))) if days else []
    return Drawn(
        timeline,
        tuple(draw_panel(timeline, member, scale, f"{name}-{index}") for index, scale in enumerate(panels, 1)),
        tuple(Explained(finding, draw_finding(finding, timeline)) for finding in timeline.findings if finding.number),
        sum(not injection.is_diagnostic for injection in timeline.injections) <= WINDOWS_A_PANEL,
    )


def render_member(member: Member) -> str:
    """Make a member's page: HTML that holds all it needs and asks no network for anything."""
    environment = open_templates()
    environment.filters |= {"dollars": dollars}
    drawn = [draw_timeline(timeline, member, f"timeline-{index}") for index, timeline in enumerate(member.timelines, 1)]
    return environment.get_template("member.html").render(
        member=member,
        drawn=[part for part in drawn if part.pictures or part.explained],
        families=read_families(),
        width=WIDTH,
    )


# --- looking up


def look_up(out: Path, run_id: str | None, person: str, html: Path | None) -> Member:
    """Read a person of a published run, after the access log has taken it down, and write the page where one is asked for.

    UsageError for a run or a person that is not there, or a file that cannot be written to; none of them repeats the person's id.
    """
    os.umask(PRIVATE_UMASK)
    store = Store(out)
    run = find_run(store, run_id)
    page = check_page(html, out) if html else None
    log = find_log(store.access, run.name)
    started, query_id = time.monotonic(), log_query(log, f"member {person}")
    outcome = Outcome(0, error="Interrupted")
    try:
        with open_run(run) as con:
            member = read_member(con, run, person)
        if page:
            write_page(member, page)
        outcome = Outcome(0, len(member.lines), output=page.name if page else None)
    except Exception as error:
        outcome = Outcome(0, error=type(error).__name__)
        raise
    finally:
        log_outcome(log, query_id, replace(outcome, seconds=time.monotonic() - started))
    return member


def check_page(path: Path, out: Path) -> Path:
    """Make sure that a page can be written there, and not into OUT; UsageError where not. The name may hold the member's, so it is not said."""
    path = path.expanduser()
    if path.is_dir():
        raise UsageError("--html names a folder. Name a file in a folder of your own.")
    if not path.parent.is_dir():
        raise UsageError("--html names a file in a folder that is not there.")
    if path.parent.resolve().is_relative_to(out.resolve()):
        raise UsageError("--html names a file in OUT, where nothing but the audit writes. Name a folder of your own.")
    return path


def write_page(member: Member, path: Path) -> None:
    """Write a member's page, for its user alone."""
    html = render_member(member)
    try:
        write_durably(path, lambda temporary: _write_text(temporary, html))
    except OSError as error:
        raise UsageError(f"The file that --html names cannot be written: {error.strerror}.") from None


def _write_text(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
