"""A run: extracts in, findings published. The command, the nightly flow and the tests call the same function.

Each step is called through `step`, so that an orchestrator can make a task of it; nothing else tells the flow from the plain command.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb
import pyarrow.parquet as pq

from sij_audit.transforms import program
from sij_audit.transforms.audit.identity import RunIdentity, is_current
from sij_audit.transforms.audit.publication import publish_run
from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.duck import fetch_dicts
from sij_audit.transforms.errors import AuditError, HeldBack, UsageError
from sij_audit.transforms.handoff.deliveries import write_run_handoff
from sij_audit.transforms.handoff.reviews import hash_reviews, list_reviews
from sij_audit.transforms.ingest.extracts import discover_extracts, name_of
from sij_audit.transforms.ingest.intake import Outcome, Refused, ingest_extract, is_as_kept_today, lacking_codes
from sij_audit.transforms.ingest.landing import Landing, look, lost_columns, missing_feeds, remember, required_columns
from sij_audit.transforms.pages.report import write_page
from sij_audit.transforms.settings import MEMORY_LIMIT, Settings
from sij_audit.transforms.stages.inputs import CONTROL_COLUMNS, Inputs, load_inputs, open_warehouse
from sij_audit.transforms.stages.policies import Policy, file_hashes, load_policies, policy_folders
from sij_audit.transforms.stages.queries import load_stage
from sij_audit.transforms.stages.reference import Code, load_codes
from sij_audit.transforms.stages.running import run_stages
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import Batch, Store, find_group
from sij_audit.transforms.store.journal import begin, end, untold
from sij_audit.transforms.store.retention import delete_expired
from sij_audit.transforms.store.retractions import Retraction, retractions
from sij_audit.transforms.text import list_names

T = TypeVar("T")

INGEST_RETRIES = 2

NAMED = 3
"""So many files are named in a sentence."""

ENOUGH_FINDINGS = 100
"""From so many findings of the run before on, a share of them says something."""

NO_COUNTS: dict[str, Any] = {name: 0 for name in CONTROL_COLUMNS if name.startswith(("rows_", "paid_"))}


@dataclass(frozen=True)
class Request:
    """What a run is asked to do."""

    out: Path
    extracts: tuple[Path, ...] = ()
    as_of: date = field(default_factory=date.today)
    line_of_business: str | None = None
    """Stands in where a live line has none."""
    policy_folders: tuple[Path, ...] = field(default_factory=lambda: tuple(policy_folders()))
    settings: Settings = field(default_factory=Settings)
    landing: Path | None = None
    """A folder whose ready extracts are taken too, without opening those that were taken or refused before."""
    command: str = "run"
    """What the journal calls the run."""
    max_change: float | None = None
    """The share of the findings of the run before that may change without that somebody looks; None where nothing is held back."""
    accept_change: bool = False
    """Somebody has looked."""


@dataclass(frozen=True)
class ExtractBegun:
    """An extract is about to be read."""

    number: int
    of: int
    name: str


@dataclass(frozen=True)
class ExtractRead:
    """`done` of `total` bytes or rows; the total is None where nobody knows it."""

    unit: str
    done: int
    total: int | None


@dataclass(frozen=True)
class ExtractEnded:
    """What became of an extract."""

    name: str
    outcome: Outcome


@dataclass(frozen=True)
class StageBegun:
    """A stage of the audit begins."""

    name: str


Event = ExtractBegun | ExtractRead | ExtractEnded | StageBegun

Reporter = Callable[[Event], None]


def report_nothing(_event: Event) -> None:
    """Tell nobody."""


class Step(Protocol):
    """Calls a function with its arguments; the name says which step of the run it is, `retries` how often an odd failure is tried again."""

    def __call__(self, name: str, function: Callable[..., T], *arguments: Any, retries: int = 0) -> T: ...


def call_directly(name: str, function: Callable[..., T], *arguments: Any, retries: int = 0) -> T:
    """The step of the plain command."""
    return function(*arguments)


@dataclass(frozen=True)
class Audit:
    """A finished audit whose tables lie in a DuckDB connection, ready to be published."""

    con: duckdb.DuckDBPyConnection
    identity: RunIdentity
    batches: tuple[Batch, ...]
    totals: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """How a run ended. `run` is the published run, None where nothing was new; `summary` says what stands in it.

    `notices` are sentences for who looks after the runs, `remarks` such as need nobody: file names and counts, nothing of a member.
    """

    outcomes: tuple[Outcome, ...]
    current: Path
    run: Path | None
    summary: dict[str, Any] | None
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return 3 if any(isinstance(outcome, Refused) and not outcome.is_remembered for outcome in self.outcomes) else 0


def run_audit(request: Request, report: Reporter = report_nothing, step: Step = call_directly) -> Result:
    """Take the extracts in, audit all that OUT holds, publish; AuditError with its exit code where that cannot be done.

    UsageError for a path that does not exist, BusyError where another run holds OUT, HeldBack where somebody should look first. The journal of
    OUT says of each run that got the lock how it ended.
    """
    extracts = discover_extracts(request.extracts)
    policies = load_policies(list(request.policy_folders))
    store = Store(request.out, find_group(request.settings.group))
    with store.lock():
        _check_policies(store, policies)
        notices = untold(store)
        attempt = begin(store, request.command, request.as_of)
        try:
            deleted = delete_expired(store, request.settings.retention_days, datetime.now(UTC))
            result = _run_locked(store, request, extracts, policies, report, step)
        except HeldBack as error:
            end(store, attempt, "held", message=str(error))
            raise
        except BaseException as error:
            end(store, attempt, "failed", message=_why(error))
            raise
        end(store, attempt, "published" if result.run else "nothing_new", run_id=result.current.name)
        return replace(result, notices=(*notices, *result.notices), remarks=(*deleted, *result.remarks))


def _why(error: BaseException) -> str:
    """What may be written down of an error: the kind alone of one whose text may quote a cell."""
    if isinstance(error, AuditError):
        return str(error)
    return type(error).__name__ if isinstance(error, Exception) else "it was stopped or cancelled."


def _check_policies(store: Store, policies: Sequence[Policy]) -> None:
    """Stop where a policy of the current run would disappear, and all its findings with it; UsageError names it."""
    current = store.current_run()
    if current is None:
        return
    published = set(pq.read_table(current / "rules.parquet", columns=["policy_id"]).column(0).to_pylist())
    if lost := sorted(published - {policy.policy_id for policy in policies}):
        raise UsageError(
            f"The current run has findings of {', '.join(lost)}, of which this one knows no policy. Name its folder with --policy."
        )


def _run_locked(
    store: Store, request: Request, extracts: Sequence[Path], policies: Sequence[Policy], report: Reporter, step: Step
) -> Result:
    codes = load_codes()
    landing = look(store, request.landing, codes, request.settings.feeds) if request.landing else None
    landed: dict[Path, Outcome] = {}
    outcomes = list(_ingest_all(store, request, extracts, codes, landing, landed, report, step))
    result = _audit_taken(store, request, codes, landing, outcomes, policies, report, step)
    if landing:
        # with the refusals: this run tells of them, which one that was held or failed may not have done
        remember(store, landing, landed)
    return result


def _audit_taken(
    store: Store,
    request: Request,
    codes: Sequence[Code],
    landing: Landing | None,
    outcomes: Sequence[Outcome],
    policies: Sequence[Policy],
    report: Reporter,
    step: Step,
) -> Result:
    """Audit all that OUT holds, and publish what is new and need not be held back."""
    feeds = request.settings.feeds
    retracted = retractions(store)
    batches = [batch for batch in one_batch_each(store.batches(), codes) if batch.sha256 not in retracted]
    check_codes(batches, codes)
    notices = missing_feeds(feeds, batches, outcomes, datetime.now(UTC))
    remarks = (*_name_retracted(landing), *_name_kept_otherwise(batches))
    identity = identify_run(store, request, batches, outcomes, policies)
    if is_current(store, identity):
        return Result(tuple(outcomes), _current(store), None, None, tuple(notices), remarks)
    losses = lost_columns(feeds, batches, _published_extracts(store))
    if losses and request.max_change is not None and not request.accept_change:
        raise HeldBack(f"Held back, nothing was published. {' '.join(losses)} Have the feed mended, or publish with --accept-change.")
    audit = step("audit", audit_batches, store, batches, outcomes, policies, identity, report, request.settings.memory_limit)
    try:
        if request.max_change is not None and not request.accept_change:
            check_change(audit.con, request.max_change)
        report(StageBegun("publishing"))
        run = step("publish", publish_audit, store, audit, request.settings)
        return Result(tuple(outcomes), run, run, summarize(audit), (*notices, *losses), remarks)
    finally:
        audit.con.close()


def _name_retracted(landing: Landing | None) -> list[str]:
    if landing is None or not landing.retracted:
        return []
    return [f"{list_names(map(name_of, sorted(landing.retracted)), NAMED)}: retracted, not read again."]


def _name_kept_otherwise(batches: Sequence[Batch]) -> list[str]:
    """Name the extracts that other code has read and that were not at hand to be read again."""
    extracts = sorted(batch.extract for batch in batches if batch.ingest != program.ingest_hash())
    if not extracts:
        return []
    return [f"{list_names(extracts, NAMED)}: loaded by another version of the program; what is given again, this one reads again."]


def _ingest_all(
    store: Store,
    request: Request,
    extracts: Sequence[Path],
    codes: Sequence[Code],
    landing: Landing | None,
    landed: dict[Path, Outcome],
    report: Reporter,
    step: Step,
) -> Iterator[Outcome]:
    """Take in the extracts that were named, then those in landing that must be read; of those only known, refusals alone are reported.

    What became of those that were read in landing is put into `landed`.
    """
    paths = [*extracts, *(landing.to_read if landing else ())]
    for number, path in enumerate(paths, 1):
        report(ExtractBegun(number, len(paths), name_of(path)))
        required = required_columns(request.settings.feeds, name_of(path))
        given = (store, path, codes, _progress(report), request.settings.memory_limit, required)
        outcome = step(f"ingest {number} of {len(paths)}", ingest_extract, *given, retries=INGEST_RETRIES)
        if landing and number > len(extracts):
            outcome = landed[path] = landing.recognize(path, outcome)
        report(ExtractEnded(name_of(path), outcome))
        if path not in landed:
            yield outcome
    if landing:
        remember(store, landing, {path: outcome for path, outcome in landed.items() if not isinstance(outcome, Refused)})
        for path, outcome in landing.known.items():
            if isinstance(outcome, Refused):
                report(ExtractEnded(name_of(path), outcome))
        yield from landing.outcomes(landed).values()


def _published_extracts(store: Store) -> set[str]:
    """SHA-256 of the extracts that the current run was made of."""
    run = store.current_run()
    return {entry["extract_sha256"] for entry in store.manifest(run)["inputs"]} if run else set()


def check_change(con: duckdb.DuckDBPyConnection, max_change: float) -> None:
    """Hold a finished audit back where too large a share of the findings of the run before is new, changed or withdrawn."""
    [(before,)] = con.execute("select count(*) from previous_findings where status <> 'withdrawn'").fetchall()
    [(changed,)] = con.execute("select count(*) from compared_findings where status <> 'open'").fetchall()
    if before >= ENOUGH_FINDINGS and changed > max_change * before:
        raise HeldBack(
            f"Held back, nothing was published: {changed:,} findings would be new, changed or withdrawn, against {before:,} of the run before; "
            f"max_change allows {max_change:.0%}. `sij-audit plan` shows them; --accept-change publishes."
        )


def _progress(report: Reporter) -> Callable[[str, int, int | None], None]:
    return lambda unit, done, total: report(ExtractRead(unit, done, total))


def _current(store: Store) -> Path:
    run = store.current_run()
    if run is None:
        raise AuditError("OUT holds no current run, though one was compared with")
    return run


def one_batch_each(batches: Sequence[Batch], codes: Sequence[Code]) -> list[Batch]:
    """Take the batch that was kept as today where one content has two: a run died while the new one took the old one's place."""
    ranked = sorted(batches, key=lambda batch: (not lacking_codes(batch, codes), is_as_kept_today(batch, codes)))
    by_content = {batch.sha256: batch for batch in ranked}
    return sorted(by_content.values(), key=lambda batch: batch.batch_id)


