"""Change one thing at a time in the SQL of stages 1 to 4, in the headers of rules and in policy.toml, and list the changes that no case notices.

    python -m tests.mutants                       # all
    python -m tests.mutants 2_timeline            # a stage
    python -m tests.mutants claim_rows tracks     # tables, rules or policy.toml

A change ("mutant") is run on the cases of the query that it is in, and is killed by the first that yields other rows. One that DuckDB or the
loader refuses counts as neither: the cases never saw it. Survivors that change nothing that anybody could see are listed with the reason in
`tests/accepted_mutants/STAGE.yaml`; any other survivor, an entry that holds no longer, or more than 5 % of survivors fails.
"""

import re
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb
import yaml

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages.policies import Policy, load_policy
from sij_audit.transforms.stages.queries import SQL
from tests.cases import Case, PipeTable, expected_rows, given_rows, select_rows, variants
from tests.queries import HEADERS, all_cases, empty_tables, make_headers, queries_of, set_schema, the_policy

STAGES = ("1_lines", "2_timeline", "3_rules", "4_findings")
ACCEPTED = Path(__file__).parent / "accepted_mutants"
MOST_SURVIVORS = 0.05

# --- the words of a SELECT

WORDS = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<text>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<param>\$[a-z_]+)
    | (?P<number>\b\d+(?:\.\d+)?\b)
    | (?P<phrase>\b(?:is\s+(?:not\s+)?distinct\s+from|is\s+(?:not\s+)?null|not\s+in|(?:group|order|partition)\s+by|union\s+all(?:\s+by\s+name)?
        |(?:asof\s+)?(?:inner|left|right|full|cross|semi|anti)\s+join|nulls\s+(?:first|last)|unbounded\s+(?:preceding|following)|current\s+row)\b)
    | (?P<word>[a-z_][a-z_0-9]*)
    | (?P<operator><=|>=|<>|!=|\|\||::|[-+*/%<>=&|])
    | (?P<mark>:=|[][(){},.:;])
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Word:
    """A word of SQL; `depth` counts the brackets, and the cases, that it stands in."""

    kind: str
    text: str
    start: int
    end: int
    depth: int


def words_of(sql: str) -> list[Word]:
    """Split a SELECT into its words, comments left out."""
    words: list[Word] = []
    depth = 0
    for match in WORDS.finditer(sql):
        kind, text = str(match.lastgroup), re.sub(r"\s+", " ", match.group().lower())
        if kind in ("text", "name"):
            text = match.group()
        if kind == "comment":
            continue
        if text in (")", "]", "}", "end"):
            depth -= 1
        words.append(Word(kind, text, match.start(), match.end(), depth))
        if text in ("(", "[", "{", "case"):
            depth += 1
    return words


# --- changes

Edit = tuple[int, int, str]
"""Where a piece of text begins and ends, and what takes its place."""

SWAPS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "=": "<>",
    "<>": "=",
    "+": "-",
    "-": "+",
    "*": "+",
    "/": "*",
    "&": "|",
    "|": "&",
    "and": "or",
    "or": "and",
    "in": "not in",
    "not in": "in",
    "is null": "is not null",
    "is not null": "is null",
    "is distinct from": "<>",
    "is not distinct from": "=",
    "true": "false",
    "false": "true",
    "asc": "desc",
    "desc": "asc",
    "nulls first": "nulls last",
    "nulls last": "nulls first",
    "inner join": "left join",
    "left join": "inner join",
    "semi join": "anti join",
    "anti join": "semi join",
    "asof inner join": "asof left join",
    "asof left join": "asof inner join",
    "union all": "union",
    "unbounded preceding": "1 preceding",
    "unbounded following": "1 following",
    "current row": "1 preceding",
}
CALLS = {
    "min": "max",
    "max": "min",
    "min_by": "max_by",
    "max_by": "min_by",
    "sum": "max",
    "bool_and": "bool_or",
    "bool_or": "bool_and",
    "bit_or": "bit_and",
    "bit_and": "bit_or",
    "first_value": "last_value",
    "last_value": "first_value",
    "lag": "lead",
    "lead": "lag",
    "dense_rank": "row_number",
    "greatest": "least",
    "least": "greatest",
    "list_has_any": "list_has_all",
    "list_has_all": "list_has_any",
    "starts_with": "contains",
    "contains": "starts_with",
    "to_months": "to_days",
    "to_years": "to_months",
    "to_days": "to_months",
}
DROPPED_CALLS = {"abs", "lower", "upper", "trim", "list_sort", "list_distinct", "flatten"}
CLAUSES = {"where", "on", "having", "qualify"}
BOUNDS = CLAUSES | {
    *("select", "from", "as", "when", "then", "else", "using", "window", "limit", "filter", "over", "distinct", "rows", "range", "lambda"),
    *("group by", "order by", "partition by", "union", "union all", "union all by name", "except", "intersect", ",", ":", ";"),
}
"""What ends a condition at its own depth, joins aside."""


