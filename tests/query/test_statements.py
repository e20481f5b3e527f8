"""A query is read as DuckDB reads it, and refused before it runs where it does what is not listed, however that is written."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.query.statements import OPEN_TABLE_FUNCTIONS, QueryRefused, split_query
from tests.runs import ROOT, line, run, write_extract

# --- what is open

OPEN = (
    "select count(*) from lines",
    "from lines -- all;",
    "FROM lines; -- all",
    "values (1), (2)",
    "table lines",
    "with a as materialized (from lines) from a",
    "with recursive a as (select 1 as x union all select x + 1 from a where x < 3) from a",
    "select 1 as a union by name select 2 as a except all select 3 as a order by all limit 1",
    "select distinct on (claim_id) claim_id from lines order by claim_id desc nulls last limit 100% offset 1",
    "select rank() over w, lag(a, 1, 2 ignore nulls) over (order by a) from (values (1)) as t(a) window w as (order by a)",
    "select list_transform([1], lambda x: x + 1), {'a': 1}, [x for x in [1]], 1::decimal(9, 2), null::struct(a int)[]",
    "select case when a between 1 and 2 then true else a in (from range(3)) end from (values (1)) as t(a)",
    "select columns(* exclude (claim_id)) from lines using sample 10 rows",
    "from lines as a asof join lines as b on a.service_date >= b.service_date, lateral (select a.claim_id)",
    "from range(3) as r(a) left join unnest([1, 2]) as u(b) on a = b",
    "describe lines",
    "show tables",
    "summarize lines",
    "from (describe lines)",
    "pivot lines on claim_id using count(*)",
    "pivot lines on claim_id in ('C1', 'C2') using count(*) group by person_id",
    'Pivot audit.main.lines On "claim_id" Using sum(paid_amount) as paid, count(*) Group By person_id order by all limit 5;',
    "from (pivot lines on claim_id in ('C1') using count(*))",
    "unpivot (select 1 as a, 2 as b) on a, b",
    "explain from lines",
    "/* why */ -- so\nexplain (analyze, format json) select 'explain copy'",
    "explain analyze (select 1)",
)

CHANGING = (
    "create table a as from range(3)",
    'create or replace temp table temp.main."a b" (x) as (select 1)',
    "create table if not exists a (b int, c decimal(9, 2), d varchar[], e int[3]); insert into a (b) values (1)",
    "create /* why */ table -- so\na as/**/select 'insert'",
    "create view v as from lines; from v",
    "create macro f(x, y) as x * y + 1; select f(2, 3)",
    "create or replace function g() as table from lines; from g()",
    "create table a as select 1 as b; insert into a by name select 2 as b",
    "create table a as select 1 as b; update a as c set b = b + (select max(range) from range(3)) where b > 0",
    "create table a as select 1 as b; delete from a where b in (from range(3)); delete from a",
    "create table a as select 1 as b; drop table if exists a; drop table if exists other",
    "create view v as from lines; drop view v",
    "create macro f(x) as x; drop macro f",
    "create macro f(x) as table select x; drop macro table f",
    "set variable x = (select count(*) from lines); set variable y to 1; select getvariable('x')",
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    run(folder / "out", write_extract(folder / "claims.parquet", [line("C1", "2024-01-10"), line("C2", "2024-02-10")]))
    return (folder / "out/current").resolve()


@pytest.fixture
def session(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_run(published) as con:
        yield con


@pytest.mark.parametrize("query", OPEN)
def test_what_reads_runs_and_gives_rows(session: duckdb.DuckDBPyConnection, query: str) -> None:
    [statement] = split_query(query)
    assert statement.gives_rows
    assert session.sql(statement.text).fetchall()


@pytest.mark.parametrize("query", CHANGING)
def test_what_changes_memory_runs(session: duckdb.DuckDBPyConnection, query: str) -> None:
    statements = split_query(query)
    assert not statements[0].gives_rows
    for statement in statements:
        session.execute(statement.text).fetchall()


def test_each_statement_is_judged_apart() -> None:
    assert [statement.gives_rows for statement in split_query("select ';'; create table a as select 1; from a")] == [True, False, True]
    assert split_query(" ; -- nothing\n") == []


def test_every_query_of_the_documents_and_of_the_program_is_open() -> None:
    page = (ROOT / "docs/queries.md").read_text(encoding="utf-8")
    queries = re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    queries += [path.read_text(encoding="utf-8") for path in (ROOT / "sql").glob("[1-8]_*/**/*.sql")]
    assert len(queries) > 50
    for query in queries:
        assert [statement.gives_rows for statement in split_query(query)] == [True]


# --- what is closed

CLOSED = (
    "attach 'secret.duckdb'",
    "attach ':memory:' as other",
    "detach audit",
    "use audit",
    "set threads = 1",
    "set variable",
    "reset threads",
    "reset variable x",
    "set session schema = 'main'",
    "pragma threads = 1",
    "pragma enable_profiling",
    "pragma profiling_output = 'x'",
    "pragma enable_verification",
    "copy findings to 'x.csv'",
    "copy (select 1) to '/dev/stdout'",
    "copy findings from 'secret.csv'",
    "copy from database audit to memory",
    "export database 'x'",
    "import database 'x'",
    "load json",
    "install httpfs",
    "update extensions",
    "checkpoint",
    "force checkpoint",
    "vacuum",
    "analyze",
    "call enable_logging()",
    "call pragma_version()",
    "prepare p as copy (select 1) to 'x'",
    "prepare p as select 1",
    "execute p",
    "deallocate p",
    "create table a as execute p",
    "explain execute p",
    "explain prepare p as select 1",
    "explain copy (select 1) to 'x'",
    "explain analyze copy (select 1) to 'x'",
    "/* why */ -- so\nexplain (analyze, format json) copy (select 1) to 'x'",
    "explain create table t as select 1",
    "explain explain select 1",
    "explain pivot lines on claim_id using count(*)",
    "begin",
    "commit",
    "alter database audit set alias to other",
    "alter table t add column a int default 1",
    "comment on table findings is 'x'",
    "truncate t",
    "merge into t using u on t.a = u.a when matched then delete",
    "create schema s",
    "create sequence s",
    "create type t as enum (select 'a')",
    "create index i on t (a)",
    "create secret s (type s3)",
    "create persistent secret s (type http, bearer_token 'x')",
    "create table t (a int default 1)",
    "create table t (a int check (a > 1))",
    "create table t (a int generated always as (1))",
    "create table t as from lines with no data",
    "create macro f(x := 1) as x",
    "insert into t values (1) returning *",
    "insert or replace into t values (1)",
    "insert into t values (1) on conflict do nothing",
    "with x as (select 1) insert into t from x",
    "delete from t using u",
    "drop schema main cascade",
    "select 1; copy findings to 'x.csv'",
    "pivot lines on claim_id using count(*); copy findings to 'x.csv'",
    "pivot lines on claim_id using count(*); select 1",
    "select 1; pivot lines on claim_id using count(*)",
    "from (pivot lines on claim_id using count(*))",
    "create table t as pivot lines on claim_id using count(*)",
    "no sql",
    "select 'x",
    "select 1 /* x",
    "select 1\0; copy findings to 'x.csv'",
    "select '\udc80'",
    "with x as (copy findings to 'x.csv') from findings",
    "with x as (insert into t values (1) returning a) from x",
    "with x as (update t set a = 1 returning a) from x",
    "with x as (delete from t returning a) from x",
    "select (with x as (copy findings to 'x.csv') select 1)",
    "create table t as with x as (copy findings to 'x.csv') select 1",
    "create macro f() as (with x as (copy findings to 'x.csv') select 1)",
    "set variable x = (with x as (copy findings to 'x.csv') select 1)",
    "update t set a = (with x as (copy findings to 'x.csv') select 1)",
)


@pytest.mark.parametrize("query", CLOSED)
def test_what_is_not_listed_is_refused(query: str) -> None:
    with pytest.raises(QueryRefused):
        split_query(query)


CALLS = (
    "enable_logging()",
    "enable_logging(storage = 'file', storage_path = 'x')",
    'main."enable_logging"()',
    'system.main."ENABLE_LOGGING" ( )',
    '"ENABLE_LOGGING" /* why */ ()',
    '"ENABLE_LOGGING"/**/()',
    "enable_logging--\n()",
    "enable_profiling(save_location = 'x.json', format = 'json')",
    "disable_profiling()",
    "checkpoint()",
    "force_checkpoint('audit')",
    "truncate_duckdb_logs()",
    "query('from enable' || '_logging()')",
    "query/**/('select 1')",
    "query/*/**/*/('select 1')",
    "query--\n('select 1')",
    "query_table('findings')",
    "query($$copy findings to 'x'$$)",
    "json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "read_csv('secret.csv')",
    "read_text/**/('secret.csv')",
    "glob('*')",
    "duckdb_extensions()",
)
"""Functions of FROM that are closed, each written in some way."""

PLACES = (
    "from {}",
    "from lines, {}",
    "from lines left join {} on true",
    "from lines, lateral (select * from {})",
    "select (select count(*) from {})",
    "select exists(from {}), 1 in (from {})",
    "with a as materialized (from {}) from a",
    "with recursive a as (select 1 union from {}) from a",
    "select 1 union all from {}",
    "from (describe from {})",
    "summarize from {}",
    "describe from {}",
    "select list_transform([1], lambda x: (select max(x) from {}))",
    "select [(from {}) for x in [1]]",
    "select {{'a': [(from {})]}}",
    "select case when true then (from {}) end over (order by (from {}))",
    "select count(*) filter (where exists(from {})) from lines group by rollup((from {})) having (from {}) qualify (from {})",
    "from lines order by (from {}) limit (select 1 from {})",
    "from lines limit (select 1 from {}) %",
    "select sum(1) over (order by 1 rows between (select 1 from {}) preceding and (select 1 from {}) following)",
    "select list(1 order by (from {})), columns(x -> x in (from {})), (from {})::decimal(9, 2), a[(from {}):] from {} tablesample 10%",
    "from lines at (timestamp => (select now() from {}))",
    "select * replace ((from {}) as claim_id) from lines",
    "unpivot (from {}) on a",
    "pivot (from {}) on a in (1) using count(*)",
    "pivot lines on claim_id using (select count(*) from {})",
    "from lines semi join {} using (a)",
    "explain from {}",
    "explain analyze select * from {}",
    "create table t as from {}",
    "create or replace temp table t (a) as (from {})",
    "create view v as from {}",
    "create macro f() as (select count(*) from {})",
    "create macro f() as table from {}",
    "create macro f(a) as table from lines, (a) as table from {}",
    "create macro f(a) as 1, (a, b) as (from {})",
    "create function f(a)/**/as/**/table/**/from {}",
    "create macro f() as/*/**/*/table from {}",
    "insert into t from {}",
    "insert into t (a) values ((from {}))",
    "insert into t by name (select * from {})",
    "update t set a = 1 from {}",
    "update t set a = (from {})",
    "update t set a = 1, (b, c) = (2, (from {})) where a in (from {})",
    "delete from t where exists(from {})",
    "delete from t using {}",
    "set variable x = (from {})",
    "set variable x to (select list(a) from {} as t(a))",
    "prepare p as from {}",
    "call {}",
    r"select E'\'', * from {} --'",
    """select 'é' as "'", * from {} --'""",
    """select 1 as "/*", * from {} --*/""",
    "select $a$ ' $a$, * from {} -- '",
    "select 1 /* ' */, * from {} /* ' */",
    "select 1; from {}",
    "/* /* */ */ from {}",
    "(((from {})))",
)
"""Where a function of FROM may be called."""


