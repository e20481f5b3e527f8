"""`truth.json`: what an audit of the sample must say, and what really was."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sij_audit.transforms.sample.expected import Finding
from sij_audit.transforms.sample.truth import Procedure


@dataclass(frozen=True)
class Person:
    """One planted person: what was done, and what the audit must find; nothing, where the claims comply."""

    person_id: str
    scenario: str
    why: str
    procedures: tuple[Procedure, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class TreatedPerson:
    """One patient: what was done in which course of treatment, and how it was billed. What the audit finds is not written down."""

    person_id: str
    course: str
    billing: str
    procedures: tuple[Procedure, ...]


@dataclass(frozen=True)
class RefusedRow:
    """A row that must be quarantined: the number of its data record in the extract, from 1."""

    extract: str
    row_number: int
    reason: str


@dataclass(frozen=True)
class ExtractCounts:
    """How many rows an extract has, and how many of them must be refused or repeat a kept one."""

    extract: str
    rows_read: int
    rows_quarantined: int
    rows_duplicate: int


@dataclass(frozen=True)
class Truth:
    """All that is known of the sample. Persons who are not named here must have no finding."""

    as_of: date
    people: tuple[Person, ...]
    patients: tuple[TreatedPerson, ...]
    refused_rows: tuple[RefusedRow, ...]
    extracts: tuple[ExtractCounts, ...]

    def list_broken(self) -> set[tuple[str, date, str]]:
        """List what really broke the policy: person, day and rule."""
        everybody: tuple[Person | TreatedPerson, ...] = (*self.people, *self.patients)
        return {
            (person.person_id, procedure.service_date, rule)
            for person in everybody
            for procedure in person.procedures
            for rule in procedure.broken
        }


def write_truth(folder: Path, truth: Truth) -> None:
    """Write the truth next to the extracts: an entry a line, without what is empty or false."""
    entries = {name: [_dump(entry) for entry in getattr(truth, name)] for name in ("people", "patients", "refused_rows", "extracts")}
    lists = [f' "{name}": [\n  ' + ",\n  ".join(lines) + "\n ]" for name, lines in entries.items()]
    content = ",\n".join([f' "as_of": "{truth.as_of}"', *lists])
    (folder / "truth.json").write_text(f"{{\n{content}\n}}\n", encoding="utf-8")


def _dump(entry: Any) -> str:
    values = asdict(entry)
    for name in ("procedures", "findings"):
        if name in values:
            values[name] = [
                {key: value for key, value in part.items() if value or (value == 0 and value is not False)} for part in values[name]
            ]
    return json.dumps(values, default=str, ensure_ascii=False)


def load_truth(folder: Path) -> Truth:
    """Load what `write_truth` wrote."""
    content = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return Truth(
        as_of=date.fromisoformat(content["as_of"]),
        people=tuple(
            Person(**person | {"procedures": _load_procedures(person), "findings": tuple(map(_load_finding, person["findings"]))})
            for person in content["people"]
        ),
        patients=tuple(TreatedPerson(**patient | {"procedures": _load_procedures(patient)}) for patient in content["patients"]),
        refused_rows=tuple(RefusedRow(**row) for row in content["refused_rows"]),
        extracts=tuple(ExtractCounts(**extract) for extract in content["extracts"]),
    )


def _load_procedures(person: dict[str, Any]) -> tuple[Procedure, ...]:
    return tuple(
        Procedure(**values | {"service_date": date.fromisoformat(values["service_date"]), "broken": tuple(values.get("broken", ()))})
        for values in person["procedures"]
    )


def _load_finding(values: dict[str, Any]) -> Finding:
    compliant = values.get("earliest_compliant_date")
    return Finding(
        **values
        | {
            "service_date": date.fromisoformat(values["service_date"]),
            "earliest_compliant_date": date.fromisoformat(compliant) if compliant else None,
            "doubts": tuple(values.get("doubts", ())),
            "presumptions": tuple(values.get("presumptions", ())),
        }
    )
