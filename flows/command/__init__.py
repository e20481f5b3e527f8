"""The `sij-audit` command: one module a group of subcommands. Each imports what it needs when it needs it, so that starting costs little."""

import sys
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from typing import Annotated, NoReturn

import typer

from sij_audit.flows.command import audits, policies, published, reviews, schedule, setup, upkeep
from sij_audit.transforms.errors import EXIT_CODES, AuditError

COMMANDS: dict[str, Callable[..., None]] = {
    "run": audits.run,
    "check": audits.check,
    "map": setup.map_extract,
    "plan": audits.plan,
    "nightly": audits.nightly,
    "serve": schedule.serve,
    "deploy": schedule.deploy,
    "config": setup.config,
    "status": upkeep.status,
    "verify": published.verify,
    "sql": published.sql,
    "member": published.member,
    "handoff": reviews.handoff,
    "import-dispositions": reviews.import_dispositions,
    "suppress": reviews.suppress,
    "runs": published.runs,
    "diff": published.diff,
    "prune": upkeep.prune,
    "retract": upkeep.retract,
    "what-if": policies.what_if,
    "check-policy": policies.check_policy,
    "sample": setup.sample,
}
"""The subcommands, in the order in which `--help` lists them."""

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        import sij_audit

        typer.echo(f"sij-audit {sij_audit.__version__}")
        raise typer.Exit


@app.callback(
    help=(
        "Find, in a health plan's claims, sacroiliac joint procedures that were not billed within clinical policy CP.MP.166.\n\n"
        "Begin with `sij-audit run EXTRACT --out OUT`, then read OUT/current/. What an extract must hold and what the reports say stands in "
        "docs/extracts.md and docs/reports.md, what is looked for in docs/rules.md.\n\n"
        "\b\nExit codes:\n" + "\n".join(f"  {code:<3} {meaning}" for code, meaning in EXIT_CODES.items())
    )
)
def _read_options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version, and end.", show_default=False)
    ] = False,
) -> None: ...


for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def main() -> None:
    """Run the command; an error that says what to do is shown as one line, without a traceback.

    Of any other the kind and the place are shown, and not its text, which may quote a cell of a claim.
    """
    try:
        _check_system()
        app()
    except AuditError as error:
        _end(str(error), error.exit_code)
    except Exception as error:
        cause = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
        typer.echo("".join(traceback.format_tb(error.__traceback__)), err=True)
        _end(f"stopped by {type(error).__name__}{cause}. OUT/current is the last complete run.", AuditError.exit_code)


def _end(sentence: str, exit_code: int) -> NoReturn:
    """Say why the command ends, to people and, with --json, to programs."""
    words = sys.argv[1:]
    typer.echo(f"sij-audit: {sentence}", err=True)
    if "--json" in words:
        from sij_audit.flows.json_output import print_json

        print_json(next(filter(COMMANDS.__contains__, words), ""), exit_code, {"error": sentence})
    sys.exit(exit_code)


def _check_system() -> None:
    if find_spec("fcntl") is None:
        raise AuditError(
            f"cannot work on {sys.platform}, where Python has no module fcntl, which locks the OUT folder: use Linux; on Windows, WSL."
        )
