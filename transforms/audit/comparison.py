"""What became of findings from one audit to another: of two published runs, or of a run and an audit that is not published."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path

import duckdb

from sij_audit.transforms.duck import fetch_as
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.stages.running import compare_findings, run_stage


@dataclass(frozen=True)
class FindingChange:
    """One finding; where it does not hold on one side, it has no strength there. Amounts are dollars at risk."""

    finding_id: str
    policy_id: str
    policy_section: str
    rule_id: str
    status: str
    """new, changed, open or withdrawn."""
    strength_before: str | None
    strength_after: str | None
    amount_before: Decimal
    amount_after: Decimal


@dataclass(frozen=True)
class RuleChange:
    """All findings of a rule, counted; amounts are dollars at risk, none counted twice within a policy."""

    policy_id: str
    policy_section: str
    rule_id: str
    new_findings: int
    changed_findings: int
    withdrawn_findings: int
    open_findings: int
    proven_before: int
    proven_after: int
    presumed_before: int
    presumed_after: int
    likely_before: int
    likely_after: int
    possible_before: int
    possible_after: int
    amount_before: Decimal
    amount_after: Decimal


@dataclass(frozen=True)
class ProviderChange:
    """All findings with a line that was billed under an NPI, counted; `billing_npi` is None for lines without one."""

    policy_id: str
    billing_npi: str | None
    new_findings: int
    changed_findings: int
    withdrawn_findings: int
    open_findings: int
    amount_before: Decimal
    amount_after: Decimal


@dataclass(frozen=True)
class Comparison:
    """What became of all findings. Rules and findings are in the order of the policy's sections, providers with most changes come first."""

    findings: tuple[FindingChange, ...]
    rules: tuple[RuleChange, ...]
    providers: tuple[ProviderChange, ...]


def compare_audit(con: duckdb.DuckDBPyConnection) -> Comparison:
    """Compare a finished audit with the findings that it was given as those before.

    Read are the tables previous_findings and compared_findings; three tables of stage 8_changes are made beside them.
    """
    run_stage(con, "8_changes", {})
    return Comparison(
        fetch_as(con, FindingChange, "finding_changes"),
        fetch_as(con, RuleChange, "rule_changes"),
        fetch_as(con, ProviderChange, "provider_changes"),
    )


def compare_runs(before: Path, after: Path) -> Comparison:
    """Compare two published runs, as if the one had come right before the other; AuditError where one is damaged."""
    if not (before / "findings.parquet").is_file():
        raise AuditError(f"runs/{before.name}/findings.parquet is missing. Restore the run from a backup.")
    with open_run(after, {"findings_before": [before / "findings.parquet"]}) as con:
        compare_findings(con, "from findings_before", "from audit.main.findings where status <> 'withdrawn'")
        return compare_audit(con)


def total_by_policy(rules: Sequence[RuleChange]) -> list[RuleChange]:
    """Add the rules of each policy up; dollars are added within a policy alone, since two policies may find the same line."""
    summed = [field.name for field in fields(RuleChange) if field.name not in ("policy_id", "policy_section", "rule_id")]
    by_policy: dict[str, list[RuleChange]] = {}
    for rule in rules:
        by_policy.setdefault(rule.policy_id, []).append(rule)
    return [
        RuleChange(policy_id, "", "", **{name: sum(getattr(rule, name) for rule in members) for name in summed})
        for policy_id, members in by_policy.items()
    ]
