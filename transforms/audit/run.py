"""A run: extracts in, findings published. The command, the nightly flow, a plan and the tests call the same function.

It says in which order the steps of `steps.py` come, and what stops a run between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from sij_audit.transforms import program
from sij_audit.transforms.audit.counted_batches import select_batches
from sij_audit.transforms.audit.identity import RunIdentity, is_current
from sij_audit.transforms.audit.inputs import gather_inputs, name_versioning, published_extracts
from sij_audit.transforms.audit.loading import Loading
from sij_audit.transforms.audit.progress import Reporter, report_nothing
from sij_audit.transforms.audit.steps import PLAIN_STEPS, Publication, RunSteps, audited
from sij_audit.transforms.audit.summary import RunSummary, summarize
from sij_audit.transforms.duck import fetch_one
from sij_audit.transforms.errors import AuditError, HeldBack, UsageError
from sij_audit.transforms.handoff.reviews import hash_reviews
from sij_audit.transforms.ingest.batch_codes import ingest_mark
from sij_audit.transforms.ingest.extracts import name_of
from sij_audit.transforms.ingest.feeds import check_layouts, lost_columns, missing_feeds, quarantine_jumps, swapped_dates, terms_of
from sij_audit.transforms.ingest.formats import discover_extracts, name_left_aside
from sij_audit.transforms.ingest.landing import Landing, look, remember
from sij_audit.transforms.ingest.outcomes import Outcome, Refused
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.policies import Policy, file_hashes, load_policies, policy_folders
from sij_audit.transforms.stages.reference import Code, load_codes
from sij_audit.transforms.store.folder import Batch, Store, find_group
from sij_audit.transforms.store.journal import begin, end, untold
from sij_audit.transforms.store.retention import delete_expired
from sij_audit.transforms.store.retractions import retractions
from sij_audit.transforms.text import list_names

NAMED = 3
"""So many files are named in a sentence."""

ENOUGH_FINDINGS = 100
"""From so many findings of the run before on, a share of them says something."""


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
    """A folder whose ready extracts are loaded too, without opening those that were loaded or refused before."""
    command: str = "run"
    """What the journal calls the run."""
    max_change: float | None = None
    """The share of the findings of the run before that may change without that somebody looks; None where no run is put on hold."""
    accept_change: bool = False
    """Somebody has looked."""


@dataclass(frozen=True)
class Result:
    """How a run ended. `run` is the published run, None where nothing was new; `summary` says what stands in it.

    `notices` are sentences for who looks after the runs, `remarks` such as need nobody: file names and counts, nothing of a member.
    """

    outcomes: tuple[Outcome, ...]
    current: Path
    run: Path | None
    summary: RunSummary | None
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    """What of all this a monitor says until a run ends without: late feeds, jumps in quarantine, dates that may be swapped."""

    @property
    def exit_code(self) -> int:
        return 3 if any(isinstance(outcome, Refused) and not outcome.is_remembered for outcome in self.outcomes) else 0


def run_audit(request: Request, report: Reporter = report_nothing, steps: RunSteps = PLAIN_STEPS) -> Result:
    """Load the extracts, audit all that OUT holds, publish; AuditError with its exit code where that cannot be done.

    UsageError for a path that does not exist, BusyError where another run holds OUT, HeldBack where somebody should look first. The journal of
    OUT says of each run that got the lock how it ended.
    """
    check_layouts(request.settings)
    extracts = discover_extracts(request.extracts, request.settings)
    left_aside = name_left_aside([folder for folder in request.extracts if folder.is_dir()], request.settings)
    policies = load_policies(list(request.policy_folders))
    store = Store(request.out, find_group(request.settings.group))
    with store.lock():
        _check_policies(store, policies)
        notices = untold(store)
        attempt = begin(store, request.command, request.as_of)
        try:
            deleted = delete_expired(store, request.settings.retention_days, datetime.now(UTC))
            result = _run_locked(store, request, extracts, policies, report, steps)
        except HeldBack as error:
            end(store, attempt, "held", message=str(error))
            raise
        except BaseException as error:
            end(store, attempt, "failed", message=_why(error))
            raise
        attention = (*_name_refused(result.outcomes), *result.attention)
        end(store, attempt, "published" if result.run else "nothing_new", run_id=result.current.name, attention=attention)
        return replace(result, notices=(*notices, *result.notices), remarks=(*deleted, *left_aside, *result.remarks))


def _name_refused(outcomes: Sequence[Outcome]) -> list[str]:
    """Name what was refused, now or before, and is still given."""
    refused = sorted({outcome.extract for outcome in outcomes if isinstance(outcome, Refused)})
    return [f"Refused: {list_names(refused, NAMED)}; the report controls says why."] if refused else []


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
    published = set(pq.ParquetFile(current / "rules.parquet").read(["policy_id"]).column(0).to_pylist())
    if lost := sorted(published - {policy.policy_id for policy in policies}):
        raise UsageError(
            f"The current run has findings of {', '.join(lost)}, of which this one knows no policy. Name its folder with --policy."
        )


def _run_locked(
    store: Store, request: Request, extracts: Sequence[Path], policies: Sequence[Policy], report: Reporter, steps: RunSteps
) -> Result:
    codes = load_codes()
    landing = look(store, request.landing, codes, request.settings) if request.landing else None
    loading = Loading(store, extracts, landing, codes, request.settings, report)
    outcomes = steps.ingest(loading)
    result = _audit_loaded(store, request, codes, outcomes, policies, report, steps)
    if landing:
        # with the refusals: this run reports them, which one that was held or failed may not have done
        remember(store, landing, loading.landed)
    left_aside = name_left_aside([landing.folder], request.settings) if landing else []
    return replace(result, remarks=(*left_aside, *_name_retracted(landing), *result.remarks))


def _name_retracted(landing: Landing | None) -> list[str]:
    if landing is None or not landing.retracted:
        return []
    return [f"{list_names(map(name_of, sorted(landing.retracted)), NAMED)}: retracted, not read again."]


def _name_kept_otherwise(batches: Sequence[Batch], settings: Settings) -> list[str]:
    """Name the extracts that other code, or by other terms, has read and that were not at hand to be read again."""
    extracts = sorted(batch.extract for batch in batches if batch.ingest != ingest_mark(terms_of(settings, batch.extract)))
    if not extracts:
        return []
    said = "loaded by another version of the program, or by other settings; what is given again, this one reads again"
    return [f"{list_names(extracts, NAMED)}: {said}."]


def _audit_loaded(
    store: Store,
    request: Request,
    codes: Sequence[Code],
    outcomes: Sequence[Outcome],
    policies: Sequence[Policy],
    report: Reporter,
    steps: RunSteps,
) -> Result:
    """Audit all that OUT holds, and publish what is new, unless it must be put on hold."""
    settings = request.settings
    batches = select_batches(store.batches(), codes, retractions(store), settings)
    published = published_extracts(store)
    attention = (
        *missing_feeds(settings.feeds, batches, outcomes, datetime.now(UTC)),
        *quarantine_jumps(settings, batches, published),
        *swapped_dates(batches, published),
    )
    remarks = tuple(_name_kept_otherwise(batches, settings))
    identity = identify_run(store, request, batches, outcomes, policies)
    if is_current(store, identity):
        return Result(tuple(outcomes), _current(store), None, None, attention, remarks, attention)
    losses = lost_columns(settings.feeds, batches, published)
    most_change = None if request.accept_change else request.max_change
    if losses and most_change is not None:
        raise HeldBack(f"On hold, nothing was published. {' '.join(losses)} Have the feed mended, or publish with --accept-change.")
    inputs = gather_inputs(store, batches, outcomes, policies, identity, settings.memory_limit, report)
    with audited(inputs, steps) as audit:
        if most_change is not None:
            check_change(audit.con, most_change)
        run = steps.publish(audit, Publication(store, identity, batches, settings))
        summary = summarize(audit.con, batches, request.line_of_business)
    return Result(tuple(outcomes), run, run, summary, (*attention, *losses), remarks, attention)


def check_change(con: duckdb.DuckDBPyConnection, max_change: float) -> None:
    """Hold a finished audit back where too large a share of the findings of the run before is new, changed or withdrawn."""
    before = fetch_one(con, "select count(*) from previous_findings where status <> 'withdrawn'")
    changed = fetch_one(con, "select count(*) from compared_findings where status <> 'open'")
    if before >= ENOUGH_FINDINGS and changed > max_change * before:
        raise HeldBack(
            f"On hold, nothing was published: {changed:,} findings would be new, changed or withdrawn, against {before:,} of the run before; "
            f"max_change allows {max_change:.0%}. `sij-audit plan` shows them; --accept-change publishes."
        )


def _current(store: Store) -> Path:
    run = store.current_run()
    if run is None:
        raise AuditError("OUT holds no current run, though one was compared with")
    return run


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
            "lines_of_business": request.settings.lines_of_business,
            "versioning": name_versioning(batches, request.settings),
            "max_requests_per_provider": request.settings.max_requests_per_provider,
        },
        program=program.program_hash(),
        version=version("sij-audit"),
    )