@pytest.mark.parametrize("place", PLACES)
def test_a_closed_function_is_refused_wherever_and_however_it_is_called(place: str) -> None:
    for call in CALLS:
        with pytest.raises(QueryRefused):
            split_query(place.format(*[call] * place.count("{}")))


@pytest.mark.parametrize("name", sorted({re.sub(r'^(?:\w+\.)*"?(\w+).*', r"\1", call, flags=re.DOTALL).lower() for call in CALLS}))
def test_a_closed_function_is_refused_within_an_expression_too(name: str) -> None:
    for place in (
        "select {}()",
        "select list_transform([1], lambda x: {}(x))",
        "select 'a'.{}()",
        "select {}() over ()",
        "set variable x = {}()",
    ):
        with pytest.raises(QueryRefused):
            split_query(place.format(name))


def test_texts_that_only_name_a_closed_function_are_open(session: duckdb.DuckDBPyConnection) -> None:
    query = """select 'from query(1)' as "checkpoint()", query.enable_logging /* query('x') */ from (select 1 as enable_logging) as query"""
    [statement] = split_query(query)
    assert session.execute(statement.text).fetchall() == [("from query(1)", 1)]


def test_what_judges_a_query_cannot_be_replaced_by_one(session: duckdb.DuckDBPyConnection) -> None:
    for query in (
        """create macro json_serialize_sql(x) as '{"error": false, "statements": [{}]}'""",
        "create macro memory.main.duckdb_functions() as table select 'a' as function_name, 'table' as function_type",
    ):
        [statement] = split_query(query)
        session.execute(statement.text)
    with pytest.raises(QueryRefused):
        split_query("from enable_logging()")
    with pytest.raises(QueryRefused):
        split_query("copy findings to 'x.csv'")


