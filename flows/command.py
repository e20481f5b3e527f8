"""The `sij-audit` command. Each command imports what it needs when it needs it, so that starting costs little."""

import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sij_audit.transforms.errors import EXIT_CODES

if TYPE_CHECKING:
    from sij_audit.transforms.audit.run import Reporter, Request, Result

AGES = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
"""Units of an age on the command line."""


def age(text: str) -> timedelta:
    """Read an age such as 26h; for options."""
    number, unit = text[:-1], text[-1:]
    if unit not in AGES or not number.isdecimal():
        raise typer.BadParameter("must be a whole number and m, h or d, such as 26h")
    return int(number) * AGES[unit]


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


def _out_of_settings() -> Path:
    """The OUT folder of the settings."""
    from sij_audit.transforms.errors import UsageError
    from sij_audit.transforms.settings import load_settings

    out = load_settings().out
    if out is None:
        raise UsageError("No OUT folder is given: name it with --out OUT, or by the setting `out`.")
    return out


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
MaxChange = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="SHARE",
        help="Hold the run back (exit 5) where more than this share of the findings would change, such as 0.5.",
        show_default=False,
    ),
]
AcceptChange = Annotated[bool, typer.Option("--accept-change", help="Publish however much changes.")]
LandingFolder = Annotated[
    Path | None,
    typer.Option(
        "--landing",
        metavar="DIR",
        help="Folder whose ready extracts are taken every night; nothing in it is changed. That of the settings if not given.",
        show_default=False,
    ),
]
LineOfBusiness = Annotated[
    str | None,
    typer.Option(metavar="VALUE", help="Stands in where a claim line has no line of business, such as commercial.", show_default=False),
]


@app.command()
def run(
    extracts: Extracts = None,
    *,
    out: Out,
    as_of: AsOf = None,
    line_of_business: LineOfBusiness = None,
    policies: Policies = None,
    max_change: MaxChange = None,
    accept_change: AcceptChange = False,
) -> None:
    """Take extracts in, audit all that OUT holds, publish the run.

    Extracts that OUT has taken before are not read again. Without extracts, what is there is audited.
    """
    from sij_audit.transforms.audit.run import run_audit

    request = _request(extracts, out, as_of, line_of_business, policies)
    audit(replace(request, max_change=max_change, accept_change=accept_change), run_audit)


@app.command()
def plan(
    extracts: Extracts = None,
    *,
    out: Out,
    as_of: AsOf = None,
    line_of_business: LineOfBusiness = None,
    policies: Policies = None,
) -> None:
    """Do what `run` does, show what would change, and leave OUT as it was."""
    from sij_audit.flows.changes import print_plan
    from sij_audit.flows.display import show_progress
    from sij_audit.transforms.audit.comparison import compare_runs
    from sij_audit.transforms.audit.plan import plan_audit
    from sij_audit.transforms.store.folder import Store

    request = _request(extracts, out, as_of, line_of_business, policies)
    before = Store(out).current_run()
    with ExitStack() as stack:
        with show_progress() as report:
            planned = stack.enter_context(plan_audit(request, report))
        print_plan(planned, compare_runs(before, planned.run) if before and planned.run else None)
    if planned.exit_code:
        raise typer.Exit(planned.exit_code)


@app.command()
def nightly(
    extracts: Extracts = None,
    *,
    out: Out,
    as_of: AsOf = None,
    line_of_business: LineOfBusiness = None,
    policies: Policies = None,
    landing: LandingFolder = None,
    accept_change: AcceptChange = False,
) -> None:
    """Do what `run` does as a Prefect flow, and tell people how it ended.

    It runs on the server in PREFECT_API_URL, or on a temporary one that ends with it. Without extracts and --landing, those in the setting
    `landing` are taken. The settings also say how much may change before a run is held back (`max_change`), and whom to tell of what.
    """
    from sij_audit.flows.prefect_server import prefect_server
    from sij_audit.transforms.errors import AuditError
    from sij_audit.transforms.operations.notifications import notify_of_error

    def run_flow(request: "Request", report: "Reporter") -> "Result":
        with ExitStack() as stack:
            try:
                stack.enter_context(prefect_server())
            except AuditError as error:
                notify_of_error(request, error)
                raise
            from sij_audit.flows.nightly import run_nightly

            return run_nightly(request, report)

    request = _request(extracts, out, as_of, line_of_business, policies)
    settings = request.settings
    place = landing or (None if request.extracts else settings.landing)
    audit(
        replace(request, landing=place, command="nightly", max_change=settings.max_change, accept_change=accept_change),
        run_flow,
        lambda sentence: notify_of_error(request, AuditError(sentence)),
    )


