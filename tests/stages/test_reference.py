"""The tables that people maintain: each row says where it is from, and lines of business contradict nothing."""

import re
from pathlib import Path

import pytest

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.stages.policies import load_policies, policy_folders
from sij_audit.transforms.stages.reference import (
    LINE_COLUMNS,
    LINES_OF_BUSINESS,
    QUALITY_CHECKS,
    check_lines_of_business,
    load_quality_checks,
    read_reference,
    reference_files,
)
from tests.runs import command_of, copy_program, line, write_extract

YEAR = re.compile(r"\b(19|20)[0-9]{2}\b|\b(0[1-9]|1[0-2])/[0-9]{2}\b")
"""A year, or a revision of a policy, MM/YY."""


@pytest.mark.parametrize("name", [path.stem for path in reference_files()])
def test_each_row_names_a_public_source_and_its_year(name: str) -> None:
    rows = read_reference(name)
    assert rows
    assert [row for row in rows if not YEAR.search(row["source"]) or "contract" in row["source"].lower()] == []


def test_a_code_that_is_new_names_the_year_in_which_it_came() -> None:
    codes = [row for row in read_reference("procedure_codes") if row["effective_from"]]
    assert codes
    assert [row["hcpcs_code"] for row in codes if row["effective_from"][:4] not in row["source"]] == []


# --- quality checks


def test_each_quality_check_has_limits_that_can_be_reached() -> None:
    checks = load_quality_checks()
    assert len(checks) == len(read_reference("quality_checks"))
    for row in read_reference("quality_checks"):
        assert 0 < float(row["least_share"]) <= 1
        assert 1 <= int(row["least_found_count"]) <= int(row["least_row_count"])
        assert not [name for name in ("counted", "meaning", "effect", "remedy") if not row[name] or row[name].endswith(".")]
    assert {name for name, check in checks.items() if check.refuses(20, 11)} == {"person_over_members", "scientific_id"}
    assert not any(check.refuses(20, 10) or check.refuses(19, 19) for check in checks.values())
    assert not any(check.refuses(0, 0) for check in checks.values())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",30,1,0.5,", ",30,1,half,", "least_share must be a share"),
        (",30,1,0.5,", ",30.5,1,0.5,", "least_row_count must be a whole number"),
    ],
)
def test_a_limit_of_a_quality_check_that_is_no_number_is_named_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "quality_checks.csv"
    path.write_text(QUALITY_CHECKS.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(AuditError, match=f"quality_checks.csv, line 2: {said}"):
        load_quality_checks(path)


# --- lines of business

GOOD = "1,contains,medicare,non-medicare,medicare,2024"


def write_lines(folder: Path, *rows: str, header: str = ",".join(LINE_COLUMNS)) -> Path:
    path = folder / "lines_of_business.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,contains,medicare,,medicare,2024", "line 2 has the same value, matched the same way"),
        ("2,contains,medicare,,medicaid,2024", "line 2 has the same value, matched the same way"),
        ("1,equals,chip,,medicaid,2024", "match_order 1 is medicare in line 2, and medicaid here; an order has one group"),
        ("2,equals,chip,,medicade,2024", "line_group must be commercial, medicaid, medicare or unknown"),
        ("2,is,chip,,medicaid,2024", "match_kind must be contains, begins_with or equals"),
        ("second,equals,chip,,medicaid,2024", "match_order must be a whole number from 1 on"),
        ("01,equals,chip,,medicaid,2024", "match_order must be a whole number from 1 on"),
        ("2,equals,CHIP,,medicaid,2024", "line_of_business must be in lower case"),
        ("2,equals,star  kids,,medicaid,2024", "line_of_business must be in lower case, with single spaces"),
        ("2,equals,,,medicaid,2024", "line_of_business must be in lower case, with single spaces, and not empty"),
        ("2,equals,chip,,medicaid", "must have 6 cells"),
        ("2,equals,chip,,medicaid,2024,", "must have 6 cells"),
    ],
)
def test_lines_of_business_that_contradict_each_other_are_named_by_line(tmp_path: Path, row: str, said: str) -> None:
    path = write_lines(tmp_path, GOOD, row)
    with pytest.raises(AuditError, match=rf"^{tmp_path.name}/lines_of_business\.csv, line 3: {said}"):
        check_lines_of_business(path)


def test_a_table_of_lines_of_business_needs_its_header(tmp_path: Path) -> None:
    path = write_lines(tmp_path, GOOD, header="line_of_business,line_group")
    with pytest.raises(AuditError, match=r"lines_of_business\.csv, line 1: the header must be match_order,"):
        check_lines_of_business(path)


def test_the_table_of_lines_of_business_is_checked_with_the_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bool] = []
    monkeypatch.setattr("sij_audit.transforms.stages.policies.check_lines_of_business", lambda: checked.append(True))
    load_policies(policy_folders())
    assert checked == [True]


def test_a_contradiction_of_lines_of_business_stops_the_command_before_it_reads_claims(tmp_path: Path) -> None:
    program = copy_program(tmp_path / "program")
    table = program / "sij_audit/sql/0_reference" / LINES_OF_BUSINESS.name
    rows = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([*rows, "1,equals,hmo,,commercial,2024", ""]), encoding="utf-8")
    extract = write_extract(tmp_path / "x.parquet", [line("A", "2023-01-10")])
    done = command_of(program, "run", extract, "--out", tmp_path / "out", "--as-of", "2024-06-30")
    assert done.returncode == 4
    assert (
        f"0_reference/lines_of_business.csv, line {len(rows) + 1}: match_order 1 is medicare in line 2, and commercial here" in done.stderr
    )
    assert not (tmp_path / "out").exists()
