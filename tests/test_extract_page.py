"""docs/extract.md says what is true: its rows are read, its query runs, and each history ends as the page says."""

import csv
import re
from pathlib import Path

import duckdb
import pytest

from sij_audit.transforms.columns import COLUMNS
from tests.runs import ROOT, Row, findings, line, read_report, run_reports, write_extract

PAGE = (ROOT / "docs/extract.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    """The one block of a kind on the page."""
    [text] = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(text)


def histories() -> list[list[Row]]:
    """The histories of the table, each the rows that it consists of; an empty cell is null."""
    table = [
        [cell.strip() or None for cell in row.split("|")[1:-1]]
        for row in re.findall(r"^\|.*\|$", PAGE.split("## What to write")[1], re.MULTILINE)
    ]
    found: list[list[Row]] = []
    for row in table[2:]:
        facts = dict(zip(filter(None, table[0]), row, strict=True))
        if facts["history"]:
            found.append([])
        found[-1].append(facts)
    return found


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "claims.csv"
    path.write_text(block("csv"), encoding="utf-8")
    return path


def test_the_rows_to_copy_are_read_and_judged(extract: Path, tmp_path: Path) -> None:
    run_reports(tmp_path / "out", extract)
    [control] = read_report(tmp_path / "out", "controls")
    assert (control["rows_read"], control["rows_kept"], control["rows_quarantined"]) == (6, 6, 0)
    found = [(row["person_id"], row["rule_id"]) for row in findings(tmp_path / "out")]
    assert sorted(found) == [("P1", "interval_under_two_months"), ("P3", "nerve_block_not_necessary")]


def test_the_query_writes_what_the_rows_say(extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    header = next(csv.reader(block("csv").splitlines()))
    kinds = {column.name: column.sql_type for column in COLUMNS}
    with duckdb.connect() as con:
        types = {name: kinds[name] for name in header}
        con.execute("create table medical_claim as from read_csv(?, columns = ?, header = true)", [str(extract), types])
        con.execute(block("sql"))
    run_reports(tmp_path / "csv", extract)
    run_reports(tmp_path / "parquet", tmp_path / "claims.parquet")
    assert findings(tmp_path / "parquet") == findings(tmp_path / "csv")
    assert read_report(tmp_path / "parquet", "lines") == read_report(tmp_path / "csv", "lines")


def test_every_history_ends_as_the_page_says(tmp_path: Path) -> None:
    rows, expected = [], {}
    for number, history in enumerate(histories()):
        for facts in history:
            changes = {name: value for name, value in facts.items() if name not in ("history", "claim_id", "line_status")}
            changes["paid_date"] = changes["paid_date"] and duckdb.sql(f"select date '{changes['paid_date']}'").fetchall()[0][0]
            rows.append(line(str(facts["claim_id"]), "2024-01-10", person=f"P{number}", data_source=f"history {number}", **changes))
            expected[(f"history {number}", facts["claim_id"])] = facts["line_status"]
    run_reports(tmp_path / "out", write_extract(tmp_path / "claims.parquet", rows))
    found = {(row["data_source"], row["claim_id"]): row["line_status"] for row in read_report(tmp_path / "out", "lines")}
    assert len(histories()) == 11
    assert found == expected


def test_the_page_is_two_pages_at_most() -> None:
    assert len(PAGE.splitlines()) <= 120
