"""Arguments and options that several subcommands have."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

AGES = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
"""Units of an age on the command line."""


def parse_age(text: str) -> timedelta:
    """Read an age such as 26h."""
    number, unit = text[:-1], text[-1:]
    if unit not in AGES or not number.isdecimal():
        raise typer.BadParameter("must be a whole number and m, h or d, such as 26h")
    return int(number) * AGES[unit]


def _out_of_settings() -> Path:
    from sij_audit.transforms.errors import UsageError
    from sij_audit.transforms.settings import load_settings

    out = load_settings().out
    if out is None:
        raise UsageError("No OUT folder is given: name it with --out OUT, or by the setting `out`.")
    return out


Extracts = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="EXTRACT",
        help="Claims extracts (.csv, .csv.gz, .csv.zst, .parquet), or folders of them; see docs/extracts.md.",
        show_default=False,
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        metavar="OUT",
        help="Folder that holds batches and published runs; made if it is not there.",
        readable=False,
        default_factory=_out_of_settings,
        show_default="the setting `out`",
    ),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="Audit services up to this date; today (in the setting `time_zone`) if not given.",
        show_default=False,
    ),
]
Policies = Annotated[
    list[Path] | None,
    typer.Option(
        "--policy", metavar="DIR", help="Policy folder to audit by besides those of the program; may be given again.", show_default=False
    ),
]
Layouts = Annotated[
    list[Path] | None,
    typer.Option(
        "--layout",
        metavar="FILE",
        help="Layout that extracts may be written by; may be given again, and each is recognized by its first rows; see docs/layouts.md.",
        show_default="the setting `layouts`",
    ),
]
MaxChange = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="SHARE",
        help="Publish nothing (exit 5) where more than this share of the findings would change, such as 0.5.",
        show_default=False,
    ),
]
AcceptChange = Annotated[bool, typer.Option("--accept-change", help="Publish however much changes.")]
LandingFolder = Annotated[
    Path | None,
    typer.Option(
        "--landing",
        metavar="DIR",
        help="Folder whose ready extracts every night loads; nothing in it is changed. That of the settings if not given.",
        show_default=False,
    ),
]
LineOfBusiness = Annotated[
    str | None,
    typer.Option(metavar="VALUE", help="Used where a claim line has no line of business, such as commercial.", show_default=False),
]
DeploymentOut = Annotated[
    Path | None,
    typer.Option(
        metavar="OUT", help="Folder that holds batches and published runs; that of the settings if not given.", show_default=False
    ),
]
Cron = Annotated[
    str, typer.Option(metavar="CRON", help="When to run, as in '0 2 * * *': every night at two, in the time zone of the settings.")
]
DeploymentName = Annotated[str, typer.Option(metavar="NAME", help="What Prefect calls the deployment; each OUT needs one of its own.")]
AsJson = Annotated[bool, typer.Option("--json", help="Say it as one JSON object on standard output; docs/json.md lists the keys.")]
