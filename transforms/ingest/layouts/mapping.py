"""What of an extract each canonical column is by a layout, and why a layout does not fit an extract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.duck import quote_name
from sij_audit.transforms.ingest.layouts.expressions import read_expression
from sij_audit.transforms.ingest.layouts.layout import Layout
from sij_audit.transforms.text import list_names, printable

NEEDED = tuple(column.name for column in COLUMNS if column.needed.startswith("column"))

DATES_OF_SERVICE = ("claim_line_start_date", "claim_start_date")


class LayoutMisfit(Exception):
    """Say why an extract is none of a layout, as the end of a sentence about the extract."""


@dataclass(frozen=True)
class ColumnMap:
    """Which expression over an extract's columns each canonical column is; the extract's columns that are read, and the others, by place."""

    expressions: Mapping[str, str]
    read: Mapping[int, str]
    """With their names, as the layout writes them."""
    ignored: Sequence[int]


def map_columns(layout: Layout, names: Sequence[str]) -> ColumnMap:
    """Find what a layout names among the columns of an extract, in any case; LayoutMisfit where that cannot be done."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name.lower(), []).append(place)
    expressions: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for column in COLUMNS:
        given = layout.columns.get(column.name)
        if given is None and column.name in places:
            given = column.name
        if isinstance(given, str):
            expressions[column.name] = quote_name(given)
            wanted[given.lower()] = given
        elif given is not None:
            expressions[column.name] = given.sql
            wanted |= {name.lower(): name for name in read_expression(given.sql)}
    if lacking := [name for key, name in wanted.items() if key not in places]:
        raise LayoutMisfit(f"has no column {list_names(map(printable, lacking))}")
    if twice := [name for key, name in wanted.items() if len(places[key]) > 1]:
        raise LayoutMisfit(f"has column {list_names(map(printable, twice))} twice")
    if unmapped := [name for name in NEEDED if name not in expressions]:
        raise LayoutMisfit(f"has no column for {list_names(unmapped)}, which the layout must name")
    if not any(name in expressions for name in DATES_OF_SERVICE):
        raise LayoutMisfit(f"has no column for {DATES_OF_SERVICE[0]}, which the layout must name")
    if not wanted:
        raise LayoutMisfit("has no column that the layout reads")
    read = {places[key][0]: name for key, name in wanted.items()}
    return ColumnMap(expressions, read, [place for place in range(len(names)) if place not in read])
