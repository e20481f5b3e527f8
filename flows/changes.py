"""What people see of what changed between two audits, and of the runs that OUT holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from sij_audit.flows.display import PLAIN_WIDTH, findings_table, open_console, print_warnings
from sij_audit.flows.summary import warn_of_refused
from sij_audit.transforms.audit.comparison import Comparison, ProviderChange, RuleChange, total_by_policy
from sij_audit.transforms.audit.history import Pruning, Run, explain_difference
from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.audit.summary import STRENGTHS
from sij_audit.transforms.audit.what_if import WhatIf
from sij_audit.transforms.text import count_of, dollars, printable

SIZES = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Words:
    """What the same numbers are called where time went on, and where limits are tried."""

    new: str
    withdrawn: str
    before: str
    after: str


OVER_TIME = Words("new", "withdrawn", "before", "after")
BY_LIMITS = Words("more", "fewer", "today", "then")


def print_difference(before: Mapping[str, Any], after: Mapping[str, Any], comparison: Comparison, with_findings: bool) -> None:
    """Print in what two runs, given by their manifests, differ: findings by rule, and what the runs were made of."""
    console = open_console()
    _say(console, f"Run {after['run_id']}, services up to {after['as_of']}")
    _say(console, f"against {before['run_id']}, services up to {before['as_of']}")
    print_changes(console, comparison, OVER_TIME)
    if with_findings:
        print_findings(console, comparison)
    reasons = explain_difference(before, after)
    _say(console)
    _say(console, "The runs were made of the same." if not reasons else "What else is not the same:")
    for reason in reasons:
        _say(console, f"  {printable(reason)}")


def print_plan(planned: Result, comparison: Comparison | None) -> None:
    """Print what a run now would publish; without a run before, all its findings are new."""
    console = open_console()
    for notice in planned.notices:
        _say(console, f"NOTICE {printable(notice)}")
    if planned.summary is None:
        _say(console, f"Nothing is new since run {planned.current.name}: a run now would publish nothing.")
    else:
        _say(console)
        _say(console, f"A run now would publish {planned.current.name}; nothing was changed.")
        if comparison is None:
            _draw(console, findings_table(planned.summary.rules))
        else:
            print_changes(console, comparison)
        print_warnings(partial(_say, console), planned.summary)
    for warning in warn_of_refused(planned.outcomes):
        _say(console, printable(warning))


def print_changes(console: Console, comparison: Comparison, words: Words = OVER_TIME) -> None:
    """Print findings that came, went and changed, in sentences and by rule."""
    totals = total_by_policy(comparison.rules)
    for total in totals:
        policy = f"{total.policy_id}: " if len(totals) > 1 else ""
        _say(
            console,
            f"{policy}{total.new_findings:,} {words.new}, {total.withdrawn_findings:,} {words.withdrawn}, "
            f"{total.changed_findings:,} changed, {total.open_findings:,} the same",
        )
        _say(
            console,
            f"{policy}At risk: {dollars(total.amount_before)} {words.before}, {dollars(total.amount_after)} {words.after} "
            f"({signed_dollars(total.amount_after - total.amount_before)})",
        )
    if any(_is_changed(rule) for rule in comparison.rules):
        _say(console)
        _draw(console, rules_table(comparison.rules, words))


def rules_table(rules: Sequence[RuleChange], words: Words) -> Table:
    """Draw what changed by rule; a rule without a change is left out."""
    is_of_several = len({rule.policy_id for rule in rules}) > 1
    table = _table(("Rule",), (words.new.capitalize(), words.withdrawn.capitalize(), "Changed", *map(str.capitalize, STRENGTHS), "At risk"))
    changed = [rule for rule in rules if _is_changed(rule)]
    for rule in changed:
        table.add_row(f"{rule.policy_id} {rule.rule_id}" if is_of_several else rule.rule_id, *_rule_cells(rule))
    if len(changed) > 1:
        for total in total_by_policy(changed):
            table.add_row(f"{total.policy_id} in all" if is_of_several else "in all", *_rule_cells(total))
    return table


def _rule_cells(rule: RuleChange) -> tuple[str, ...]:
    return (
        f"{rule.new_findings:,}",
        f"{rule.withdrawn_findings:,}",
        f"{rule.changed_findings:,}",
        *(signed(getattr(rule, f"{strength}_after") - getattr(rule, f"{strength}_before")) for strength in STRENGTHS),
        signed_dollars(rule.amount_after - rule.amount_before),
    )


def providers_table(providers: Sequence[ProviderChange], words: Words, top: int) -> Table:
    """Draw what changed by provider, those with most changes first; beyond `top` they are one row."""
    changed = [provider for provider in providers if _is_changed(provider)]
    counts = (words.new.capitalize(), words.withdrawn.capitalize(), "Changed")
    table = _table(("Billing NPI",), (*counts, f"At risk {words.before}", f"At risk {words.after}", "Difference"))
    for provider in changed[:top]:
        table.add_row(printable(provider.billing_npi or "without an NPI"), *_provider_cells([provider]))
    if others := changed[top:]:
        table.add_row(count_of(len(others), "other"), *_provider_cells(others))
    return table


def _provider_cells(providers: Sequence[ProviderChange]) -> tuple[str, ...]:
    before = sum((provider.amount_before for provider in providers), Decimal(0))
    after = sum((provider.amount_after for provider in providers), Decimal(0))
    counts = (f"{sum(getattr(provider, name) for provider in providers):,}" for name in ("new_findings", "withdrawn_findings"))
    changed = f"{sum(provider.changed_findings for provider in providers):,}"
    return (*counts, changed, dollars(before), dollars(after), signed_dollars(after - before))


def print_what_if(what_if: WhatIf, top: int) -> None:
    """Print what other limits would find: in a sentence, by rule, and by the `top` providers for which most changes."""
    console = open_console()
    for notice in what_if.trial.notices:
        _say(console, f"NOTICE {notice}")
    comparison = what_if.comparison
    _say(console)
    first, *others = what_if.trial.settings
    _say(console, f"With {first}{',' if others else ':'}")
    for setting in others:
        _say(console, f"and {setting}{':' if setting is others[-1] else ','}")
    _say(console, describe_what_if(comparison))
    _say(console)
    _say(console, f"{what_if.trial.policy.policy_id}, the claims of run {what_if.run_id}, services up to {what_if.as_of}.")
    _say(console, "Nothing was published.")
    if not any(_is_changed(rule) for rule in comparison.rules):
        return
    _say(console)
    _draw(console, rules_table(comparison.rules, BY_LIMITS))
    _say(console)
    _draw(console, providers_table(comparison.providers, BY_LIMITS, top))
    _say(console)
    _say(console, "Changed: found either way, but by other dates or counts, with other doubts or dollars.")
    _say(console, "Dollars count once: a rule of higher rank may take a line from another, and each provider has its own lines.")


def describe_what_if(comparison: Comparison) -> str:
    """Say in a sentence what other limits of one policy would find."""
    more, fewer, changed = (
        sum(getattr(rule, name) for rule in comparison.rules) for name in ("new_findings", "withdrawn_findings", "changed_findings")
    )
    before = sum((rule.amount_before for rule in comparison.rules), Decimal(0))
    after = sum((rule.amount_after for rule in comparison.rules), Decimal(0))
    if not (more or fewer or changed):
        return f"the same findings, and the same {dollars(before)} at risk."
    risk = f"{dollars(abs(after - before))} {'more' if after > before else 'less'}" if after != before else "as much"
    return (
        f"{count_of(more, 'finding')} more, {fewer:,} fewer, {changed:,} changed; "
        f"{risk} at risk ({dollars(before)} today, {dollars(after)} then)."
    )


def print_findings(console: Console, comparison: Comparison) -> None:
    """Print each finding that is not the same, by its id: who it is about stands in the runs alone."""
    table = _table(("Finding", "What became of it", "Rule"), ("At risk before", "At risk after"))
    for finding in comparison.findings:
        if finding.status == "open":
            continue
        before, after = finding.strength_before, finding.strength_after
        became = f"{before} → {after}" if before and after and before != after else after or before or ""
        amounts = (
            dollars(finding.amount_before) if finding.status != "new" else "",
            dollars(finding.amount_after) if finding.status != "withdrawn" else "",
        )
        table.add_row(finding.finding_id, f"{finding.status}: {became}", finding.rule_id, *amounts)
    if table.row_count:
        _say(console)
        _draw(console, table)


def print_runs(runs: Sequence[Run]) -> None:
    """Print the runs that OUT holds, the last first."""
    console = open_console()
    counts = ("Findings", *map(str.capitalize, STRENGTHS), "New", "Changed", "Withdrawn", "At risk", "Size")
    table = _table(("Run", "", "Published (UTC)"), counts)
    for run in reversed(runs):
        marks = ", ".join(mark for mark, is_so in (("current", run.is_current), ("delivered", run.is_delivered)) if is_so)
        if run.figures is None:
            table.add_row(run.run_id, marks, "damaged", *([""] * (len(counts) - 1)), size(run.size))
            continue
        figures = run.figures
        changes = (figures.new_findings, figures.changed_findings, figures.withdrawn_findings)
        table.add_row(
            run.run_id,
            marks,
            f"{figures.created:%Y-%m-%d %H:%M}",
            f"{figures.findings:,}",
            *(f"{figures.strengths[strength]:,}" if figures.strengths else "" for strength in STRENGTHS),
            *(f"{number:,}" for number in changes),
            dollars(figures.amount_at_risk),
            size(run.size),
        )
    _draw(console, table)
    _say(console, f"{count_of(len(runs), 'run')}, {size(sum(run.size for run in runs))}")


def print_pruning(pruning: Pruning) -> None:
    """Print which runs were removed, or would be."""
    console = open_console()
    outcome = "removed" if pruning.is_done else "would be removed"
    for run in pruning.removable:
        published = f"{run.figures.created:%Y-%m-%d}" if run.figures else ""
        _say(console, f"{run.run_id}, published {published}, {size(run.size)}: {outcome}")
    for run in pruning.protected:
        _say(console, f"{run.run_id}: stays, {'it is the current run' if run.is_current else 'a delivery names it'}")
    room = size(sum(run.size for run in pruning.removable))
    _say(console, f"{count_of(len(pruning.removable), 'run')}, {room}: {outcome}")
    if pruning.removable and not pruning.is_done:
        _say(console, "Nothing was changed. The same with --delete removes them.")


def _table(names: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _draw(console: Console, table: Table) -> None:
    """Draw a table as wide as it is, also where the terminal is narrower: ids stay whole."""
    Console(highlight=False, width=max(console.width, PLAIN_WIDTH)).print(table)


def _say(console: Console, text: str = "") -> None:
    console.print(text, markup=False)


def signed(number: int) -> str:
    """Write a number with its sign, and 0 without one."""
    return f"{number:+,}" if number else "0"


def signed_dollars(amount: Decimal) -> str:
    """Write an amount of US dollars with its sign."""
    return f"{'-' if amount < 0 else '+'}{dollars(abs(amount))}" if amount else "$0.00"


def size(count: int) -> str:
    """Write a number of bytes."""
    amount = float(count)
    for unit in SIZES[:-1]:
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} {SIZES[-1]}"


def _is_changed(row: RuleChange | ProviderChange) -> bool:
    return bool(row.new_findings or row.changed_findings or row.withdrawn_findings or row.amount_before != row.amount_after)
