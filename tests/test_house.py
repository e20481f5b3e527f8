"""The tree, its habits and its documents are as the house says."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {".ci", ".github", "benchmarks", "data", "docs", "flows", "sij_audit", "sql", "tests", "transforms"}
STAGES = ["0_reference", "1_lines", "2_timeline", "3_rules", "4_findings", "5_reports", "6_handoff", "7_page", "8_changes", "auditor"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PLACES = re.compile("/" + r"(work|root|home)/" + "|" + r"https?://[^\s/]*(pypi|python|pythonhosted|anaconda|npmjs)\.[a-z]+")


def tracked_files() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted(path for folder in ("flows", "transforms", "tests") for path in (ROOT / folder).rglob("*.py") if path.stem != "__init__")


def queries() -> list[Path]:
    return sorted((ROOT / "sql").rglob("*.sql"))


def test_no_two_files_of_a_stage_have_one_number() -> None:
    numbered = [(path.parent.name, path.name.partition("_")[0]) for path in queries() if path.name[0].isdigit()]
    assert len(set(numbered)) == len(numbered) > 0


def test_the_package_itself_imports_nothing() -> None:
    script = "import sys; before = set(sys.modules); import sij_audit; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {name.split(".")[0] for name in done.stdout.split()} <= {"sij_audit", *sys.stdlib_module_names}


def test_the_command_starts_without_anything_that_a_run_needs() -> None:
    """Of what is installed with the program, listing the subcommands and showing the options of each imports Typer alone."""
    script = """
import sys
from typer.testing import CliRunner
from sij_audit.flows.command import COMMANDS, app
for arguments in (["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)):
    assert CliRunner().invoke(app, arguments).exit_code == 0, arguments
print(*{name.split(".")[0] for name in sys.modules})
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    needed = {re.split(r"[^\w-]", need, maxsplit=1)[0] for need in requires("sij-audit") or () if "extra ==" not in need}
    imports = {name for name, distributions in packages_distributions().items() if needed & set(distributions)}
    assert {"duckdb", "polars", "prefect", "typer"} <= imports
    assert imports & set(done.stdout.split()) == {"typer"}


def test_the_tree_is_as_drawn() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked_files() if path.parent != ROOT} <= FOLDERS
    assert [path.name for path in sorted((ROOT / "sql").iterdir()) if path.is_dir() and path.name != "__pycache__"] == STAGES


@pytest.mark.parametrize("path", modules(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def make_targets() -> dict[str, str]:
    """The targets that people make, with what they are for."""
    return dict(re.findall(r"^([a-z-]+):.*?(?:## (.*))?$", MAKEFILE, re.MULTILINE))


def test_every_make_target_says_what_it_is_for_and_help_lists_it() -> None:
    targets = make_targets()
    assert all(targets.values())
    assert set(re.findall(r"\S+", MAKEFILE.split(".PHONY:")[1].split("\n")[0])) == targets.keys()
    shown = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in shown.splitlines()] == list(targets)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/nightly.md", ".ci/run"])
def test_every_make_target_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"(?:^[$ ]*|`)make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= make_targets().keys()


def test_contributing_explains_every_make_target_of_a_developer() -> None:
    explained = set(re.findall(r"^\| `make ([a-z-]+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert explained == make_targets().keys() - {"help", "demo", "lock"}


def test_the_workflow_runs_what_a_laptop_can_run() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    made = {command.split()[1] for command in commands if command.startswith("make ")}
    assert [command for command in commands if not command.startswith("make ")] == [".ci/run", ".ci/run eyes"]
    assert made <= make_targets().keys()
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)


def test_the_image_installs_by_hash_and_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install (.*)", dockerfile)
    assert len(installs) == 2
    assert "--require-hashes --no-deps" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]
    assert re.search(r"^USER [1-9]\d+$", dockerfile.rsplit("FROM ", 1)[1], re.MULTILINE)


def test_no_file_names_a_machine_or_a_registry() -> None:
    telling = []
    for path in tracked_files():
        if path.suffix in {".gz", ".zst", ".parquet", ".png"}:
            continue
        telling += [
            f"{path.relative_to(ROOT)}: {match.group()}" for match in PLACES.finditer(path.read_text(encoding="utf-8", errors="replace"))
        ]
    assert telling == []


LOCKS = ("requirements.lock", "requirements-dev.lock")


def read_lock(name: str) -> set[tuple[str, str]]:
    """What a lock pins, with its hashes; on which machines is left out, since tests need some packages on more of them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"^(-|--)|://", text, re.MULTILINE)
    return set(re.findall(r"^([^#\s]+==\S+)(?: ; .*?)?((?: --hash=\S+)*)$", re.sub(r"\s*\\\n\s*", " ", text), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_hashed_and_pins_all(name: str) -> None:
    pinned = read_lock(name)
    assert len(pinned) > 50
    assert all("--hash=sha256:" in hashes for _, hashes in pinned)
    assert len(pinned) == len(re.findall(r"^[^#\s]", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


def test_tests_run_on_what_is_installed_to_run_it() -> None:
    running, testing = map(read_lock, LOCKS)
    assert running <= testing
    names = {pin.split("==")[0] for pin, _ in running}
    assert not names & {"pytest", "pandas", "playwright", "ruff", "mypy"}
    assert {"hatchling", "hatch-vcs", "editables"} <= names, "the project is installed without isolation"


def test_what_is_installed_is_the_lock_and_nothing_that_pip_resolves() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in LOCKS:
        assert f"--require-hashes --no-deps -r {name}" in makefile
    assert makefile.count("-m pip install") == 1


@pytest.mark.parametrize("path", queries(), ids=lambda path: path.stem)
def test_sql_is_one_select_with_trailing_commas(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    if path.parent.name != "auditor":
        assert [statement.type for statement in duckdb.extract_statements(text)] == [duckdb.StatementType.SELECT]
        assert not text.rstrip().endswith(";")
    for before, line in pairwise(lines):
        if re.match(r"\s*from\b", line) and not re.match(r"\s*select\b", before):
            assert before.endswith(","), f"the list before '{line.strip()}' lacks its last comma"
