"""What a member's timeline is drawn of: tracks for both sides, injections on them, the windows after them, lanes for all else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from sij_audit.transforms.pages.members import Family, Injection, Line
from sij_audit.transforms.pages.svg import element, joined, line, text
from sij_audit.transforms.pages.time_axis import LEFT, RIGHT, WIDTH, Scale, short

FLAG, TRACK, LANE, WINDOW, AXIS = 27.0, 60.0, 54.0, 11.0, 44.0
"""Heights: a row of findings, a track, a track of other things, a window of counting, the axis."""

LETTER, BOLD_LETTER = 7.0, 8.0
"""Widths of a letter of the small labels and of the callouts, generously."""

ELLIPSIS = "…"


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
        return element("polygon", points=points, class_=class_)
    return element("circle", cx=x, cy=y, r=size, class_=class_)


class Labels:
    """Places labels on a track so that none covers another: below a mark, else above it, else nowhere."""

    def __init__(self) -> None:
        self.ends = {1: -1.0, -1: -1.0}

    def place(self, x: float, y: float, content: str, look: str = "small") -> Markup | None:
        half = len(content) * LETTER / 2
        x = min(max(x, LEFT + half), WIDTH - half)
        for side, offset in ((1, 23), (-1, -14)):
            if x - half > self.ends[side]:
                self.ends[side] = x + half + 3
                return text(x, y + offset, content, look, "middle")
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
                yield element("rect", x=left, y=y - 10, width=round(right - left, 1), height=20, class_=f"interval {certainty}")
                if scale.holds(injection.interval_end_date):
                    ends.append(line(right, y - 10, right, y + 10, "interval-end"))
        yield from ends


def draw_tracks(
    scale: Scale, top: float, injections: Sequence[Injection], tracks: Sequence[Track], ringed: Mapping[date, str]
) -> Iterator[Markup]:
    """Draw the tracks with their injections; `ringed` are dates to put a ring around, and its class."""
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
            if ring := ringed.get(injection.service_date):
                yield element("circle", cx=x, cy=y, r=12, class_=f"ring {ring}")
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
            yield element("circle", cx=left, cy=y, r=2.5, class_=f"{class_} dot")
        if scale.holds(injection.count_end_date):
            yield line(right, y - 4, right, y + 4, class_)
        else:
            yield element("polygon", points=f"{right},{y - 4} {right + 7},{y} {right},{y + 4}", class_=f"{class_} dot")


def draw_lane(scale: Scale, y: float, name: str, marks: Sequence[tuple[date, str, Markup]]) -> Iterator[Markup]:
    """Draw a track of other things: day, label and mark of each, the mark drawn about 0, 0."""
    yield text(LEFT - 10, y + 4, name, "strong", "end")
    yield line(LEFT, y, RIGHT, y, "track")
    labels = Labels()
    for day, label, drawn in marks:
        if scale.holds(day):
            x = scale.x(day)
            yield element("g", drawn, transform=f"translate({x} {y})")
            if placed := labels.place(x, y, label):
                yield placed


def draw_procedures(lines: Sequence[Line], families: Mapping[str, Family], group: str | None) -> list[tuple[date, str, Markup]]:
    """One diamond a day: filled where a procedure is one that the policy is about, else hollow; its label lists the codes."""
    own = {family_id for family_id, family in families.items() if family.group == group}
    marks = []
    for day in sorted({claim_line.service_date for claim_line in lines}):
        of_day = [claim_line for claim_line in lines if claim_line.service_date == day]
        codes = sorted({claim_line.hcpcs_code for claim_line in of_day})
        label = ", ".join(codes[:2]) + (ELLIPSIS if len(codes) > 2 else "")
        certainty = "certain" if any(claim_line.family in own for claim_line in of_day) else "possible"
        marks.append((day, label, element("polygon", points="0,-8 8,0 0,8 -8,0", class_=f"procedure {certainty}")))
    return marks


def draw_uncounted(lines: Sequence[Line]) -> list[tuple[date, str, Markup]]:
    """One cross a day, labelled with the date."""
    cross = joined([line(-5, -5, 5, 5, "cross"), line(-5, 5, 5, -5, "cross")])
    return [(day, short(day), cross) for day in sorted({claim_line.service_date for claim_line in lines})]
