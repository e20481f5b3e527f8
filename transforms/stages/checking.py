"""Plan all SQL over nothing: what would stop a run, or what people get of it, is said before there is one."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sij_audit.transforms.duck import current_database
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages.inputs import ASKED_COLUMNS, SERVED_COLUMNS, Inputs, create_table, load_inputs, open_warehouse
from sij_audit.transforms.stages.planning import explain_mistakes
from sij_audit.transforms.stages.policies import Policy, Rule
from sij_audit.transforms.stages.queries import load_stage
from sij_audit.transforms.stages.running import describe_policies, run_rule, run_stage, run_timeline, share_timeline
from sij_audit.transforms.stages.working import write_working

SETTINGS: Mapping[str, Any] = {
    "as_of": date(2000, 1, 1),
    "line_of_business": "commercial",
    "run_id": "",
    "previous_run_id": "",
    "version": "",
}
"""A value of its type for each setting that a query of stages 1 to 5 may name."""

AFTER_RUN: Mapping[str, Mapping[str, Any]] = {
    "6_handoff": {"max_requests_per_provider": 1, "asked_since": date(2000, 1, 1)},
    "7_page": {},
    "8_changes": {},
}
"""The stages that read the tables of a run, each with a value of its type for what it may name."""


@dataclass(frozen=True)
class Checked:
    """How much was planned, and a sentence for each mistake."""

    queries: int
    rules: int
    views: int
    mistakes: tuple[str, ...]


def check_sql(policies: Sequence[Policy]) -> Checked:
    """Run all SQL of the program and of these policies over no claims at all.

    Of rules, views and macros each that is wrong is named. A table of the stages that is wrong is the last that is: all others read it.
    """
    auditor = load_stage("auditor")
    rules = [(policy, rule) for policy in policies for rule in policy.rules]
    queries = sum(len(load_stage(stage)) for stage in ("1_lines", "2_timeline", "4_findings", "5_reports", *AFTER_RUN))
    mistakes: list[str] = []
    with tempfile.TemporaryDirectory() as folder, open_warehouse(Path(folder)) as con:
        try:
            load_inputs(con, Inputs())
            run_stage(con, "1_lines", SETTINGS)
            describe_policies(con, policies)
            for policy in policies:
                run_timeline(con, policy, SETTINGS)
            sound: list[Rule] = []
            for policy, rule in rules:
                with _gather(mistakes):
                    run_rule(con, policy, rule, SETTINGS)
                    sound.append(rule)
            share_timeline(con, policies)
            run_stage(con, "4_findings", SETTINGS)
            run_stage(con, "5_reports", SETTINGS)
            of_sound_rules = [replace(policy, rules=tuple(rule for rule in policy.rules if rule in sound)) for policy in policies]
            with _gather(mistakes):
                write_working(con, current_database(con), current_database(con), of_sound_rules, SETTINGS)
            for query in auditor:
                with _gather(mistakes), explain_mistakes(query):
                    con.execute(query.sql)
            create_table(con, "served_findings", SERVED_COLUMNS)
            create_table(con, "asked_claims", ASKED_COLUMNS)
            for stage, values in AFTER_RUN.items():
                run_stage(con, stage, values)
        except AuditError as error:
            mistakes.append(str(error))
    return Checked(queries, len(rules), len(auditor), tuple(mistakes))


@contextmanager
def _gather(mistakes: list[str]) -> Iterator[None]:
    """Note a mistake, and go on behind it."""
    try:
        yield
    except AuditError as error:
        mistakes.append(str(error))
