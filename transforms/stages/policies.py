"""Policies with their limits: a folder with `policy.toml` and one SQL file a rule.

All that is known about a rule stands in its own file's header, and all that several rules share in its folder's `policy.toml`; nothing of it
is repeated in Python.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages.queries import SQL, Query, load_stage, place_of, read_query
from sij_audit.transforms.stages.reference import reference_files
from sij_audit.transforms.stages.states import StateRule, read_states

RULES = SQL / "3_rules"

Value = int | str | bool | date | list[str]

POLICY_KEYS = {
    "policy_id",
    "revisions",
    "presumes",
    "title",
    "effective_from",
    "text_held_from",
    "precedence_lines",
    "precedence_reason",
    "noted_lines",
    "noted_reason",
    "crossover_lines",
}


DATES = {"effective_from", "text_held_from"}

LISTS = {"revisions", "presumes", "precedence_lines", "noted_lines", "crossover_lines"}

RUN_STAGES = ("1_lines", "2_timeline", "4_findings", "5_reports", "6_handoff", "7_page", "auditor")
"""The folders of `sql/` that make a published run, besides its policies."""

STATES = "states.csv"

RULE_VALUES = {
    "rank": ("[0-9]+", "a whole number"),
    "per": ("injection|date|code", "injection, date or code"),
    "enabled": ("true|false", "true or false"),
}
"""What some keys of a rule's header may say."""


@dataclass(frozen=True)
class Rule:
    """One rule of a policy with the limits in force. `cites` is the family of procedures whose lines its findings cite."""

    query: Query
    rank: int
    section: str
    criterion: str
    """The policy's own words of what is not kept."""
    per: str
    cites: str
    enabled: bool
    effective: date
    text_held_from: date
    params: dict[str, Value]

    @property
    def rule_id(self) -> str:
        return self.query.table


@dataclass(frozen=True)
class Policy:
    """A policy folder, with those it extends laid under it. `facts` are the values of `policy.toml` that queries may name as parameters."""

    folder: Path
    facts: dict[str, Value]
    params: dict[str, Value]
    rules: tuple[Rule, ...]
    files: tuple[Path, ...]
    states: tuple[StateRule, ...]
    references: dict[str, str]
    """Limits (`name` of the whole policy, `RULE_ID.name` of a rule) that stand in another rule, and where: `RULE_ID.name`."""

    @property
    def policy_id(self) -> str:
        return str(self.facts["policy_id"])

    @property
    def revisions(self) -> list[str]:
        """The policy's revisions, YYYY-MM, each in force from the first day of its month of approval."""
        return cast("list[str]", self.facts["revisions"])

    @property
    def presumes(self) -> list[str]:
        """What findings may rest on without being in doubt: doubt_id."""
        return cast("list[str]", self.facts["presumes"])

    @property
    def name_in_sql(self) -> str:
        """The letters and digits of its id, for names of schemas; an id may be a word or begin with a digit, a schema's name may not."""
        return re.sub(r"[^a-z0-9]+", "_", self.policy_id.lower())

    @property
    def schema(self) -> str:
        """The DuckDB schema that holds its tables of stages 2 and 3."""
        return f"stages_of_{self.name_in_sql}"


def policy_folders() -> list[Path]:
    """The policies that come with the program."""
    return sorted(path.parent for path in RULES.glob("*/policy.toml"))


def load_policies(folders: list[Path]) -> list[Policy]:
    """Read the policies of these folders, by policy_id; two with one id are an error.

    A policy that extends another one of them under the same id stands in its place.
    """
    loaded = [load_policy(folder) for folder in folders]
    policies = sorted((policy for policy in loaded if not _is_replaced(policy, loaded)), key=lambda policy: policy.policy_id)
    for one, other in pairwise(sorted(policies, key=lambda policy: policy.schema)):
        if one.schema == other.schema:
            raise AuditError(
                f"{other.folder.name}/policy.toml: policy_id has the letters and digits of that of {one.folder.name}; give one of them another"
            )
    return policies


