"""Time as a picture shows it: where a day lies, how much time a panel holds, and the axis under it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from sij_audit.transforms.pages.svg import line, text

WIDTH = 1016.0
"""Width of a picture in its own units: a CSS pixel each where the page is as wide as it gets."""

LEFT, RIGHT = 142.0, 996.0
"""Time lies between these; the names of the tracks stand to the left."""

INSET = 14.0
"""Room at both ends, so that no mark covers a name."""

MARKS_A_PANEL = 24
"""With more marks a picture is cut into panels of less time each."""

LONGEST_PANEL_DAYS = 1500

PANEL_MONTHS = (24, 12, 6, 3, 1)

DAYS_BY_WIDTH = ((600, (1, 8, 15, 22)), (260, (1, 15)))
"""Days of a month that the axis labels, by the least width of a month."""


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


def short(day: date) -> str:
    """Write a day without its year, as labels beside marks do."""
    return f"{day.day} {day:%b}"


def first_of_month(day: date, months: int = 0) -> date:
    """The first day of the month so many months later."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def cut_panels(days: Iterable[date], until: date) -> list[Scale]:
    """Cut time into panels that hold few enough marks to be distinguished; time without a mark is left out, unless all fits in one panel."""
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
                yield text(scale.x(day) + 3, bottom + 17, f"{day:%b}" if days == (1,) else short(day), "small")
                if not has_year or day == day.replace(month=1, day=1):
                    yield text(scale.x(day) + 3, bottom + 33, str(day.year), "strong small")
                    has_year = True
        month = first_of_month(month, 1)
