"""What reviewers say of the findings of some patients: they read the records, and so know the truth."""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from sij_audit.transforms.sample.expected import BEYOND, FIFTH, INTERVAL, NERVE, RADIO, SECOND, VISIT
from sij_audit.transforms.sample.patients import Patient
from sij_audit.transforms.sample.stories import RECOVERED
from sij_audit.transforms.sample.truth import Procedure

COLUMNS = ("finding_id", "disposition", "recovered_amount", "reviewer", "note")
REVIEWERS = ("Reviewer 1", "Reviewer 2", "Reviewer 3")

NOTES = {
    INTERVAL: ("both injections were therapeutic", "one of the two injections was diagnostic"),
    SECOND: ("both injections were diagnostic", ""),
    FIFTH: ("all five injections were therapeutic", "two of the injections counted were diagnostic"),
    BEYOND: ("no reason why more definitive therapies were not tried", "more definitive therapies were not tolerated"),
    VISIT: ("one visit, one physician", "two visits"),
    NERVE: ("not covered", ""),
    RADIO: ("not covered", ""),
}
"""What the records showed: where a finding of a rule is upheld, and where it is overturned."""


def write_reviews(file: Path, patients: Iterable[Patient]) -> None:
    """Write what reviewers say of the findings that the audit has before the corrections come."""
    file.parent.mkdir(exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(COLUMNS)
        for patient in patients:
            if patient.is_reviewed:
                writer.writerows(list_reviews(patient))


def list_reviews(patient: Patient) -> Iterator[tuple[str, ...]]:
    """Review all findings of a patient: upheld where the policy was broken, overturned where it only looks so."""
    reviewer = REVIEWERS[patient.number % len(REVIEWERS)]
    for done, looks in zip(patient.procedures, patient.presumed, strict=True):
        recovered = str(_sum_taken_back(patient)) if patient.story == RECOVERED and done is patient.procedures[-1] else ""
        for rule in done.broken:
            yield name_finding(patient.person_id, rule, done), "upheld", recovered, reviewer, NOTES[rule][0]
            recovered = ""  # of several findings on a day, one has what was recovered
        for rule in looks.broken:
            if rule not in done.broken:
                yield name_finding(patient.person_id, rule, done), "overturned", "", reviewer, NOTES[rule][1]


def _sum_taken_back(patient: Patient) -> Decimal:
    return -sum((Decimal(line["paid_amount"]) for line in patient.lines if line["claim_status"] == "reversed"), Decimal())


def name_finding(person_id: str, rule: str, procedure: Procedure) -> str:
    """Give the id that the audit gives this finding under CP.MP.166."""
    parts = ["CP.MP.166", rule, person_id, procedure.service_date.isoformat(), *([procedure.code] if rule in (NERVE, RADIO) else [])]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