def _is_replaced(policy: Policy, others: list[Policy]) -> bool:
    own_file = (policy.folder / "policy.toml").resolve()
    return any(
        other.policy_id == policy.policy_id
        and other.folder.resolve() != policy.folder.resolve()
        and own_file in (file.resolve() for file in other.files)
        for other in others
    )


def load_policy(folder: Path) -> Policy:
    """Read a policy folder: its `policy.toml`, the rules in it, and under both those of the policy that it extends.

    Source of a limit, the later winning: a rule's header, `[rules.RULE_ID]` of the policy that is extended, `[rules.RULE_ID]` of this one. A
    header may name another rule's limit (`RULE_ID.name`), which then has one place only.
    """
    facts, params, overrides, queries, files = _layers(folder, ())
    missing = POLICY_KEYS - {"title"} - facts.keys()
    if missing:
        raise AuditError(f"{folder.name}/policy.toml: '{sorted(missing)[0]}' is missing")
    for name in sorted(POLICY_KEYS & facts.keys()):
        kind = date if name in DATES else list if name in LISTS else str
        if type(facts[name]) is not kind:
            raise AuditError(f"{folder.name}/policy.toml: {name} is no {'text' if kind is str else kind.__name__}")
    by_rule = {query.table: query for query in queries}
    for rule_id in overrides:
        if rule_id not in by_rule:
            raise AuditError(f"{folder.name}/policy.toml: [rules.{rule_id}] is no rule of this policy")
    place = f"{folder.name}/policy.toml"
    own = {rule_id: _own_params(place, query, overrides.get(rule_id, {})) for rule_id, query in by_rule.items()}
    references = {name: str(value) for name, value in params.items() if _is_reference(value, own)} | {
        f"{rule_id}.{name}": str(value) for rule_id, limits in own.items() for name, value in limits.items() if _is_reference(value, own)
    }
    params = {name: _followed(place, name, value, own) for name, value in params.items()}
    rules = tuple(
        sorted(
            (
                _rule(
                    query,
                    facts,
                    overrides.get(rule_id, {}),
                    {name: _followed(query.place, name, value, own) for name, value in own[rule_id].items()},
                )
                for rule_id, query in by_rule.items()
            ),
            key=lambda rule: rule.rank,
        )
    )
    if len({rule.rank for rule in rules}) < len(rules):
        raise AuditError(f"{folder.name}: two rules have one rank; money needs an order")
    _check_revisions(folder, facts)
    states = [path for path in files if path.name == STATES]
    return Policy(folder, facts, params, rules, tuple(files), tuple(read_states(states[-1]) if states else ()), references)


def _check_revisions(folder: Path, facts: dict[str, Any]) -> None:
    """Check that revisions are months in their order, the first not later than the policy."""
    revisions = facts["revisions"]
    place = f"{folder.name}/policy.toml: revisions"
    if not revisions or not all(isinstance(month, str) and re.fullmatch("[0-9]{4}-(0[1-9]|1[0-2])", month) for month in revisions):
        raise AuditError(f"{place}: must be months of approval, YYYY-MM")
    if list(revisions) != sorted(set(revisions)):
        raise AuditError(f"{place}: must stand in the order of their months, each once")
    if f"{revisions[0]}-01" > facts["effective_from"].isoformat():
        raise AuditError(f"{place}: the first is later than effective_from")


