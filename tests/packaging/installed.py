"""The program as people install it, from a wheel or as a checkout, in a folder whose own packages have the names of ours."""

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

FOREIGN = 'raise ImportError("this is the folder\'s own, and nothing of sij-audit")\n'


@dataclass(frozen=True)
class Installed:
    """An installed program, and the folder that it is run in."""

    python: Path
    folder: Path

    @property
    def command(self) -> Path:
        return self.python.with_name("sij-audit")

    @property
    def path(self) -> str:
        """PATH with this program first."""
        return f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"

    def run(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command in the folder, with nothing of the machine's own Prefect or settings."""
        return self._start(self.command, *arguments, **variables)

    def run_python(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder."""
        return self._start(self.python, *arguments)

    def _start(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SIJ_AUDIT_", "PYTHON"))}
        environment = {**outside, "PATH": self.path, **variables}
        return subprocess.run(arguments, env=environment, cwd=self.folder, capture_output=True, text=True, check=False)


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel of a checkout or an sdist, as pip does, with the build tools that are here."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel")
    subprocess.run([*pip, "--quiet", "--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir", folder, source], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, folder: Path) -> Path:
    """Install a wheel, without what it depends on, into a new environment; give its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install")
    subprocess.run([*pip, "--quiet", "--no-index", "--no-deps", wheel], check=True)
    return python


def lend_packages(python: Path) -> None:
    """Let another environment find the packages of this one.

    A path in a .pth file adds no paths of .pth files that it leads to: the checkout of an editable install here stays unknown there.
    """
    [packages] = python.parents[1].glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")


def make_foreign_folder(folder: Path) -> Path:
    """A working folder with packages of its own under the names of our folders."""
    for path in ("flows/__init__.py", "transforms.py", "sql/__init__.py"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(FOREIGN, encoding="utf-8")
    return folder


def checkout(folder: Path) -> Installed:
    """The checkout that these tests are part of, as `make` installs it."""
    return Installed(Path(sys.executable), folder)
