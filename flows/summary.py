"""The summary of a run as Markdown: counts and dollars by rule, and notices, which hold nothing of a member."""

import re
from collections.abc import Sequence
from datetime import date

from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.audit.summary import LineOfBusiness, RuleTotals, RunSummary, StrengthTotals
from sij_audit.transforms.ingest.outcomes import Outcome, Refused
from sij_audit.transforms.text import count_of, describe_open_adjustments, dollars, list_names, printable

STRENGTHS = {"violations": ("proven", "presumed"), "reviews": ("likely", "possible")}

NAMED = 5
"""So many extracts are named in a sentence; the report `controls` has them all."""

STATUSES = ("new", "changed", "open", "withdrawn")


def summarize_result(as_of: date, result: Result) -> str:
    """Write what a run published, or that nothing was new, and what people should know."""
    if result.run is None or result.summary is None:
        return _join(f"# Nothing is new since run {result.current.name}", *_refused(result), *_notices(result))
    summary, rows = result.summary, result.summary.rows
    return _join(
        f"# Run {result.run.name}",
        *_refused(result),
        f"Services up to {as_of}. Since the run before: {count_statuses(summary)}.",
        _rules_table(summary.rules),
        *describe_strengths(summary.strengths),
        f"At risk, no dollar counted twice: {dollars(summary.amount_at_risk)}.",
        f"{rows.read:,} rows read = {rows.kept:,} kept + {rows.not_relevant:,} not relevant + {rows.quarantined:,} quarantined"
        f" + {rows.duplicate:,} duplicate.",
        _groups_table(summary.lines_of_business),
        *warn_of_unknown_lines(summary.lines_of_business),
        *describe_open_adjustments(summary.findings_in_open_adjustments),
        *map(str, summary.policy_texts),
        *_notices(result),
    )


def summarize_failure(title: str, as_of: date, sentence: str) -> str:
    """Write why a run published nothing."""
    return _join(f"# {title}", f"Services up to {as_of}. {_plain(sentence)}", "OUT/current is the last complete run.")


def count_statuses(summary: RunSummary) -> str:
    """Write how many findings are new, changed, open and withdrawn."""
    return ", ".join(f"{summary.findings_of(status):,} {status}" for status in STATUSES)


def describe_strengths(strengths: Sequence[StrengthTotals]) -> list[str]:
    """Count violations and reviews by how far they carry, with the dollars at risk; a sentence a policy."""
    policies = dict.fromkeys(totals.policy_id for totals in strengths)
    sentences = []
    for policy_id in policies:
        of_policy = {totals.strength: totals for totals in strengths if totals.policy_id == policy_id}
        parts = [
            f"{name}: {', '.join(_count_strength(strength, of_policy.get(strength)) for strength in names)}"
            for name, names in STRENGTHS.items()
        ]
        sentence = "; ".join(parts)
        sentences.append(f"{policy_id}: {sentence}" if len(policies) > 1 else f"{sentence[:1].upper()}{sentence[1:]}")
    return sentences


def _count_strength(strength: str, totals: StrengthTotals | None) -> str:
    return f"{totals.findings:,} {strength} ({dollars(totals.amount_at_risk)} at risk)" if totals else f"0 {strength}"


def warn_of_unknown_lines(met: Sequence[LineOfBusiness]) -> list[str]:
    """Say how many lines have a line of business of which nobody knows what it covers, and what to do about it; no value is quoted."""
    unknown = [one for one in met if one.is_unknown]
    empty = sum(one.line_count for one in unknown if one.line_of_business is None)
    named = [one for one in unknown if one.line_of_business is not None]
    sentences = []
    if empty:
        sentences.append(
            f"{count_of(empty, 'line')} without line_of_business: findings on them are reviews. --line-of-business, or the setting, fills them."
        )
    if named:
        sentences.append(
            f"{count_of(sum(one.line_count for one in named), 'line')} with a line_of_business of unknown group, "
            f"{count_of(len(named), 'value')}: findings on them are reviews. Name the group of each in the setting lines_of_business "
            "(--line-of-business does not change them)."
        )
    return sentences


def warn_of_refused(outcomes: Sequence[Outcome]) -> list[str]:
    """Say loudly that extracts were refused, so that nobody takes what was found for all that there is."""
    refused = [outcome.extract for outcome in outcomes if isinstance(outcome, Refused)]
    sentence = (
        f"REFUSED: {count_of(len(refused), 'extract')}, of which nothing was audited: {list_names(refused, NAMED)}. "
        "What to do about each stands above, and in the report controls."
    )
    return [sentence] if refused else []


def _groups_table(met: Sequence[LineOfBusiness]) -> str:
    """Groups alone: a value may be anything that an extract has in that column."""
    groups: dict[str, tuple[int, int]] = {}
    for one in met:
        values, lines = groups.get(one.line_group, (0, 0))
        groups[one.line_group] = (values + 1, lines + one.line_count)
    rows = [f"| {group} | {values:,} | {lines:,} |" for group, (values, lines) in groups.items()]
    return "\n".join(["| Line of business: group | Values | Lines |", "| --- | --: | --: |", *rows])


def _rules_table(rules: Sequence[RuleTotals]) -> str:
    """A rule that is off is left out."""
    lines = [
        "| Policy | Rule | Section | Looked at | Proven | Presumed | Likely | Possible | Paid | At risk |",
        "| --- | --- | --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for rule in rules:
        names = (f"`{rule.policy_id}`", f"`{rule.rule_id}`", rule.policy_section)
        counts = (f"{count:,}" for count in (rule.looked_at, rule.proven, rule.presumed, rule.likely, rule.possible))
        lines.append(f"| {' | '.join((*names, *counts, dollars(rule.paid_amount), dollars(rule.amount_at_risk)))} |")
    return "\n".join(lines)


def _refused(result: Result) -> list[str]:
    """Reasons name columns, counts and forms, and no value."""
    reasons = [outcome.reason for outcome in result.outcomes if isinstance(outcome, Refused)]
    return ["## Refused, and not audited", "\n".join(f"- {_plain(reason)}" for reason in reasons)] if reasons else []


def _notices(result: Result) -> list[str]:
    quality = map(str, result.summary.quality) if result.summary else ()
    sentences = (*result.notices, *quality, *result.remarks)
    return ["## Notices", "\n".join(f"- {_plain(sentence)}" for sentence in sentences)] if sentences else []


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is, such as a file name that was chosen to be markup."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~&-])", r"\\\1", printable(text))


def _join(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"
