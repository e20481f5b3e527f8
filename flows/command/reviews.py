"""Subcommands for what payment integrity gets and gives back: handoff, import-dispositions, suppress."""

from pathlib import Path
from typing import Annotated

import typer

from sij_audit.flows.command.options import Out


def handoff(
    out: Out,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to: an empty one, or one that is not there.")],
    since: Annotated[
        str | None,
        typer.Option(
            metavar="RUN_ID",
            help="What is new since this run, none later than the last delivery; since that if not given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write what payment integrity has not been given yet.

    A workbook, the same as CSV and Parquet, and the claims whose records to request: of all runs since the last delivery, which OUT remembers.
    """
    from sij_audit.flows.display import print_delivery
    from sij_audit.transforms.handoff.deliveries import deliver
    from sij_audit.transforms.settings import load_settings
    from sij_audit.transforms.store.folder import Store

    print_delivery(to, deliver(Store(out), to, load_settings(), since))


def import_dispositions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Reviewed workbook, or CSV or Parquet with the same columns.")], *, out: Out
) -> None:
    """Load what reviewers say of findings: upheld, overturned, recovered amounts, notes.

    The next run reports them, and hands over a finding that was overturned again only where its evidence changes.
    """
    from sij_audit.transforms.handoff.reviews import import_dispositions as load
    from sij_audit.transforms.store.folder import Store

    imported = load(Store(out), file)
    _print_imported(file, "dispositions", imported.rows, imported.is_known)


def suppress(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the columns claim_id (and data_source) or finding_id, reason, until.")
    ],
    *,
    out: Out,
) -> None:
    """Leave findings that another vendor or a regulator is working on out of the hand-off.

    Up to and including the day in `until`, or for good where it is empty. They stay in all reports.
    """
    from sij_audit.transforms.handoff.reviews import suppress as load
    from sij_audit.transforms.store.folder import Store

    imported = load(Store(out), file)
    _print_imported(file, "suppressions", imported.rows, imported.is_known)
    if imported.unmatched:
        typer.echo(f"The current run has no such claim or finding: the {imported.unmatched}. Look whether a number has lost its zeros.")


def _print_imported(file: Path, what: str, rows: int, is_known: bool) -> None:
    from sij_audit.transforms.text import printable

    name = printable(file.name)
    typer.echo(f"{name}: was loaded last, nothing is new." if is_known else f"{name}: {rows:,} {what} loaded; the next run counts them.")
