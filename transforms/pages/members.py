"""What the published tables say of one person: injections, findings and claim lines, ready to be drawn."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from sij_audit.transforms.duck import fetch_dicts
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.frames import fetch_frame
from sij_audit.transforms.pages.charts import Look
from sij_audit.transforms.pages.parts import STRENGTHS
from sij_audit.transforms.query.versions import check_columns
from sij_audit.transforms.text import count_of

Row = Mapping[str, Any]

MEASURED_AGAINST = "measured against"
"""The role, in `claims_behind`, of lines that a finding does not cite."""

TRACKS = ("left", "right", "possible_left", "possible_right", "any")

NEEDED_COLUMNS = {
    ("injections", "interval_end_date"),
    ("injections", "count_end_date"),
    ("review_states", "held_back_for"),
    ("lines", "line_status"),
    ("limits", "limit_value"),
    ("family_meanings", "description"),
}
"""Columns of the reports that runs of earlier versions lack."""

REVIEWS = """
select
    review_states.finding_id,
    review_states.held_back_for,
    review_states.suppression_reason,
    review_states.suppressed_until,
    dispositions.disposition,
    dispositions.is_on_present_evidence,
    dispositions.reviewer,
    dispositions.note,
    dispositions.recovered_amount,
    dispositions.imported_on,
from findings
inner join review_states on findings.finding_id = review_states.finding_id
left join dispositions on findings.finding_id = dispositions.finding_id
where findings.person_id = ?
"""
"""What reviewers said of a person's findings, and which of these are suppressed: somebody else has the claim."""


@dataclass(frozen=True)
class Injection:
    """An injection as one policy sees it; `counted` are the therapeutic injections before it in the policy's window, by track."""

    service_date: date
    site: str
    is_certain_left: bool
    is_certain_right: bool
    is_possible_left: bool
    is_possible_right: bool
    series_seq: int
    series_start_date: date
    is_diagnostic: bool
    interval_end_date: date
    count_end_date: date
    doubts: tuple[str, ...]
    applicability: str
    paid_amount: Decimal
    claim_ids: tuple[str, ...]
    days_since_previous: int | None
    counted: Mapping[str, int]

    @property
    def is_sided(self) -> bool:
        """Whether some side is certain."""
        return self.is_certain_left or self.is_certain_right

    @property
    def purpose(self) -> str:
        return "diagnostic" if self.is_diagnostic else "therapeutic"

    @property
    def site_text(self) -> str:
        """The site, and what is only possible beyond it."""
        other = {"left": self.is_possible_right, "right": self.is_possible_left}.get(self.site, False)
        return f"{self.site}, the other side possible" if other else self.site

    def count_before(self, track: str) -> str:
        """How many count before it on a track; a range where the side of some, or of this one, is only possible."""
        certain = self.counted.get(track)
        possible = self.counted.get(f"possible_{track}")
        if certain is None and possible is None:
            return ""
        least = certain or 0
        return str(least) if possible in (None, least) else f"{least} to {possible}"


@dataclass(frozen=True)
class Family:
    """What the procedures of a family are, and the group of families that it belongs to."""

    group: str
    description: str


@dataclass(frozen=True)
class Line:
    """A claim line with a code of some family; `reason_not_live` says why it does not count, None where it does."""

    service_date: date
    claim_id: str
    claim_line_number: int
    hcpcs_code: str
    family: str | None
    modifiers: tuple[str, ...]
    billing_npi: str | None
    paid_amount: Decimal | None
    reason_not_live: str | None
    doubts: tuple[str, ...]
    is_injection: bool

    @property
    def key(self) -> tuple[str, int, date]:
        return self.claim_id, self.claim_line_number, self.service_date