def edits_of(sql: str, values: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield every change of a SELECT whose parameters have these values."""
    words = words_of(sql)
    for place, word in enumerate(words):
        yield from _swaps(words, place)
        yield from _constants(words, place, values)
        is_key_list = word.text == "(" and place > 0 and words[place - 1].text == "using"
        if word.text in ("group by", "order by", "partition by", "{") or is_key_list:
            yield from _lists(words, place)
        if word.text == "case":
            yield from _branches(sql, words, place)
        if word.kind == "word" and place + 1 < len(words) and words[place + 1].text == "(":
            yield from _calls(sql, words, place)
    yield from _conditions(words)


def _swaps(words: list[Word], place: int) -> Iterator[Edit]:
    word = words[place]
    before, after = words[place - 1].text if place else "", words[place + 1].text if place + 1 < len(words) else ""
    is_bound = word.text == "and" and _is_of_between(words, place)
    is_star = word.text == "*" and (before in ("select", ".", ",", "(") or after in (",", ")", "from", "exclude"))
    if word.kind in ("word", "phrase", "operator") and word.text in SWAPS and not is_bound and not is_star:
        yield word.start, word.end, SWAPS[word.text]
    if word.text in ("not", "distinct") and before != "is":
        yield word.start, words[place + 1].start, ""


def _is_of_between(words: list[Word], place: int) -> bool:
    for word in reversed(words[:place]):
        if word.depth < words[place].depth or (word.depth == words[place].depth and word.text in ("and", "or", ",")):
            return False
        if word.depth == words[place].depth and word.text == "between":
            return True
    return False


def _constants(words: list[Word], place: int, values: Mapping[str, Any]) -> Iterator[Edit]:
    word = words[place]
    if word.kind == "number" and not (place > 1 and words[place - 2].text in ("decimal", "varchar")):
        yield word.start, word.end, str(int(word.text) + 1) if word.text.isdigit() else f"({word.text} + 1)"
    if word.kind == "text" and not (place + 1 < len(words) and words[place + 1].text == ":"):
        is_date = place and words[place - 1].text == "date"
        yield word.start, word.end, f"'{_next_day(word.text[1:-1])}'" if is_date else f"{word.text[:-1]}~'"
    if word.kind == "param":
        yield word.start, word.end, _other_value(word.text, values.get(word.text[1:]))


def _next_day(text: str) -> str:
    day = date.fromisoformat(text)
    return (day + timedelta(days=1 if day < date.max else -1)).isoformat()


def _other_value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"(not {name})"
    if isinstance(value, int):
        return f"({name} + 1)"
    if isinstance(value, date):
        return f"({name}::date + 1)"
    return "[]" if isinstance(value, list) else "null"


def _lists(words: list[Word], place: int) -> Iterator[Edit]:
    """Leave out each item of a list of columns, or of a struct that is compared, and turn each order round."""
    head = words[place] if words[place].kind != "mark" else replace(words[place], depth=words[place].depth + 1)
    ends = {"having", "qualify", "window", "order by", "limit", "rows", "range", "union", "union all", "union all by name"}
    inner = []
    for word in words[place + 1 :]:
        if word.depth < head.depth or (word.depth == head.depth and word.text in (*ends, ")", ";")):
            break
        inner.append(word)
    items = _split(inner, head.depth)
    if len(items) == 1 and head.kind != "mark":
        yield head.start, items[0][-1].end, ""
    for number, item in enumerate(items):
        if len(items) > 1:
            yield (
                (item[0].start, items[number + 1][0].start, "")
                if number + 1 < len(items)
                else (items[number - 1][-1].end, item[-1].end, "")
            )
        if head.text == "order by" and not any(word.text in ("asc", "desc") for word in item):
            last = next((word for word in item if word.text.startswith("nulls ")), None)
            position = last.start if last else item[-1].end
            yield position, position, "desc " if last else " desc"


def _split(words: list[Word], depth: int) -> list[list[Word]]:
    items: list[list[Word]] = [[]]
    for word in words:
        if word.depth == depth and word.text == ",":
            items.append([])
        else:
            items[-1].append(word)
    return [item for item in items if item]


def _branches(sql: str, words: list[Word], place: int) -> Iterator[Edit]:
    """Leave out each branch of a case; where it has but one, put what it gives otherwise in the place of the whole."""
    case = words[place]
    inside = []
    for word in words[place + 1 :]:
        inside.append(word)
        if word.depth == case.depth and word.text == "end":
            break
    end = inside[-1]
    marks = [word for word in inside if word.depth == case.depth + 1 and word.text in ("when", "else")]
    whens = [word for word in marks if word.text == "when"]
    others = [word for word in marks if word.text == "else"]
    if len(whens) == 1:
        yield case.start, end.end, f"({sql[others[0].end : end.start].strip()})" if others else "null"
    else:
        for when in whens:
            following = next((mark for mark in marks if mark.start > when.start), end)
            yield when.start, following.start, ""
    for other in others:
        if sql[other.end : end.start].strip() != "null":
            yield other.start, end.start, ""


def _calls(sql: str, words: list[Word], place: int) -> Iterator[Edit]:
    name = words[place]
    inside = []
    for word in words[place + 2 :]:
        if word.depth == name.depth and word.text == ")":
            break
        inside.append(word)
    close = words[place + 2 + len(inside)]
    if name.text in CALLS:
        yield name.start, name.end, CALLS[name.text]
    if name.text in DROPPED_CALLS:
        yield name.start, close.end, f"({sql[inside[0].start : inside[-1].end]})"
    if name.text == "coalesce":
        arms = [sql[arm[0].start : arm[-1].end] for arm in _split(inside, name.depth + 1)]
        for number in range(len(arms)):
            others = [arm for other, arm in enumerate(arms) if other != number]
            yield name.start, close.end, f"coalesce({', '.join(others)})" if len(others) > 1 else f"({others[0]})"


def _conditions(words: list[Word]) -> Iterator[Edit]:
    """Leave out each arm of an `and` or `or`, and a condition that stands alone."""
    for place, word in enumerate(words):
        if word.text in ("and", "or") and word.kind == "word" and not _is_of_between(words, place):
            left, right = _arm(words, place, -1), _arm(words, place, 1)
            if left and (first := words.index(left[0])) >= 0 and (not first or words[first - 1].text not in ("and", "or")):
                yield left[0].start, right[0].start, ""
            yield left[-1].end, right[-1].end, ""
        if word.text in CLAUSES and word.kind == "word":
            arm = _arm(words, place, 1)
            following = words.index(arm[-1]) + 1 if arm else len(words)
            if arm and not (following < len(words) and words[following].depth == word.depth and words[following].text in ("and", "or")):
                yield arm[0].start, arm[-1].end, "true"


def _arm(words: list[Word], place: int, step: int) -> list[Word]:
    """The words on one side of a word, up to the next and, or, or end of the condition."""
    depth = words[place].depth
    arm: list[Word] = []
    position = place + step
    is_bound = False
    while 0 <= position < len(words):
        word = words[position]
        is_bracket = word.depth == depth and word.text in (("(", "[", "case") if step < 0 else (")", "]", "end"))
        if word.depth < depth or (is_bracket and not _has_partner(arm, word)):
            break
        if word.depth == depth and word.kind != "text":
            is_bound = is_bound or word.text == "between"
            if word.text in BOUNDS or word.text.endswith(" join") or (word.text in ("and", "or") and not _is_of_between(words, position)):
                break
        arm.append(word)
        position += step
    return arm if step > 0 else arm[::-1]


def _has_partner(arm: list[Word], bracket: Word) -> bool:
    """Whether the arm, so far, holds a bracket that this one opens or closes."""
    pairs = {"(": ")", "[": "]", "case": "end"}
    partner = (pairs | {closing: opening for opening, closing in pairs.items()})[bracket.text]
    balance = sum((word.text == partner) - (word.text == bracket.text) for word in arm if word.depth == bracket.depth)
    return balance > 0


# --- mutants

Checks = Mapping[str, tuple[str, Mapping[str, Any]]]
"""SQL and values of the queries that a mutant changes, by name."""


@dataclass
class Mutant:
    """One change of one file and what became of it."""

    file: str
    line: int
    before: str
    after: str
    checks: Checks
    policy: Policy | None = None
    outcome: str = "survived"
    occurrence: int = 1

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.file, self.before, self.after, self.occurrence


def mutants_of(text: str, file: str, edits: Iterable[Edit]) -> Iterator[tuple[Mutant, str]]:
    """Apply each edit alone; give the mutant, its checks still to be filled, and the whole text that it makes."""
    seen = {text}
    counts: Counter[tuple[str, str]] = Counter()
    for start, end, replacement in edits:
        changed = text[:start] + replacement + text[end:]
        if changed in seen:
            continue
        seen.add(changed)
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", end) if "\n" in text[end:] else len(text)
        before = " ".join(text[first:last].split())
        after = " ".join((text[first:start] + replacement + text[end:last]).split())
        counts[before, after] += 1
        yield Mutant(file, text.count("\n", 0, start) + 1, before, after, {}, occurrence=counts[before, after]), changed


def sql_mutants(name: str) -> Iterator[Mutant]:
    """Yield all mutants of one query's SELECT."""
    query, values = queries_of(the_policy())[name]
    for mutant, changed in mutants_of(query.sql, query.path.relative_to(SQL).as_posix(), edits_of(query.sql, values)):
        mutant.checks = {name: (changed, values)}
        yield mutant


HEADER_VALUE = re.compile(
    r"^-- (?P<key>rank|per|judges|cites|effective|text_held_from|section|enabled|param): +(?:\w+ *= *)?(?P<value>.*\S)", re.M
)
TOML_VALUE = re.compile(r"^(?P<key>[a-z_]+) = (?P<value>.*\S)", re.M)


def header_edits(text: str) -> Iterator[Edit]:
    """Yield changes of the values in a rule's header."""
    for match in HEADER_VALUE.finditer(text):
        yield *match.span("value"), _other_literal(match["value"], match["key"])


def toml_edits(text: str) -> Iterator[Edit]:
    """Yield changes of the values in a policy.toml that something is worked out from."""
    for match in TOML_VALUE.finditer(text):
        if match["key"] not in ("title", "policy_id", "version") and not match["key"].endswith("_reason"):
            yield *match.span("value"), _other_literal(match["value"], match["key"])


def _other_literal(value: str, key: str) -> str:
    if key == "per":
        return {"injection": "date", "date": "code", "code": "injection"}[value]
    if re.fullmatch(r"\d+", value):
        return str(int(value) + 1) if key != "rank" else str(int(value) * 100)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return _next_day(value)
    if value in ("true", "false"):
        return SWAPS[value]
    if value.startswith("["):
        return "[]"
    return f'{value[:-1]}~"' if value.endswith('"') else "60" if "." in value and key == "param" else f"{value}~"


def policy_mutants(path: Path) -> Iterator[Mutant]:
    """Yield the mutants of a rule's header or of policy.toml: the policy is loaded anew, and all cases of what changed are run."""
    policy = the_policy()
    text = path.read_text(encoding="utf-8")
    header = "".join(takewhile(lambda line: line.startswith("--"), text.splitlines(keepends=True)))
    edits = toml_edits(text) if path.suffix == ".toml" else header_edits(header)
    original = queries_of(policy)
    for mutant, changed in mutants_of(text, path.relative_to(SQL).as_posix(), edits):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copytree(policy.folder, Path(folder) / policy.folder.name))
            (copy / path.name).write_text(changed, encoding="utf-8")
            try:
                mutant.policy = load_policy(copy)
            except AuditError:
                mutant.outcome = "refused"
            else:
                mutant.checks = {
                    name: (original[name][0].sql, values)
                    for name, (query, values) in queries_of(mutant.policy).items()
                    if name == HEADERS or values != original[name][1]
                }
        yield mutant


