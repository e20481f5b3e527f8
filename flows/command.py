"""The `sij-audit` command. Each command imports what it needs when it needs it, so that starting costs little."""

import sys
import traceback
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transforms.errors import EXIT_CODES

if TYPE_CHECKING:
    from transforms.audits import Reporter, Request, Result

app = typer.Typer(
    help=(
        "Find, in a health plan's claims, sacroiliac joint procedures that were not billed within clinical policy CP.MP.166.\n\n"
        "Begin with `sij-audit run EXTRACT --out OUT`, then read OUT/current/. What an extract must hold and what the reports say stands in "
        "docs/data.md, what is looked for in docs/rules.md.\n\n"
        "\b\nExit codes:\n" + "\n".join(f"  {code:<3} {meaning}" for code, meaning in EXIT_CODES.items())
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Extracts = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="EXTRACT",
        help="Claims extracts (.csv, .csv.gz, .csv.zst, .parquet), or folders of them; see docs/data.md.",
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option(metavar="OUT", help="Folder that holds batches and published runs; made if it is not there.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Audit services up to this date; today if not given.", show_default=False),
]
LineOfBusiness = Annotated[
    str | None,
    typer.Option(metavar="VALUE", help="Stands in where a claim line has no line of business, such as commercial.", show_default=False),
]


@app.command()
def run(extracts: Extracts = None, *, out: Out, as_of: AsOf = None, line_of_business: LineOfBusiness = None) -> None:
    """Take extracts in, audit all that OUT holds, publish the run.

    Extracts that OUT has taken before are not read again. Without extracts, what is there is audited.
    """
    from transforms.audits import run_audit

    audit(_request(extracts, out, as_of, line_of_business), run_audit)


@app.command()
def nightly(extracts: Extracts = None, *, out: Out, as_of: AsOf = None, line_of_business: LineOfBusiness = None) -> None:
    """Do what `run` does as a Prefect flow.

    It runs on the server in PREFECT_API_URL, or on a temporary one that ends with it.
    """
    from flows.server import prefect_server

    def run_flow(request: "Request", report: "Reporter") -> "Result":
        with prefect_server():
            from flows.nightly import run_nightly

            return run_nightly(request, report)

    audit(_request(extracts, out, as_of, line_of_business), run_flow)


@app.command()
def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder that holds the runs.")],
    run_id: Annotated[
        str | None, typer.Argument(metavar="RUN_ID", help="The run to check; the current one if not given.", show_default=False)
    ] = None,
) -> None:
    """Check a published run against its manifest.

    Every difference is printed; where there is one, the exit code is 4.
    """
    from transforms.publish import verify_run
    from transforms.store import Store

    differences = verify_run(Store(out), run_id)
    for difference in differences:
        typer.echo(difference)
    if differences:
        raise typer.Exit(4)
    typer.echo("No difference: every file is as it was published.")


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the extracts and the truth about them.")],
    persons: Annotated[int, typer.Option(min=1, help="How many persons.")] = 400,
    seed: Annotated[int, typer.Option(help="Another seed, other claims.")] = 1,
) -> None:
    """Write synthetic extracts, and the truth about them.

    They hold planted violations, lawful look-alikes and rows that must be refused; truth.json says what must be found.
    """
    from transforms.sample import write_sample

    write_sample(folder, persons, seed)


def _request(extracts: list[Path] | None, out: Path, as_of: datetime | None, line_of_business: str | None) -> "Request":
    from transforms.audits import Request
    from transforms.settings import load_settings

    return Request(
        out=out,
        extracts=tuple(extracts or ()),
        as_of=as_of.date() if as_of else date.today(),
        line_of_business=(line_of_business or "").strip(" ").lower() or None,
        settings=load_settings(),
    )


def audit(request: "Request", function: "Callable[[Request, Reporter], Result]") -> None:
    """Run with a display of how far it is, and print what it found."""
    from flows.display import print_result, show_progress

    with show_progress() as report:
        result = function(request, report)
    print_result(request, result)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def main() -> None:
    """Run the command; an error that says what to do is shown as one line, without a traceback.

    Of any other the kind and the place are shown, and not its text, which may quote a cell of a claim.
    """
    from transforms.errors import AuditError

    try:
        app()
    except AuditError as error:
        typer.echo(f"sij-audit: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        cause = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
        typer.echo("".join(traceback.format_tb(error.__traceback__)), err=True)
        typer.echo(f"sij-audit: stopped by {type(error).__name__}{cause}. OUT/current is the last complete run.", err=True)
        sys.exit(AuditError.exit_code)


if __name__ == "__main__":
    main()
