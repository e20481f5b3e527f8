"""What people see of a run: how far it is, and at the end what it found."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sij_audit.flows.summary import count_statuses, describe_strengths, warn_of_refused, warn_of_unknown_lines
from sij_audit.transforms.audit.progress import Event, ExtractBegun, ExtractEnded, ExtractRead, Reporter, StageBegun, report_nothing
from sij_audit.transforms.audit.run import Request, Result
from sij_audit.transforms.audit.summary import LineOfBusiness, RuleTotals, RunSummary
from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.handoff.deliveries import Delivery
from sij_audit.transforms.ingest.faults import describe_faults, warn_of_faults
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, NotReady, Outcome, Refused, Retracted
from sij_audit.transforms.settings import DEFAULT_FILE, FILE_VARIABLE, Origin
from sij_audit.transforms.text import describe_open_adjustments, dollars, list_names, printable

PLAIN_WIDTH = 140

NOT_DELIVERED = ("suppressed", "overturned")
"""Parts of a delivery's totals that are counted and not delivered."""

LISTED = 20
"""So many values of line_of_business are listed of a group; the report `line_of_business_groups` has them all."""

NAMED_BY_COLUMN = "missing_modifiers"
"""The quality check whose notice the warning of a missing column gives already."""

NAMED = 3
"""So many extracts are named in a warning; the report `columns` has them all."""


def open_console() -> Console:
    """As wide as the terminal; wide enough for every table where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


@contextmanager
def show_progress(is_quiet: bool = False) -> Iterator[Reporter]:
    """Give whom a run reports to: a moving bar on a terminal, else a line for every step that ended; nobody where it is to be quiet."""
    if is_quiet:
        yield report_nothing
        return
    if not sys.stdout.isatty():
        yield _print_plainly
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        yield _Bars(progress)


def _print_plainly(event: Event) -> None:
    if isinstance(event, ExtractEnded):
        _say_plainly(describe_outcome(event.name, event.outcome))
    elif isinstance(event, StageBegun):
        _say_plainly(f"{event.name} …")


def _say_plainly(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class _Bars:
    """One bar an extract, which stays until the run ends, then one for the stages."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.task: TaskID | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, ExtractBegun):
            self.task = self.progress.add_task(f"{event.number}/{event.of} {printable(event.name)}", total=None, amount="")
        elif isinstance(event, ExtractRead) and self.task is not None:
            is_read = event.done == event.total
            shown = f"{event.done:,} {event.unit}" + (", checking rows" if is_read else f" of {event.total:,}" if event.total else "")
            self.progress.update(self.task, completed=event.done, total=None if is_read else event.total, amount=shown)
        elif isinstance(event, ExtractEnded) and self.task is not None:
            self.progress.remove_task(self.task)
            self.progress.console.print(describe_outcome(event.name, event.outcome), highlight=False, markup=False)
            self.task = None
        elif isinstance(event, StageBegun):
            if self.task is not None:
                self.progress.remove_task(self.task)
            self.task = self.progress.add_task(event.name, total=None, amount="")


def describe_outcome(name: str, outcome: Outcome) -> str:
    """Say what became of an extract, and why rows of it were quarantined."""
    match outcome:
        case Loaded(batch):
            controls = batch.controls
            quarantined = f", {controls['rows_quarantined']:,} quarantined" if controls["rows_quarantined"] else ""
            by_layout = f", by layout {printable(batch.layout)}" if batch.layout else ""
            warning = "" if controls["rows_read"] else ": WARNING, a header and no rows"
            said = (
                f"{printable(name)}: {controls['rows_read']:,} rows read, {controls['rows_kept']:,} kept{quarantined}{by_layout}{warning}"
            )
            why = printable(describe_faults(batch.faults))
            warnings = [f"  WARNING {printable(warning)}" for warning in warn_of_faults(batch.faults)]
            return "\n".join([said, *wrap(why, PLAIN_WIDTH, initial_indent="  ", subsequent_indent="    "), *warnings])
        case LoadedBefore(batch, _):
            return f"{printable(name)}: loaded before as {printable(batch.extract)}, not read again"
        case Refused(_, _, reason, is_remembered):
            return f"{'refused before:' if is_remembered else 'REFUSED'} {printable(reason)}"
        case NotReady(_, reason):
            return f"NOT READY {printable(reason)}"
        case Retracted(extract, _):
            return f"{printable(extract)}: retracted, not read"