def _layers(
    folder: Path, above: tuple[Path, ...]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, Any]], list[Query], list[Path]]:
    path = folder / "policy.toml"
    if not path.is_file():
        raise AuditError(f"{folder}: no policy.toml; a policy is a folder with one")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise AuditError(f"{folder.name}/policy.toml: {error}") from None
    facts: dict[str, Any] = {}
    params: dict[str, Any] = {}
    overrides: dict[str, dict[str, Any]] = {}
    queries: dict[str, Query] = {}
    files: list[Path] = []
    base_name = content.pop("extends", None)
    if base_name is not None:
        base = next((place for place in (folder.parent / base_name, RULES / base_name) if (place / "policy.toml").is_file()), None)
        if base is None or base in above or base == folder:
            raise AuditError(f'{folder.name}/policy.toml: extends = "{base_name}": there is no such policy folder')
        facts, params, overrides, inherited, files = _layers(base, (*above, folder))
        queries = {query.table: query for query in inherited}
    params = {**params, **content.pop("params", {})}
    for rule_id, values in content.pop("rules", {}).items():
        overrides = {**overrides, rule_id: {**overrides.get(rule_id, {}), **values}}
    for key in content:
        if key not in POLICY_KEYS:
            raise AuditError(
                f"{folder.name}/policy.toml: unknown key '{key}'; known: {', '.join(sorted(POLICY_KEYS))}, extends, params, rules"
            )
    facts = {**facts, **content}
    own_files = sorted(folder.glob("*.sql"))
    queries |= {query.table: query for query in (read_query(file, "3_rules") for file in own_files)}
    own_states = [folder / STATES] if (folder / STATES).is_file() else []
    return facts, params, overrides, list(queries.values()), [*files, path, *own_states, *own_files]


def _own_params(place: str, query: Query, overrides: dict[str, Any]) -> dict[str, Value]:
    if not isinstance(overrides.get("enabled", True), bool):
        raise AuditError(f"{place}: [rules.{query.table}]: enabled must be true or false")
    for name in overrides:
        if name != "enabled" and name not in query.params:
            raise AuditError(f"{place}: [rules.{query.table}]: the rule has no limit '{name}'; it has: {', '.join(query.params) or 'none'}")
    return {name: overrides.get(name, _literal(default)) for name, default in query.params.items()}


def _literal(text: str) -> Value:
    try:
        value: Value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value


def _followed(place: str, name: str, value: Value, own: dict[str, dict[str, Value]]) -> Value:
    """Put the limit itself in the place of a reference to it (`RULE_ID.name`)."""
    if not _is_reference(value, own):
        return value
    rule_id, _, other = str(value).partition(".")
    if other not in own[rule_id]:
        raise AuditError(f"{place}: {name} = {value}: {rule_id} has no such limit")
    return own[rule_id][other]


def _is_reference(value: Value, own: dict[str, dict[str, Value]]) -> bool:
    return isinstance(value, str) and "." in value and value.partition(".")[0] in own


def _rule(query: Query, facts: dict[str, Any], overrides: dict[str, Any], params: dict[str, Value]) -> Rule:
    header = query.header
    for key, (pattern, meaning) in RULE_VALUES.items():
        if key in header and not re.fullmatch(pattern, header[key]):
            raise AuditError(f"{query.place}: {key}: {header[key]}: must be {meaning}")
    return Rule(
        query=query,
        rank=int(header["rank"]),
        section=header["section"],
        criterion=header["criterion"],
        per=header["per"],
        cites=header["cites"],
        enabled=bool(overrides.get("enabled", header.get("enabled", "true") == "true")),
        effective=_date(query, "effective") or facts["effective_from"],
        text_held_from=_date(query, "text_held_from") or facts["text_held_from"],
        params=params,
    )


def _date(query: Query, key: str) -> date | None:
    """Read a date of a rule's header, None where it has none."""
    try:
        return date.fromisoformat(query.header[key]) if key in query.header else None
    except ValueError:
        raise AuditError(f"{query.place}: {key}: {query.header[key]}: must be a date, YYYY-MM-DD") from None


def file_hashes(policies: list[Policy]) -> dict[str, str]:
    """SHA-256 of every file that decides what an audit says, by its path below `sql/` (or by folder and name, for a policy from elsewhere)."""
    stages = [query.path for stage in RUN_STAGES for query in load_stage(stage)]
    files = [*reference_files(), *stages, *(path for policy in policies for path in policy.files)]
    return {place_of(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
