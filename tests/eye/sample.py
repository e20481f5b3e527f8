"""What people get to see: the sample as it is published, and a larger one beside it."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.runs import AS_OF, SAMPLE, read_report

PAGES = ("report", "large_report", "member")


@dataclass(frozen=True)
class Published:
    """OUT after a run on the sample, the pages and the workbook that come of it."""

    out: Path
    pages: dict[str, Path]
    workbook: Path


def publish_sample(folder: Path) -> Published:
    """Run the installed command on the sample, and draw the page of the person with the most to see."""
    out, member = folder / "out", folder / "member.html"
    audit(SAMPLE, out)
    run_command("member", pick_person(out), "--out", out, "--html", member)
    current = out / "current"
    return Published(out, {"report": current / "report.html", "member": member}, current / "handoff" / "findings.xlsx")


def publish_large_sample(folder: Path) -> Path:
    """The report page of so many claims that most of its cells may be shown."""
    run_command("sample", folder / "extracts", "--persons", "2000", "--seed", "3")
    audit(folder / "extracts", folder / "out")
    return folder / "out" / "current" / "report.html"


def audit(extracts: Path, out: Path) -> None:
    """Run the audit, all services up to the sample's date."""
    run_command("run", extracts, "--out", out, "--as-of", str(AS_OF))


def pick_person(out: Path) -> str:
    """Whoever has findings, and of these most injections."""
    injections = Counter(row["person_id"] for row in read_report(out, "injections"))
    return min((row["person_id"] for row in read_report(out)), key=lambda person: (-injections[person], person))


def run_command(*arguments: str | Path) -> None:
    """Run the installed command; it must succeed."""
    subprocess.run([Path(sys.executable).with_name("sij-audit"), *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=True)
