"""What is built: the same wheel from a checkout and from its sdist, with a version from git and a typed public face."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import sij_audit
from tests.packaging.installed import Installed, build_wheel, install_wheel
from tests.runs import ROOT

pytestmark = pytest.mark.xdist_group("packaging")

SCRIPT = """\
from datetime import date
from pathlib import Path

from sij_audit import AuditError, Request, Result, open_run, run_audit

result: Result = run_audit(Request(out=Path("out"), as_of=date(2024, 6, 30)))
with open_run(result.current) as con:
    rows: list[tuple[object, ...]] = con.execute("from findings").fetchall()
error: type[Exception] = AuditError
"""


def names(wheel: Path) -> list[str]:
    return sorted(zipfile.ZipFile(wheel).namelist())


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def hatchling(folder: Path, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", "hatchling", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_wheel_holds_every_file_of_the_package_under_its_one_name(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "flows", "transforms", "sql", "sij_audit"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    ours = {name if name.startswith("sij_audit/") else f"sij_audit/{name}" for name in listed if (ROOT / name).is_file()}
    assert ours <= set(names(wheel))
    assert {name.split("/")[0].removesuffix(".dist-info") for name in names(wheel)} == {
        "sij_audit",
        f"sij_audit-{metadata(wheel)['Version']}",
    }


def test_the_wheel_of_the_sdist_is_that_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    hatchling(ROOT, "build", "--target", "sdist", "--directory", tmp_path)
    [sdist] = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    again = build_wheel(tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path)
    assert (again.name, names(again)) == (wheel.name, names(wheel))


def test_the_wheel_says_where_it_works(wheel: Path) -> None:
    said = metadata(wheel)
    classifiers = said.get_all("Classifier", [])
    assert "Operating System :: POSIX :: Linux" in classifiers
    assert [f"Programming Language :: Python :: 3.{minor}" in classifiers for minor in range(10, 16)] == [False, *[True] * 4, False]
    assert said["Requires-Python"].split(",") == ["<3.15", ">=3.11"]
    assert said["License-Expression"] == "Apache-2.0"
    assert said.get_all("License-File") == ["LICENSE"]


@pytest.mark.parametrize(("tag", "version"), [("v1.2.3", "1.2.3"), (None, "0.1.dev1+g")])
def test_the_version_comes_from_git(tmp_path: Path, tag: str | None, version: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "x"], *([["tag", tag]] if tag else [])):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    assert hatchling(tmp_path, "version").strip().startswith(version)


def test_without_git_the_version_is_none_that_could_be_released(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert hatchling(tmp_path, "version").strip() == "0.0"


def test_nobody_types_a_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ("version" in project, project["dynamic"]) == (False, ["version"])


def test_the_command_says_which_version_it_is(wheel: Path, from_wheel: Installed) -> None:
    done = from_wheel.run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"sij-audit {metadata(wheel)['Version']}\n", "")


def test_the_public_face_is_what_it_lists() -> None:
    for name in sij_audit.__all__:
        assert getattr(sij_audit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'run_nothing'"):
        sij_audit.__getattr__("run_nothing")


def test_a_script_is_type_checked_against_the_public_face(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "sound.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(SCRIPT.replace("date(2024, 6, 30)", '"2024-06-30"'), encoding="utf-8")
    python = str(install_wheel(wheel, tmp_path / "environment"))  # without what it depends on, which takes mypy ten times as long
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "sound.py", "wrong.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.count("error:") == 1, done.stdout
    assert 'wrong.py:6: error: Argument "as_of" to "Request" has incompatible type "str"; expected "date"' in done.stdout


def test_where_files_cannot_be_locked_it_says_so() -> None:
    script = "import sys; sys.modules['fcntl'] = None; from sij_audit.flows.command import main; main()"
    done = subprocess.run([sys.executable, "-c", script, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert "no module fcntl, which locks the OUT folder: use Linux" in done.stderr
    assert done.stderr.count("\n") == 1