def print_result(request: Request, result: Result) -> None:
    """Print the summary of a run, or that nothing was new."""
    console = open_console()

    def say(text: str = "") -> None:
        console.print(text, markup=False)

    for notice in result.notices:
        say(f"NOTICE {printable(notice)}")
    for remark in result.remarks:
        say(printable(remark))
    if result.run is None or result.summary is None:
        say(f"Nothing is new since run {result.current.name}: nothing was published.")
    else:
        _print_summary(console, request, result.run, result.summary)
    for warning in warn_of_refused(result.outcomes):
        say(printable(warning))


def _print_summary(console: Console, request: Request, run: Path, summary: RunSummary) -> None:
    """Print what stands in a published run."""

    def say(text: str = "") -> None:
        console.print(text, markup=False)

    rows = summary.rows
    say()
    if not rows.read and not summary.statuses:
        say(f"Run {run.name}: NO ROW WAS AUDITED, since no extract that OUT holds has one.")
        return
    say(f"Run {run.name}, services up to {request.as_of}")
    say(
        f"Rows: {rows.read:,} read = {rows.kept:,} kept + {rows.not_relevant:,} not relevant"
        f" + {rows.quarantined:,} quarantined + {rows.duplicate:,} duplicate"
    )
    under_precedence = summary.injections_under_precedence
    precedence = f", {under_precedence:,} of them under coverage that takes precedence" if under_precedence else ""
    say(f"Injections: {summary.injections:,}{precedence}")
    say()
    console.print(lines_of_business_table(summary.lines_of_business))
    say()
    console.print(findings_table(summary.rules))
    for sentence in describe_strengths(summary.strengths):
        say(sentence)
    say(f"At risk, no dollar counted twice: {dollars(summary.amount_at_risk)}")
    say("Since the run before: " + count_statuses(summary))
    is_of_several = len({rule.policy_id for rule in summary.rules}) > 1
    for excluded in summary.excluded:
        policy = f"{excluded.policy_id}: " if is_of_several else ""
        at_risk = f" ({dollars(excluded.amount_at_risk)} at risk)" if excluded.amount_at_risk else ""
        say(f"{policy}Kept out of the hand-off: {excluded.findings:,} {excluded.held_back_for}{at_risk}")
    if summary.sole_doubts:
        say()
        say("Reviews that would be violations but for one doubt:")
        for doubt in summary.sole_doubts:
            policy = f"{doubt.policy_id} " if is_of_several else ""
            say(
                f"  {policy}{doubt.doubt_id}: {doubt.finding_count:,} ({dollars(doubt.amount_at_risk)} at risk); "
                f"what would settle it: {doubt.settled_by}"
            )
    print_warnings(say, summary)
    say()
    say(f"Reports: {run.parent.parent / 'current'}{'/'}")


def print_settings(file: Path | None, origins: list[Origin]) -> None:
    """Print the settings in force, what is not set left empty, and who says so."""
    console = open_console()
    console.print(
        f"Settings file: {file}" if file else f"No settings file: {FILE_VARIABLE} names none, and here is no {DEFAULT_FILE}", markup=False
    )
    table = Table(box=None, pad_edge=False)
    for name in ("Setting", "Value", "From"):
        table.add_column(name, overflow="fold")
    for origin in origins:
        table.add_row(*(Text(printable(cell)) for cell in (origin.name, origin.value, origin.source)))
    console.print(table)


