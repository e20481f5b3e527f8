"""Subcommands for whoever looks after OUT: status, retract, prune."""

from typing import Annotated

import typer

from sij_audit.flows.command.options import AsJson, Out, parse_age


def status(
    out: Out,
    max_age: Annotated[str, typer.Option(metavar="AGE", help="How long ago a run may have ended well: 26h, 90m, 2d.")] = "26h",
    as_json: AsJson = False,
) -> None:
    """Say in one line when the last run was published and what it needs.

    For a monitor from outside: the exit code is 0 where all is well, else 1.
    """
    from datetime import UTC, datetime

    from sij_audit.transforms.operations.status import describe_status
    from sij_audit.transforms.store.folder import Store

    found = describe_status(Store(out), parse_age(max_age), datetime.now(UTC))
    if as_json:
        from sij_audit.flows.json_output import print_json

        print_json("status", 0 if found.is_good else 1, {"is_good": found.is_good, "line": found.line, "attention": found.attention})
    else:
        typer.echo(found.line)
    if not found.is_good:
        raise typer.Exit(1)


def retract(
    extract: Annotated[str, typer.Argument(metavar="EXTRACT", help="Name of an extract that OUT holds, or its SHA-256.")],
    *,
    out: Out,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in the report controls.")],
    is_undone: Annotated[bool, typer.Option("--undo", help="Let a retracted extract count again.")] = False,
) -> None:
    """Take back an extract that should never have come.

    The next run ignores it and withdraws the findings that rest on it. Its batch is deleted once the setting `retention_days` is over; --undo
    is possible later too, and the extract must then be given again.
    """
    from sij_audit.transforms.store.folder import Store
    from sij_audit.transforms.store.retractions import retract as take_back
    from sij_audit.transforms.store.retractions import undo
    from sij_audit.transforms.text import printable

    store = Store(out)
    retraction = (undo if is_undone else take_back)(store, extract, reason)
    name = printable(retraction.extract)
    if not is_undone:
        typer.echo(f"{name}: counts no more from the next run on; `--undo` takes that back.")
    elif any(batch.sha256 == retraction.extract_sha256 for batch in store.batches()):
        typer.echo(f"{name}: counts again from the next run on.")
    else:
        typer.echo(f"{name}: counts again once it is given again, since what was kept of it is deleted.")


def prune(
    *,
    out: Out,
    keep: Annotated[int, typer.Option(min=0, metavar="N", help="Keep the newest N runs, whatever their age.")],
    older_than: Annotated[str, typer.Option(metavar="DAYS", help="Keep what was published since then, such as 90d.")],
    is_wanted: Annotated[bool, typer.Option("--delete", help="Remove the runs; without it they are only shown.")] = False,
) -> None:
    """Remove old runs.

    A run is removed if it is both older than that and not among the newest N. The current run stays, and so do runs that a delivery names, and
    damaged ones. What reviewers say of a run that was removed can no longer be imported.
    """
    from sij_audit.flows.changes import print_pruning
    from sij_audit.transforms.audit.history import parse_age as parse_days
    from sij_audit.transforms.audit.history import prune as remove_old
    from sij_audit.transforms.store.folder import Store

    print_pruning(remove_old(Store(out), keep, parse_days(older_than), is_wanted))