def check_codes(batches: Sequence[Batch], codes: Sequence[Code]) -> None:
    """Stop where a family has gained a code whose lines a batch cannot have; AuditError names the extracts to give again."""
    stale = {batch.extract: lacking_codes(batch, codes) for batch in batches}
    named = "; ".join(f"{extract} (for {', '.join(gained)})" for extract, gained in sorted(stale.items()) if gained)
    if named:
        raise AuditError(
            f"procedure_codes.csv has gained codes since extracts were taken in. Give these again, so that they are read again: {named}"
        )


def identify_run(
    store: Store, request: Request, batches: Sequence[Batch], outcomes: Sequence[Outcome], policies: Sequence[Policy]
) -> RunIdentity:
    """Gather all that decides what the run will say."""
    previous = store.current_run()
    return RunIdentity(
        as_of=request.as_of,
        previous_run_id=previous.name if previous else None,
        batches=tuple(batch.batch_id for batch in batches),
        refused=tuple({outcome.sha256 or outcome.extract for outcome in outcomes if isinstance(outcome, Refused)}),
        files=file_hashes(list(policies)),
        reviews=hash_reviews(store),
        settings={
            "line_of_business": request.line_of_business,
            "max_requests_per_provider": request.settings.max_requests_per_provider,
        },
        program=program.program_hash(),
        version=version("sij-audit"),
    )


