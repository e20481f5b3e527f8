"""The claims of the current run audited with other limits: what they would find more and less. Nothing is published.

Both sides are audited here, today's limits and those tried, over the same lines up to the same date, so that nothing but the limits differs.
What is tried is a `policy.toml` that extends the policy; written to a folder of its own it is what goes live.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from sij_audit.transforms.audit.comparison import Comparison, compare_audit
from sij_audit.transforms.audit.counted_batches import check_codes, one_batch_each
from sij_audit.transforms.audit.progress import Reporter, StageBegun, report_nothing
from sij_audit.transforms.audit.steps import AuditInputs, audited
from sij_audit.transforms.errors import AuditError, SqlError, UsageError
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.inputs import Inputs
from sij_audit.transforms.stages.policies import RULES, Policy, Value, load_policy
from sij_audit.transforms.stages.reference import load_codes
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.retractions import retractions
from sij_audit.transforms.store.runs import find_run

KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    date: "a date, YYYY-MM-DD",
    list: "a list of texts",
}
"""What the value of a limit of each type is called."""

OUT_OF_RANGE = (duckdb.OutOfRangeException, duckdb.ConversionException, duckdb.InvalidInputException, SqlError)
"""What DuckDB says of dates that a limit moves beyond its calendar, or of numbers that are too large for it."""

BARE_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Setting:
    """One limit, or one rule turned on or off, that is tried; `rule_id` is None for a limit of the whole policy."""

    rule_id: str | None
    name: str
    today: Value
    tried: Value

    def __str__(self) -> str:
        if self.name == "enabled":
            return f"{self.rule_id} turned {'on' if self.tried else 'off'}"
        return f"{f'{self.rule_id}.' if self.rule_id else ''}{self.name} {_write_value(self.tried)} instead of {_write_value(self.today)}"


@dataclass(frozen=True)
class Trial:
    """A policy, and what is tried of it; `notices` are sentences on what was named and is in force anyhow."""

    policy: Policy
    settings: tuple[Setting, ...]
    notices: tuple[str, ...]

    def __str__(self) -> str:
        return " and ".join(map(str, self.settings))

    @property
    def policy_toml(self) -> str:
        """The policy that is tried: it extends today's under the same id, so that it stands in its place."""
        folder = self.policy.folder.resolve()
        base = folder.name if folder.parent == RULES else str(folder)
        tables: dict[str, list[Setting]] = {}
        for setting in sorted(self.settings, key=lambda setting: (setting.rule_id or "", setting.name)):
            tables.setdefault(f"rules.{_write_key(setting.rule_id)}" if setting.rule_id else "params", []).append(setting)
        lines = [f"# {self.policy.policy_id} with other limits: `sij-audit run --policy` with this file's folder audits by them.", ""]
        lines.append(f"extends = {_write_value(base)}")
        for table, settings in tables.items():
            lines += ["", f"[{table}]"]
            lines += [
                f"{_write_key(setting.name)} = {_write_value(setting.tried)}  # instead of {_write_value(setting.today)}"
                for setting in settings
            ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class WhatIf:
    """What came of a trial: findings of today's limits compared with those of the limits tried."""

    trial: Trial
    run_id: str
    """The run whose claims were audited."""
    as_of: date
    comparison: Comparison


def choose_policy(policies: Sequence[Policy], named: str | None) -> Policy:
    """Choose the policy that limits are tried of, by its id or its folder; UsageError where it is not there, or one must be named."""
    if named is None:
        if len(policies) == 1:
            return policies[0]
        raise UsageError(f"There are several policies: name one with --policy: {_list_ids(policies)}.")
    folder = Path(named).resolve()
    chosen = [policy for policy in policies if named == policy.policy_id or folder == policy.folder.resolve()]
    if not chosen:
        raise UsageError(f"{named} is no policy that is in force here; those are: {_list_ids(policies)}.")
    return chosen[0]


def _list_ids(policies: Sequence[Policy]) -> str:
    return ", ".join(policy.policy_id for policy in policies)


def read_trial(policy: Policy, assignments: Sequence[str], enable: Sequence[str] = (), disable: Sequence[str] = ()) -> Trial:
    """Read what is to be tried of a policy: `RULE.LIMIT=VALUE`, or `LIMIT=VALUE` for a limit of the whole policy; rules on or off.

    UsageError lists what there is where a rule or a limit is unknown, and says what a value must be where it is of another type. One that is
    in force anyhow has a notice, and is no part of the trial; where nothing else is left, UsageError.
    """
    settings = [_read_assignment(policy, assignment) for assignment in assignments]
    settings += [_switch(policy, rule_id, is_on) for rule_ids, is_on in ((enable, True), (disable, False)) for rule_id in rule_ids]
    places = [(setting.rule_id, setting.name) for setting in settings]
    if twice := [place for place in places if places.count(place) > 1]:
        rule_id, name = twice[0]
        raise UsageError(f"{f'{rule_id}.' if rule_id else ''}{name} is given twice: say one value.")
    notices = tuple(_describe_as_it_is(setting) for setting in settings if setting.tried == setting.today)
    tried = tuple(setting for setting in settings if setting.tried != setting.today)
    if not tried:
        raise UsageError(f"{' '.join(notices) or 'Nothing is to be tried.'} Name a limit with --set: {_list_limits(policy)}.")
    return Trial(policy, tried, notices)


def _describe_as_it_is(setting: Setting) -> str:
    if setting.name == "enabled":
        return f"{setting.rule_id} is {'on' if setting.today else 'off'} today already."
    return f"{f'{setting.rule_id}.' if setting.rule_id else ''}{setting.name} is {_write_value(setting.today)} today already."


def _read_assignment(policy: Policy, assignment: str) -> Setting:
    place, equals, text = (part.strip() for part in assignment.partition("="))
    if not equals or not text:
        raise UsageError(f"--set {assignment}: say RULE.LIMIT=VALUE, such as {_example(policy)}.")
    rule_id, dot, name = place.rpartition(".")
    if dot:
        limits = next((rule.params for rule in policy.rules if rule.rule_id == rule_id), None)
        if limits is None:
            raise UsageError(f"{rule_id} is no rule of {policy.policy_id}; its rules are: {_list_rules(policy)}.")
    else:
        limits = policy.params
    if name not in limits:
        raise UsageError(f"{policy.policy_id} has no limit {place}; it has: {_list_limits(policy)}.")
    if place in policy.references:
        raise UsageError(f"{place} is what {policy.references[place]} says: set that.")
    return Setting(rule_id or None, name, limits[name], _read_value(place, text, limits[name]))


def _read_value(place: str, text: str, today: Value) -> Value:
    """Read a value as `policy.toml` would have it; a text may go without its quotes."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if type(value) is not type(today):
        raise UsageError(f"{place} is {KINDS.get(type(today), 'of another kind')}, {_write_value(today)} today; {text} is none.")
    if isinstance(value, int | float) and value < 0:
        raise UsageError(f"{place} cannot be less than 0; it is {_write_value(today)} today.")
    return value


def _switch(policy: Policy, rule_id: str, is_on: bool) -> Setting:
    rule = next((rule for rule in policy.rules if rule.rule_id == rule_id), None)
    if rule is None:
        raise UsageError(f"{rule_id} is no rule of {policy.policy_id}; its rules are: {_list_rules(policy)}.")
    return Setting(rule_id, "enabled", rule.enabled, is_on)


def _list_rules(policy: Policy) -> str:
    return ", ".join(rule.rule_id + ("" if rule.enabled else " (off)") for rule in policy.rules)


def _list_limits(policy: Policy) -> str:
    limits = [(f"{rule.rule_id}.{name}", value) for rule in policy.rules for name, value in rule.params.items()]
    limits += policy.params.items()
    return ", ".join(f"{place}={_write_value(value)}" for place, value in limits if place not in policy.references)


def _example(policy: Policy) -> str:
    return _list_limits(policy).partition(", ")[0]


def _write_value(value: Any) -> str:
    """Write a value as TOML."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(_write_value(member) for member in value)}]"
        case _:
            return str(value)


def _write_key(key: str) -> str:
    return key if BARE_NAME.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def write_trial(trial: Trial, file: Path) -> None:
    """Write what was tried as the `policy.toml` of a folder that `run --policy` takes; UsageError where it cannot be that."""
    base = trial.policy.folder.resolve()
    folder = file.resolve().parent
    if file.name != "policy.toml":
        raise UsageError(f"{file}: a policy is a folder with a policy.toml: name the file so, in a folder of its own.")
    if file.exists() or file.is_symlink():
        raise UsageError(f"{file}: is there already; nothing is overwritten.")
    if base.parent == RULES and (folder.name == base.name or (folder.parent / base.name).exists()):
        raise UsageError(f"{file}: beside a folder {base.name}, or in one, it would not extend the policy of the program: choose another.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(trial.policy_toml)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}.") from None


def try_limits(store: Store, trial: Trial, as_of: date | None, memory_limit: str, report: Reporter = report_nothing) -> WhatIf:
    """Audit the claims of the current run with today's limits and with those tried, and compare what is found.

    The as-of date is that of the run, where none is given. OUT is not held: published batches do not change, so that this may go on
    beside a run, whose extracts do not count here before they are published. Only a folder to work in is made, and is gone at the end.
    """
    run = find_run(store)
    manifest = store.manifest(run)
    batches = find_batches(store, manifest)
    settings = {
        "as_of": as_of or date.fromisoformat(manifest["as_of"]),
        "line_of_business": manifest["settings"].get("line_of_business"),
        "run_id": run.name,
        "previous_run_id": None,
        "version": version("sij-audit"),
    }
    with store.scratch() as work:
        folder = work / "tried"
        folder.mkdir()
        (folder / "policy.toml").write_text(trial.policy_toml, encoding="utf-8")
        tried = load_policy(folder)
        versioning = manifest["settings"].get("versioning", {})
        tables = Inputs(
            batch_files=[batch.path for batch in batches],
            versioning={batch.path: versioning.get(batch.sha256) for batch in batches},
            lines_of_business=manifest["settings"].get("lines_of_business", {}),
        )
        inputs = AuditInputs(tables, [trial.policy], settings, work, memory_limit)
        report(StageBegun("the audit with today's limits"))
        with audited(inputs) as audit:
            today = audit.con.sql("select * from findings").to_arrow_table()
        report(StageBegun("the audit with the limits tried"))
        try:
            with audited(replace(inputs, policies=[tried], findings_before=today)) as audit:
                comparison = compare_audit(audit.con)
        except OUT_OF_RANGE as error:
            raise UsageError(
                f"With {trial.settings[0]} the audit cannot be computed ({type(error).__name__}): is it out of range?"
            ) from None
    return WhatIf(trial, run.name, settings["as_of"], comparison)


def find_batches(store: Store, manifest: Mapping[str, Any]) -> list[Batch]:
    """Find the batches of the extracts that a run was made of, but for those retracted since; AuditError names one that is not there."""
    retracted = retractions(store)
    wanted = {entry["extract_sha256"]: entry["extract"] for entry in manifest["inputs"] if entry["extract_sha256"] not in retracted}
    codes = load_codes()
    batches = [batch for batch in one_batch_each(store.batches(), codes, Settings()) if batch.sha256 in wanted]
    if missing := sorted(wanted[content] for content in wanted.keys() - {batch.sha256 for batch in batches}):
        raise AuditError(f"claims/ lacks the batch of {missing[0]}, or may not be read by this user. Give the extract again to a run.")
    check_codes(batches, codes)
    return batches
