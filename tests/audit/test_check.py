"""An extract is looked at before it is loaded: what it holds, what would become of it, and nothing is left behind."""

from pathlib import Path

import pytest

from sij_audit.transforms.audit.check import ColumnLook, check_extracts
from sij_audit.transforms.audit.run import Request
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.ingest.outcomes import Loaded, Refused
from sij_audit.transforms.settings import Settings
from tests.runs import AS_OF, command, line, read_report, run, write_csv, write_extract

HEADER = [
    "claim_id",
    "claim_line_number",
    "mbr_id",
    "member_id",
    "dos",
    "claim_line_start_date",
    "hcpcs_code",
    "paid_amount",
    "claim_status",
    "x",
]
ROWS = [
    ["C1", "1", "", "M1", "", "1/5/2024", "27096", "$186.40", "Adjusted", "1"],
    ["C2", "1", "", "M1", "", "12/25/2023", "27096", "186.40", "Adjusted", ""],
    ["C3", "1", "", "M1", "", "01/05/2023", "99213", "1,186.40", "paid", ""],
    *(["C4", str(number), "", "M1", "", "01/05/2023", "99213", "86.40", "paid", ""] for number in range(1, 30)),
]


def test_columns_are_shown_with_what_fills_them_and_how(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "claims.csv", HEADER, ROWS)
    with check_extracts(Request(out=tmp_path / "none", extracts=(path,), as_of=AS_OF)) as check:
        [extract] = check.extracts
    columns = {column.name: column for column in extract.columns}
    assert columns["member_id"] == ColumnLook("member_id", is_known=True, filled_count=32, near=None, forms=(), made_of=None)
    assert columns["claim_line_start_date"].forms == ("99/99/9999", "9/9/9999")
    assert columns["paid_amount"].forms == ("99.99", "$999.99", "9,999.99")
    assert columns["x"] == ColumnLook("x", is_known=False, filled_count=1, near=None, forms=(), made_of=None)
    assert extract.words == {"claim_status": {"Adjusted": 2}}
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_means_a_column_which_is_not_there_is_shown_with_it(tmp_path: Path) -> None:
    header = [name.replace("claim_line_start_date", "claim_start_date") for name in HEADER]
    path = write_csv(tmp_path / "claims.csv", header, ROWS)
    with check_extracts(Request(out=tmp_path / "none", extracts=(path,), as_of=AS_OF)) as check:
        [extract] = check.extracts
    near = {column.name: column.near for column in extract.columns if not column.is_known}
    assert near == {"mbr_id": None, "dos": "claim_line_start_date", "x": None}


def test_a_plans_own_words_are_understood(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "claims.csv", HEADER, ROWS)
    settings = Settings(claim_statuses={"adjusted": "paid"})
    with check_extracts(Request(out=tmp_path / "none", extracts=(path,), as_of=AS_OF, settings=settings)) as check:
        [extract] = check.extracts
    assert extract.words == {}


def test_what_would_be_found_is_what_a_first_run_finds(tmp_path: Path) -> None:
    lines = [line("C1", "2024-01-10"), line("C2", "2024-02-10"), line("C3", "2024-02-20")]
    path = write_extract(tmp_path / "claims.parquet", lines)
    with check_extracts(Request(out=tmp_path / "none", extracts=(path,), as_of=AS_OF)) as check:
        assert check.result.run is not None
        assert check.result.summary is not None
        tried = read_report(check.result.run, "rules")
    run(tmp_path / "out", path)
    assert tried == read_report(tmp_path / "out", "rules")


def test_outcomes_are_those_of_a_run(tmp_path: Path) -> None:
    good = write_extract(tmp_path / "a.parquet", [line("C1", "2024-01-10")])
    bad = write_csv(tmp_path / "b.csv", ["claim_id"], [["C1"]])
    with check_extracts(Request(out=tmp_path / "none", extracts=(good, bad), as_of=AS_OF)) as check:
        loaded, refused = (extract.outcome for extract in check.extracts)
    assert isinstance(loaded, Loaded)
    assert isinstance(refused, Refused)
    assert check.result.exit_code == 3


def test_what_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError), check_extracts(Request(out=tmp_path / "none", extracts=(tmp_path / "no.csv",), as_of=AS_OF)):
        pass


def test_the_command_shows_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "claims.csv", HEADER, ROWS)
    bad = write_csv(tmp_path / "bad.csv", ["claim_id"], [["C1"]])
    place = tmp_path / "tmp"
    place.mkdir()
    done = command("check", path, bad, cwd=tmp_path, TMPDIR=str(place))
    assert done.returncode == 3
    assert "A run would load it: 32 rows = 0 kept + 30 not relevant + 2 quarantined + 0 duplicate" in done.stdout
    assert "Not read, 3 columns: mbr_id, dos, x" in done.stdout
    assert "Not understood of claim_status, in the first rows: Adjusted 2" in done.stdout
    assert "A run would refuse it." in done.stdout
    assert "Nothing was loaded or published." in done.stdout
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["bad.csv", "claims.csv", "tmp"]
    assert list(place.iterdir()) == []


def test_a_check_by_a_layout_says_what_each_column_is_made_of(tmp_path: Path) -> None:
    layout = tmp_path / "payer.toml"
    layout.write_text('separator = ";"\ndates = "DD/MM/YYYY"\n[columns]\nclaim_id = "No"\npaid_amount = { sql = "Cents::integer / 100" }')
    path = tmp_path / "x.txt"
    path.write_text("No;claim_line_number;member_id;claim_line_start_date;hcpcs_code;Cents;Other\nC1;1;M1;15/01/2024;27096;100;\n")
    request = Request(out=tmp_path / "none", extracts=(path,), as_of=AS_OF, settings=Settings(layouts=(layout,)))
    with check_extracts(request) as check:
        [extract] = check.extracts
    made_of = {column.name: column.made_of for column in extract.columns}
    assert (made_of["claim_id"], made_of["paid_amount"], made_of["member_id"], made_of["Other"]) == (
        '"No"',
        "Cents::integer / 100",
        '"member_id"',
        None,
    )
    assert isinstance(extract.outcome, Loaded)
    assert extract.outcome.batch.layout == "payer.toml"