def audit_batches(
    store: Store,
    batches: Sequence[Batch],
    outcomes: Sequence[Outcome],
    policies: Sequence[Policy],
    identity: RunIdentity,
    report: Reporter = report_nothing,
    memory_limit: str = MEMORY_LIMIT,
) -> Audit:
    """Run all SQL stages over the batches; the caller closes the connection of the audit that comes back."""
    con = open_warehouse(store.work, memory_limit)
    previous = store.runs / identity.previous_run_id if identity.previous_run_id else None
    controls = _control_rows(batches, outcomes, _published_extracts(store), list(retractions(store).values()))
    inputs = Inputs(
        batch_files=[batch.path for batch in batches],
        previous_run=previous,
        extract_controls=controls,
        extract_columns=_column_rows(batches),
        dispositions=list_reviews(store, "dispositions"),
        suppressions=list_reviews(store, "suppressions"),
    )
    load_inputs(con, inputs)
    settings = {
        "as_of": identity.as_of,
        "run_id": identity.run_id,
        "previous_run_id": identity.previous_run_id,
        "version": identity.version,
        "line_of_business": identity.settings["line_of_business"],
    }
    run_stages(con, policies, settings, lambda stage: report(StageBegun(stage)))
    return Audit(con, identity, tuple(batches), one_row(con, "select * from totals"))