# --- running them


def run_mutants(con: duckdb.DuckDBPyConnection, mutants: list[Mutant]) -> None:
    """Run each mutant on the cases of the queries that it changes, until one notices it."""
    originals = queries_of(the_policy())
    for name in sorted({name for mutant in mutants for name in mutant.checks}):
        query, values = originals[name]
        set_schema(con, query)
        concerned = [mutant for mutant in mutants if name in mutant.checks]
        for mutant in concerned:
            if mutant.policy is None and not _is_run(con, *mutant.checks[name]):
                mutant.outcome = "refused"
        for case in all_cases(name):
            for variant in variants(case).values():
                expected = str(expected_rows(con, query.sql, values, variant))
                _run_case(con, name, variant, expected, [mutant for mutant in concerned if mutant.outcome == "survived"])


def _is_run(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any]) -> bool:
    try:
        names = duckdb.extract_statements(sql)[0].named_parameters
        con.execute(f"explain {sql}", {name: values[name] for name in names})
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
        return False
    except duckdb.Error:
        pass
    return True


def _run_case(con: duckdb.DuckDBPyConnection, name: str, case: Case, expected: str, alive: list[Mutant]) -> None:
    """Run mutants on one case; where one fails as it runs, the rows are given anew for those after it."""
    while alive:
        with given_rows(con, case):
            while alive:
                mutant = alive.pop()
                try:
                    rows = _rows_of(con, mutant, name, case)
                except duckdb.Error:
                    mutant.outcome = "killed"
                    break
                if str(rows) != expected:
                    mutant.outcome = "killed"


