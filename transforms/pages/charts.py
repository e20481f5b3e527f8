"""Draw bars, columns and histograms as SVG that stands in a page: labelled axes, a title and a description, no script.

Colours come from the page's style sheet (`templates/base.html`), so that one drawing serves light, dark and paper. Proven violations are solid
and presumed ones hatched; likely reviews are hatched, in another colour and direction, and possible ones empty: colour is never the only
difference. All text is escaped.
"""

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from sij_audit.transforms.pages.svg import element, line, number, text

Look = Literal["violation", "proven", "presumed", "review", "likely", "possible", "plain"]

HATCHES: Mapping[str, str] = {"presumed": "violation", "review": "review", "likely": "review"}
"""Looks that are hatched, and in which colour."""

WIDTH = 520
"""Units of a chart that takes half of a page; text is 13 of them high."""

WIDE = 1000


@dataclass(frozen=True)
class Caption:
    """What a chart is called and says; `chart_id` is unique in its page."""

    chart_id: str
    title: str
    description: str


@dataclass(frozen=True)
class Axis:
    """What an axis measures, and how its numbers are written."""

    label: str
    write: Callable[[float], str]
    is_whole: bool = False


@dataclass(frozen=True)
class Bar:
    """A value, the text that stands beside it, and how it is drawn."""

    value: float
    text: str
    look: Look = "plain"


@dataclass(frozen=True)
class BarRow:
    """The bars of one label."""

    label: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Column:
    """A column over its label; without a value, the place says that it is not shown. `text` stands over the column."""

    label: str
    value: float | None
    text: str = ""


@dataclass(frozen=True)
class Bin:
    """How often a value from `first` to `last` was seen; without a `last`, all that is more; without a value, it is not shown."""

    first: int
    last: int | None
    value: float | None


@dataclass(frozen=True)
class Mark:
    """A line, or where `last` is another value a band, that a chart is read against."""

    first: float
    last: float
    label: str


def draw_bars(caption: Caption, axis: Axis, rows: Sequence[BarRow], mark: Mark | None = None) -> Markup:
    """Draw rows of bars from left to right, in the order given."""
    left, right, top, bar_height, gap = 196, 82, 8 if mark is None else 28, 17, 12
    labels = [_wrapped(row.label) for row in rows]
    heights = [max(bar_height * len(row.bars), 16 * len(label)) + gap for row, label in zip(rows, labels, strict=True)]
    bottom = top + sum(heights)
    values = [bar.value for row in rows for bar in row.bars]
    ticks = _ticks(max([*values, mark.last if mark else 0]), axis.is_whole)
    scale = (WIDTH - left - right) / ticks[-1]
    parts = []
    for tick in ticks:
        x = left + tick * scale
        parts += [line(x, top, x, bottom, "grid"), text(x, bottom + 17, axis.write(tick), "muted", anchor="middle")]
    y = float(top)
    for row, label, height in zip(rows, labels, heights, strict=True):
        middle = y + height / 2
        parts += [text(left - 8, middle + 16 * (n - (len(label) - 1) / 2) + 4.5, part, anchor="end") for n, part in enumerate(label)]
        bar_top = middle - bar_height * len(row.bars) / 2
        for n, bar in enumerate(row.bars):
            place = bar_top + n * bar_height
            parts.append(_bar(caption, bar.look, left, place + 1, bar.value * scale, bar_height - 3))
            parts.append(text(left + bar.value * scale + 6, place + 13, bar.text))
        y += height
    parts.append(line(left, top, left, bottom, "axis"))
    if mark is not None:
        x = left + mark.last * scale
        parts += [line(x, top - 4, x, bottom, "mark"), text(x, top - 10, mark.label, "mark", anchor="middle")]
    parts.append(text(left + (WIDTH - left - right) / 2, bottom + 36, axis.label, "muted", anchor="middle"))
    return _chart(caption, WIDTH, bottom + 44, parts)


def draw_columns(caption: Caption, x_axis: str, y_axis: Axis, columns: Sequence[Column], look: Look = "plain") -> Markup:
    """Draw columns side by side, in the order given; a place that is not shown has a cross on the axis."""
    left, right, top, bottom = 62, 8, 40, 210
    step = (WIDTH - left - right) / max(len(columns), 1)
    ticks = _ticks(max([0, *(column.value or 0 for column in columns)]), y_axis.is_whole)
    scale = (bottom - top) / ticks[-1]
    parts = _y_axis(y_axis, ticks, left, WIDTH - right, bottom, scale)
    widest = max([1, *(len(column.label) for column in columns)])
    every = math.ceil((widest * 7.2 + 8) / step)
    for n, column in enumerate(columns):
        x = left + n * step
        parts += _column(caption, look, x, step, bottom, scale, column.value)
        if column.text and len(columns) <= 9 and column.value is not None:
            parts.append(text(x + step / 2, bottom - column.value * scale - 6, column.text, anchor="middle"))
        if n % every == 0:
            parts.append(text(x + step / 2, bottom + 18, column.label, "muted", anchor="middle"))
    parts.append(line(left, bottom, WIDTH - right, bottom, "axis"))
    parts.append(text(left + (WIDTH - left - right) / 2, bottom + 38, x_axis, "muted", anchor="middle"))
    return _chart(caption, WIDTH, bottom + 46, parts)


