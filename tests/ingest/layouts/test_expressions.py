"""A layout from a stranger can do no harm: an expression reads its row, and no file, network or setting."""

import re
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sij_audit.transforms.ingest.layouts.expressions import (
    CLASSES,
    FUNCTIONS,
    LENGTH_LIMIT,
    FailedExpression,
    open_evaluator,
    read_expression,
)

ALLOWED = {
    "a": {"a"},
    "\"Claim No\" || '-' || b": {"Claim No", "b"},
    "case when a = 'x' then b else upper(c) end": {"a", "b", "c"},
    "coalesce(try_cast(a as decimal(14, 2)), 0) / 100": {"a"},
    "a::date + interval 1 day": {"a"},
    "a in ('x', 'y') and b between '1' and '2' or not c is null": {"a", "b", "c"},
    "try(strptime(a, '%d%b%Y'))": {"a"},
    "split_part(a, ',', 2)[1:2] -- the second": {"a"},
    "regexp_extract(a, '^[0-9]+') /* digits */": {"a"},
    "date '1960-01-01' + try_cast(a as integer)": {"a"},
    "'constant'": set(),
    "lpad(a, 5, '0')": {"a"},
    "replace(replace(a, '-', ''), ' ', '')": {"a"},
}

ATTACKS = [
    "select * from read_csv('/etc/passwd')",
    "(select content from read_text('/etc/passwd'))",
    "(select 1)",
    "exists (select 1 from a)",
    "a in (select b from c)",
    "a) from read_text('/etc/passwd') t(a) where (true",
    "a), (b",
    "a); copy (select 1) to '/tmp/x' --",
    "1); attach '/tmp/x.db'; select (1",
    "1) union all select (1",
    "1) limit (1",
    "1) order by (1",
    "1) where (true",
    "1 as x",
    "a /* ) from b",
    "getenv('HOME')",
    "current_setting('temp_directory')",
    "getvariable('x')",
    "current_database()",
    "current_query()",
    "version()",
    "nextval('s')",
    "txid_current()",
    "now()",
    "random()",
    "uuid()",
    "error(a)",
    "query('select 1')",
    "query_table('x')",
    "read_text('/etc/passwd')",
    "glob('/etc/*')",
    "write_log(a)",
    "pragma_version()",
    "json_execute_serialized_sql(a)",
    "json_serialize_plan(a)",
    "main.upper(a)",
    "system.main.upper(a)",
    "repeat(a, 1000000000)",
    "range(1000000000)",
    "list_filter([a], x -> true)",
    "sum(a)",
    "count(*)",
    "row_number() over ()",
    "lag(a) over ()",
    "*",
    "columns('.*')",
    "$1",
    "?",
    "#1",
    "t.a",
    "a.b.c",
    "a::json",
    "a::blob",
    "cast(a as struct(x varchar))",
    "a collate nocase",
    "upper(/**/getenv/**/('HOME'))",
    "case when a = 'x' then (select 1) end",
    "coalesce(a, upper(lower((select b))))",
    "1) + (2",
    "a = 'x') or (b = 'y'",
    "a like '%x'",
    "a ilike '%x'",
    "replace(a, '1', b)",
    "replace(a, '1', '12345678901')",
    "replace(replace(replace(replace(a, '1', '11'), '1', '11'), '1', '11'), '1', '11')",
    "lpad(a, 1000000000, 'x')",
    "rpad(a, length(b), 'x')",
    '"\x1b[31m"',
    "",
    "a a",
    "a \x00",
    "a" * (LENGTH_LIMIT + 1),
    "upper(" * 1600 + "a" + ")" * 1600,
]


@pytest.mark.parametrize("text", ALLOWED)
def test_an_expression_over_the_columns_of_a_row_may_be_used(text: str) -> None:
    assert read_expression(text) == ALLOWED[text]


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_what_is_more_than_an_expression_over_the_columns_of_a_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it |may not|is no column's name"):
        read_expression(text)


@given(st.text(max_size=40))
def test_a_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(ValueError):
        read_expression(text)


def test_a_function_may_be_used_where_it_gives_the_same_for_the_same_row_whenever_it_is_asked() -> None:
    with duckdb.connect() as con:
        rows = con.execute("select function_name, function_type, stability from duckdb_functions()").fetchall()
    known = {(name, kind, stability) for name, kind, stability in rows if name in FUNCTIONS}
    assert {kind for name, kind, _ in known if name not in ("contains", "date_trunc", "split", "nullif", "ifnull")} <= {"scalar", "macro"}
    assert {stability for _, kind, stability in known if kind == "scalar"} == {"CONSISTENT"}
    assert not {"SUBQUERY", "WINDOW", "STAR", "LAMBDA", "PARAMETER", "POSITIONAL_REFERENCE"} & CLASSES


def test_what_evaluates_reaches_nothing_though_an_expression_were_let_through(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for expression in (
        f"(select content from read_text('{secret}'))",
        f"(select count(*) from '{secret}')",
        "(select count(*) from read_csv('http://127.0.0.1:9/x.csv'))",
    ):
        with open_evaluator({"x": expression}, {"x": frozenset()}) as evaluator, pytest.raises(FailedExpression) as failed:
            evaluator.evaluate(pa.table({"a": ["1"]}), 0)
        assert failed.value.reason.startswith(("Permission Error: ", "Catalog Error: "))


def test_the_settings_of_what_evaluates_are_locked() -> None:
    with open_evaluator({"x": "a"}, {"x": frozenset()}) as evaluator, pytest.raises(duckdb.Error, match="locked"):
        evaluator._con.execute("set enable_external_access = true")


@given(st.lists(st.sampled_from(["1", "22", "x", ""]), min_size=1, max_size=300))
def test_the_first_row_for_which_an_expression_fails_is_found(cells: list[str]) -> None:
    table = pa.table({"a": cells})
    with open_evaluator(
        {"whole": "a", "number": "cast(a as integer)"}, {"whole": frozenset(), "number": frozenset(("INTEGER",))}
    ) as evaluator:
        bad = [place for place, cell in enumerate(cells) if not cell.isdigit()]
        if bad:
            with pytest.raises(FailedExpression) as failed:
                evaluator.evaluate(table, 1000)
            assert (failed.value.name, failed.value.position) == ("number", 1000 + bad[0])
        else:
            assert evaluator.evaluate(table, 0).to_pydict() == {"whole": cells, "number": [int(cell) for cell in cells]}


def test_the_expressions_of_the_documents_may_be_used() -> None:
    page = (Path(__file__).parents[3] / "docs/layouts.md").read_text(encoding="utf-8")
    expressions = re.findall(r'\{ sql = "([^"…]+)" \}', page)
    assert len(expressions) > 10
    for expression in expressions:
        read_expression(expression.replace(r"\|", "|"))
