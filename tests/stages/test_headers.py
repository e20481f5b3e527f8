"""What stands in a header is read as it is meant, and what each table says of itself is so."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from sij_audit.transforms.duck import quote_name
from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.outcomes import Loaded
from sij_audit.transforms.stages.checking import AFTER_RUN, SETTINGS
from sij_audit.transforms.stages.inputs import ASKED_COLUMNS, SERVED_COLUMNS, Inputs, create_table, load_inputs, open_warehouse
from sij_audit.transforms.stages.policies import Policy, load_policies, policy_folders
from sij_audit.transforms.stages.queries import Grain, Query, load_stage, read_query
from sij_audit.transforms.stages.reference import load_codes
from sij_audit.transforms.stages.running import run_stage, run_stages
from sij_audit.transforms.store.folder import Store
from tests.nasty import make_rows, split_rows
from tests.runs import AS_OF, SAMPLE, run, write_extract

TABLE_STAGES = ("1_lines", "2_timeline", "4_findings", "5_reports", *AFTER_RUN)
RULE_QUERIES = [rule.query for policy in load_policies(policy_folders()) for rule in policy.rules]


def read(folder: Path, *header: str, stage: str = "1_lines") -> Query:
    path = folder / "01_things.sql"
    path.write_text("\n".join([*header, "", "select 1 as thing_id"]), encoding="utf-8")
    return read_query(path, stage)


# --- reading


@pytest.mark.parametrize(
    ("text", "grain", "words"),
    [
        ("one row", Grain((), None), "one row"),
        ("thing_id", Grain(("thing_id",), None), "one row per thing_id"),
        (
            "a, b_c, d: a date: with a thing",
            Grain(("a", "b_c", "d"), "a date: with a thing"),
            "one row per a, b_c and d: a date: with a thing",
        ),
        ("no key: extract (content)", Grain(None, "extract (content)"), "one row per extract (content)"),
    ],
)
def test_a_grain_names_the_columns_that_tell_rows_apart(tmp_path: Path, text: str, grain: Grain, words: str) -> None:
    query = read(tmp_path, "-- title: Things", f"-- grain: {text}")
    assert (query.grain, str(query.grain)) == (grain, words)


@pytest.mark.parametrize("text", ["one row per thing", "a and b", "a,b", "A", "no key", "a: "])
def test_a_grain_without_columns_is_an_error_with_file_and_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(AuditError, match=r"01_things\.sql, line 2: grain: must be"):
        read(tmp_path, "-- title: Things", f"-- grain: {text}")


def test_an_indented_line_goes_on_with_the_value_above(tmp_path: Path) -> None:
    query = read(tmp_path, "-- title: Things", "--     of a kind", "-- grain: one row", "-- noqa: disable=LT02", "--", "--     Prose.")
    assert (query.title, query.prose) == ("Things of a kind", "Prose.")


@pytest.mark.parametrize("stage", ["1_lines", "2_timeline", "4_findings", "6_handoff", "7_page", "8_changes", "auditor", "3_rules"])
def test_columns_may_be_explained_everywhere(tmp_path: Path, stage: str) -> None:
    needed = {
        "auditor": [],
        "3_rules": ["-- section: I", "-- rank: 1", "-- per: date", "-- cites: sij", "-- criterion: One."],
    }.get(stage, ["-- grain: one row"])
    query = read(tmp_path, "-- title: Things", *needed, "-- column: thing_id: what it is: a number", stage=stage)
    assert query.columns == {"thing_id": "what it is: a number"}


# --- the headers of the program


@pytest.mark.parametrize("query", RULE_QUERIES, ids=lambda query: query.table)
def test_a_rule_cites_one_sentence_of_the_policy(query: Query) -> None:
    criterion = query.header["criterion"]
    assert re.match(r"[A-Z]", criterion)
    assert not re.search(r"[.;] [A-Z]", criterion)
    assert "$" not in criterion


def test_every_column_of_a_table_that_a_rule_reads_is_explained() -> None:
    """That a header explains no column too many, and none too few, the run itself insists on."""
    with duckdb.connect() as con:
        read_tables = {table for query in RULE_QUERIES for table in con.get_table_names(re.sub(r"\$[a-z_]+", "null", query.sql))}
    tables = {query.table: query for stage in ("1_lines", "2_timeline") for query in load_stage(stage)}
    assert len(read_tables & tables.keys()) >= 5
    assert [table for table in sorted(read_tables & tables.keys()) if not tables[table].columns] == []


# --- grains


def policies() -> list[Policy]:
    return load_policies(policy_folders())


@pytest.fixture(scope="module", params=["sample", "nasty night after a nasty run"])
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """All tables of all stages, filled from the sample, or from nasty claims in the second of two nights."""
    folder = tmp_path_factory.mktemp("audited")
    store = Store(folder / "out")
    if request.param == "sample":
        run(folder / "out", SAMPLE)
    else:
        first, second = (
            write_extract(folder / f"{number}.parquet", rows) for number, rows in enumerate(split_rows(7, make_rows(7, 250), 2))
        )
        run(folder / "out", first)
        with store.lock():
            assert isinstance(ingest_extract(store, second, load_codes()), Loaded)
    inputs = Inputs(batch_files=[batch.path for batch in store.batches()], previous_run=store.current_run())
    with open_warehouse(folder, threads=2) as con:
        load_inputs(con, inputs)
        run_stages(con, policies(), {**SETTINGS, "as_of": AS_OF})
        create_table(con, "served_findings", SERVED_COLUMNS)
        create_table(con, "asked_claims", ASKED_COLUMNS)
        for stage, values in AFTER_RUN.items():
            run_stage(con, stage, values)
        yield con


@pytest.mark.parametrize("stage", TABLE_STAGES)
def test_no_two_rows_share_the_columns_of_the_grain(audited: duckdb.DuckDBPyConnection, stage: str) -> None:
    schemas = [policy.schema for policy in policies()] if stage == "2_timeline" else ["main"]
    rows_of: dict[str, int] = {}
    for query in load_stage(stage):
        for schema in schemas:
            table = f"{schema}.{quote_name(query.table)}"
            [(rows,)] = audited.execute(f"select count(*) from {table}").fetchall()
            rows_of[query.table] = rows
            if query.grain.columns:
                columns = ", ".join(map(quote_name, query.grain.columns))
                [(distinct,)] = audited.execute(f"select count(*) from (select distinct {columns} from {table})").fetchall()
                assert distinct == rows, query.place
            elif query.grain.columns == ():
                assert rows == 1, query.place
    assert sum(1 for rows in rows_of.values() if rows > 1) >= len(rows_of) // 2, "too few rows to prove anything"