def draw_histogram(caption: Caption, x_axis: str, y_axis: Axis, bins: Sequence[Bin], mark: Mark) -> Markup:
    """Draw bins of one width over a scale of whole numbers, the open one at the end apart, and a band over the values of the mark.

    `bins` are in order, each beginning after the one before it; only the last may be open.
    """
    left, right, top, bottom, apart = 70, 12, 58, 280, 26
    open_bins = [bin_ for bin_ in bins if bin_.last is None]
    closed = [(bin_.first, bin_.last + 1, bin_.value) for bin_ in bins if bin_.last is not None]
    lowest, highest = min(first for first, _, _ in closed), max(end for _, end, _ in closed)
    width = max(end - first for first, end, _ in closed)
    unit = (WIDE - left - right - (apart if open_bins else 0)) / (highest - lowest + width * len(open_bins))
    ticks = _ticks(max([0, *(bin_.value or 0 for bin_ in bins)]), y_axis.is_whole)
    scale = (bottom - top) / ticks[-1]
    parts = _y_axis(y_axis, ticks, left, WIDE - right, bottom, scale)
    band = (left + (mark.first - lowest) * unit, left + (mark.last + 1 - lowest) * unit)
    parts.append(text(band[0], top - 20, mark.label, "mark"))
    for first, end, value in closed:
        x = left + (first - lowest) * unit
        parts += _column(caption, "plain", x, (end - first) * unit, bottom, scale, value, spacing=1.5)
        parts.append(text(x + (end - first) * unit / 2, bottom + 18, f"{max(first, 1)}–{end - 1}", "muted", anchor="middle"))
        if value:
            parts.append(text(x + (end - first) * unit / 2, bottom - value * scale - 6, y_axis.write(value), anchor="middle"))
    for bin_ in open_bins:
        x = left + (highest - lowest) * unit + apart
        parts += _column(caption, "plain", x, width * unit, bottom, scale, bin_.value, spacing=1.5)
        parts.append(text(x + width * unit / 2, bottom + 18, f"{bin_.first} and more", "muted", anchor="middle"))
        if bin_.value:
            parts.append(text(x + width * unit / 2, bottom - bin_.value * scale - 6, y_axis.write(bin_.value), anchor="middle"))
    parts += [
        element("rect", class_="band", x=band[0], y=top - 12, width=band[1] - band[0], height=bottom - top + 12),
        line(left, bottom, WIDE - right, bottom, "axis"),
        text(left + (WIDE - left - right) / 2, bottom + 40, x_axis, "muted", anchor="middle"),
    ]
    return _chart(caption, WIDE, bottom + 48, parts)


def _y_axis(axis: Axis, ticks: Sequence[float], left: float, end: float, bottom: float, scale: float) -> list[Markup]:
    parts = [text(4, 14, axis.label, "muted")]
    for tick in ticks:
        y = bottom - tick * scale
        parts += [line(left, y, end, y, "grid"), text(left - 8, y + 4.5, axis.write(tick), "muted", anchor="end")]
    return parts


def _column(
    caption: Caption, look: Look, x: float, step: float, bottom: float, scale: float, value: float | None, spacing: float | None = None
) -> list[Markup]:
    if value is None:
        middle = x + step / 2
        return [
            line(middle - 4, bottom - 12, middle + 4, bottom - 4, "absent"),
            line(middle - 4, bottom - 4, middle + 4, bottom - 12, "absent"),
        ]
    space = min(step * 0.18, 12) if spacing is None else spacing
    return [_bar(caption, look, x + space, bottom - value * scale, step - 2 * space, value * scale)] if value else []


def _bar(caption: Caption, look: Look, x: float, y: float, width: float, height: float) -> Markup:
    fill = {"fill": f"url(#{caption.chart_id}-{HATCHES[look]}-hatch)"} if look in HATCHES else {}
    return element("rect", class_=look, x=x, y=y, width=max(width, 0.5), height=max(height, 0.5), **fill)


def _chart(caption: Caption, width: float, height: float, parts: Iterable[Markup]) -> Markup:
    title_id, description_id = f"{caption.chart_id}-title", f"{caption.chart_id}-description"
    return element(
        "svg",
        element("title", caption.title, id=title_id),
        element("desc", caption.description, id=description_id),
        element("defs", _hatch(caption, "violation", -45, 6), _hatch(caption, "review", 45, 6)),
        *parts,
        class_="chart wide" if width > WIDTH else "chart",
        viewBox=f"0 0 {number(width)} {number(height)}",
        style=f"max-width: {number(width)}px",
        role="img",
        aria_labelledby=title_id,
        aria_describedby=description_id,
    )


def _hatch(caption: Caption, colour: str, degrees: int, size: int) -> Markup:
    return element(
        "pattern",
        element("rect", class_="hatch-ground", width=size, height=size),
        line(0, 0, 0, size, f"hatch {colour}"),
        id=f"{caption.chart_id}-{colour}-hatch",
        width=size,
        height=size,
        patternUnits="userSpaceOnUse",
        patternTransform=f"rotate({degrees})",
    )


def _ticks(highest: float, is_whole: bool) -> list[float]:
    """Round numbers from zero to at least the highest value, some four or five of them."""
    if highest <= 0:
        return [0, 1]
    magnitude = 10.0 ** math.floor(math.log10(highest / 4))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude * 5 >= highest)
    step = max(1, math.ceil(step)) if is_whole else step
    return [n * step for n in range(math.ceil(highest / step) + 1)]


def _wrapped(label: str) -> list[str]:
    return textwrap.wrap(label, 25, max_lines=4, placeholder=" …") or [""]