def _rows_of(con: duckdb.DuckDBPyConnection, mutant: Mutant, name: str, case: Case) -> PipeTable:
    sql, values = mutant.checks[name]
    if name == HEADERS and mutant.policy is not None:
        make_headers(con, mutant.policy)
    return select_rows(con, sql, values, case)


# --- what is accepted


def read_accepted(stage: str) -> dict[tuple[str, str, str, int], str]:
    """Read the reviewed survivors of a stage, each with its reason."""
    path = ACCEPTED / f"{stage}.yaml"
    if not path.is_file():
        return {}
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {
        (f"{stage}/{file}", entry["before"], entry["after"], entry.get("occurrence", 1)): entry["reason"]
        for file, of_file in entries.items()
        for entry in of_file
    }


@cache
def sources() -> list[tuple[str, Path]]:
    """The files to change, with the name of the query in each; policy.toml holds none."""
    found = [(name, query.path) for name, (query, _) in queries_of(the_policy()).items() if query.stage in STAGES and name != HEADERS]
    return sorted([*found, ("", the_policy().folder / "policy.toml")], key=lambda source: source[1])


def main(arguments: list[str]) -> int:
    """Run the mutants that were asked for, print what survives, and give the exit code."""
    parser = ArgumentParser(prog="python -m tests.mutants", description="List changes of the SQL that its cases do not notice.")
    parser.add_argument("names", nargs="*", help="stages, tables, rules or policy.toml; all where none is given")
    parser.add_argument("--yaml", action="store_true", help="print survivors as entries for the list of accepted ones")
    options = parser.parse_args(arguments)
    mutants: list[Mutant] = []
    known = {word for name, path in sources() for word in (*name.split("/"), path.name)} - {""}
    if unknown := sorted(set(options.names) - known):
        parser.error(f"{unknown[0]} is no stage, table, rule or policy.toml")
    chosen = [(name, path) for name, path in sources() if not options.names or {*name.split("/"), path.name} & set(options.names)]
    for name, path in chosen:
        mutants += list(sql_mutants(name)) if name else []
        if path.parent == the_policy().folder:
            mutants += list(policy_mutants(path))
    with empty_tables(threads=1) as con:
        run_mutants(con, mutants)
    return report(mutants, {path.relative_to(SQL).as_posix() for _, path in chosen}, options.yaml)


