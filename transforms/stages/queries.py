"""The SQL files of `sql/`, each with what its header says; a header that is wrong is an error that names file and line."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from pathlib import Path

from sij_audit.transforms.errors import AuditError

SQL = Path(__file__).resolve().parents[2] / "sql"

HEADER_LINE = re.compile(r"-- ([a-z_]+): +(.*\S)\s*$")
CONTINUED_LINE = re.compile(r"-- {4,}(\S.*?)\s*$")
"""A line that is indented by four blanks or more goes on with the value of the line above."""

GRAIN = re.compile(r"one row|no key: (?P<rows>.+)|(?P<columns>[a-z_]+(?:, [a-z_]+)*)(?:: (?P<meaning>.+))?")
"""What a row is: the columns that no two rows share, or that no columns tell rows apart, or that there is one row."""

NEEDED_KEYS = {
    **dict.fromkeys(("1_lines", "2_timeline", "4_findings", "6_handoff", "7_page", "8_changes"), frozenset({"title", "grain"})),
    "3_rules": frozenset({"title", "section", "rank", "per", "cites", "criterion"}),
    "5_reports": frozenset({"title", "grain", "column"}),
    "auditor": frozenset({"title"}),
}
"""What the header of a query must say, by its stage."""

OPTIONAL_KEYS = {
    "1_lines": frozenset({"kind", "column"}),
    "3_rules": frozenset({"text_held_from", "effective", "param", "enabled", "records", "column"}),
    "auditor": frozenset({"column"}),
}
"""What it may say besides; in stages that are not listed a `column` line for each column."""

STAGES = tuple(NEEDED_KEYS)

LINT_KEY = "noqa"
"""What stands behind it is meant for the linter."""

REPEATED_KEYS = {"param": "=", "column": ":"}
"""Keys of which a header has one line for each name, and what stands between name and value."""


@dataclass(frozen=True)
class Grain:
    """What a row is: no two have the same values in all of `columns`, which is empty where there is one row, None where no columns do."""

    columns: tuple[str, ...] | None
    meaning: str | None

    def __str__(self) -> str:
        if self.columns is None:
            return f"one row per {self.meaning}"
        *others, last = self.columns or ("",)
        names = f"{', '.join(others)} and {last}" if others else last
        rows = f"one row per {names}" if self.columns else "one row"
        return f"{rows}: {self.meaning}" if self.meaning else rows


@dataclass(frozen=True)
class Query:
    """One SQL file: the SELECT that fills `table`, and what its header says; of `auditor/` the statements that make a view or a macro.

    The first paragraph of `prose` is for everybody, and goes into the documents; others are for who reads the SQL. `columns` says what each
    column means, where the header does.
    """

    table: str
    stage: str
    path: Path
    sql: str
    header: dict[str, str]
    prose: str
    params: dict[str, str]
    columns: dict[str, str]

    @property
    def title(self) -> str:
        return self.header["title"]

    @property
    def is_view(self) -> bool:
        """Whether its rows are worked out anew wherever they are read, and stored nowhere."""
        return "kind" in self.header

    @property
    def place(self) -> str:
        return place_of(self.path)

    @cached_property
    def grain(self) -> Grain:
        """What a row is; rules and `auditor/` say none."""
        return _read_grain(self.header["grain"])


def place_of(path: Path) -> str:
    """Name a file by its path below `sql/`, or by folder and name where it lies elsewhere."""
    return path.relative_to(SQL).as_posix() if path.is_relative_to(SQL) else f"{path.parent.name}/{path.name}"


def load_stage(stage: str) -> list[Query]:
    """The queries of a folder of `sql/`, in the order in which they run."""
    return [read_query(path, stage) for path in sorted((SQL / stage).glob("*.sql"))]


@dataclass(frozen=True)
class _Entry:
    line: int
    key: str
    value: str


def read_query(path: Path, stage: str) -> Query:
    """Read one SQL file; AuditError names file and line of a header key that is unknown, missing, there twice or without a value."""
    return _parse_query(path, stage, path.read_text(encoding="utf-8"))


@cache
def _parse_query(path: Path, stage: str, text: str) -> Query:
    """Parse the text of a SQL file, once: a run loads each stage several times."""
    entries, prose = _split_header(text)
    needed = NEEDED_KEYS[stage]
    known = needed | OPTIONAL_KEYS.get(stage, frozenset({"column"}))
    header: dict[str, str] = {}
    repeated: dict[str, dict[str, str]] = {key: {} for key in REPEATED_KEYS}
    file = place_of(path)
    for entry in entries:
        place = f"{file}, line {entry.line}"
        if entry.key not in known:
            raise AuditError(f"{place}: unknown header key '{entry.key}'; known here: {', '.join(sorted(known))}")
        if entry.key in REPEATED_KEYS:
            named = repeated[entry.key]
            name, _, value = (part.strip() for part in entry.value.partition(REPEATED_KEYS[entry.key]))
            if name in named or not value:
                raise AuditError(f"{place}: {entry.key} '{name}' {'is there twice' if name in named else 'has no value'}")
            named[name] = value
        elif entry.key in header:
            raise AuditError(f"{place}: header key '{entry.key}' is there twice")
        else:
            header[entry.key] = entry.value
        if entry.key == "kind" and entry.value != "view":
            raise AuditError(f"{place}: kind: must be 'view'; what is none has no such line")
        if entry.key == "grain" and not GRAIN.fullmatch(entry.value):
            raise AuditError(f"{place}: grain: must be 'COLUMN, COLUMN: what a row is', 'one row' or 'no key: what a row is'")
    for key in sorted(needed - header.keys() - {key for key, named in repeated.items() if named}):
        raise AuditError(f"{file}, line 1: the header lacks '{key}'")
    table = re.sub(r"^\d+_", "", path.stem)
    return Query(table, stage, path, text, header, prose, repeated["param"], repeated["column"])


def _split_header(text: str) -> tuple[list[_Entry], str]:
    """Split the comment at the top of a file into the entries of its header and its prose."""
    entries: list[_Entry] = []
    prose: list[str] = []
    in_header = True
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("--"):
            break
        entry = HEADER_LINE.match(line)
        if entry and entry[1] == LINT_KEY:
            continue
        continued = CONTINUED_LINE.match(line)
        if in_header and entry:
            entries.append(_Entry(number, entry[1], entry[2]))
        elif in_header and continued and entries:
            last = entries.pop()
            entries.append(_Entry(last.line, last.key, f"{last.value} {continued[1]}"))
        else:
            in_header = False
            prose.append(line[2:].strip())
    paragraphs = [" ".join(lines) for is_text, lines in groupby(prose, bool) if is_text]
    return entries, "\n\n".join(paragraphs)


def _read_grain(text: str) -> Grain:
    match = GRAIN.fullmatch(text)
    if match is None:
        raise ValueError(f"no grain: {text}")
    if match["rows"]:
        return Grain(None, match["rows"])
    return Grain(tuple(match["columns"].split(", ")) if match["columns"] else (), match["meaning"])