@app.command()
def config() -> None:
    """Show the settings in force, and where each comes from.

    They come from the environment (SIJ_AUDIT_ and the name in upper case), else from the TOML file that SIJ_AUDIT_SETTINGS names or
    sij-audit.toml in the working folder, else they are as the program has them; docs/settings.md says what each means. Secrets are masked.
    """
    from sij_audit.flows.display import print_settings
    from sij_audit.transforms.settings import explain_settings

    print_settings(*explain_settings())


@app.command()
def serve(
    *,
    cron: Annotated[
        str, typer.Option(metavar="CRON", help="When to run, as in '0 2 * * *': every night at two, in the time zone of the settings.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT", help="Folder that holds batches and published runs; that of the settings if not given.", show_default=False
        ),
    ] = None,
    landing: LandingFolder = None,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What Prefect calls the deployment; each OUT needs one of its own.")
    ] = "nightly",
) -> None:
    """Run `nightly` on a schedule, until stopped.

    Needs a running Prefect server, whose address is in PREFECT_API_URL. Every run reads the settings anew, and is as of the day for which it was
    scheduled. After an outage only the last run that was missed is made up for.
    """
    from sij_audit.flows.prefect_server import keep_prefect_quiet

    keep_prefect_quiet("ERROR")
    from sij_audit.flows.serve import serve_nightly
    from sij_audit.transforms.settings import load_settings

    serve_nightly(load_settings(), cron, name, out, landing)


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
    from sij_audit.transforms.store.folder import Store
    from sij_audit.transforms.store.runs import verify_run

    differences = verify_run(Store(out), run_id)
    for difference in differences:
        typer.echo(difference)
    if differences:
        raise typer.Exit(4)
    typer.echo("No difference: every file is as it was published.")


@app.command()
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
    """Write what payment integrity has not been served yet.

    A workbook, the same as CSV and Parquet, and the claims whose records to request: of all runs since the last delivery, which OUT remembers.
    """
    from sij_audit.flows.display import print_delivery
    from sij_audit.transforms.handoff.deliveries import deliver
    from sij_audit.transforms.settings import load_settings
    from sij_audit.transforms.store.folder import Store

    print_delivery(to, deliver(Store(out), to, load_settings(), since))


@app.command("import-dispositions")
def import_dispositions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Reviewed workbook, or CSV or Parquet with the same columns.")], *, out: Out
) -> None:
    """Take in what reviewers say of findings: upheld, overturned, recovered amounts, notes.

    The next run reports them, and hands a finding that was overturned over again only where its evidence changes.
    """
    from sij_audit.transforms.handoff.reviews import import_dispositions as take_in
    from sij_audit.transforms.store.folder import Store

    imported = take_in(Store(out), file)
    _say_imported(file, "dispositions", imported.rows, imported.is_known)


@app.command()
def suppress(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the columns claim_id (and data_source) or finding_id, reason, until.")
    ],
    *,
    out: Out,
) -> None:
    """Keep findings that somebody else has out of the hand-off.

    Another vendor's, or a regulator's: up to and including the day in `until`, or for good where it is empty. They stay in all reports.
    """
    from sij_audit.transforms.handoff.reviews import suppress as take_in
    from sij_audit.transforms.store.folder import Store

    imported = take_in(Store(out), file)
    _say_imported(file, "suppressions", imported.rows, imported.is_known)
    if imported.unmatched:
        typer.echo(f"The current run has no such claim or finding: the {imported.unmatched}. Look whether a number has lost its zeros.")


def _say_imported(file: Path, what: str, rows: int, is_known: bool) -> None:
    from sij_audit.transforms.text import printable

    name = printable(file.name)
    typer.echo(
        f"{name}: was taken in last, nothing is new." if is_known else f"{name}: {rows:,} {what} taken in; the next run counts them."
    )