def print_delivery(folder: Path, delivery: Delivery) -> None:
    """Print what a delivery holds, or that nothing was new."""
    console = open_console()
    since = f"run {delivery.since_run_id}" if delivery.since_run_id else "the beginning"
    if delivery.number is None:
        console.print(f"Nothing is new since {since}: nothing was delivered.", markup=False)
        return
    console.print(f"Delivery {delivery.number}: run {delivery.run_id}, what changed since {since}", markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("Part")
    table.add_column("Findings", justify="right")
    table.add_column("At risk", justify="right")
    policies = {row["policy_id"] for row in delivery.totals}
    for row in delivery.totals:
        if row["findings"] or row["part"] not in NOT_DELIVERED:
            part = f"{row['part']}, not delivered" if row["part"] in NOT_DELIVERED else row["part"]
            part = part if len(policies) == 1 else f"{row['policy_id']} {part}"
            table.add_row(part, f"{row['findings']:,}", dollars(row["amount_at_risk"]))
    console.print(table)
    left_out = f"; {delivery.left_out:,} more wait, since max_requests_per_provider is reached" if delivery.left_out else ""
    console.print(f"Claims to request records of: {delivery.requests:,}{left_out}", markup=False)
    console.print(f"Files: {folder}/", markup=False)


def findings_table(rules: Sequence[RuleTotals]) -> Table:
    """Draw findings by rule and strength with dollars at risk; a rule that is off is left out."""
    table = Table(box=None, pad_edge=False)
    for name in ("Rule", "Section"):
        table.add_column(name)
    for name in ("Looked at", "Proven", "Presumed", "Likely", "Possible", "Paid", "At risk"):
        table.add_column(name, justify="right")
    policies = {rule.policy_id for rule in rules}
    for rule in rules:
        name = rule.rule_id if len(policies) == 1 else f"{rule.policy_id} {rule.rule_id}"
        counts = (f"{count:,}" for count in (rule.looked_at, rule.proven, rule.presumed, rule.likely, rule.possible))
        table.add_row(name, rule.policy_section, *counts, dollars(rule.paid_amount), dollars(rule.amount_at_risk))
    return table


def lines_of_business_table(met: Sequence[LineOfBusiness]) -> Table:
    """Draw the groups of lines of business with the values that claims have, the most frequent first; LISTED at most of a group."""
    table = Table(box=None, pad_edge=False)
    table.add_column("Group")
    table.add_column("Lines", justify="right")
    table.add_column("Values of line_of_business", overflow="fold")
    for group in dict.fromkeys(one.line_group for one in met):
        of_group = [one for one in met if one.line_group == group]
        values = [f"{printable(one.line_of_business or '(empty)')} {one.line_count:,}" for one in of_group]
        lines = sum(one.line_count for one in of_group)
        table.add_row("UNKNOWN" if of_group[0].is_unknown else group, f"{lines:,}", Text(list_names(values, LISTED)))
    return table


def print_warnings(say: Callable[[str], None], summary: RunSummary) -> None:
    """Print what extracts lack, and what was counted on the way that may be the sign of a feed that is not as it should be."""
    for warning in warn_of_unknown_lines(summary.lines_of_business):
        say(f"WARNING {warning}")
    without = {column.name: column.without for column in COLUMNS}
    for name, extracts in summary.missing_columns.items():
        say(f"WARNING no {name} in {list_names(map(printable, sorted(extracts)), NAMED)}: {without[name]}")
    for notice in summary.quality:
        if notice.check_id != NAMED_BY_COLUMN:
            say(f"WARNING {notice}")
    odd = summary.odd_lines
    for name, count, meaning in (
        ("orphan_adjustments", odd.orphan_adjustments, "adjustments of claims of which nothing was ever delivered"),
        ("adjustments_across_persons", odd.adjustments_across_persons, "adjustments of a claim of another person"),
        ("unmatched_reversals", odd.unmatched_reversals, "reversals under a claim number of their own that found no line"),
        ("lines_after_as_of", odd.lines_after_as_of, "lines after the as-of date, which wait"),
    ):
        if count:
            say(f"Note: {name}: {count:,} ({meaning})")
    for text in (*describe_open_adjustments(summary.findings_in_open_adjustments), *map(str, summary.policy_texts)):
        say(f"Note: {text}")
