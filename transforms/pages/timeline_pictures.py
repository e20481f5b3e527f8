"""Pictures of a member: all of a stretch of time, and by itself each finding with the dates that decide it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from sij_audit.transforms.pages.marks import (
    AXIS,
    BOLD_LETTER,
    FLAG,
    LANE,
    LETTER,
    TRACK,
    WINDOW,
    choose_tracks,
    draw_intervals,
    draw_lane,
    draw_procedures,
    draw_tracks,
    draw_uncounted,
    draw_windows,
)
from sij_audit.transforms.pages.members import Finding, Injection, Member, Timeline
from sij_audit.transforms.pages.svg import element, joined, line, text
from sij_audit.transforms.pages.time_axis import LEFT, WIDTH, Scale, cut_panels, draw_axis
from sij_audit.transforms.text import count_of

WINDOWS_A_PANEL = 12
"""So many windows of counting are drawn in a panel; where there are more, only those that a finding names. Each finding draws its own anyway."""


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
    injections = timeline.injections
    tracks = choose_tracks(injections)
    findings = [finding for finding in timeline.findings if finding.number and scale.holds(finding.service_date)]
    rows = place_flags(scale, findings)
    top = 14 + FLAG * (max(rows.values(), default=-1) + 1)
    lanes_top = top + TRACK * len(tracks)
    lanes = []
    if member.other_procedures:
        lanes.append(("Other procedures", draw_procedures(member.other_procedures, member.families, timeline.family_group)))
    if member.uncounted:
        lanes.append(("Not counted", draw_uncounted(member.uncounted)))
    windows_top = lanes_top + LANE * len(lanes)
    windows, classes = choose_windows(timeline, scale)
    bottom = windows_top + (WINDOW * len(windows) + 16 if windows else 18)
    ringed = {finding.service_date: finding.determination for finding in reviews_first(findings)}
    shapes = [*draw_axis(scale, 4, bottom), *draw_intervals(scale, top, injections, tracks)]
    if scale.holds(member.as_of):
        shapes += [line(scale.x(member.as_of), 4, scale.x(member.as_of), bottom, "as-of")]
        shapes += [text(scale.x(member.as_of) + 4, bottom - 4, "as of", "muted small")]
    for finding in findings:
        x = scale.x(finding.service_date)
        shapes.append(line(x, 14 + FLAG * rows[finding.number] + 11, x, bottom, f"plumb {finding.determination}"))
    shapes += draw_tracks(scale, top, injections, tracks, ringed)
    for index, (title, marks) in enumerate(lanes):
        shapes += draw_lane(scale, lanes_top + LANE * (index + 0.5), title, marks)
    if windows:
        shapes.append(text(LEFT - 10, windows_top + 14, "Counts until", "strong", "end"))
        shapes += draw_windows(scale, windows_top + 4, windows, classes)
    flags = [draw_flag(scale.x(finding.service_date), 14 + FLAG * rows[finding.number], finding) for finding in findings]
    shown = [injection for injection in injections if scale.holds(injection.service_date)]
    listed = [f"{injection.service_date} {injection.site}, {injection.purpose}" for injection in shown]
    found = [f"{finding.number}: {finding.title}, {finding.determination}, {finding.service_date}" for finding in findings]
    description = f"Injections: {'; '.join(listed) or 'none'}. Findings: {'; '.join(found) or 'none'}. The tables below hold the same."
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
    """Order findings so that a violation's colour covers a review's where both mark one thing."""
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
    box = element("rect", x=x - width / 2, y=y - 11, width=width, height=22, rx=3, class_=f"flag {finding.determination}")
    number = text(x, y + 5, str(finding.number), f"flag-number {finding.determination}", "middle")
    name = f"Finding {finding.number}, {finding.determination}: {finding.title}"
    return element("a", joined([box, number]), href=f"#finding-{finding.number}", aria_label=name)


def draw_finding(finding: Finding, timeline: Timeline) -> Picture | None:
    """Draw why a finding was made; None where it is about what was done that day, which no axis of time shows."""
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
    for index, (day, label, look) in enumerate(callouts):
        x, y = scale.x(day), 16 + 18.0 * index
        shapes.append(line(x, y - 10, x, bottom, f"plumb {look}"))
        length = len(label) * BOLD_LETTER
        if x + 6 + length <= WIDTH:
            shapes.append(text(x + 6, y, label, f"callout {look}", "start"))
        else:  # before its line, or as far back as the frame allows
            shapes.append(text(max(x - 6, min(length, WIDTH)), y, label, f"callout {look}", "end"))
    shapes += draw_tracks(scale, top, shown, tracks, {finding.service_date: finding.determination})
    if finding.kind == "count":
        shapes.append(text(LEFT - 10, below + 12, "Counts until", "strong", "end"))
        shapes += draw_counted(scale, below, counted, finding)
    elif finding.prior_service_date:
        shapes += draw_span(scale, below + 20, finding)
    return Picture(
        f"why-{finding.number}",
        f"Finding {finding.number}, drawn",
        "; ".join(label for _, label, _ in callouts),
        bottom + AXIS,
        joined(shapes),
        joined([]),
    )


def call_out(finding: Finding) -> Iterator[tuple[date, str, str]]:
    """The dates that decide, in words, in the order of time."""
    cited = f"{finding.service_date}: the injection of this finding"
    if finding.kind == "count":
        cited += f"; {finding.row['prior_count']} earlier ones count on this day"
    days = [(finding.service_date, cited, finding.determination)]
    if finding.prior_service_date:
        name = "the earlier injection" if finding.kind == "interval" else "the series begins"
        days.append((finding.prior_service_date, f"{finding.prior_service_date}: {name}", "earlier"))
    if finding.earliest_compliant_date:
        days.append((finding.earliest_compliant_date, f"{finding.earliest_compliant_date}: the first date that would comply", "compliant"))
    yield from sorted(days, key=lambda day: day[0])


def draw_counted(scale: Scale, top: float, counted: Sequence[Injection], finding: Finding) -> Iterator[Markup]:
    """Draw the windows of the injections that a finding names, numbered, each crossed by the date of the finding."""
    for index, injection in enumerate(counted):
        y = top + 8 + WINDOW * 1.5 * index
        left, right = scale.x(injection.service_date), scale.x(injection.count_end_date)
        yield line(left, y, right, y, f"window {finding.determination}")
        if scale.holds(injection.count_end_date):
            yield line(right, y - 5, right, y + 5, f"window {finding.determination}")
        else:
            yield element(
                "polygon", points=f"{right},{y - 4} {right + 7},{y} {right},{y + 4}", class_=f"window {finding.determination} dot"
            )
        yield element("circle", cx=left, cy=y, r=7.5, class_=f"counted {finding.determination}")
        yield text(left, y + 4, str(index + 1), "tiny", "middle")


def draw_asked(scale: Scale, top: float, bottom: float, finding: Finding) -> Markup:
    """Draw the time from the earlier date to the first that would comply, over all tracks."""
    left = scale.x(finding.prior_service_date or finding.service_date)
    right = scale.x(finding.earliest_compliant_date or finding.service_date)
    return element("rect", x=left, y=top, width=round(right - left, 1), height=bottom - top, class_="asked")


def draw_span(scale: Scale, y: float, finding: Finding) -> Iterator[Markup]:
    """Draw the days from the earlier date to that of the finding as a measure."""
    start = finding.prior_service_date or finding.service_date
    left, right = scale.x(start), scale.x(finding.service_date)
    yield line(left, y - 5, left, y + 5, "measure")
    yield line(right, y - 5, right, y + 5, "measure")
    yield line(left, y, right, y, "measure")
    days = (finding.service_date - start).days
    label = count_of(days, "day")
    if right - left > len(label) * LETTER + 12:
        yield text((left + right) / 2, y - 6, label, "strong small", "middle")
    else:
        yield text(left - 8, y + 4, label, "strong small", "end")


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
