"""The views and macros of audit.duckdb answer, agree with the reports, and are shown in docs/queries.md as they answer."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from docs.generator.outputs import answer, run_in, show_answers, show_outputs
from sij_audit.transforms.columns import LINE_STATUSES
from sij_audit.transforms.duck import fetch_dicts, quote_text
from sij_audit.transforms.handoff.reviews import import_dispositions
from sij_audit.transforms.stages.policies import policy_folders
from sij_audit.transforms.stages.queries import SQL
from sij_audit.transforms.store.folder import Store
from tests.queries import the_policy
from tests.runs import PLANTED, Row, line, read_report, run, write_csv, write_extract

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/queries.md").read_text(encoding="utf-8")
VIEWS = ("open_findings", "finding_lines", "by_month", "overlapping_lines", "possible_duplicates", "injection_findings", "claim_context")
MACROS = ("claims_behind", "explain", "member_timeline", "provider_profile", "sessions_over_limit", "why")
CURRENT = "out/demo/current/audit.duckdb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sample")


@pytest.fixture(scope="module")
def runner(folder: Path) -> Callable[[Sequence[str]], str]:
    return run_in(folder)


@pytest.fixture(scope="module")
def database(folder: Path, runner: Callable[[Sequence[str]], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's database; it lies under another name, as an auditor may have it."""
    runner(["sij-audit", "run", "data/sample", "--out", "out/demo", "--as-of", "2024-06-30"])
    return Path(shutil.copy(folder / CURRENT, tmp_path_factory.mktemp("elsewhere") / "it's mine.db"))


