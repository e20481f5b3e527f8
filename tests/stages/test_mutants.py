"""The changes that `make mutants` tries are the ones that it says it tries."""

from datetime import date
from typing import Any

import duckdb
import pytest

from tests.mutants import edits_of, header_edits, toml_edits
from tests.queries import queries

VALUES: dict[str, Any] = {"days": 3, "first": date(2024, 1, 1), "groups": ["a"], "name": "x"}


def changed(sql: str) -> set[str]:
    return {" ".join((sql[:start] + text + sql[end:]).split()) for start, end, text in edits_of(sql, VALUES)} - {" ".join(sql.split())}


@pytest.mark.parametrize(
    ("sql", "mutants"),
    [
        ("a <= b", {"a < b"}),
        ("a is not distinct from b", {"a = b"}),
        ("a in ('x')", {"a not in ('x')", "a in ('x~')"}),
        ("date '2024-02-29'", {"date '2024-03-01'"}),
        ("not a", {"a"}),
        ("count(distinct a)", {"count(a)"}),
        ("min(a)", {"max(a)"}),
        ("$days", {"($days + 1)"}),
        ("$first", {"($first::date + 1)"}),
        ("$groups", {"[]"}),
        ("$name", {"null"}),
        ("coalesce(a, b, c)", {"coalesce(b, c)", "coalesce(a, c)", "coalesce(a, b)"}),
        ("from t inner join u using (k)", {"from t left join u using (k)"}),
        ("where a and b or c", {"where a or b or c", "where a and b and c", "where b or c", "where a or c", "where a and b"}),
        ("on a", {"on true"}),
        (
            "select a from t where f(b and c), d",
            {"select a from t where f(b or c), d", *(f"select a from t where {x}" for x in ("f(b), d", "f(c), d", "true, d"))},
        ),
        ("case when a then b end", {"null"}),
        ("case when a then b else c end", {"(c)", "case when a then b end"}),
        ("case when a then b when c then d end", {"case when c then d end", "case when a then b end"}),
        ("over (partition by a, b)", {"over (partition by b)", "over (partition by a)"}),
        ("over (order by a nulls first)", {"over ()", "over (order by a desc nulls first)", "over (order by a nulls last)"}),
        (
            "rows between unbounded preceding and current row",
            {"rows between 1 preceding and current row", "rows between unbounded preceding and 1 preceding"},
        ),
        ("{'a': a, 'b': b}", {"{'b': b}", "{'a': a}"}),
        ("f(a, depth := b)", set()),
        ("select count(*), t.* from t -- where a and b", set()),
    ],
)
def test_one_thing_is_changed_at_a_time(sql: str, mutants: set[str]) -> None:
    assert changed(sql) == mutants


def test_values_of_headers_and_of_policies_are_changed() -> None:
    header = "-- title: T\n-- rank: 6\n-- per: date\n-- effective: 2020-02-28\n-- param: min_days = 14\n-- enabled: false\n"
    assert [text for _, _, text in header_edits(header)] == ["600", "code", "2020-02-29", "15", "true"]
    toml = 'policy_id = "P"\neffective_from = 2018-08-01\nnoted_lines = ["medicaid"]\n[params]\nfamily = "sij"\nmonths = 12\n'
    assert [text for _, _, text in toml_edits(toml)] == ["2018-08-02", "[]", '"sij~"', "13"]


@pytest.mark.parametrize("name", sorted(name for name in queries() if name.startswith(("1_lines", "2_timeline", "4_findings"))))
def test_most_changes_are_such_that_duckdb_can_run_them(name: str) -> None:
    query, values = queries()[name]
    edits = list(edits_of(query.sql, values))
    assert len(edits) > 1
    parsed = 0
    for start, end, text in edits:
        try:
            duckdb.extract_statements(query.sql[:start] + text + query.sql[end:])
            parsed += 1
        except duckdb.ParserException:
            continue
    assert parsed >= 0.9 * len(edits)
