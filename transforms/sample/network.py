"""Who treats the sample's people: practices with their physicians, and facilities. Few of them have most of the patients.

NPIs begin with 9, which no provider's does.
"""

from dataclasses import dataclass

PRACTICE_SIZES = (6, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1)
FACILITY_COUNT = 6


@dataclass(frozen=True)
class Physician:
    """A physician and the practice that bills."""

    npi: str
    practice_npi: str


PRACTICES = tuple(f"92000900{number:02}" for number in range(1, len(PRACTICE_SIZES) + 1))
FACILITIES = tuple(f"93000905{number:02}" for number in range(1, FACILITY_COUNT + 1))
"""Hospitals and ambulatory surgery centers; each bills under its own NPI."""

PHYSICIANS = tuple(
    Physician(f"91000900{number:02}", practice)
    for number, practice in enumerate((npi for npi, size in zip(PRACTICES, PRACTICE_SIZES, strict=True) for _ in range(size)), start=1)
)

EAGER_PRACTICES = frozenset({PRACTICES[1], PRACTICES[4]})
"""They treat more often than the policy covers."""


def list_shares(count: int) -> list[int]:
    """Weigh so many by their rank: the second has half of what the first has, the third a third, and so on."""
    return [10_000 // rank for rank in range(1, count + 1)]