def report(mutants: list[Mutant], files: set[str], is_yaml: bool) -> int:
    """Print survivors, entries that hold no longer, and counts; give 1 where that is not as it must be."""
    survivors = [mutant for mutant in mutants if mutant.outcome == "survived"]
    outcomes = Counter(mutant.outcome for mutant in mutants)
    accepted = {key for stage in STAGES for key in read_accepted(stage) if key[0] in files}
    open_ones = [mutant for mutant in survivors if mutant.key not in accepted]
    stale = sorted(accepted - {mutant.key for mutant in survivors})
    for mutant in open_ones:
        print(_as_yaml(mutant) if is_yaml else f"{mutant.file}:{mutant.line}\n    {mutant.before}\n  → {mutant.after}")
    for file, before, after, _ in stale:
        print(f"accepted, but it does not survive or is not there any more: {file}\n    {before}\n  → {after}")
    run = len(mutants) - outcomes["refused"]
    share = len(survivors) / run if run else 0.0
    by_stage = Counter(mutant.file.split("/")[0] for mutant in survivors)
    print(
        f"{len(mutants)} changes: {outcomes['refused']} did not run, {outcomes['killed']} killed, "
        f"{len(survivors)} survived ({share:.1%} of those that ran), {len(open_ones)} of them not accepted"
    )
    for stage, count in sorted(by_stage.items()):
        ran = sum(mutant.file.startswith(stage) and mutant.outcome != "refused" for mutant in mutants)
        print(f"  {stage}: {count} of {ran} survived")
    return 1 if open_ones or stale or share > MOST_SURVIVORS else 0


def _as_yaml(mutant: Mutant) -> str:
    entry: dict[str, Any] = {"before": mutant.before, "after": mutant.after}
    if mutant.occurrence > 1:
        entry["occurrence"] = mutant.occurrence
    entry["reason"] = ""
    return yaml.safe_dump({mutant.file.split("/", 1)[1]: [entry]}, sort_keys=False, allow_unicode=True, width=140)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
