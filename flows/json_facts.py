"""The facts that commands give with --json, from what they print for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sij_audit.transforms.audit.check import Check
from sij_audit.transforms.audit.comparison import Comparison, FindingChange
from sij_audit.transforms.audit.history import Run, explain_difference
from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.audit.summary import RunSummary
from sij_audit.transforms.audit.what_if import WhatIf
from sij_audit.transforms.columns import Fault
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, NotReady, Outcome, Refused, Retracted

ROWS = ("read", "kept", "not_relevant", "quarantined", "duplicate")


def describe_run(as_of: date, result: Result) -> dict[str, Any]:
    """Give what became of a run's extracts, and what it published or, for a plan, would publish."""
    return {
        "is_new": result.run is not None,
        "run_id": result.current.name,
        "as_of": as_of,
        "extracts": [_describe_extract(outcome) for outcome in result.outcomes],
        "notices": result.notices,
        "remarks": result.remarks,
        "summary": _describe_summary(result.summary) if result.summary else None,
    }


def describe_check(as_of: date, check: Check) -> dict[str, Any]:
    """Give what extracts hold, and what a first run over them would say. Values are counted, not given: they may be anything."""
    return describe_run(as_of, check.result) | {
        "columns": [{"extract": extract.extract, **asdict(column)} for extract in check.extracts for column in extract.columns],
        "values_not_understood": [
            {"extract": extract.extract, "column": name, "values": len(words), "rows": sum(words.values())}
            for extract in check.extracts
            for name, words in extract.words.items()
        ],
    }


def describe_comparison(comparison: Comparison) -> dict[str, Any]:
    """Give what changed by rule and by provider."""
    return {"rules": list(map(asdict, comparison.rules)), "providers": list(map(asdict, comparison.providers))}


def describe_difference(before: Mapping[str, Any], after: Mapping[str, Any], comparison: Comparison, with_findings: bool) -> dict[str, Any]:
    """Give in what two runs, given by their manifests, differ; the findings that are not the same where they are asked for."""
    return {
        "before": {name: before[name] for name in ("run_id", "as_of")},
        "after": {name: after[name] for name in ("run_id", "as_of")},
        **describe_comparison(comparison),
        "findings": _list_changed(comparison.findings) if with_findings else None,
        "what_else_differs": explain_difference(before, after),
    }


def describe_runs(runs: Sequence[Run]) -> dict[str, Any]:
    """Give the runs that OUT holds, the first first; the figures of a damaged one are null."""
    return {
        "runs": [
            {
                "run_id": run.run_id,
                "is_current": run.is_current,
                "is_delivered": run.is_delivered,
                "size": run.size,
                "figures": asdict(run.figures) if run.figures else None,
            }
            for run in runs
        ]
    }


def describe_trial(what_if: WhatIf) -> dict[str, Any]:
    """Give what other limits would find."""
    return {
        "run_id": what_if.run_id,
        "as_of": what_if.as_of,
        "policy_id": what_if.trial.policy.policy_id,
        "settings": list(map(str, what_if.trial.settings)),
        "notices": what_if.trial.notices,
        **describe_comparison(what_if.comparison),
    }


def _describe_extract(outcome: Outcome) -> dict[str, Any]:
    reason = outcome.reason if isinstance(outcome, Refused | NotReady) else None
    controls = outcome.batch.controls if isinstance(outcome, Loaded | LoadedBefore) else None
    return {
        "extract": outcome.batch.extract if isinstance(outcome, Loaded | LoadedBefore) else outcome.extract,
        "outcome": _name_outcome(outcome),
        "reason": reason,
        "layout": outcome.batch.layout if isinstance(outcome, Loaded | LoadedBefore) else None,
        "rows": {name: controls[f"rows_{name}"] for name in ROWS} if controls else None,
        "quarantine_reasons": list(map(asdict, _list_faults(outcome))),
    }


def _list_faults(outcome: Outcome) -> Sequence[Fault]:
    match outcome:
        case Loaded(batch) | LoadedBefore(batch, _):
            return batch.faults
        case Refused(faults=faults):
            return faults
        case _:
            return ()


def _name_outcome(outcome: Outcome) -> str:
    match outcome:
        case Loaded():
            return "loaded"
        case LoadedBefore():
            return "loaded_before"
        case Refused(is_remembered=is_remembered):
            return "refused_before" if is_remembered else "refused"
        case NotReady():
            return "not_ready"
        case Retracted():
            return "retracted"


def _describe_summary(summary: RunSummary) -> dict[str, Any]:
    """Groups of lines of business alone: a value may be anything that an extract has in that column."""
    groups: dict[str, dict[str, Any]] = {}
    for met in summary.lines_of_business:
        group = groups.setdefault(met.line_group, {"line_group": met.line_group, "values": 0, "lines": 0})
        group["values"] += 1
        group["lines"] += met.line_count
    missing = [{"column": name, "extracts": extracts} for name, extracts in summary.missing_columns.items()]
    return asdict(summary) | {"lines_of_business": list(groups.values()), "missing_columns": missing}


def _list_changed(findings: Sequence[FindingChange]) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings if finding.status != "open"]
