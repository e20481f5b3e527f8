"""What people get to see: the sample as it is published, and a larger one beside it."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.runs import AS_OF, SAMPLE, read_report, write_csv

EARLIER = date(2023, 7, 31)
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
    """The report page that has all: so many claims that most cells may be shown, an earlier run, and what reviewers said of it."""
    extracts, out, reviews = folder / "extracts", folder / "out", folder / "reviews.csv"
    run_command("sample", extracts, "--persons", "5000", "--seed", "3")
    audit(extracts, out, EARLIER)
    found = [row["finding_id"] for row in read_report(out)]
    said = [(finding, "overturned" if number % 4 == 0 else "upheld") for number, finding in enumerate(found) if number % 3]
    write_csv(reviews, ["finding_id", "disposition"], said)
    run_command("import-dispositions", reviews, "--out", out)
    audit(extracts, out)
    return out / "current" / "report.html"


def audit(extracts: Path, out: Path, as_of: date = AS_OF) -> None:
    """Run the audit of all services up to a date."""
    run_command("run", extracts, "--out", out, "--as-of", str(as_of))


def pick_person(out: Path) -> str:
    """Whoever has findings of most strengths, and of these most injections."""
    injections = Counter(row["person_id"] for row in read_report(out, "injections"))
    strengths: dict[str, set[str]] = {}
    for row in read_report(out):
        strengths.setdefault(row["person_id"], set()).add(row["strength"])
    return min(strengths, key=lambda person: (-len(strengths[person]), -injections[person], person))


def run_command(*arguments: str | Path) -> None:
    """Run the installed command; it must succeed."""
    done = subprocess.run(
        [Path(sys.executable).with_name("sij-audit"), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
