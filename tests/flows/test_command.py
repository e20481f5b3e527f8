"""The command as people and schedulers meet it: what it prints, with what it ends, and that it starts fast."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from sij_audit.flows.command import app
from sij_audit.transforms.columns import FORMAT
from sij_audit.transforms.store.folder import Store
from tests.runs import EARLY, ROOT, SAMPLE, change_batch, command, findings, line, read_report, write_csv, write_extract

HEAVY = ("prefect", "duckdb", "polars", "pyarrow", "numpy", "rich")


# --- help


def test_help_names_every_command_and_exit_code() -> None:
    done = command("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in (registered.name or registered.callback.__name__ for registered in app.registered_commands if registered.callback):
        assert f"  {name} " in done.stdout
        assert command(name, "--help").returncode == 0
    assert all(f"{code} " in done.stdout for code in (0, 2, 3, 4, 75))


def test_run_help_names_every_option() -> None:
    said = command("run", "--help").stdout
    assert all(option in said for option in ("EXTRACT", "--out", "--as-of", "--line-of-business"))


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["nightly", "--help"], ["verify", "--help"]])
def test_help_starts_without_what_only_a_run_needs(arguments: list[str]) -> None:
    script = """
import sys
from sij_audit.flows.command import main
try:
    main()
finally:
    print("\\nIMPORTED", *sorted({name.split(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = done.stdout.split("IMPORTED")[1].split()
    assert "typer" in imported
    assert set(HEAVY) & set(imported) == set()


# --- wrong usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--out", "OUT", "--depth", "3"], "--depth"),
        (["run", "--out", "OUT", "--as-of", "30.6.2024"], "30.6.2024"),
        (["run", "--out", "OUT", "--as-of", "2024-02-30"], "2024-02-30"),
        (["run", "--out", "OUT", "--as-of", ""], "--as-of"),
        (["run"], "--out"),
        (["audit"], "audit"),
        (["run", "nowhere.csv", "--out", "OUT"], "nowhere.csv does not exist"),
        (["run", "--out", "file"], "cannot be used as the OUT folder"),
        (["verify", "OUT"], "OUT"),
        (["verify", "OUT", "2024-06-30-000000000000"], "OUT"),
        (["sample", "OUT", "--persons", "0"], "--persons"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "file").touch()
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "something was made all the same"


# --- the other codes


def test_done_is_0_and_each_step_is_a_line_where_output_is_piped(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = command("run", SAMPLE, "--out", out, "--as-of", "2024-06-30")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout
    controls = read_report(out, "controls")
    assert [said for said in lines if not said.startswith("  ")][: len(controls)] == [
        f"{row['extract']}: {row['rows_read']:,} rows read, {row['rows_kept']:,} kept, {row['rows_quarantined']:,} quarantined"
        for row in controls
    ]
    stages = [text.removesuffix(" …") for text in lines if text.endswith(" …")]
    assert stages == ["lines", "timeline", "rules", "findings", "reports", "publish"]
    read, kept, not_relevant, quarantined = (
        sum(row[f"rows_{name}"] for row in controls) for name in ("read", "kept", "not_relevant", "quarantined")
    )
    assert f"Rows: {read:,} read = {kept:,} kept + {not_relevant:,} not relevant + {quarantined:,} quarantined + 1 duplicate" in lines
    assert f"Run {(out / 'current').resolve().name}, services up to 2024-06-30" in lines
    assert max(map(len, lines)) <= 150
    for rule in read_report(out, "rules"):
        assert rule["rule_id"] in done.stdout
    assert "bilateral_injection" not in done.stdout
    total = sum(row["amount_at_risk"] for row in findings(out))
    assert f"At risk, no dollar counted twice: ${total:,.2f}" in lines


def test_nothing_new_is_0_and_said(early: Path) -> None:
    done = command("run", "--out", early, "--as-of", "2024-06-30")
    assert done.returncode == 0
    assert done.stdout == f"Nothing is new since run {(early / 'current').resolve().name}: nothing was published.\n"


def test_the_date_is_today_where_none_is_given(early: Path) -> None:
    before = date.today()
    assert command("run", "--out", early).returncode == 0
    assert date.fromisoformat((early / "current").resolve().name[:10]) in (before, date.today())


def test_a_refused_extract_is_3_and_named(early: Path, tmp_path: Path) -> None:
    bad = write_csv(tmp_path / "bad.csv", ["claim_id", "member_id"], [["C1", "M1"]])
    for said in ("Run ", "Nothing is new since run "):
        done = command("run", bad, "--out", early, "--as-of", "2024-06-30")
        assert (done.returncode, done.stderr) == (3, "")
        assert done.stdout.startswith("REFUSED bad.csv: lacks columns claim_line_number")
        assert f"\n{said}" in done.stdout
        assert done.stdout.splitlines()[-1].startswith("REFUSED: 1 extract, of which nothing was audited: bad.csv.")


def test_where_no_row_was_audited_no_table_of_zeros_is_shown(tmp_path: Path) -> None:
    bad = write_extract(tmp_path / "bad.csv", [line("A", "2023-01-10") | {"member_id": None}])
    done = command("run", bad, "--out", tmp_path / "out")
    assert done.returncode == 3
    assert "NO ROW WAS AUDITED" in done.stdout
    assert "interval_under_two_months" not in done.stdout
    assert [row["reason"] for row in read_report(tmp_path / "out", "quarantine_reasons")] == ["missing_member"]


def test_quarantined_rows_are_reported_and_do_not_change_the_code(tmp_path: Path) -> None:
    rows = [line("A", "2023-01-10"), line("B", "2023-01-10") | {"member_id": None}]
    done = command("run", write_extract(tmp_path / "x.csv", rows), "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "x.csv: 2 rows read, 1 kept, 1 quarantined\n  missing_member 1 (row 2)\n" in done.stdout


def test_what_fails_is_4_and_one_sentence(early: Path) -> None:
    [batch] = (early / "claims").iterdir()
    change_batch(batch, format=FORMAT + 1)
    before = (early / "current").resolve()
    done = command("run", "--out", early, "--as-of", "2024-07-01")
    assert done.returncode == 4
    assert done.stderr.startswith("sij-audit: ")
    assert done.stderr.count("\n") == 1
    assert "early.parquet" in done.stderr
    assert (early / "current").resolve() == before


def test_a_held_out_is_75_and_left_alone(early: Path) -> None:
    with Store(early).lock():
        done = command("run", "--out", early, "--as-of", "2024-07-01")
    assert done.returncode == 75
    assert done.stderr.startswith("sij-audit: Another run holds")
    assert len(list((early / "runs").iterdir())) == 1


def test_verify_says_0_or_4(early: Path) -> None:
    [run_folder] = (early / "runs").iterdir()
    for arguments in ([early], [early, run_folder.name]):
        done = command("verify", *arguments)
        assert (done.returncode, done.stdout) == (0, "No difference: every file is as it was published.\n")
    path = run_folder / "findings.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    (run_folder / "payees.parquet").unlink()
    done = command("verify", early)
    assert done.returncode == 4
    assert [text.split(" ")[0] for text in done.stdout.splitlines()] == [
        f"runs/{run_folder.name}/findings.parquet",
        f"runs/{run_folder.name}/payees.parquet",
    ]


# --- options


def test_line_of_business_stands_in_where_a_line_has_none(tmp_path: Path) -> None:
    rows = [row | {"line_of_business": None} for row in EARLY]
    out, extract = tmp_path / "out", write_extract(tmp_path / "x.parquet", rows)
    done = command("run", extract, "--out", out, "--as-of", "2024-06-30")
    assert [(row["determination"], row["doubts"], row["line_of_business"]) for row in findings(out)] == [
        ("review", ["line_of_business_unknown"], None)
    ]
    assert "line_of_business_unknown: 1 ($186.40 at risk)" in done.stdout
    assert "--line-of-business" in done.stdout

    done = command("run", "--out", out, "--as-of", "2024-06-30", "--line-of-business", " Commercial ")
    assert done.returncode == 0
    assert [(row["determination"], row["doubts"], row["line_of_business"], row["status"]) for row in findings(out)] == [
        ("violation", [], "commercial", "changed")
    ]
    assert "line_of_business_unknown" not in done.stdout

    command("run", "--out", out, "--as-of", "2024-06-30", "--line-of-business", "medicare advantage")
    assert [row["status"] for row in findings(out)] == ["withdrawn"]
    assert {row["applicability"] for row in read_report(out, "injections")} == {"precedence"}


def test_line_of_business_leaves_lines_that_have_one(early: Path) -> None:
    command("run", "--out", early, "--as-of", "2024-06-30", "--line-of-business", "medicare")
    assert [(row["status"], row["line_of_business"]) for row in findings(early)] == [("open", "commercial")]


def test_a_sample_is_written_and_audited(tmp_path: Path) -> None:
    assert command("sample", tmp_path / "in", "--persons", "120", "--seed", "7").returncode == 0
    done = command("run", tmp_path / "in", "--out", tmp_path / "out", "--as-of", "2024-06-30")
    assert done.returncode == 0
    assert len(read_report(tmp_path / "out")) > 50
