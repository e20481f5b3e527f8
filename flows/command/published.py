"""Subcommands that read published runs: verify, sql, member, diff, runs."""

from pathlib import Path
from typing import Annotated

import typer

from sij_audit.flows.command.options import AsJson, Out

RunA = Annotated[
    str | None, typer.Argument(metavar="RUN_A", help="The earlier run; the one before the current run if not given.", show_default=False)
]
RunB = Annotated[str | None, typer.Argument(metavar="RUN_B", help="The later run; the current one if not given.", show_default=False)]


def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder that holds the runs.")],
    run_id: Annotated[
        str | None, typer.Argument(metavar="RUN_ID", help="The run to check; the current one if not given.", show_default=False)
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check a published run against its manifest.

    Every difference is printed; where there is one, the exit code is 4.
    """
    from sij_audit.transforms.store.folder import Store
    from sij_audit.transforms.store.runs import verify_run

    differences = verify_run(Store(out), run_id)
    if as_json:
        from sij_audit.flows.json_output import print_json

        print_json("verify", 4 if differences else 0, {"differences": differences})
    else:
        for sentence in differences or ["No difference: every file is as it was published."]:
            typer.echo(sentence)
    if differences:
        raise typer.Exit(4)


def sql(
    query: Annotated[
        str | None,
        typer.Argument(metavar="QUERY", help="SQL to answer; without it, standard input or, at a terminal, a shell.", show_default=False),
    ] = None,
    *,
    out: Out,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="Answer the SQL in FILE.", show_default=False)] = None,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN_ID", help="The run to ask; the current one if not given.", show_default=False)
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the rows to FILE (.csv or .parquet) instead.", show_default=False, readable=False),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            metavar="RULE_ID", help="Let names mean what they meant to this rule: its tables, and its limits as $names.", show_default=False
        ),
    ] = None,
) -> None:
    """Ask a published run in SQL.

    The session reads the run and nothing else, and writes to memory alone. What is asked is logged in OUT/access. docs/queries.md has examples.
    """
    from sij_audit.transforms.query.shell import ask, read_query
    from sij_audit.transforms.settings import load_settings

    ask(out, run_id, read_query(query, file), to, load_settings().query_seconds, rule)


def member(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The person_id of the reports.")],
    *,
    out: Out,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN_ID", help="The run to look in; the current one if not given.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with pictures to FILE instead.", show_default=False)
    ] = None,
) -> None:
    """Show a person's injections over time, what was found of them and why.

    Left and right, the windows after each injection, and the claims behind each point. The look-up is logged in OUT/access.
    """
    from sij_audit.transforms.pages.member_page import look_up
    from sij_audit.transforms.pages.member_text import member_console, show_member

    found = look_up(out, run_id, person, html)
    if html:
        typer.echo(f"The page is written to {html}; its user alone can read it.")
    else:
        show_member(found, member_console())


def diff(
    run_a: RunA = None,
    run_b: RunB = None,
    *,
    out: Out,
    with_findings: Annotated[bool, typer.Option("--findings", help="List the findings too, by their ids.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what changed from one run to another.

    Findings that are new, withdrawn or changed, by rule and with dollars, and what the runs were made of that is not the same.
    """
    from sij_audit.flows.changes import print_difference
    from sij_audit.flows.json_facts import describe_difference
    from sij_audit.flows.json_output import print_json
    from sij_audit.transforms.audit.comparison import compare_runs
    from sij_audit.transforms.audit.history import choose_runs
    from sij_audit.transforms.store.folder import Store

    store = Store(out)
    before, after = choose_runs(store, run_a, run_b)
    difference = (store.manifest(before), store.manifest(after), compare_runs(before, after), with_findings)
    if as_json:
        print_json("diff", 0, describe_difference(*difference))
    else:
        print_difference(*difference)


def runs(*, out: Out, as_json: AsJson = False) -> None:
    """List the published runs with their figures.

    Marked are the current run and those that a delivery was made of or counts from. Dollars of several policies may be of one claim line.
    """
    from sij_audit.flows.changes import print_runs
    from sij_audit.flows.json_facts import describe_runs
    from sij_audit.flows.json_output import print_json
    from sij_audit.transforms.audit.history import list_runs
    from sij_audit.transforms.store.folder import Store

    found = list_runs(Store(out))
    if as_json:
        print_json("runs", 0, describe_runs(found))
    else:
        print_runs(found)
