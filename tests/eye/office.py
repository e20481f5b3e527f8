"""LibreOffice without a window: workbooks turned into paper, filled in and saved."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MACROS = Path(__file__).with_name("office.xba")


@dataclass(frozen=True)
class Office:
    """LibreOffice with a profile of its own, which knows the macro of office.xba."""

    program: str
    profile: Path

    def print_to_pdf(self, path: Path, folder: Path) -> Path:
        """Print a workbook into a folder."""
        self.run("--convert-to", "pdf", "--outdir", folder, path)
        return _made(folder / f"{path.stem}.pdf")

    def save_typed(self, path: Path, saved: Path, sheet: str = "", cells: Mapping[str, str] | None = None) -> Path:
        """Open a workbook, type into cells of a sheet, save it as another."""
        typed = ";".join(f"{cell}={value}" for cell, value in (cells or {}).items())
        self.run(f'macro:///Standard.Module1.SaveTyped("{path.resolve().as_uri()}","{saved.resolve().as_uri()}","{sheet}","{typed}")')
        return _made(saved)

    def run(self, *arguments: str | Path) -> None:
        """Start it and wait until it is done."""
        command = [self.program, f"-env:UserInstallation={self.profile.as_uri()}", "--headless", "--norestore", *arguments]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=180, check=True)


def open_office(folder: Path) -> Office:
    """Make a profile in a folder; its first start would overwrite macros that were there before."""
    program = shutil.which("soffice")
    if program is None:
        raise FileNotFoundError("soffice is not installed; .ci/run says what to install")
    office = Office(program, (folder / "profile").resolve())
    office.run("--terminate_after_init")
    shutil.copy(MACROS, _made(office.profile / "user" / "basic" / "Standard") / "Module1.xba")
    return office


def _made(path: Path) -> Path:
    if not path.exists():
        raise RuntimeError(f"LibreOffice did not make {path.name}")
    return path


def read_words(pdf: Path) -> str:
    """The text of a PDF as it is laid out."""
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
