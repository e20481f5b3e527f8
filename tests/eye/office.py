"""LibreOffice without a window: files turned into files."""

import shutil
import subprocess
from pathlib import Path

PROGRAM = shutil.which("soffice") or shutil.which("libreoffice")


def convert(path: Path, kind: str, folder: Path) -> Path:
    """Let LibreOffice open a file and save it as another kind into a folder, with a profile of its own there."""
    if PROGRAM is None:
        raise FileNotFoundError("LibreOffice is not installed; .ci/run says what to install")
    folder.mkdir(exist_ok=True)
    profile = (folder / "profile").resolve().as_uri()
    command = [PROGRAM, f"-env:UserInstallation={profile}", "--headless", "--norestore", "--convert-to", kind, "--outdir", folder, path]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, check=True)
    made = folder / f"{path.stem}.{kind.partition(':')[0]}"
    if not made.is_file():
        raise RuntimeError(f"LibreOffice made no {kind}: {done.stdout}{done.stderr}")
    return made


def draw_pages(pdf: Path, folder: Path, *options: str) -> list[Path]:
    """Each page of a PDF as a picture, in order."""
    subprocess.run(["pdftoppm", "-png", *options, pdf, folder / pdf.stem], check=True)
    return sorted(folder.glob(f"{pdf.stem}*.png"))


def read_words(pdf: Path) -> str:
    """The text of a PDF as it is laid out."""
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
