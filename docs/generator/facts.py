"""What templates show of the program: tables of headers, reference tables, settings and code, as Markdown."""

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sij_audit.transforms.columns import COLUMNS, KINDS, LINE_STATUSES, QUARANTINE_REASONS, ROW_OUTCOMES, Column
from sij_audit.transforms.duck import select_report
from sij_audit.transforms.errors import EXIT_CODES, AuditError
from sij_audit.transforms.handoff.book import Limits
from sij_audit.transforms.ingest import file_kinds
from sij_audit.transforms.ingest.csv_lines import LINE_LIMIT, NUL_RUN
from sij_audit.transforms.ingest.extracts import EXPANSION_FREE, EXPANSION_LIMIT
from sij_audit.transforms.ingest.feeds import RECENT
from sij_audit.transforms.ingest.formats import SUFFIXES
from sij_audit.transforms.ingest.layouts.expressions import FUNCTIONS
from sij_audit.transforms.ingest.layouts.layout import Layout, LayoutText, Recognition, parse_layout
from sij_audit.transforms.ingest.part import FIRST_ROWS
from sij_audit.transforms.ingest.readings import DATE_FORMS
from sij_audit.transforms.ingest.row_checks import CHECKED_DATES
from sij_audit.transforms.settings import DEFAULT_FILE, FILE_VARIABLE, PREFIX, Feed, Settings, written
from sij_audit.transforms.stages.inputs import Inputs, load_inputs, open_warehouse
from sij_audit.transforms.stages.policies import Policy, Rule
from sij_audit.transforms.stages.queries import SQL, Query, load_stage
from sij_audit.transforms.stages.reference import load_claim_statuses, load_quality_checks, read_reference
from sij_audit.transforms.stages.running import SETTING_NAMES, policy_values, rule_values, run_stages

PER = {"injection": "injection (one person, one date)", "date": "person and date", "code": "person, date and code"}

TYPES = {
    "VARCHAR": "text",
    "DATE": "date",
    "BIGINT": "whole number",
    "INTEGER": "whole number",
    "BOOLEAN": "yes or no",
    "DOUBLE": "number",
}

LAYOUT_EXAMPLE = """
separator = "|"
encoding = "windows-1252"
header_row = 2                 # a title stands above it
nulls = ["-", "N/A"]
dates = "DD/MM/YYYY"
amounts = "1.234,50"

[forms]
paid_date = "YYYYMMDD"

[recognize]
cells = { LOB = "ACME.*" }

[columns]
claim_id = "Claim No"
claim_line_number = "Line"
member_id = { sql = "GRP || '-' || MBR" }
claim_line_start_date = "DOS From"
hcpcs_code = { sql = "split_part(PROC, '-', 1)" }
hcpcs_modifier_1 = { sql = "nullif(split_part(PROC, '-', 2), '')" }
paid_amount = "Net Paid"
paid_date = "Paid On"
claim_status = "Sts"
data_source = { sql = "'acme'" }

[values.claim_status]
PD = "paid"
DN = "denied"
RV = "reversed"

[values.modifiers]
LEFT = "LT"
RIGHT = "RT"
"""


@dataclass(frozen=True)
class RuleFacts:
    """One rule, as docs/rules.md shows it."""

    rule: Rule
    title: str
    prose: str
    criterion: str
    per: str
    cites: str
    limits: Sequence[str]
    records: str


@dataclass(frozen=True)
class PolicyFacts:
    """One policy with its rules, as docs/rules.md shows it.

    `place` is the file that has its limits, `timeline` the title and the prose of each table of stage 2.
    """

    policy: Policy
    place: str
    limits: str
    timeline: Mapping[str, tuple[str, str]]
    rules: Sequence[RuleFacts]


# --- pages


def describe_everything() -> dict[str, object]:
    """Give what every template may name: `prose` and `title` of a query's header, by stage and table, and the exit codes."""
    return {
        "prose": lambda stage, table: _prose(_query(stage, table)),
        "title": lambda stage, table: _query(stage, table).title,
        "exit_codes": table(("code", "meaning"), [(str(code), meaning) for code, meaning in EXIT_CODES.items()]),
    }