@pytest.fixture
def audit(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(database, read_only=True) as con:
        yield con


def run_on(tmp_path: Path, *lines: Row) -> duckdb.DuckDBPyConnection:
    run(tmp_path / "out", write_extract(tmp_path / "claims.parquet", lines))
    return duckdb.connect(tmp_path / "out/current/audit.duckdb", read_only=True)


def rows(con: duckdb.DuckDBPyConnection, query: str, *values: object) -> list[Row]:
    return fetch_dicts(con, query, values)


def value(con: duckdb.DuckDBPyConnection, query: str, *values: object) -> object:
    [(only,)] = con.execute(query, list(values)).fetchall()
    return only


# --- what there is


def test_every_file_makes_what_its_name_says() -> None:
    files = sorted((SQL / "auditor").glob("*.sql"))
    assert {path.stem.split("_", 1)[1] for path in files} == {*VIEWS, *MACROS}
    for path in files:
        name = path.stem.split("_", 1)[1]
        text = path.read_text(encoding="utf-8")
        assert re.match(r"-- title: \S", text), path.name
        assert re.search(rf"^create (view {name} as|macro {name}\(\w+\) as table)$", text, re.MULTILINE), path.name
        assert f"comment on {'view' if name in VIEWS else 'macro table'} {name} is\n" in text


def test_shells_of_duckdb_1_5_read_them_whatever_version_wrote_them() -> None:
    """DuckDB 2 stores `if(…)` as the call of a macro that 1.5 does not have, and CASE as what it is."""
    for path in sorted((SQL / "auditor").glob("*.sql")):
        assert not re.search(r"\bif\s*\(", path.read_text(encoding="utf-8")), path.name


def test_the_dictionary_has_them_all(audit: duckdb.DuckDBPyConnection) -> None:
    answered = rows(audit, "from dictionary where column_name is null and data_type in ('view', 'macro')")
    views = {*VIEWS, "finding_inputs", *(f"working.{rule.rule_id}" for rule in the_policy().rules)}
    assert {(row["table_name"], row["data_type"]) for row in answered} == {(v, "view") for v in views} | {(m, "macro") for m in MACROS}
    assert all(row["comment"] for row in answered)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_answers(audit: duckdb.DuckDBPyConnection, view: str) -> None:
    assert rows(audit, f"from {view}")


def test_comments_say_what_is_no_error(audit: duckdb.DuckDBPyConnection) -> None:
    for view in ("possible_duplicates", "overlapping_lines"):
        comment = str(value(audit, "select comment from dictionary where table_name = ? and column_name is null", view))
        assert "76" in comment
        assert "77" in comment
        assert "modifiers" in {row["column_name"] for row in rows(audit, f"describe {view}")}


def test_they_answer_in_a_database_that_is_attached_and_used(database: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"attach {quote_text(str(database))} as other (read_only)")
        con.execute("use other")
        assert rows(con, "from member_timeline('P90000046')")
        assert rows(con, "from open_findings")


def test_they_answer_where_nothing_was_found(tmp_path: Path) -> None:
    with run_on(tmp_path, line("C1", "2024-01-10")) as con:
        for view in VIEWS:
            assert len(rows(con, f"from {view}")) == (1 if view in ("by_month", "injection_findings") else 0)
        assert rows(con, "from explain('none')") == []
        assert rows(con, "from why('none')") == []
        assert rows(con, "from claims_behind('none')") == []
        assert rows(con, "from provider_profile('none')") == []
        assert [row["over_sessions"] for row in rows(con, "from sessions_over_limit(4)")] == [0, 0]


# --- findings


def test_amounts_add_up(audit: duckdb.DuckDBPyConnection) -> None:
    whole = value(audit, "select sum(amount_at_risk) from findings")
    for view in ("open_findings", "finding_lines", "by_month"):
        assert value(audit, f"select sum(amount_at_risk) from {view}") == whole, view
    assert value(audit, "select sum(injections) from by_month") == value(audit, "select count(*) from injections")
    assert value(audit, "select sum(injections_paid_amount) from by_month") == value(audit, "select sum(paid_amount) from injections")


def test_finding_lines_are_all_lines_of_all_findings(audit: duckdb.DuckDBPyConnection) -> None:
    lines = "select sum(len(claim_lines)) from findings"
    assert value(audit, "select count(*) from finding_lines") == value(audit, lines)
    apart = """
        select count(*) from findings
        inner join (select finding_id, sum(paid_amount) as paid, sum(amount_at_risk) as at_risk from finding_lines group by all) as lines
            on findings.finding_id = lines.finding_id
        where findings.paid_amount is distinct from coalesce(lines.paid, 0) or findings.amount_at_risk is distinct from lines.at_risk
    """
    assert value(audit, apart) == 0


def test_findings_that_are_withdrawn_are_not_open(tmp_path: Path) -> None:
    early, late = line("C1", "2024-01-10"), line("C2", "2024-02-10")
    run_on(tmp_path, early, late).close()
    void = {**early, "claim_frequency_code": "8", "paid_date": date(2024, 4, 1)}
    run(tmp_path / "out", write_extract(tmp_path / "void.parquet", [void]))
    with duckdb.connect(tmp_path / "out/current/audit.duckdb", read_only=True) as con:
        assert [row["status"] for row in rows(con, "from findings")] == ["withdrawn"]
        assert rows(con, "from open_findings") == []
        assert [row["status"] for row in rows(con, "from finding_lines")] == ["withdrawn"]
        assert [row["findings"] for row in rows(con, "from member_timeline('P1')")] == [[], []]
        assert [row["is_live"] for row in rows(con, "from member_timeline('P1')")] == [False, True]


def test_findings_that_are_overturned_on_their_evidence_are_not_open(tmp_path: Path) -> None:
    early, late = line("C1", "2024-01-10"), line("C2", "2024-02-10")
    run_on(tmp_path, early, late).close()
    [found] = read_report(tmp_path / "out")
    cells = [found["finding_id"], found["run_id"], "overturned"]
    reviewed = write_csv(tmp_path / "reviewed.csv", ["finding_id", "run_id", "disposition"], [cells])
    import_dispositions(Store(tmp_path / "out"), reviewed)
    run(tmp_path / "out")
    with duckdb.connect(tmp_path / "out/current/audit.duckdb", read_only=True) as con:
        assert [row["status"] for row in rows(con, "from findings")] == ["changed"]
        assert rows(con, "from open_findings") == []
    run(
        tmp_path / "out",
        write_extract(tmp_path / "more.parquet", [line("C2", "2024-02-10", paid_date=date(2024, 4, 1), paid_amount="99.00")]),
    )
    with duckdb.connect(tmp_path / "out/current/audit.duckdb", read_only=True) as con:
        assert [row["finding_id"] for row in rows(con, "from open_findings")] == [found["finding_id"]]


def test_claims_behind_has_the_lines_cited_and_those_measured_against(audit: duckdb.DuckDBPyConnection) -> None:
    for finding in planted_findings(audit):
        behind = rows(audit, "from claims_behind(?)", finding["finding_id"])
        cited = [row for row in behind if row["role"] == "cited"]
        assert [row["claim_id"] for row in cited] == [each["claim_id"] for each in finding["claim_lines"]]
        assert sum(row["amount_at_risk"] for row in cited) == finding["amount_at_risk"]
        assert {row["line_status"] for row in cited} == {"live"}
        assert set(finding["prior_claim_ids"]) <= {row["claim_id"] for row in behind}
        lines = [(row["data_source"], row["claim_id"], row["claim_line_number"], row["service_date"]) for row in behind]
        assert len(lines) == len(set(lines))


def test_claim_context_has_the_whole_claims_of_a_finding_with_every_version_and_what_they_carry(tmp_path: Path) -> None:
    visit = line("C1", "2024-01-10", "99213", "25", claim_line_number=2, diagnosis_code_1="M53.3", diagnosis_code_3="M46.1")
    early = line("C1", "2024-01-10", "64451", paid_date=date(2024, 1, 12), place_of_service_code="11", charge_amount="900.00")
    mended = early | {"paid_date": date(2024, 2, 12)}
    with run_on(tmp_path, early, mended, visit, line("C2", "2023-01-10", person="P2")) as con:
        [finding] = rows(con, "from findings")
        context = rows(con, "from claim_context where finding_id = ?", finding["finding_id"])
        [cited] = rows(con, "from lines where claim_id = 'C1'")
    shown = [(row["claim_line_number"], row["paid_date"], row["hcpcs_code"], row["is_cited"], row["line_status"]) for row in context]
    assert shown == [
        (1, date(2024, 1, 12), "64451", True, None),
        (1, date(2024, 2, 12), "64451", True, "live"),
        (2, visit["paid_date"], "99213", False, None),
    ]
    assert (context[2]["modifiers"], context[2]["diagnosis_codes"]) == (["25"], ["M53.3", "M46.1"])
    assert (cited["paid_date"], cited["place_of_service_code"], cited["charge_amount"]) == (date(2024, 2, 12), "11", Decimal(900))


TOPICS = (
    *("billed", "person", "measured against", "rule", "claims show", "arithmetic", "presumed", "in doubt", "records", "determination"),
    *("would comply from", "amounts", "precedence", "claim cited", "claim measured against"),
)


def planted_findings(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """The findings of the sample's planted persons, who have one of each kind: a memo of every finding would take minutes."""
    return rows(con, "from findings where list_contains(?, person_id)", list(PLANTED))


def explain(con: duckdb.DuckDBPyConnection, finding_id: object) -> dict[str, str]:
    """What a memo says by topic, in its order, a line for each statement."""
    stated: dict[str, str] = {}
    for row in rows(con, "from explain(?)", finding_id):
        stated[row["topic"]] = f"{stated.get(row['topic'], '')}{row['statement']}\n"
    return stated


def test_a_finding_is_explained_in_the_order_in_which_it_is_judged(audit: duckdb.DuckDBPyConnection) -> None:
    seen = set()
    for finding in planted_findings(audit):
        memo = rows(audit, "from explain(?)", finding["finding_id"])
        assert None not in [row["statement"] for row in memo]
        topics = list(dict.fromkeys(row["topic"] for row in memo))
        assert topics == [topic for topic in TOPICS if topic in topics]
        seen.update(topics)
    assert seen == set(TOPICS)


def test_a_finding_whose_line_an_open_adjustment_may_be_about_says_so(tmp_path: Path) -> None:
    rows_of_claims = [
        line("A1", "2024-01-02"),
        line("240130100001", "2024-02-01"),
        line("R9", "2024-02-01", paid_amount="-180.00"),
        line("R8", "2024-03-01", paid_amount="-180.00", person="P2"),
    ]
    run(tmp_path / "out", write_extract(tmp_path / "a.csv", rows_of_claims))
    with duckdb.connect(str(tmp_path / "out/current/audit.duckdb"), read_only=True) as con:
        [finding] = rows(con, "from findings")
        memo = rows(con, "from explain(?)", finding["finding_id"])
    assert [row["statement"] for row in memo if row["topic"] == "open adjustment"] == [
        "unmatched reversal R9 line 1 paid -180.00 may be about claim 240130100001 line 1 (near by service): see open_adjustments"
    ]
    assert memo[-3]["topic"] == "open adjustment"


def test_a_finding_of_each_rule_is_explained(audit: duckdb.DuckDBPyConnection) -> None:
    found = rows(audit, "select * from findings qualify row_number() over (partition by rule_id, determination order by finding_id) = 1")
    enabled = {rule.rule_id: rule for rule in the_policy().rules if rule.enabled}
    assert {finding["rule_id"] for finding in found} == enabled.keys()
    for finding in found:
        stated = explain(audit, finding["finding_id"])
        for code in finding["procedure_codes"]:
            assert code in stated["billed"]
        assert str(finding["service_date"]) in stated["billed"]
        assert f'section {finding["policy_section"]}: "{enabled[finding["rule_id"]].criterion}"' in stated["measured against"]
        assert finding["rule_id"] in stated["rule"]
        assert finding["rationale"].startswith(stated["claims show"].strip())
        assert not re.search("Presumed:|Open:", stated["claims show"])
        assert [doubt.split(":")[0] for doubt in stated["in doubt"].splitlines()] == (finding["doubts"] or ["nothing"])
        assert ("what would settle it" in stated["in doubt"]) == bool(finding["doubts"])
        assert [presumption.split(":")[0] for presumption in stated["presumed"].splitlines()] == (finding["presumptions"] or ["nothing"])
        assert ("what would rebut it" in stated["presumed"]) == bool(finding["presumptions"])
        assert f"at risk {finding['amount_at_risk']}" in stated["amounts"]
        assert ("at most" in stated["amounts"]) == finding["is_upper_bound"]
        for number in (finding["interval_days"], finding["prior_count"], finding["prior_service_date"]):
            assert number is None or str(number) in stated["arithmetic"]
        for each in finding["claim_lines"]:
            assert each["claim_id"] in stated["claim cited"]
        for claim in finding["prior_claim_ids"]:
            assert claim in stated.get("claim measured against", "") + stated["claim cited"]


def test_a_review_is_not_worded_as_a_verdict(audit: duckdb.DuckDBPyConnection) -> None:
    for finding in planted_findings(audit):
        stated = explain(audit, finding["finding_id"])
        is_review = finding["determination"] == "review"
        assert stated["determination"].startswith(f"{finding['determination']}, {finding['strength']}")
        assert ("claims show that the criterion is not met" in stated["determination"]) != is_review
        assert ("not decided" in stated["determination"]) == is_review
        assert ("if what is in doubt does not clear it" in stated["amounts"]) == is_review


def test_the_date_that_would_comply_is_the_latest_of_all_findings_on_the_lines(audit: duckdb.DuckDBPyConnection) -> None:
    found = {finding["finding_id"]: finding for finding in planted_findings(audit)}
    lines = {key: {line["claim_id"] for line in finding["claim_lines"]} for key, finding in found.items()}
    several = 0
    for key, finding in found.items():
        dates = [
            other["earliest_compliant_date"]
            for other_key, other in found.items()
            if other["service_date"] == finding["service_date"] and lines[other_key] & lines[key] and other["earliest_compliant_date"]
        ]
        stated = explain(audit, key)["would comply from"]
        assert stated.startswith(str(max(dates)) if dates else f"no date alone decides {finding['rule_id']}")
        assert ("the latest of" in stated) == (len(dates) > 1)
        several += len(set(dates)) > 1
    assert several


def test_a_finding_that_is_withdrawn_is_explained_as_that(tmp_path: Path) -> None:
    early, late = line("C1", "2024-01-10"), line("C2", "2024-02-10")
    run_on(tmp_path, early, late).close()
    void = {**early, "claim_frequency_code": "8", "paid_date": date(2024, 4, 1)}
    run(tmp_path / "out", write_extract(tmp_path / "void.parquet", [void]))
    with duckdb.connect(tmp_path / "out/current/audit.duckdb", read_only=True) as con:
        [finding] = rows(con, "from findings")
        stated = explain(con, finding["finding_id"])
        assert "withdrawn, it no longer holds" in stated["determination"]
        assert stated["would comply from"].startswith(str(finding["earliest_compliant_date"]))
        assert [row["table_name"] for row in rows(con, "from why(?)", finding["finding_id"])] == ["parameters", "parameters"]


# --- what rules read


def test_every_finding_has_the_rows_on_which_its_rule_decided(audit: duckdb.DuckDBPyConnection) -> None:
    by_code = {rule.rule_id for rule in the_policy().rules if rule.per == "code"}
    for finding in planted_findings(audit):
        inputs = rows(audit, "from why(?)", finding["finding_id"])
        dates = {row["service_date"] for row in inputs if row["table_name"] != "parameters"}
        values = {row["value"] for row in inputs}
        assert finding["service_date"] == max(dates)
        prior = finding["prior_service_date"]
        assert prior is None or (dates <= {finding["service_date"], prior} and (prior in dates or str(prior) in values))
        if finding["rule_id"] in by_code:
            assert [row["value"] for row in inputs if row["column_name"] == "hcpcs_code"] == finding["procedure_codes"]
        named = {claim for row in inputs if row["column_name"].endswith("claim_ids") for claim in row["value"].strip("[]").split(", ")}
        assert set(finding["prior_claim_ids"]) <= named
        assert all(row["meaning"] for row in inputs)


def test_the_rows_are_those_of_the_tables_and_the_limits_those_in_force(audit: duckdb.DuckDBPyConnection) -> None:
    [finding] = rows(audit, "from findings where rule_id = 'interval_under_two_months' order by finding_id limit 1")
    inputs = rows(audit, "from why(?)", finding["finding_id"])
    query = "from working.nearest_injections where person_id = ? and service_date = ?"
    [nearest] = rows(audit, query, finding["person_id"], finding["service_date"])
    shown = {row["column_name"]: row["value"] for row in inputs if row["table_name"] == "nearest_injections"}
    assert shown.keys() == nearest.keys() - {"person_id", "service_date"}, "the rule names all others"
    assert shown["interval_days"] == str(nearest["interval_days"]) == str(finding["interval_days"])
    assert shown["scope"] == nearest["scope"] == finding["scope"]
    limits = {row["column_name"]: row["value"] for row in inputs if row["table_name"] == "parameters"}
    in_force = rows(audit, "from limits where rule_id = ?", finding["rule_id"])
    assert limits == {row["limit_name"]: row["limit_value"] for row in in_force}


def test_of_a_row_the_columns_that_the_rule_names_are_shown(audit: duckdb.DuckDBPyConnection) -> None:
    [finding] = rows(audit, "from findings where rule_id = 'injections_beyond_twelve_months' order by finding_id limit 1")
    inputs = rows(audit, "from why(?)", finding["finding_id"])
    assert {row["column_name"] for row in inputs if row["table_name"] == "tracks"} == {"track", "chain_start_date"}


def test_macros_answer_while_the_schema_of_the_rules_is_in_use(audit: duckdb.DuckDBPyConnection) -> None:
    [finding] = rows(audit, "from findings order by finding_id limit 1")
    calls = {
        "claims_behind": finding["finding_id"],
        "explain": finding["finding_id"],
        "why": finding["finding_id"],
        "member_timeline": finding["person_id"],
        "provider_profile": finding["billing_npi"],
        "sessions_over_limit": 4,
    }
    assert calls.keys() == set(MACROS)
    answered = {name: rows(audit, f"from {name}(?)", value) for name, value in calls.items()}
    audit.execute("use working")
    assert {name: rows(audit, f"from {name}(?)", value) for name, value in calls.items()} == answered
    assert all(answered.values())


# --- persons and providers


def test_a_timeline_says_of_every_line_whether_it_is_live_and_why_not(audit: duckdb.DuckDBPyConnection) -> None:
    seen = set()
    for person in PLANTED:
        lines = rows(audit, "from lines where person_id = ? order by service_date, claim_id, claim_line_number, data_source", person)
        answered = rows(audit, "from member_timeline(?)", person)
        assert [(row["claim_id"], row["claim_line_number"]) for row in answered] == [
            (row["claim_id"], row["claim_line_number"]) for row in lines
        ]
        for row, each in zip(answered, lines, strict=True):
            is_live = each["line_status"] in ("live", "recovered")
            assert row["is_live"] == is_live
            assert row["reason_not_live"] == (None if is_live else LINE_STATUSES[each["line_status"]])
            assert (row["series_seq"] is not None) == (is_live and each["family"] == "sij_injection")
            seen.add(each["line_status"])
    assert seen == set(LINE_STATUSES) - {"recovered"}, "no finding of the sample was reviewed"


def test_a_timeline_shows_the_findings_of_a_line(audit: duckdb.DuckDBPyConnection) -> None:
    answered = rows(audit, "from member_timeline('P90000006')")
    assert [row["findings"] for row in answered if row["findings"]] == [["interval_under_two_months (violation)"]]


def test_a_timeline_has_each_policys_findings_beside_its_injection(tmp_path: Path) -> None:
    strict = tmp_path / "strict"
    strict.mkdir()
    changes = 'extends = "cp_mp_166"\npolicy_id = "PLAN.2"\n[rules.interval_under_two_months]\nmin_months = 3\n'
    (strict / "policy.toml").write_text(changes, encoding="utf-8")
    lines = [line("A", "2024-01-01"), line("B", "2024-03-20"), line("C", "2024-03-20", "64625")]
    run(tmp_path / "out", write_extract(tmp_path / "x.parquet", lines), policy_folders=(*policy_folders(), strict))
    with duckdb.connect(tmp_path / "out/current/audit.duckdb", read_only=True) as con:
        answered = {(row["policy_id"], row["claim_id"]): row["findings"] for row in rows(con, "from member_timeline('P1')")}
    assert ["interval_under_two_months" in " ".join(answered[policy, "B"]) for policy in ("CP.MP.166", "PLAN.2")] == [False, True]
    assert "radiofrequency_not_necessary (violation)" in answered[None, "C"]


def test_a_profile_is_the_provider_and_its_findings_by_rule(audit: duckdb.DuckDBPyConnection) -> None:
    for provider in rows(audit, "from providers"):
        whole, *by_rule = rows(audit, "from provider_profile(?)", provider["billing_npi"])
        assert {name: whole[name] for name in provider if name != "billing_npi"} == {
            name: provider[name] for name in provider if name != "billing_npi"
        }
        for measure in ("findings", "violations", "reviews", "amount_at_risk"):
            assert sum(row[measure] for row in by_rule) == whole[measure], measure


def test_a_profile_of_lines_without_a_billing_provider(tmp_path: Path) -> None:
    nobody: dict[str, Any] = {"billing_npi": None}
    with run_on(tmp_path, line("C1", "2024-01-10", **nobody), line("C2", "2024-02-10", **nobody)) as con:
        assert [row["findings"] for row in rows(con, "from provider_profile(null)")] == [1, 1]


# --- lines


def test_overlapping_lines_have_several_findings(audit: duckdb.DuckDBPyConnection) -> None:
    for row in rows(audit, "from overlapping_lines"):
        assert row["finding_count"] == len(set(row["finding_ids"])) > 1
        assert row["amount_at_risk"] <= row["paid_amount"]
    line_key = "person_id, service_date, claim_id, claim_line_number"
    several = f"select count(*) from (select 1 from finding_lines group by {line_key} having count(*) > 1)"
    assert value(audit, "select count(*) from overlapping_lines") == value(audit, several)


def test_duplicates_are_of_one_laterality_and_billing_provider_and_on_two_claims(tmp_path: Path) -> None:
    lines = [
        line("C1", "2024-01-10", "27096", "RT", person="same"),
        line("C2", "2024-01-10", "27096", "76", "RT", person="same"),
        line("C3", "2024-01-10", "27096", "RT", person="sides"),
        line("C4", "2024-01-10", "27096", "LT", person="sides"),
        line("C5", "2024-01-10", "27096", "RT", person="providers"),
        line("C6", "2024-01-10", "27096", "RT", person="providers", billing_npi="9200099999"),
        line("C7", "2024-01-10", "27096", "RT", person="days"),
        line("C8", "2024-01-11", "27096", "RT", person="days"),
        line("C9", "2024-01-10", "27096", "RT", person="unpaid"),
        line("C10", "2024-01-10", "27096", "RT", person="unpaid", paid_amount="0.00"),
        line("C11", "2024-01-10", "27096", "RT", person="denied"),
        line("C12", "2024-01-10", "27096", "RT", person="denied", claim_status="denied"),
        line("C13", "2024-01-10", "27096", "RT", person="one claim"),
        line("C13", "2024-01-10", "27096", "RT", person="one claim", claim_line_number=2),
    ]
    with run_on(tmp_path, *lines) as con:
        [row] = rows(con, "from possible_duplicates")
    assert (row["person_id"], row["laterality"], row["claim_ids"], row["modifiers"]) == ("same", "right", ["C1", "C2"], ["76", "RT"])
    assert row["paid_amount"] == 2 * row["paid_beyond_one_amount"]


# --- injections


def test_an_injection_has_the_strictest_finding_on_its_own_lines(tmp_path: Path) -> None:
    lines = [
        line("A", "2024-01-01", "27096", "RT"),
        line("B", "2024-01-10", "27096", "RT", "KX", billing_npi="9200099999"),
        line("C", "2024-01-10", "G0260", "RT", "KX", claim_type="institutional"),
        line("D", "2024-06-01", "27096", "LT", billing_npi=None),
        line("E", "2024-06-01", "64625", "LT", claim_status="denied"),
        line("F", "2024-06-02", "64625", "LT"),
    ]
    with run_on(tmp_path, *lines) as con:
        injections = rows(con, "from injection_findings")
        assert {row["rule_id"] for row in rows(con, "from findings")} > {rule for row in injections for rule in row["rules"]}
    assert [(str(row["service_date"]), row["determination"]) for row in injections] == [
        ("2024-01-01", None),
        ("2024-01-10", "violation"),
        ("2024-06-01", None),
    ]
    assert [row["rules"] for row in injections] == [[], ["interval_under_two_months", "second_injection_under_two_weeks"], []]
    assert [row["billing_npis"] for row in injections] == [[lines[0]["billing_npi"]], sorted(["9200099999", lines[0]["billing_npi"]]), []]


def test_every_injection_is_there_with_its_money_once(audit: duckdb.DuckDBPyConnection) -> None:
    columns = "policy_id, person_id, service_date, site, line_count, paid_amount"
    assert rows(audit, f"select {columns} from injection_findings") == rows(audit, f"select {columns} from injections")


# --- a federal audit


def sessions(con: duckdb.DuckDBPyConnection, limit: int) -> dict[str, Row]:
    return {row["counted_by"]: row for row in rows(con, "from sessions_over_limit(?)", limit)}


def test_sessions_are_dates_and_sites_are_sides(tmp_path: Path) -> None:
    sides = ["RT", "LT", "RT", "LT", "RT", "LT"]
    lines = [line(f"C{month}", f"2023-{2 * month:02}-01", "27096", side) for month, side in enumerate(sides, 1)]
    lines.append(line("D1", "2023-03-05", "27096", "50", person="both"))
    with run_on(tmp_path, *lines) as con:
        answered = sessions(con, 4)
        assert {by: (row["line_count"], row["sessions"], row["over_sessions"]) for by, row in answered.items()} == {
            "session": (7, 7, 2),
            "site": (7, 8, 0),
        }
        assert (answered["session"]["over_payees"], answered["session"]["over_persons"]) == (1, 1)
        assert answered["session"]["over_paid_amount"] == 2 * lines[0]["paid_amount"]
        assert (answered["session"]["violation_sessions"], answered["session"]["review_sessions"]) == (0, 0)
        assert sessions(con, 2)["site"]["over_sessions"] == 2


def test_dollars_of_sessions_split_into_violation_review_and_rest(audit: duckdb.DuckDBPyConnection) -> None:
    for limit in range(1, 7):
        for row in sessions(audit, limit).values():
            assert row["violation_sessions"] + row["review_sessions"] <= row["over_sessions"] <= row["sessions"]
            assert row["violation_paid_amount"] + row["review_paid_amount"] <= row["over_paid_amount"]
    by_session = sessions(audit, 4)["session"]
    of_rule = "select count(*) from findings where rule_id = 'fifth_injection_in_twelve_months' and status <> 'withdrawn'"
    assert by_session["violation_sessions"] + by_session["review_sessions"] == value(audit, of_rule)


# --- docs/queries.md


def test_the_page_shows_what_is_answered(database: Path, runner: Callable[[Sequence[str]], str]) -> None:
    assert show_answers(show_outputs(PAGE, runner), database) == PAGE, "make docs"


def test_the_page_shows_every_view_and_macro() -> None:
    shown = PAGE.split("## Views and macros\n")[1].split("## Questions\n")[0]
    for name in (*VIEWS, *MACROS):
        assert re.search(rf"^### {name}\b", shown, re.MULTILINE)
        assert re.search(rf"^from {name}\b", shown, re.MULTILINE)


def test_questions_are_answered_in_five_lines_at_most() -> None:
    questions = PAGE.split("## Questions\n")[1]
    queries = re.findall(r"^```sql\n(.*?)^```", questions, re.MULTILINE | re.DOTALL)
    assert len(queries) == len(re.findall(r"^### \d+\. .*\?$", questions, re.MULTILINE)) >= 12
    assert [query for query in queries if len(query.splitlines()) > 5] == []
    blocks = re.findall(r"^```text\n(.*?)^```", questions, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(queries)
    assert all(len(block.splitlines()) > 1 for block in blocks)


def test_an_answer_is_in_columns() -> None:
    with duckdb.connect() as con:
        answered = answer(
            con, "select 'a' as name, 10.50::decimal(9, 2) as paid, [1, 2] as both, true as yes union all select null, 2, [], null"
        )
    assert answered == "name   paid  both  yes\na     10.50  1, 2  true\n       2.00\n"
