"""Subcommands for whoever sets the audit up: config, sample."""

from pathlib import Path
from typing import Annotated

import typer


def config() -> None:
    """Show the settings in force, and where each comes from.

    They come from the environment (SIJ_AUDIT_ and the name in upper case), else from the TOML file that SIJ_AUDIT_SETTINGS names or
    sij-audit.toml in the working folder, else they are as the program has them; docs/settings.md says what each means. Secrets are masked.
    """
    from sij_audit.flows.display import print_settings
    from sij_audit.transforms.settings import explain_settings

    print_settings(*explain_settings())


def map_extract(
    extract: Annotated[Path, typer.Argument(metavar="EXTRACT", help="A claims extract of a payer's own: text or Parquet.")],
    write: Annotated[Path, typer.Option("--write", metavar="FILE", help="Layout to write; it must not be there yet.")],
) -> None:
    """Propose a layout for an extract, from the names, forms and values of its first rows.

    What it is sure of is marked so; look at the rest, then run `sij-audit check EXTRACT --layout FILE`.
    """
    from sij_audit.flows.check_display import print_proposal
    from sij_audit.transforms.errors import UsageError
    from sij_audit.transforms.ingest.layouts.proposal import propose_layout

    if not extract.is_file():
        raise UsageError(f"{extract} does not exist, or is no file.")
    proposal = propose_layout(extract)
    try:
        with write.open("x", encoding="utf-8") as file:
            file.write(proposal.text)
    except OSError as error:
        raise UsageError(f"{write} cannot be written: {error.strerror}.") from None
    print_proposal(proposal, extract, write)


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the extracts and the truth about them.")],
    persons: Annotated[int, typer.Option(min=1, help="How many persons.")] = 400,
    seed: Annotated[int, typer.Option(help="Another seed, other claims.")] = 1,
) -> None:
    """Write synthetic extracts, and the truth about them.

    They hold planted violations, similar billing that complies, and rows that must be refused; truth.json says what must be found.
    """
    from sij_audit.transforms.sample.generator import write_sample

    write_sample(folder, persons, seed)
