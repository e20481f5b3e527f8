"""The summary of a run as Markdown: counts and dollars by rule, and notices, which hold nothing of a member."""

import re
from collections.abc import Sequence
from datetime import date

from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.audit.summary import RuleTotals, RunSummary
from sij_audit.transforms.text import dollars, printable

STATUSES = ("new", "changed", "open", "withdrawn")


def summarize_result(as_of: date, result: Result) -> str:
    """Write what a run published, or that nothing was new, and what people should know."""
    if result.run is None or result.summary is None:
        return _join(f"# Nothing is new since run {result.current.name}", *_notices(result))
    summary, rows = result.summary, result.summary.rows
    return _join(
        f"# Run {result.run.name}",
        f"Services up to {as_of}. Since the run before: {count_statuses(summary)}.",
        _rules_table(summary.rules),
        f"At risk, no dollar counted twice: {dollars(summary.amount_at_risk)}.",
        f"{rows.read:,} rows read = {rows.kept:,} kept + {rows.not_relevant:,} not relevant + {rows.quarantined:,} quarantined"
        f" + {rows.duplicate:,} duplicate.",
        *_notices(result),
    )


def summarize_failure(title: str, as_of: date, sentence: str) -> str:
    """Write why a run published nothing."""
    return _join(f"# {title}", f"Services up to {as_of}. {_plain(sentence)}", "OUT/current is the last complete run.")


def count_statuses(summary: RunSummary) -> str:
    """Write how many findings are new, changed, open and withdrawn."""
    return ", ".join(f"{summary.findings_of(status):,} {status}" for status in STATUSES)


def _rules_table(rules: Sequence[RuleTotals]) -> str:
    """A rule that is off is left out."""
    lines = [
        "| Policy | Rule | Section | Looked at | Violations | Reviews | Paid | At risk |",
        "| --- | --- | --- | --: | --: | --: | --: | --: |",
    ]
    for rule in rules:
        names = (f"`{rule.policy_id}`", f"`{rule.rule_id}`", rule.policy_section)
        counts = (f"{count:,}" for count in (rule.looked_at, rule.violations, rule.reviews))
        lines.append(f"| {' | '.join((*names, *counts, dollars(rule.paid_amount), dollars(rule.amount_at_risk)))} |")
    return "\n".join(lines)


def _notices(result: Result) -> list[str]:
    sentences = (*result.notices, *result.remarks)
    return ["## Notices", "\n".join(f"- {_plain(sentence)}" for sentence in sentences)] if sentences else []


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is, such as a file name that was chosen to be markup."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~&-])", r"\\\1", printable(text))


def _join(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"