@app.command()
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
) -> None:
    """Ask a published run in SQL.

    The session reads the run and nothing else, and writes to memory alone. What is asked is logged in OUT/access. docs/queries.md has examples.
    """
    from sij_audit.transforms.query.shell import ask, read_query
    from sij_audit.transforms.settings import load_settings

    ask(out, run_id, read_query(query, file), to, load_settings().query_seconds)


@app.command()
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


@app.command()
def status(
    out: Out,
    max_age: Annotated[str, typer.Option(metavar="AGE", help="How long ago a run may have ended well: 26h, 90m, 2d.")] = "26h",
) -> None:
    """Say in one line when the last run was published and what it needs.

    For a monitor from outside: the exit code is 0 where all is well, else 1.
    """
    from datetime import UTC

    from sij_audit.transforms.operations.status import describe_status
    from sij_audit.transforms.store.folder import Store

    told = describe_status(Store(out), age(max_age), datetime.now(UTC))
    typer.echo(told.line)
    if not told.is_good:
        raise typer.Exit(1)


@app.command()
def retract(
    extract: Annotated[str, typer.Argument(metavar="EXTRACT", help="Name of an extract that OUT has taken, or its SHA-256.")],
    *,
    out: Out,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in the report controls.")],
    is_undone: Annotated[bool, typer.Option("--undo", help="Let a retracted extract count again.")] = False,
) -> None:
    """Take back an extract that never should have come.

    From the next run on it counts no more, and the findings that rest on it are withdrawn. What was kept of it is deleted once the setting
    `retention_days` is over; --undo is possible later too, and the extract must then be given again.
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


RunA = Annotated[
    str | None, typer.Argument(metavar="RUN_A", help="The earlier run; the one before the current run if not given.", show_default=False)
]
RunB = Annotated[str | None, typer.Argument(metavar="RUN_B", help="The later run; the current one if not given.", show_default=False)]


@app.command()
def diff(
    run_a: RunA = None,
    run_b: RunB = None,
    *,
    out: Out,
    with_findings: Annotated[bool, typer.Option("--findings", help="List the findings too, by their ids.")] = False,
) -> None:
    """Show what changed from one run to another.

    Findings that are new, withdrawn or changed, by rule and with dollars, and what the runs were made of that is not the same.
    """
    from sij_audit.flows.changes import print_difference
    from sij_audit.transforms.audit.comparison import compare_runs
    from sij_audit.transforms.audit.history import choose_runs
    from sij_audit.transforms.store.folder import Store

    store = Store(out)
    before, after = choose_runs(store, run_a, run_b)
    print_difference(store.manifest(before), store.manifest(after), compare_runs(before, after), with_findings)


@app.command()
def runs(*, out: Out) -> None:
    """List the published runs with their figures.

    Marked are the current run and those that a delivery was made of or counts from. Dollars of several policies may be of one claim line.
    """
    from sij_audit.flows.changes import print_runs
    from sij_audit.transforms.audit.history import list_runs
    from sij_audit.transforms.store.folder import Store

    print_runs(list_runs(Store(out)))


@app.command()
def prune(
    *,
    out: Out,
    keep: Annotated[int, typer.Option(min=0, metavar="N", help="Keep the newest N runs, whatever their age.")],
    older_than: Annotated[str, typer.Option(metavar="DAYS", help="Keep what was published since then, such as 90d.")],
    is_wanted: Annotated[bool, typer.Option("--delete", help="Remove the runs; without it they are only shown.")] = False,
) -> None:
    """Remove old runs.

    Gone is what is both older than that and not among the newest N. The current run stays, and so do runs that a delivery names, and damaged
    ones. What reviewers say of a run that is gone can no longer be imported.
    """
    from sij_audit.flows.changes import print_pruning
    from sij_audit.transforms.audit.history import parse_age
    from sij_audit.transforms.audit.history import prune as remove_old
    from sij_audit.transforms.store.folder import Store

    print_pruning(remove_old(Store(out), keep, parse_age(older_than), is_wanted))


@app.command("what-if")
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
) -> None:
    """Show what other limits would find.

    Audits the claims of the current run twice, with today's limits and with those tried, and shows what would be found more and less, by rule
    and by provider, and for how many dollars. Nothing is published, and a run may go on meanwhile.
    """
    from sij_audit.flows.changes import print_what_if
    from sij_audit.flows.display import show_progress
    from sij_audit.transforms.audit.what_if import choose_policy, read_trial, try_limits, write_trial
    from sij_audit.transforms.settings import load_settings
    from sij_audit.transforms.stages.policies import load_policies, policy_folders
    from sij_audit.transforms.store.folder import Store

    settings = load_settings()
    more = [Path(policy)] if policy and (Path(policy) / "policy.toml").is_file() else []
    folders = {folder.resolve(): folder for folder in (*policy_folders(), *settings.policies, *more)}
    chosen = choose_policy(load_policies(list(folders.values())), policy)
    trial = read_trial(chosen, assignments or (), enable or (), disable or ())
    with show_progress() as report:
        found = try_limits(Store(out), trial, as_of.date() if as_of else None, settings.memory_limit, report)
    print_what_if(found, top)
    if write:
        write_trial(trial, write)
        typer.echo(f"{write}: written; `sij-audit run --policy {write.parent}` audits by it.")


@app.command("check-policy")
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

    policies = load_policies(list(_policy_folders([folder] if folder else [])))
    checked = check_sql(policies)
    for mistake in checked.mistakes:
        typer.echo(f"sij-audit: {mistake}", err=True)
    if checked.mistakes:
        raise typer.Exit(4)
    typer.echo(
        f"Nothing is wrong with {', '.join(policy.policy_id for policy in policies)}: planned {checked.rules} rules, {checked.queries} other "
        f"queries, {checked.views} views and macros of audit.duckdb."
    )


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the extracts and the truth about them.")],
    persons: Annotated[int, typer.Option(min=1, help="How many persons.")] = 400,
    seed: Annotated[int, typer.Option(help="Another seed, other claims.")] = 1,
) -> None:
    """Write synthetic extracts, and the truth about them.

    They hold planted violations, lawful look-alikes and rows that must be refused; truth.json says what must be found.
    """
    from sij_audit.transforms.sample.generator import write_sample

    write_sample(folder, persons, seed)


def _request(
    extracts: list[Path] | None, out: Path, as_of: datetime | None, line_of_business: str | None, policies: list[Path] | None = None
) -> "Request":
    from sij_audit.transforms.audit.run import Request
    from sij_audit.transforms.settings import load_settings

    settings = load_settings()
    return Request(
        out=out,
        extracts=tuple(extracts or ()),
        as_of=as_of.date() if as_of else settings.today(),
        line_of_business=(line_of_business or "").strip(" ").lower() or settings.line_of_business,
        policy_folders=_policy_folders(policies or ()),
        settings=settings,
    )


def _policy_folders(named: Sequence[Path]) -> tuple[Path, ...]:
    """The folders of the policies in force: those of the program, of the settings, and those that are named."""
    from sij_audit.transforms.errors import UsageError
    from sij_audit.transforms.settings import load_settings
    from sij_audit.transforms.stages.policies import policy_folders

    more = (*load_settings().policies, *named)
    for folder in more:
        if not (folder / "policy.toml").is_file():
            raise UsageError(f"{folder}: is no policy folder: it has no policy.toml.")
    return (*policy_folders(), *more)


def audit(
    request: "Request", function: "Callable[[Request, Reporter], Result]", tell: "Callable[[str], object]" = lambda sentence: None
) -> None:
    """Run with a display of how far it is, and print what it found; `tell` hears of a run that did not end in time."""
    from sij_audit.flows.display import print_result, show_progress
    from sij_audit.transforms.operations.time_limit import wall_clock

    with wall_clock(request.settings.wall_clock_minutes, tell), show_progress() as report:
        result = function(request, report)
    print_result(request, result)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def main() -> None:
    """Run the command; an error that says what to do is shown as one line, without a traceback.

    Of any other the kind and the place are shown, and not its text, which may quote a cell of a claim.
    """
    from sij_audit.transforms.errors import AuditError

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
