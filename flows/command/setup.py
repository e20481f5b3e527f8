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