@dataclass(frozen=True)
class Finding:
    """A finding with its memo and its claim lines; `number` is its number on the page, None where it was withdrawn."""

    number: int | None
    row: Row
    title: str
    memo: tuple[tuple[str, str], ...]
    behind: tuple[Row, ...]
    counted_dates: tuple[date, ...]
    """The injections before it that it counts and names."""

    @property
    def service_date(self) -> date:
        day: date = self.row["service_date"]
        return day

    @property
    def prior_service_date(self) -> date | None:
        day: date | None = self.row["prior_service_date"]
        return day

    @property
    def earliest_compliant_date(self) -> date | None:
        day: date | None = self.row["earliest_compliant_date"]
        return day

    @property
    def determination(self) -> str:
        return str(self.row["determination"])

    @property
    def verdict(self) -> str:
        """Its strength and determination: proven violation, presumed violation, likely review or possible review."""
        return f"{self.row['strength']} {self.determination}"

    @property
    def kind(self) -> str:
        """What it is about, by the columns that it has: an interval, a count, a series, or what was done that day."""
        if self.prior_service_date:
            return "interval" if self.earliest_compliant_date else "series"
        return "count" if self.earliest_compliant_date else "day"

    @property
    def cited_lines(self) -> tuple[Row, ...]:
        """The claim lines that the finding is about."""
        return tuple(row for row in self.behind if row["role"] != MEASURED_AGAINST)

    @property
    def other_lines(self) -> tuple[Row, ...]:
        """The claim lines that those are measured against: of earlier injections, or of the day's other procedures."""
        return tuple(row for row in self.behind if row["role"] == MEASURED_AGAINST)


@dataclass(frozen=True)
class Timeline:
    """A person's injections and findings under one policy, by date; `family_group` has the families that the policy is about."""

    policy_id: str
    family_group: str | None
    injections: tuple[Injection, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Member:
    """All that a run says of a person."""

    person_id: str
    run_id: str
    member_ids: tuple[str, ...]
    timelines: tuple[Timeline, ...]
    lines: tuple[Line, ...]
    families: Mapping[str, Family]

    @property
    def as_of(self) -> date:
        """Services up to this date were audited; a run's id begins with it."""
        return date.fromisoformat(self.run_id[:10])

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for timeline in self.timelines for finding in timeline.findings if finding.number)

    def count_determined(self, determination: Look) -> str:
        """Count its violations, or its reviews, by strength: 3 violations (1 proven, 2 presumed)."""
        found = [finding for finding in self.findings if finding.determination == determination]
        by_strength = Counter(str(finding.row["strength"]) for finding in found)
        parts = ", ".join(f"{by_strength[name]:,} {name}" for name in STRENGTHS[determination] if by_strength[name])
        return count_of(len(found), determination) + (f" ({parts})" if parts else "")

    @cached_property
    def withdrawn(self) -> tuple[Finding, ...]:
        return tuple(finding for timeline in self.timelines for finding in timeline.findings if not finding.number)

    @cached_property
    def other_procedures(self) -> tuple[Line, ...]:
        """Lines that count and are no injection."""
        return tuple(line for line in self.lines if not line.reason_not_live and not line.is_injection)

    @cached_property
    def uncounted(self) -> tuple[Line, ...]:
        """Lines that do not count."""
        return tuple(line for line in self.lines if line.reason_not_live)

    @cached_property
    def finding_numbers(self) -> dict[tuple[str, int, date], tuple[int, ...]]:
        """The findings that cite a line, by claim, line and date."""
        numbers: dict[tuple[str, int, date], tuple[int, ...]] = {}
        for finding in self.findings:
            for row in finding.cited_lines:
                key = row["claim_id"], row["claim_line_number"], row["service_date"]
                numbers[key] = tuple(sorted({*numbers.get(key, ()), finding.number or 0}))
        return numbers


def read_member(con: duckdb.DuckDBPyConnection, run: Path, person: str) -> Member:
    """Read a person of the run that `con` has open; UsageError, which does not repeat the person's id, where the run has no line of it."""
    check_columns(con, run, NEEDED_COLUMNS, "a member's page")
    injections = add_counts(
        fetch_frame(con, "from injections where person_id = ?", [person]),
        fetch_frame(con, "from timelines where person_id = ?", [person]),
    )
    policies = [row["policy_id"] for row in fetch_dicts(con, "select distinct policy_id from rules order by policy_id")]
    titles = {(row["policy_id"], row["rule_id"]): row["title"] for row in fetch_dicts(con, "from rules")}
    groups = dict(con.execute("select policy_id, limit_value from limits where limit_name = 'injection_family_group'").fetchall())
    findings = fetch_dicts(con, "from findings where person_id = ? order by service_date, policy_section, finding_id", [person])
    lines = fetch_dicts(con, "from member_timeline(?)", [person])
    reviews = {row["finding_id"]: tuple(_describe_review(row)) for row in fetch_dicts(con, REVIEWS, [person])}
    member_ids = fetch_dicts(con, "select distinct member_id from lines where person_id = ? order by member_id", [person])
    if not lines and not findings:
        raise UsageError(
            f"runs/{run.name} holds no line of that person. PERSON is the person_id of the reports, not the member number: "
            "`sij-audit sql` finds it in the table lines."
        )
    number = 0
    timelines = []
    for policy in policies:
        own = tuple(_injection(row) for row in injections.filter(pl.col("policy_id") == policy).iter_rows(named=True))
        of_policy = []
        for row in findings:
            if row["policy_id"] == policy:
                holds = row["status"] != "withdrawn"
                number += holds
                title = titles.get((policy, row["rule_id"]), row["rule_id"])
                reviewed = reviews.get(row["finding_id"], ())
                of_policy.append(_finding(con, row, title, number if holds else None, own, reviewed))
        timelines.append(Timeline(policy, groups.get(policy), own, tuple(of_policy)))
    return Member(
        person_id=person,
        run_id=run.name,
        member_ids=tuple(row["member_id"] for row in member_ids if row["member_id"]),
        timelines=tuple(timelines),
        lines=tuple(_line(row) for row in lines if row["policy_id"] in (None, policies[0])),
        families={
            row["family"]: Family(row["family_group"], row["description"])
            for row in fetch_dicts(con, "from family_meanings order by family")
        },
    )