def describe_extracts() -> dict[str, object]:
    """Give what an extract must hold, and what becomes of it."""
    return {
        "suffixes": _joined(f"`{suffix}`" for suffix in SUFFIXES),
        "kinds": {kind: words for kind, (_, _, words) in KINDS.items()},
        "date_forms": ", ".join(DATE_FORMS),
        "columns": table(("column", "kind", "needed", "meaning", "normalised", "without it"), _column_rows()),
        "lines_of_business": table(("group", "line_of_business"), _line_of_business_rows()),
        "claim_statuses": table(("claim_status", "words"), _claim_status_rows()),
        "checked_dates": _joined(f"`{name}`" for name in CHECKED_DATES),
        "unchecked": _joined(f"`{column.name}`" for column in COLUMNS if "cannot be read" in column.meaning),
        "reasons": table(("reason", "what is wrong"), [(f"`{reason}`", what) for reason, what in QUARANTINE_REASONS.items()]),
        "row_outcomes": table(("outcome", "when"), [(name.replace("_", " "), what) for name, what in ROW_OUTCOMES.items()]),
        "quality_checks": table(("check", "what is wrong", "notice from", "what it does to findings", "what to do"), _quality_rows()),
        "usual_members": load_quality_checks()["person_over_members"].value_limit,
        "recent_extracts": RECENT,
        "nul_run": len(NUL_RUN),
        "line_limit": LINE_LIMIT >> 20,
        "expansion_limit": EXPANSION_LIMIT,
        "expansion_free": EXPANSION_FREE >> 20,
    }


def describe_findings() -> dict[str, object]:
    """Give the words in which a finding is written."""
    limits = Limits()
    return {
        "line_statuses": table(("`line_status`", "when"), [(f"`{status}`", what) for status, what in LINE_STATUSES.items()]),
        "determinations": re.findall(r"(\w+): ([^;]+)", _query("5_reports", "findings").columns["determination"]),
        "doubts": table(
            ("doubt", "what is open", "what settles it"),
            [(f"`{doubt['doubt_id']}`", doubt["description"], doubt["settled_by"]) for doubt in read_reference("doubts")],
        ),
        "rows_per_sheet": f"{limits.rows_per_sheet:,}",
        "characters_per_cell": f"{limits.characters_per_cell:,}",
    }


def describe_night() -> dict[str, object]:
    """Give the files that a run publishes."""
    reports = load_stage("5_reports")
    return {"report_files": [(f"{report.table}.parquet", report.title[0].lower() + report.title[1:]) for report in reports]}


