"""The steps of a run, down the stairs: ingest, lines, timeline, rules, findings, reports, publish.

A run, a plan, a trial of other limits and the tests call them as they stand here. A flow overrides each to make a task of it, named as the
stage, and changes nothing of what they do.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from sij_audit.transforms.audit.database import LARGE_BLOCKS, SMALL_BLOCKS, Contents
from sij_audit.transforms.audit.identity import RunIdentity
from sij_audit.transforms.audit.loading import Loading, load_extracts
from sij_audit.transforms.audit.progress import Reporter, StageBegun, report_nothing
from sij_audit.transforms.audit.publication import publish_run
from sij_audit.transforms.duck import fetch_dicts, registered
from sij_audit.transforms.handoff.deliveries import write_run_handoff
from sij_audit.transforms.ingest.outcomes import Outcome
from sij_audit.transforms.pages.report import write_page
from sij_audit.transforms.settings import MEMORY_LIMIT, Settings
from sij_audit.transforms.stages.inputs import FINDING_COLUMNS, Inputs, load_inputs, open_warehouse
from sij_audit.transforms.stages.policies import Policy
from sij_audit.transforms.stages.queries import load_stage
from sij_audit.transforms.stages.running import run_lines, run_rules, run_stage, run_timelines
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import Batch, Store

LITTLE = 1_000_000
"""Bytes of batches below which one thread audits them, and they are published in small blocks."""


@dataclass(frozen=True)
class AuditInputs:
    """What an audit is made of."""

    tables: Inputs
    """Files and rows that the stages read."""
    policies: Sequence[Policy]
    settings: Mapping[str, Any]
    """What queries may name besides limits and facts of a policy."""
    work: Path
    """The folder into which DuckDB spills."""
    memory_limit: str = MEMORY_LIMIT
    findings_before: pa.Table | None = None
    """Findings to compare with, where they are not those of a published run; columns as the report's."""
    report: Reporter = report_nothing

    @property
    def are_little(self) -> bool:
        return sum(path.stat().st_size for path in self.tables.batch_files) < LITTLE


@dataclass(frozen=True)
class Audit:
    """An audit whose tables lie in a DuckDB connection; each step fills those of its stage."""

    con: duckdb.DuckDBPyConnection
    inputs: AuditInputs


@dataclass(frozen=True)
class Publication:
    """Where a run is published, and what its manifest says that it was made of."""

    store: Store
    identity: RunIdentity
    batches: Sequence[Batch]
    settings: Settings


class RunSteps:
    """One method a stage, called in this order; only `ingest` and `publish` change OUT."""

    def ingest(self, loading: Loading) -> tuple[Outcome, ...]:
        """Load the extracts; called again after an error it goes on with the one that failed."""
        return load_extracts(loading)

    def lines(self, inputs: AuditInputs) -> Audit:
        """Open a database over the batches, and find the claim lines that stand after corrections; the caller closes the connection."""
        inputs.report(StageBegun("lines"))
        con = open_warehouse(inputs.work, inputs.memory_limit, threads=1 if inputs.are_little else None)
        try:
            load_inputs(con, inputs.tables)
            if inputs.findings_before is not None:
                with registered(con, "findings_before", inputs.findings_before):
                    con.execute(f"insert into previous_findings by name select {', '.join(FINDING_COLUMNS)} from findings_before")
            run_lines(con, inputs.policies, inputs.settings)
        except BaseException:
            con.close()
            raise
        return Audit(con, inputs)

    def timeline(self, audit: Audit) -> None:
        """Find each person's injections, and how they stand to one another, for every policy."""
        audit.inputs.report(StageBegun("timeline"))
        run_timelines(audit.con, audit.inputs.policies, audit.inputs.settings)

    def rules(self, audit: Audit) -> None:
        """Apply the rules of every policy."""
        audit.inputs.report(StageBegun("rules"))
        run_rules(audit.con, audit.inputs.policies, audit.inputs.settings)

    def findings(self, audit: Audit) -> None:
        """Make findings of what rules found, with the dollars that each claims, and compare them with those before."""
        audit.inputs.report(StageBegun("findings"))
        run_stage(audit.con, "4_findings", audit.inputs.settings)

    def reports(self, audit: Audit) -> None:
        """Fill the tables that are published."""
        audit.inputs.report(StageBegun("reports"))
        run_stage(audit.con, "5_reports", audit.inputs.settings)

    def publish(self, audit: Audit, publication: Publication) -> Path:
        """Publish a finished audit, and give the folder of the run, which is then the current one; the caller holds OUT's lock."""
        audit.inputs.report(StageBegun("publish"))
        return _publish(audit, publication)


PLAIN_STEPS = RunSteps()
"""The steps as they are."""


@contextmanager
def audited(inputs: AuditInputs, steps: RunSteps = PLAIN_STEPS) -> Iterator[Audit]:
    """Run all SQL stages; the tables are there inside."""
    audit = steps.lines(inputs)
    try:
        steps.timeline(audit)
        steps.rules(audit)
        steps.findings(audit)
        steps.reports(audit)
        yield audit
    finally:
        audit.con.close()


def _publish(audit: Audit, publication: Publication) -> Path:
    """Publish the tables of a finished audit, with the files that people get."""
    store = publication.store
    previous_run_id = publication.identity.previous_run_id
    previous = store.runs / previous_run_id if previous_run_id else None

    def write_for_people(run: Path) -> None:
        handoff = run / "handoff"
        handoff.mkdir(mode=0o700)
        write_run_handoff(run, previous, publication.settings, handoff)
        write_durably(run / "report.html", partial(write_page, run))

    [totals] = fetch_dicts(audit.con, "from totals")
    block_size = SMALL_BLOCKS if audit.inputs.are_little else LARGE_BLOCKS
    contents = Contents(load_stage("5_reports"), load_stage("auditor"), audit.inputs.policies, audit.inputs.settings, block_size)
    return publish_run(store, audit.con, publication.identity, publication.batches, totals, contents, write_more=write_for_people)
