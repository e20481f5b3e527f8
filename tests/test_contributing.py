"""The examples of CONTRIBUTING.md work as they are, in a copy of the checkout."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def run_python(folder: Path, *arguments: str) -> str:
    """Run Python in a copy of the checkout, whose packages come before those installed."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the examples in it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("data", "docs", "flows", "sij_audit", "sql", "tests", "transforms"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, text in EXAMPLES.items():
        assert not (folder / name).exists()
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run_folder(checkout: Path) -> Path:
    """The sample, audited by the program with the examples in it."""
    command = "from sij_audit.flows.command import main; main()"
    run_python(checkout, "-c", command, "run", "data/sample", "--out", "out", "--as-of", "2024-06-30")
    return checkout / "out/current"


def test_the_examples_are_a_rule_and_a_report_each_with_its_cases() -> None:
    assert [Path(name).parent.as_posix() for name in EXAMPLES] == [
        "sql/3_rules/cp_mp_166",
        "tests/sql/3_rules/cp_mp_166",
        "sql/5_reports",
        "tests/sql/5_reports",
    ]


def test_the_examples_pass_their_cases(checkout: Path) -> None:
    printed = run_python(
        checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/stages/test_sql_cases.py", "-k", "long_series or payer_amounts"
    )
    assert "6 passed" in printed


def test_the_rule_is_audited_by(run_folder: Path) -> None:
    rules = pq.read_table(run_folder / "rules.parquet").to_pylist()
    [rule] = [rule for rule in rules if rule["rule_id"] == "long_series"]
    assert rule["looked_at"] > 0


def test_the_report_is_published(run_folder: Path) -> None:
    amounts = pq.read_table(run_folder / "payer_amounts.parquet").to_pylist()
    findings = pq.read_table(run_folder / "findings.parquet").to_pylist()
    assert sum(row["amount_at_risk"] for row in amounts) == sum(finding["amount_at_risk"] for finding in findings)