def _control_rows(
    batches: Sequence[Batch], outcomes: Sequence[Outcome], published: set[str], retracted: Sequence[Retraction]
) -> list[dict[str, Any]]:
    """The accounting of each extract; one refused under two names is one."""
    held = [
        {
            "extract": batch.extract,
            "extract_sha256": batch.sha256,
            "outcome": "held" if batch.sha256 in published else "taken",
            "reason": None,
            **batch.controls,
        }
        for batch in batches
    ]
    refused = {
        outcome.sha256 or outcome.extract: {
            "extract": outcome.extract,
            "extract_sha256": outcome.sha256,
            "outcome": "refused",
            "reason": outcome.reason,
            **NO_COUNTS,
        }
        for outcome in reversed(outcomes)
        if isinstance(outcome, Refused)
    }
    taken_back = [
        {
            "extract": retraction.extract,
            "extract_sha256": retraction.extract_sha256,
            "outcome": "retracted",
            "reason": retraction.reason,
            **NO_COUNTS,
        }
        for retraction in retracted
    ]
    return [*held, *refused.values(), *taken_back]


def _column_rows(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    return [
        {"extract": batch.extract, "extract_sha256": batch.sha256, "column_order": order, **column}
        for batch in batches
        for order, column in enumerate(batch.columns)
    ]


def publish_audit(store: Store, audit: Audit, settings: Settings) -> Path:
    """Publish a finished audit with the files that people get."""
    previous_run_id = audit.identity.previous_run_id
    previous = store.runs / previous_run_id if previous_run_id else None

    def write_for_people(run: Path) -> None:
        handoff = run / "handoff"
        handoff.mkdir(mode=0o700)
        write_run_handoff(run, previous, settings, handoff)
        write_durably(run / "report.html", partial(write_page, run))

    return publish_run(
        store,
        audit.con,
        audit.identity,
        audit.batches,
        audit.totals,
        load_stage("5_reports"),
        load_stage("auditor"),
        write_more=write_for_people,
    )


def one_row(con: duckdb.DuckDBPyConnection, select: str) -> dict[str, Any]:
    """Fetch the one row of a query, by column."""
    return fetch_dicts(con, select)[0]


def summarize(audit: Audit) -> dict[str, Any]:
    """Count what people want to know first of a run; numbers and names of columns, nothing of a member."""
    con = audit.con
    return {
        "rows": one_row(
            con,
            "select coalesce(sum(rows_read), 0)::bigint as read, coalesce(sum(rows_kept), 0)::bigint as kept, "
            "coalesce(sum(rows_not_relevant), 0)::bigint as not_relevant, coalesce(sum(rows_quarantined), 0)::bigint as quarantined, "
            "coalesce(sum(rows_duplicate), 0)::bigint as duplicate from controls where outcome <> 'refused'",
        ),
        "injections": one_row(con, "select count(*) as n from (select distinct person_id, service_date from injections)")["n"],
        "precedence": one_row(con, "select count(*) as n from injections where applicability = 'precedence'")["n"],
        "rules": fetch_dicts(con, "select * from rules"),
        "statuses": fetch_dicts(
            con,
            "select status, count(*) as findings, sum(amount_at_risk) as amount_at_risk from findings group by status order by status",
        ),
        "amount_at_risk": one_row(
            con,
            "select coalesce(sum(amount), 0) as amount from (select max(amount) as amount from "
            "(select line_key, sum(amount_at_risk) as amount from claimed_lines group by policy_id, line_key) group by line_key)",
        )["amount"],
        "held_back": fetch_dicts(
            con,
            "select policy_id, held_back_for, count(*) as findings, sum(amount_at_risk) as amount_at_risk "
            "from review_states inner join findings using (finding_id) where held_back_for is not null and status <> 'withdrawn' "
            "group by policy_id, held_back_for order by policy_id, held_back_for",
        ),
        "sole_doubts": fetch_dicts(con, "select * from sole_doubts order by policy_id, finding_count desc, doubt_id"),
        "totals": audit.totals,
        "missing_columns": _missing_columns(audit.batches, audit.identity.settings),
    }


def _missing_columns(batches: Sequence[Batch], settings: Mapping[str, Any]) -> dict[str, list[str]]:
    """Columns without which the audit can say less, and the extracts in which they are missing or empty in every row."""
    missing: dict[str, list[str]] = {}
    for column in COLUMNS:
        if not column.without or settings.get(column.name):
            continue
        for batch in batches:
            filled = {entry["column"]: entry["filled_count"] for entry in batch.columns if entry["is_canonical"]}
            if batch.controls["rows_read"] and not filled.get(column.name):
                missing.setdefault(column.name, []).append(batch.extract)
    return missing