def add_counts(injections: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Lay beside each injection, by policy and date, what counts before it: a column a track, null on a track that it is not on.

    `steps` are rows of the report timelines; days_since_previous are those since the injection before, of whichever side.
    """
    on_track = {track: pl.col("track") == track for track in TRACKS}
    counts = steps.group_by("policy_id", "service_date").agg(
        *(pl.col("count_12_months").filter(is_on).first().alias(f"count_{track}") for track, is_on in on_track.items()),
        pl.col("days_since_previous").filter(on_track["any"]).first(),
    )
    return injections.join(counts, on=["policy_id", "service_date"], how="left").sort("policy_id", "service_date")


def _injection(row: Row) -> Injection:
    return Injection(
        **{name: row[name] for name in ("service_date", "site", "series_seq", "series_start_date", "is_diagnostic")},
        **{name: row[name] for name in ("is_certain_left", "is_certain_right", "is_possible_left", "is_possible_right")},
        **{name: row[name] for name in ("interval_end_date", "count_end_date", "applicability", "paid_amount")},
        doubts=tuple(row["doubts"]),
        claim_ids=tuple(row["claim_ids"]),
        days_since_previous=row["days_since_previous"],
        counted={track: count for track in TRACKS if (count := row[f"count_{track}"]) is not None},
    )


def _line(row: Row) -> Line:
    return Line(
        **{name: row[name] for name in ("service_date", "claim_id", "claim_line_number", "hcpcs_code", "family")},
        **{name: row[name] for name in ("billing_npi", "paid_amount", "reason_not_live")},
        modifiers=tuple(row["modifiers"]),
        doubts=tuple(row["doubts"]),
        is_injection=row["series_seq"] is not None,
    )


def _describe_review(row: Row) -> Iterator[tuple[str, str]]:
    """Give as rows of a memo what a reviewer found, and who else has the finding where it is suppressed."""
    if row["disposition"]:
        parts = (f"by {row['reviewer']}" if row["reviewer"] else "", f"on {row['imported_on']}", row["note"] or "")
        recovered = f"recovered {row['recovered_amount']}" if row["recovered_amount"] is not None else ""
        other = "" if row["is_on_present_evidence"] else "on other evidence than today's"
        yield (
            "reviewed",
            ", ".join(part for part in (" ".join([row["disposition"], *filter(None, parts[:2])]), other, recovered, parts[2]) if part),
        )
    if row["held_back_for"] == "suppressed":
        until = f", until {row['suppressed_until']}" if row["suppressed_until"] else ""
        yield "not handed over", f"{row['suppression_reason']}{until}"


def _finding(
    con: duckdb.DuckDBPyConnection,
    row: Row,
    title: str,
    number: int | None,
    injections: Sequence[Injection],
    reviewed: Sequence[tuple[str, str]],
) -> Finding:
    memo = tuple(con.execute("from explain(?)", [row["finding_id"]]).fetchall())
    behind = tuple(fetch_dicts(con, "from claims_behind(?)", [row["finding_id"]]))
    counts = row["earliest_compliant_date"] and not row["prior_service_date"]
    named = set(row["prior_claim_ids"])
    counted = (
        injection.service_date
        for injection in injections
        if counts
        and injection.service_date < row["service_date"] < injection.count_end_date
        and not injection.is_diagnostic
        and named.intersection(injection.claim_ids)
    )
    return Finding(number, row, title, (*memo, *reviewed), behind, tuple(counted))
