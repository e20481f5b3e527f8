"""What quality checks find stands in the report `data_quality`, and as sentences for people, each once."""

from datetime import timedelta
from pathlib import Path

from sij_audit.transforms.audit.summary import QualityNotice
from tests.runs import AS_OF, change_batch, command, keys, line, read_report, run_reports, write_extract


def notices(result_of: Path, *extracts: Path) -> dict[str, QualityNotice]:
    summary = run_reports(result_of, *extracts).summary
    assert summary is not None
    return {notice.check_id: notice for notice in summary.quality}


def test_a_check_that_finds_the_same_in_two_extracts_is_one_notice(tmp_path: Path) -> None:
    extracts = [
        write_extract(tmp_path / f"{name}.csv", [line(f"{name}1", "2023-06-01", "CPT27096"), line(f"{name}2", "2023-07-01", "99213")])
        for name in "ba"
    ]
    found = notices(tmp_path / "out", *extracts)["code_in_disguise"]
    assert (found.extracts, found.row_count, found.found_count, found.forms) == (["a.csv", "b.csv"], 4, 2, ["AAA99999"])
    assert str(found) == (
        "hcpcs_code in a.csv, b.csv: 2 of 4 rows (such as AAA99999): a code that the audit looks for is written with something else in its "
        "cell, such as a prefix or a modifier. The line is not audited: what was done there is not found, nor counted against later services. "
        "What to do: write the code alone into hcpcs_code and each modifier into a column of its own."
    )


def test_what_one_extract_shows_is_not_said_again_of_all(tmp_path: Path) -> None:
    """Four members are one person: within one extract, and in the other one only together with it."""
    alone = [line(f"A{n}", f"2023-0{n}-01", person_id="X", member_id=f"M{n}") for n in range(1, 5)]
    half = [line(f"B{n}", f"2023-0{n}-02", person_id="Y", member_id=f"N{n}") for n in range(1, 3)]
    other_half = [line(f"C{n}", f"2023-0{n}-02", person_id="Y", member_id=f"N{n}") for n in range(3, 5)]
    files = [write_extract(tmp_path / f"{n}.csv", rows) for n, rows in enumerate((alone, half, other_half))]
    assert notices(tmp_path / "one", files[0])["person_over_members"].extracts == ["0.csv"]
    of_all = notices(tmp_path / "two", *files[1:])["person_over_members"]
    assert (of_all.extracts, of_all.found_count) == ([], 4)
    assert str(of_all).startswith("person_id in all extracts together: 4 of 4 rows: the person_id goes with more member numbers")


def test_an_extract_is_held_against_the_checks_in_later_runs_too(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "a.csv", [line("A1", "2023-06-01", "27096", "RT,59")])
    run_reports(tmp_path / "out", extract)
    first = keys(read_report(tmp_path / "out", "data_quality"), "check_id", "column", "row_count", "found_count", "is_noticed")
    extract.unlink()
    run_reports(tmp_path / "out", as_of=AS_OF + timedelta(days=1))
    later = read_report(tmp_path / "out", "data_quality")
    assert keys(later, "check_id", "column", "row_count", "found_count", "is_noticed") == first
    assert [row["check_id"] for row in later if row["is_noticed"]] == ["unlike_modifier"]
    assert not any(row["is_new"] for row in later)


def test_of_an_extract_that_another_version_loaded_nothing_is_said(tmp_path: Path) -> None:
    run_reports(tmp_path / "out", write_extract(tmp_path / "a.csv", [line("A1", "2023-06-01", "CPT27096")]))
    [batch] = (tmp_path / "out/claims").iterdir()
    change_batch(batch, without=["quality"])
    run_reports(tmp_path / "out", as_of=AS_OF + timedelta(days=1))
    assert {row["extract"] for row in read_report(tmp_path / "out", "data_quality")} == {None}


def test_the_command_warns_and_refuses(tmp_path: Path) -> None:
    odd = write_extract(tmp_path / "odd.csv", [line("A1", "2023-06-01", "CPT27096")])
    dummy = write_extract(tmp_path / "dummy.csv", [line(f"D{n}", "2023-06-01", person_id="X", member_id=f"M{n}") for n in range(20)])
    done = command("run", odd, dummy, "--out", tmp_path / "out", "--as-of", "2024-06-30")
    assert done.returncode == 3
    assert "WARNING hcpcs_code in odd.csv: 1 of 1 rows (such as AAA99999)" in done.stdout
    assert "REFUSED dummy.csv: person_id: 20 of 20 rows: the person_id goes with more member numbers than a person can have." in done.stdout
    [refused] = [row for row in read_report(tmp_path / "out", "controls") if row["outcome"] == "refused"]
    assert (refused["extract"], refused["rows_read"]) == ("dummy.csv", 0)
    page = (tmp_path / "out/current/report.html").read_text(encoding="utf-8")
    assert "a code that the audit looks for is written with something else in its cell" in page
