"""What people see of an extract that they look at before it is loaded anywhere."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sij_audit.flows.display import describe_outcome, findings_table, lines_of_business_table, open_console, print_warnings
from sij_audit.transforms.audit.check import Check, ExtractCheck
from sij_audit.transforms.ingest.layouts.proposal import Proposal
from sij_audit.transforms.ingest.outcomes import Loaded, Refused
from sij_audit.transforms.text import count_of, dollars, list_names, printable


def print_check(check: Check) -> None:
    """Print what extracts hold, what would become of them, and what a first run over them could say."""
    console = open_console()

    def say(text: str = "") -> None:
        console.print(text, markup=False)

    for extract in check.extracts:
        _print_extract(console, say, extract)
    for notice in check.result.notices:
        say(f"NOTICE {printable(notice)}")
    summary = check.result.summary
    if summary is None or not summary.rows.read:
        say("A run would audit no row. Nothing was loaded or published.")
        return
    say(f"Injections: {summary.injections:,}")
    console.print(lines_of_business_table(summary.lines_of_business))
    say()
    console.print(findings_table(summary.rules))
    print_warnings(say, summary)
    say("That is what a first run over these extracts alone would find. Nothing was loaded or published.")


def _print_extract(console: Console, say: Callable[[str], None], extract: ExtractCheck) -> None:
    say(describe_outcome(extract.extract, extract.outcome))
    if not isinstance(extract.outcome, Loaded):
        say(f"A run would {'refuse' if isinstance(extract.outcome, Refused) else 'not load'} it.")
    if not extract.controls:
        say("")
        return
    controls = extract.controls
    read = controls["rows_read"]
    would = "A run would load it" if isinstance(extract.outcome, Loaded) else "Loaded all the same it would be"
    say(
        f"{would}: {read:,} rows = {controls['rows_kept']:,} kept + {controls['rows_not_relevant']:,} not relevant + "
        f"{controls['rows_quarantined']:,} quarantined + {controls['rows_duplicate']:,} duplicate; "
        f"paid {dollars(Decimal(controls['paid_read']))}, of which {dollars(Decimal(controls['paid_kept']))} kept"
    )
    say("")
    table = Table(box=None, pad_edge=False)
    has_layout = any(column.made_of for column in extract.columns)
    for name in ("Column", "Filled", "Forms of the first rows", *(["Made of"] if has_layout else [])):
        table.add_column(name, overflow="fold", justify="right" if name == "Filled" else "left")
    for column in extract.columns:
        if column.is_known:
            share = f"{column.filled_count / read:.1%}" if read else ""
            made_of = [Text(printable(column.made_of))] if column.made_of else []
            table.add_row(column.name, share, Text(list_names(map(printable, column.forms))), *made_of)
    console.print(table)
    unknown = [column for column in extract.columns if not column.is_known]
    if unknown:
        say(f"Not read, {count_of(len(unknown), 'column')}: {list_names((printable(column.name) for column in unknown), 30)}")
    what_to_do = "name it under [columns] in the layout" if has_layout else "rename it"
    for column in unknown:
        if column.near:
            say(f"  {printable(column.name)} may be {column.near}: {what_to_do}, or nothing of it is read")
    for name, words in extract.words.items():
        met = (f"{printable(word)} {count:,}" for word, count in words.items())
        say(f"Not understood of {name}, in the first rows: {list_names(met)}")
    say("")


def print_proposal(proposal: Proposal, extract: Path, layout: Path) -> None:
    """Print what each canonical column is taken to be, and what somebody must look at."""
    console = open_console()
    table = Table(box=None, pad_edge=False)
    for name in ("Column", "Is", "", "By"):
        table.add_column(name, overflow="fold")
    for guess in proposal.guesses:
        table.add_row(guess.column, Text(printable(guess.source)), "sure" if guess.is_sure else "not sure", guess.grounds)
    console.print(table)

    def say(text: str) -> None:
        console.print(text, markup=False)

    if proposal.not_read:
        say(f"Not read, {count_of(len(proposal.not_read), 'column')}: {list_names(map(printable, proposal.not_read), 30)}")
    for question in proposal.questions:
        say(f"LOOK {question}")
    say(f"{layout} is written. Look at what is not sure, then: sij-audit check {extract} --layout {layout}")
