"""A run goes down the stairs, step by step, and a trial of other limits goes the same steps."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from sij_audit.transforms.audit.inputs import gather_inputs
from sij_audit.transforms.audit.progress import Event, StageBegun
from sij_audit.transforms.audit.run import Request, identify_run, run_audit
from sij_audit.transforms.audit.steps import Audit, RunSteps, audited
from sij_audit.transforms.stages.policies import load_policies, policy_folders
from sij_audit.transforms.stages.queries import load_stage
from sij_audit.transforms.store.folder import Store
from tests.runs import line, run, write_extract

STAGES = {"timeline": "2_timeline", "findings": "4_findings", "reports": "5_reports"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("steps")
    run(folder / "out", write_extract(folder / "x.csv", [line("C1", "2024-01-02"), line("C2", "2024-01-05")]))
    return Store(folder / "out")


def tables(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """All tables, with their schemas: a policy's and the reports' may have one name."""
    return set(con.execute("select schema_name, table_name from duckdb_tables()").fetchall())


def test_a_run_reports_each_stage_once_and_in_order(tmp_path: Path) -> None:
    seen: list[Event] = []
    extract = write_extract(tmp_path / "x.csv", [line("C1", "2024-01-02")])
    run_audit(Request(out=tmp_path / "out", extracts=(extract,), as_of=date(2024, 6, 30)), seen.append)
    begun = [event.name for event in seen if isinstance(event, StageBegun)]
    assert begun == ["lines", "timeline", "rules", "findings", "reports", "publish"]


def test_each_step_fills_the_tables_of_its_stage_alone(store: Store) -> None:
    policies = load_policies(policy_folders())
    expected = {step: {query.table for query in load_stage(stage)} for step, stage in STAGES.items()}
    expected["rules"] = {rule.rule_id for policy in policies for rule in policy.rules}
    before: dict[str, set[tuple[str, str]]] = {}

    class Watched(RunSteps):
        def timeline(self, audit: Audit) -> None:
            before["timeline"] = tables(audit.con)
            super().timeline(audit)

        def rules(self, audit: Audit) -> None:
            before["rules"] = tables(audit.con)
            super().rules(audit)

        def findings(self, audit: Audit) -> None:
            before["findings"] = tables(audit.con)
            super().findings(audit)

        def reports(self, audit: Audit) -> None:
            before["reports"] = tables(audit.con)
            super().reports(audit)

    with store.lock():
        batches = store.batches()
        identity = identify_run(store, Request(out=store.root), batches, [], policies)
        with audited(gather_inputs(store, batches, [], policies, identity), Watched()) as audit:
            stands = [*before.values(), tables(audit.con)]
    filled = {step: {name for _, name in later - earlier} for step, earlier, later in zip(before, stands, stands[1:], strict=False)}
    assert filled == expected


@pytest.mark.parametrize("step", ["timeline", "rules", "findings", "reports"])
def test_an_error_in_a_step_closes_the_database(store: Store, step: str) -> None:
    connections: list[duckdb.DuckDBPyConnection] = []

    def fail(audit: Audit) -> None:
        connections.append(audit.con)
        raise MemoryError

    steps = RunSteps()
    setattr(steps, step, fail)
    policies = load_policies(policy_folders())
    with store.lock():
        identity = identify_run(store, Request(out=store.root), [], [], policies)
        with pytest.raises(MemoryError), audited(gather_inputs(store, [], [], policies, identity), steps):
            pass
    with pytest.raises(duckdb.ConnectionException):
        connections[0].execute("select 1")
