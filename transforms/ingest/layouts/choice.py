"""Which layout an extract is read by: that of its feed, or the one of several that its first rows fit."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import polars as pl

from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.csv_dialect import COMMAS
from sij_audit.transforms.ingest.extracts import Extract
from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.ingest.formats import refuse_unknown
from sij_audit.transforms.ingest.layouts.forms import clean, cut, matches
from sij_audit.transforms.ingest.layouts.layout import Layout, LayoutText, parse_layout
from sij_audit.transforms.ingest.layouts.mapped_part import read_by
from sij_audit.transforms.ingest.layouts.mapping import NEEDED, LayoutMisfit, map_columns
from sij_audit.transforms.ingest.part import Format, Part, PartInput
from sij_audit.transforms.text import list_names, printable


def choose_format(extract: Extract, known: Format, terms: Terms) -> tuple[Format, str | None]:
    """Say how an extract is to be read, and by which layout; None where it is read as one that has the canonical columns.

    ExtractRefused where several layouts fit, where that of its feed does not, or where none fits and it is no extract by its name.
    """
    layouts = list(dict.fromkeys(terms.layouts))
    misfits = {layout: _find_misfit(extract, known, parse_layout(layout)) for layout in layouts}
    fitting = [layout for layout in layouts if not misfits[layout]]
    if len(fitting) > 1:
        raise ExtractRefused(
            f"{extract.name}: fits the layouts {list_names(layout.name for layout in fitting)}, and can be read by one only. "
            "Name it by --layout or in its feed, or say under [recognize] in them how to tell them apart."
        )
    if fitting:
        return read_by(fitting[0], known), fitting[0].name
    if not misfits:
        return known, None
    said = _describe_misfits(misfits)
    if terms.is_layout_given:
        raise ExtractRefused(f"{extract.name}: {said}")
    try:
        refuse_unknown(extract.path)
    except ExtractRefused as error:
        raise ExtractRefused(f"{error} {said}") from None
    return _explained(known, said), None


def _describe_misfits(misfits: Mapping[LayoutText, str]) -> str:
    described = "; ".join(f"by {printable(layout.name)}, it {misfit}" for layout, misfit in misfits.items())
    return f"No layout fits it: {described}."


def _explained(known: Format, said: str) -> Format:
    """Let what refuses an extract's columns say that no layout fits them either."""

    @contextmanager
    def open_part(given: PartInput) -> Iterator[Part]:
        with ExitStack() as stack:
            try:
                part = stack.enter_context(known.open_part(given))
            except ExtractRefused as error:
                raise ExtractRefused(f"{error} {said}") from None
            yield part

    return replace(known, open_part=open_part)


def _find_misfit(extract: Extract, known: Format, layout: Layout) -> str:
    """Say in what an extract is none of a layout, by its first rows; empty where it may be one."""
    first = known.read_first_rows(extract, layout.dialect)
    if layout.widths and not known.is_text:
        return "is no text, so it has no columns of fixed width"
    if layout.dialect.header_row == 0 and known.is_text:
        header = {name.lower() for name in known.read_first_rows(extract, COMMAS).names}
        if header.issuperset(NEEDED):
            return "has a header row with the names of canonical columns"
        if layout.names and any(len(row) != len(layout.names) for row in first.rows):
            return f"has rows of more or fewer cells than the {len(layout.names)} that it names"
    if not first.names:
        return f"has no line {layout.header_row or 1} that could be its header row"
    names, cells = (
        list(first.names),
        {name: [row[place] for row in first.rows if place < len(row)] for place, name in enumerate(first.names)},
    )
    if layout.widths:
        lines = pl.DataFrame({"line": [row[0] for row in first.rows]}, schema={"line": pl.String})
        slices = lines.select(cut("line", *width).alias(name) for name, width in layout.widths.items())
        names, cells = slices.columns, {name: slices[name].to_list() for name in slices.columns}
    try:
        map_columns(layout, names)
    except LayoutMisfit as error:
        return str(error)
    there = {name.lower() for name in names}
    for name in layout.recognize.lacks:
        if name.lower() in there:
            return f"has a column {printable(name)}"
    for name, pattern in layout.recognize.cells.items():
        found = next((filled for given, filled in cells.items() if given.lower() == name.lower()), None)
        if found is None:
            return f"has no column {printable(name)}"
        if not matches(pl.DataFrame({"cell": found}, schema={"cell": pl.String}).select(clean("cell", layout.nulls))["cell"], pattern):
            return f"has other values in {printable(name)} than [recognize] says"
    return ""