def describe_reports(types: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    """Give each report with its columns; `types` has the published type of every column of every report."""
    return {
        "reports": [(query, _report_columns(query, types[query.table])) for query in load_stage("5_reports")],
        "auditor": table(("name", "kind", "what"), _auditor_rows()),
    }


def describe_settings() -> dict[str, object]:
    """Give every setting with its default."""
    return {
        "prefix": PREFIX,
        "file_variable": FILE_VARIABLE,
        "default_file": DEFAULT_FILE,
        "settings": table(("setting", "default", "meaning"), _setting_rows(Settings)),
        "feeds": table(("key", "default", "meaning"), _setting_rows(Feed)),
    }


def describe_layouts() -> dict[str, object]:
    """Give the keys of a layout, an example that is a layout, and what an expression may call."""
    parse_layout(LayoutText("example", LAYOUT_EXAMPLE))
    keys = [
        *_setting_rows(Layout),
        *((f"`recognize.{name[1:]}", *rest) for name, *rest in _setting_rows(Recognition)),
    ]
    functions = sorted(name for name in FUNCTIONS if name.isidentifier() and not name.endswith("_escape"))
    return {
        "example": LAYOUT_EXAMPLE.strip(),
        "keys": table(("key", "without it", "meaning"), keys),
        "functions": ", ".join(f"`{name}`" for name in functions),
        "first_rows": FIRST_ROWS,
        "text_suffixes": ", ".join(f"`{suffix}`" for suffix in file_kinds.KINDS[file_kinds.TEXT]),
    }


def describe_rules(policies: Sequence[Policy]) -> dict[str, object]:
    """Give each policy with its rules and limits, and the reference tables that they go by."""
    codes = read_reference("procedure_codes")
    families = read_reference("procedure_families")
    return {
        "policies": [_policy_facts(policy) for policy in policies],
        "families": table(
            ("family", "group", "what", "inconclusive", "source"),
            [
                (
                    f"`{family['family_id']}`",
                    family["family_group"],
                    family["description"],
                    _yes(family["is_inconclusive"] == "true"),
                    family["source"],
                )
                for family in families
            ],
        ),
        "codes": table(
            ("code", "family", "what", "from", "to", "source"),
            [
                (
                    code["hcpcs_code"],
                    f"`{code['family_id']}`",
                    code["description"],
                    code["effective_from"],
                    code["effective_to"],
                    code["source"],
                )
                for code in codes
            ],
        ),
        "modifiers": table(
            ("modifier", "read as", "what", "source"),
            [(row["modifier"], row["role"].replace("_", " "), row["description"], row["source"]) for row in read_reference("modifiers")],
        ),
    }


# --- policies and rules


def _policy_facts(policy: Policy) -> PolicyFacts:
    values = policy_values(policy, {})
    comments = {name: text for file in policy.files if file.name == "policy.toml" for name, text in read_comments(file).items()}
    rows = [(f"`{name}`", show_value(value), comments.get(name, "")) for name, value in policy.params.items()]
    return PolicyFacts(
        policy=policy,
        place=_place(policy.folder / "policy.toml"),
        limits=table(("name", "in force", "what"), rows),
        timeline={
            query.table: (_filled(query, query.title, values), _filled(query, _prose(query), values)) for query in load_stage("2_timeline")
        },
        rules=[_rule_facts(policy, rule) for rule in policy.rules],
    )


def _rule_facts(policy: Policy, rule: Rule) -> RuleFacts:
    values = rule_values(policy, rule, {})
    limits = [f"`{name}` = {show_value(value)} ({_source(policy, rule, name)})" for name, value in rule.params.items()]
    shared = [name for name in policy.params if f"${name}" in rule.query.sql and name not in rule.params]
    limits += [f"`{name}` = {show_value(policy.params[name])} (`{_place(policy.folder / 'policy.toml')}`)" for name in shared]
    return RuleFacts(
        rule=rule,
        title=_filled(rule.query, rule.query.title, values),
        prose=_filled(rule.query, _prose(rule.query), values),
        criterion=rule.criterion,
        per=PER[rule.per],
        cites=_cited(rule.cites),
        limits=limits,
        records=rule.query.header.get("records", "none"),
    )


def _source(policy: Policy, rule: Rule, name: str) -> str:
    """Name the one place where a limit can be changed."""
    default = rule.query.params[name]
    other = default.partition(".")[0]
    if other in {each.rule_id for each in policy.rules}:
        return f"the limit of `{other}`"
    if show_value(rule.params[name]) != default:
        return f"`[rules.{rule.rule_id}]` in `{_place(policy.folder / 'policy.toml')}`"
    return f"`{_place(rule.query.path)}`"


def _cited(cites: str) -> str:
    """Describe the family whose lines a rule cites, with its codes."""
    families = [family for family in read_reference("procedure_families") if family["family_id"] == cites]
    codes = read_reference("procedure_codes")
    return "; ".join(
        f"{family['description']} ({', '.join(code['hcpcs_code'] for code in codes if code['family_id'] == family['family_id'])})"
        for family in families
    )


def read_comments(path: Path) -> dict[str, str]:
    """Read the comment right above each name of a TOML file."""
    comments = {}
    above: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        name = re.match(r"([a-z_]+) *=", line)
        if line.startswith("# "):
            above.append(line[2:])
            continue
        if name and above:
            comments[name[1]] = " ".join(above)
        above = []
    return comments


# --- headers


def _query(stage: str, table_name: str) -> Query:
    """Find a query by its table; AuditError where the stage fills no such table."""
    for query in load_stage(stage):
        if query.table == table_name:
            return query
    raise AuditError(f"docs/templates: sql/{stage} has no file for the table '{table_name}'")


def _prose(query: Query) -> str:
    return query.prose.partition("\n\n")[0]


def _filled(query: Query, text: str, values: Mapping[str, object]) -> str:
    """Put limits in the place of their names (`$min_months`); AuditError names the file where there is no such limit."""

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise AuditError(f"{query.path.name}: its header names ${match[1]}, which is no limit")
        return show_value(values[match[1]])

    return re.sub(r"\$([a-z_]+)", value_of, text)


def _place(path: Path) -> str:
    return path.relative_to(SQL.parent).as_posix() if path.is_relative_to(SQL) else f"{path.parent.name}/{path.name}"


# --- extracts


def _column_rows() -> Iterable[tuple[str, ...]]:
    """List the columns of an extract, those of the diagnoses as one row."""
    diagnoses = [column.name for column in COLUMNS if column.name.startswith("diagnosis_code_")]
    for column in COLUMNS:
        if column.name not in diagnoses:
            yield _column_row(column, column.name)
        elif column.name == diagnoses[0]:
            yield _column_row(column, f"{column.name}` to `{diagnoses[-1]}")


def _column_row(column: Column, name: str) -> tuple[str, ...]:
    needed = {"column and value": "column, and a value in every row", "column": "column; may be empty"}.get(column.needed, column.needed)
    without = "the file is refused" if column.needed.startswith("column") else column.without
    return (f"`{name}`{' +' if column.is_ours else ''}", column.kind, needed, column.meaning, column.case, without)


def _line_of_business_rows() -> Iterable[tuple[str, str]]:
    rows = read_reference("lines_of_business")
    for group in dict.fromkeys(row["line_group"] for row in rows):
        tests: dict[str, list[str]] = {}
        for row in rows:
            if row["line_group"] == group:
                unless = " or ".join(f"`{text}`" for text in row["unless_matches"].split("|") if text)
                value = f"`{row['line_of_business']}`{f' (but not {unless})' if unless else ''}"
                tests.setdefault(row["match_kind"].replace("_", " "), []).append(value)
        yield group, "; ".join(f"{kind} {', '.join(values)}" for kind, values in tests.items())
    yield "unknown", "anything else, or nothing"


def _claim_status_rows() -> Iterable[tuple[str, str]]:
    words: dict[str, list[str]] = {}
    for word, status in load_claim_statuses().items():
        words.setdefault(status, []).append(f"`{word}`")
    for status, of_status in words.items():
        yield status, _joined(of_status)


# --- reports


def _quality_rows() -> Iterable[tuple[str, ...]]:
    for check in read_reference("quality_checks"):
        least = f"{check['least_found_count']} of at least {check['least_row_count']} {check['counted']}"
        limits = f"{least}, {100 * float(check['least_share']):g} %"
        yield f"`{check['check_id']}`", check["meaning"], limits, check["effect"], check["remedy"]


def report_types(policies: Sequence[Policy]) -> dict[str, dict[str, str]]:
    """Find the published type of every column of every report, by running the SQL over nothing."""
    with tempfile.TemporaryDirectory() as folder, open_warehouse(Path(folder)) as con:
        load_inputs(con, Inputs())
        run_stages(con, policies, dict.fromkeys(SETTING_NAMES))
        reports = [query.table for query in load_stage("5_reports")]
        described = {report: f"select column_name, column_type from (describe {select_report(con, report)})" for report in reports}
        return {report: dict(con.execute(select).fetchall()) for report, select in described.items()}


def _report_columns(query: Query, types: Mapping[str, str]) -> str:
    return table(("column", "type", "meaning"), [(f"`{name}`", _type_words(kind), query.columns[name]) for name, kind in types.items()])


def _type_words(kind: str) -> str:
    if kind.endswith("[]"):
        return f"list of {_type_words(kind[:-2])}"
    if kind.startswith("STRUCT"):
        return f"({', '.join(re.findall(r'([a-z_]+) [A-Z]', kind))})"
    return "US dollars" if kind.startswith("DECIMAL") else TYPES[kind]


def _auditor_rows() -> Iterable[tuple[str, str, str]]:
    for query in load_stage("auditor"):
        made = re.search(r"^create (view|macro) (\w+(?:\(.*?\))?)", query.sql, re.MULTILINE)
        if made is None:
            raise AuditError(f"{query.place}: makes no view and no macro")
        yield f"`{made[2]}`", made[1], query.title


# --- settings


def _setting_rows(model: type[BaseModel]) -> list[tuple[str, str, str]]:
    def default(field: FieldInfo) -> str:
        if field.is_required():
            return "must be given"
        value = written(field.default)
        return f"`{value}`" if value and value not in ("[]", "{  }", '""') else ""

    return [(f"`{name}`", default(field), field.description or "") for name, field in model.model_fields.items()]


# --- Markdown


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("|" + "|".join(f" {cell} ".replace("|", r"\|") if cell else " " for cell in line) + "|" for line in lines)


def show_value(value: object) -> str:
    """Write a limit or a fact of a policy."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _joined(value) if isinstance(value, list) else str(value)


def _joined(words: Iterable[object]) -> str:
    return ", ".join(map(str, words))


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""
