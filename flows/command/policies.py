"""Subcommands for whoever writes rules and limits: check-policy, what-if; and the policies that an audit has in force."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sij_audit.flows.command.options import AsJson, Out


def folders_in_force(named: Sequence[Path]) -> tuple[Path, ...]:
    """Give the folders of the policies in force: those of the program, of the settings, and those that are named."""
    from sij_audit.transforms.errors import UsageError
    from sij_audit.transforms.settings import load_settings
    from sij_audit.transforms.stages.policies import policy_folders

    more = (*load_settings().policies, *named)
    for folder in more:
        if not (folder / "policy.toml").is_file():
            raise UsageError(f"{folder}: is no policy folder: it has no policy.toml.")
    return (*policy_folders(), *more)


def check_policy(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Folder with a policy.toml; the policies in force are checked too.", show_default=False),
    ] = None,
) -> None:
    """Say what is wrong with a policy and its rules.

    Reads all headers and plans all SQL over no claims at all, in seconds: a column, table or function that is not there is named, with file
    and line. Exit code 4 where something is wrong.
    """
    from sij_audit.transforms.stages.checking import check_sql
    from sij_audit.transforms.stages.policies import load_policies

    policies = load_policies(list(folders_in_force([folder] if folder else [])))
    checked = check_sql(policies)
    for mistake in checked.mistakes:
        typer.echo(f"sij-audit: {mistake}", err=True)
    if checked.mistakes:
        raise typer.Exit(4)
    typer.echo(
        f"Nothing is wrong with {', '.join(policy.policy_id for policy in policies)}: planned {checked.rules} rules, {checked.queries} other "
        f"queries, {checked.views} views and macros of audit.duckdb."
    )


def what_if(
    *,
    out: Out,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="RULE.LIMIT=VALUE",
            help="Limit to try, or LIMIT=VALUE for one of the whole policy; may be given again. A limit that is none lists them all.",
            show_default=False,
        ),
    ] = None,
    enable: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Rule to turn on; may be given again.", show_default=False)
    ] = None,
    disable: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Rule to turn off; may be given again.", show_default=False)
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="Id or folder of the policy, where there are several.", show_default=False),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="Audit services up to this date; that of the run if not given.", show_default=False
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=0, metavar="N", help="Show so many providers; others are one row.")] = 10,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write what is tried to FILE, a policy.toml in a folder of its own: `run --policy` with that folder audits by it.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what other limits would find.

    Audits the claims of the current run twice, with today's limits and with those tried, and shows what would be found more and less, by rule
    and by provider, and for how many dollars. Nothing is published, and a run may go on meanwhile.
    """
    from sij_audit.flows.changes import print_what_if
    from sij_audit.flows.display import show_progress
    from sij_audit.flows.json_facts import describe_trial
    from sij_audit.flows.json_output import print_json
    from sij_audit.transforms.audit.what_if import choose_policy, read_trial, try_limits, write_trial
    from sij_audit.transforms.settings import load_settings
    from sij_audit.transforms.stages.policies import load_policies, policy_folders
    from sij_audit.transforms.store.folder import Store

    settings = load_settings()
    more = [Path(policy)] if policy and (Path(policy) / "policy.toml").is_file() else []
    folders = {folder.resolve(): folder for folder in (*policy_folders(), *settings.policies, *more)}
    chosen = choose_policy(load_policies(list(folders.values())), policy)
    trial = read_trial(chosen, assignments or (), enable or (), disable or ())
    with show_progress(as_json) as report:
        found = try_limits(Store(out), trial, as_of.date() if as_of else None, settings.memory_limit, report)
    if as_json:
        print_json("what-if", 0, describe_trial(found))
    else:
        print_what_if(found, top)
    if write:
        write_trial(trial, write)
        typer.echo(f"{write}: written; `sij-audit run --policy {write.parent}` audits by it.", err=as_json)
