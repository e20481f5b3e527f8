"""What the report page is made of: sections with charts and the tables behind them, and how numbers are written in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl
from markupsafe import Markup

from sij_audit.transforms.pages.charts import Axis, Bar, Look
from sij_audit.transforms.pages.suppression import LEAST_MEMBERS, Cell, Value
from sij_audit.transforms.text import dollars, whole_dollars

SUPPRESSED = f"Suppressed: it would give away a group of fewer than {LEAST_MEMBERS} members (CMS cell-size policy)."

COMBINED = (
    f"Rows of fewer than {LEAST_MEMBERS} members are suppressed (CMS cell-size policy) and shown as one, with the next smallest row where that"
    " is not enough."
)

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")

FINDINGS = (("findings", "amount_at_risk"), {"findings": "members"})
"""The values of most breakdowns, and the persons behind them."""

MEANINGS: Mapping[Look, str] = {
    "violation": "violations: claims show it, given what is presumed",
    "proven": "proven violations: claims show it, and nothing is presumed",
    "presumed": "presumed violations: claims show it, given what the policy presumes",
    "review": "reviews: records must settle it",
    "likely": "likely reviews: a violation as billed, but for a doubt that records must settle",
    "possible": "possible reviews: claims leave open what the rule asks; records must settle it",
}
"""What findings are divided into, from strong to weak, and what each part is."""

STRENGTHS: Mapping[Look, Sequence[Look]] = {"violation": ("proven", "presumed"), "review": ("likely", "possible")}
"""The strengths of each determination."""


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
    """A part of the page: sentences, charts, and the tables behind them.

    Where `is_open`, the tables need no opening; where `is_beside`, they stand open beside a narrow chart.
    """

    anchor: str
    title: str
    sentences: Sequence[str] = ()
    charts: Sequence[tuple[str, Markup]] = ()
    tables: Sequence[Table] = ()
    legend: Sequence[tuple[Look, str]] = ()
    notes: Sequence[str] = ()
    is_open: bool = False
    is_beside: bool = False


@dataclass(frozen=True)
class Tile:
    """A number that is read first."""

    number: str
    meaning: str
    look: Look = "plain"


@dataclass(frozen=True)
class PolicyPart:
    """What the page shows of one policy."""

    policy_id: str
    anchor: str
    headline: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]


@dataclass(frozen=True)
class Measure:
    """One of the values of a cell as charts show it: its name, and how it is written beside a bar and on an axis."""

    name: str
    value: str
    write: Callable[[float | Decimal], str]
    axis: Axis


@dataclass(frozen=True)
class Tables:
    """The published tables that the page reads, and those of stage 7."""

    frames: Mapping[str, pl.DataFrame]

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.frames[table]

    def of_policy(self, table: str, policy_id: str) -> pl.DataFrame:
        return self.frames[table].filter(pl.col("policy_id") == policy_id)

    @property
    def previous_run_id(self) -> str | None:
        previous: str | None = self.frames["run_facts"]["previous_run_id"][0]
        return previous

    def months(self, policy_id: str, name: str) -> int:
        """Give a limit in months that the whole policy has."""
        limits = self.of_policy("limits", policy_id).filter(pl.col("rule_id").is_null() & (pl.col("limit_name") == name))
        return int(limits["limit_value"].item())


def write_count(value: float | Decimal) -> str:
    """Write a whole number with its thousands apart."""
    return f"{int(value):,}"


def write_short_dollars(value: float) -> str:
    """Write an amount for an axis, where there is little room."""
    return next((f"${value / unit:g}{letter}" for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if value >= unit), f"${value:g}")


def write_date(value: date) -> str:
    """Write a date so that nobody takes the month for the day."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def name_part(look: Look) -> str:
    """Name a part of the findings, such as presumed violations."""
    return MEANINGS[look].partition(":")[0]


def findings_and_dollars(cell: Cell) -> list[str]:
    """Write the two values of most breakdowns."""
    return [write_count(cell.values["findings"]), dollars(cell.values["amount_at_risk"])]


def bar(value: Value, measure: Measure, look: Look = "plain") -> Bar:
    """Make a bar with its value beside it."""
    return Bar(float(value), measure.write(value), look)


NUMBER_OF_FINDINGS = Measure("Findings", "findings", write_count, Axis("findings", write_count, is_whole=True))

MEASURES = (NUMBER_OF_FINDINGS, Measure("Dollars at risk", "amount_at_risk", whole_dollars, Axis("dollars at risk", write_short_dollars)))
