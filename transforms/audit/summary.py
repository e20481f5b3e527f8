"""The summary of a run: what people want to know of it first. Counts, dollars and names of columns, nothing of a member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.duck import fetch_as, fetch_one
from sij_audit.transforms.store.folder import Batch
from sij_audit.transforms.text import describe_newest_text, list_names, printable

QUALITY_NOTICES = """
    select
        check_order, check_id, "column",
        coalesce(list_sort(list_distinct(list(extract))), []) as extracts,
        sum(row_count)::bigint as row_count, sum(found_count)::bigint as found_count,
        data_quality.counted, list_sort(list_distinct(flatten(list(forms))))[:3] as forms, bool_or(is_new) as is_new,
        data_quality.meaning, data_quality.effect, data_quality.remedy,
    from data_quality inner join quality_checks using (check_id)
    where is_noticed and (
        extract is not null
        or check_id not in (select check_id from data_quality where is_noticed and extract is not null)
    )
    group by all
"""
"""Notices of the quality checks, each once; what an extract shows by itself is not said again of all together."""

NAMED = 3
"""So many extracts are named in a notice; the report `data_quality` has them all."""

STRENGTHS = ("proven", "presumed", "likely", "possible")
"""How far a finding carries, the strongest first: the first two are violations, the others reviews."""


@dataclass(frozen=True)
class RowCounts:
    """The rows of the extracts that count, by what became of them; the four others sum to those read."""

    read: int
    kept: int
    not_relevant: int
    quarantined: int
    duplicate: int


@dataclass(frozen=True)
class RuleTotals:
    """What a rule found; amounts are dollars, those at risk not claimed by a finding of higher rank."""

    policy_id: str
    rule_id: str
    policy_section: str
    looked_at: int
    violations: int
    reviews: int
    proven: int
    presumed: int
    likely: int
    possible: int
    paid_amount: Decimal
    amount_at_risk: Decimal


@dataclass(frozen=True)
class StrengthTotals:
    """The findings of a policy that hold, by strength: proven and presumed violations, likely and possible reviews."""

    policy_id: str
    determination: str
    strength: str
    findings: int
    amount_at_risk: Decimal


@dataclass(frozen=True)
class LineOfBusiness:
    """A value of line_of_business that claims have, None for none, with its group; whether the program or the settings know it."""

    line_of_business: str | None
    line_group: str
    line_count: int

    @property
    def is_unknown(self) -> bool:
        """Whether nothing says which coverage it is."""
        return self.line_group == "unknown"


@dataclass(frozen=True)
class PolicyText:
    """The newest text of a policy that is held, by year and month of approval, such as 2023-08."""

    policy_id: str
    newest_revision: str

    def __str__(self) -> str:
        return describe_newest_text(self.policy_id, self.newest_revision)


@dataclass(frozen=True)
class StatusTotals:
    """The findings of a status: new, changed, open or withdrawn since the run before."""

    status: str
    findings: int
    amount_at_risk: Decimal


@dataclass(frozen=True)
class ExcludedFindings:
    """Findings that are not handed over, by why: suppressed or overturned."""

    policy_id: str
    held_back_for: str
    findings: int
    amount_at_risk: Decimal


@dataclass(frozen=True)
class SoleDoubt:
    """Reviews that one doubt alone keeps from being violations, and what would settle it."""

    policy_id: str
    doubt_id: str
    settled_by: str
    finding_count: int
    amount_at_risk: Decimal


@dataclass(frozen=True)
class QualityNotice:
    """What a quality check found in extracts, or in the lines of all together where it names none; counts and forms, no values."""

    check_id: str
    column: str
    extracts: list[str]
    row_count: int
    found_count: int
    counted: str
    forms: list[str]
    is_new: bool
    """Whether the run before had no such notice."""
    meaning: str
    effect: str
    remedy: str

    def __str__(self) -> str:
        where = list_names(map(printable, self.extracts), NAMED) if self.extracts else "all extracts together"
        forms = f" (such as {', '.join(map(printable, self.forms))})" if self.forms else ""
        return (
            f"{self.column} in {where}: {self.found_count:,} of {self.row_count:,} {self.counted}{forms}: {self.meaning}. "
            f"{self.effect[:1].upper()}{self.effect[1:]}. What to do: {self.remedy}."
        )


@dataclass(frozen=True)
class OddLines:
    """What was counted on the way and may be the sign of a feed that is not as it should be."""

    orphan_adjustments: int
    """Adjustments of claims of which nothing was ever delivered."""
    adjustments_across_persons: int
    """Adjustments of a claim of another person."""
    unmatched_reversals: int
    """Reversals under a claim number of their own that found no line."""
    lines_after_as_of: int
    """Lines after the as-of date, which wait."""


@dataclass(frozen=True)
class RunSummary:
    """What a finished audit says in short."""

    rows: RowCounts
    injections: int
    """Persons and dates with an injection."""
    injections_under_precedence: int
    """Injections under coverage that takes precedence over the policy."""
    rules: tuple[RuleTotals, ...]
    strengths: tuple[StrengthTotals, ...]
    statuses: tuple[StatusTotals, ...]
    amount_at_risk: Decimal
    """Dollars, none counted twice, whatever policies and rules found a line."""
    excluded: tuple[ExcludedFindings, ...]
    sole_doubts: tuple[SoleDoubt, ...]
    lines_of_business: tuple[LineOfBusiness, ...]
    policy_texts: tuple[PolicyText, ...]
    odd_lines: OddLines
    findings_in_open_adjustments: int
    """Findings with a cited line that an adjustment or a reversal whose own line is not here may be about."""
    quality: tuple[QualityNotice, ...]
    """In the order of the checks."""
    missing_columns: Mapping[str, tuple[str, ...]]
    """Columns without which the audit can say less, each with the extracts that lack it or leave it empty."""

    def findings_of(self, status: str) -> int:
        """Count the findings of a status."""
        return sum(totals.findings for totals in self.statuses if totals.status == status)


def summarize(con: duckdb.DuckDBPyConnection, batches: Sequence[Batch], line_of_business: str | None) -> RunSummary:
    """Sum up a finished audit; `line_of_business` is that of the settings, which stands in where lines have none."""
    [rows] = fetch_as(
        con,
        RowCounts,
        "(select coalesce(sum(rows_read), 0)::bigint as read, coalesce(sum(rows_kept), 0)::bigint as kept, "
        "coalesce(sum(rows_not_relevant), 0)::bigint as not_relevant, coalesce(sum(rows_quarantined), 0)::bigint as quarantined, "
        "coalesce(sum(rows_duplicate), 0)::bigint as duplicate from controls where outcome <> 'refused')",
    )
    [odd_lines] = fetch_as(con, OddLines, "totals")
    return RunSummary(
        rows=rows,
        injections=fetch_one(con, "select count(*) from (select distinct person_id, service_date from injections)"),
        injections_under_precedence=fetch_one(con, "select count(*) from injections where applicability = 'precedence'"),
        rules=fetch_as(con, RuleTotals, "rules"),
        strengths=fetch_as(
            con,
            StrengthTotals,
            "(select policy_id, determination, strength, count(*) as findings, sum(amount_at_risk) as amount_at_risk from findings "
            "where status <> 'withdrawn' group by all) "
            f"order by policy_id, list_position({list(STRENGTHS)}, strength)",
        ),
        statuses=fetch_as(
            con,
            StatusTotals,
            "(select status, count(*) as findings, sum(amount_at_risk) as amount_at_risk from findings group by status) order by status",
        ),
        amount_at_risk=fetch_one(
            con,
            "select coalesce(sum(amount), 0) from (select max(amount) as amount from "
            "(select line_key, sum(amount_at_risk) as amount from claimed_lines group by policy_id, line_key) group by line_key)",
        ),
        excluded=fetch_as(
            con,
            ExcludedFindings,
            "(select policy_id, held_back_for, count(*) as findings, sum(amount_at_risk) as amount_at_risk "
            "from review_states inner join findings using (finding_id) where held_back_for is not null and status <> 'withdrawn' "
            "group by policy_id, held_back_for) order by policy_id, held_back_for",
        ),
        sole_doubts=fetch_as(con, SoleDoubt, "sole_doubts order by policy_id, finding_count desc, doubt_id"),
        lines_of_business=fetch_as(con, LineOfBusiness, "line_of_business_groups"),
        policy_texts=fetch_as(con, PolicyText, "policy_texts"),
        odd_lines=odd_lines,
        findings_in_open_adjustments=fetch_one(
            con, "select count(distinct finding_id) from (select unnest(finding_ids) as finding_id from open_adjustments)"
        ),
        quality=fetch_as(con, QualityNotice, f"({QUALITY_NOTICES}) order by check_order"),
        missing_columns=_missing_columns(batches, {"line_of_business": line_of_business}),
    )


def _missing_columns(batches: Sequence[Batch], stand_ins: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    missing: dict[str, tuple[str, ...]] = {}
    for column in COLUMNS:
        if not column.without or stand_ins.get(column.name):
            continue
        for batch in batches:
            filled = {entry["column"]: entry["filled_count"] for entry in batch.columns if entry["is_canonical"]}
            if batch.controls["rows_read"] and not filled.get(column.name):
                missing[column.name] = (*missing.get(column.name, ()), batch.extract)
    return missing