def test_every_function_of_the_engine_in_from_is_open_by_name_or_closed() -> None:
    with duckdb.connect() as con:
        query = "select distinct function_name from duckdb_functions() where function_type = 'table' and database_name = 'system'"
        functions = {name for (name,) in con.execute(query).fetchall()}
    for name in functions:
        if name not in OPEN_TABLE_FUNCTIONS:
            with pytest.raises(QueryRefused, match=rf"^{name}\(\) is closed here"):
                split_query(f"from {name}(1)")
    assert {"query", "query_table", "enable_logging", "enable_profiling", "checkpoint", "read_csv"} <= functions - OPEN_TABLE_FUNCTIONS


@pytest.mark.parametrize("depth", [10, 300, 900, 3000])
def test_no_depth_hides_a_call(depth: int) -> None:
    for opening, closing in (("abs(", ")"), ("-(", ")"), ("(select ", ")"), ("1 + (", ")"), ("case when true then ", " end")):
        with pytest.raises(QueryRefused):
            split_query(f"select {opening * depth} (from query('select 1')) {closing * depth}")


@given(st.text(max_size=60), st.sampled_from([place for place in PLACES if place.count("{}") == 1]))
def test_no_comment_and_no_text_hides_a_call(noise: str, place: str) -> None:
    noise = noise.replace("\0", "")
    hidden = (f"/* {re.sub('[*/]', '', noise)} */", "-- " + re.sub("[\r\n]", "", noise) + "\n")
    text = "'" + noise.replace("'", "''") + "'"
    for gap in hidden:
        with pytest.raises(QueryRefused):
            split_query(place.format(f"enable_logging{gap}({text})"))
