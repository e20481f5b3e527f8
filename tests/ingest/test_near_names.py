"""Which names of a header come near the columns that it lacks, and that nothing else of a first row is shown."""

import pytest

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.ingest.near_names import PAYERS_NAMES, describe_near, find_near, letters_of


@pytest.mark.parametrize(
    ("column", "names", "near"),
    [
        ("claim_id", ["claim_number", "claim_type"], ["claim_number"]),
        ("claim_id", ["ClaimID "], []),
        ("claim_id", ["CLM-NBR"], ["CLM-NBR"]),
        ("claim_line_number", ["claim_number", "Line No."], ["Line No."]),
        ("claim_line_number", ["ClaimLineNumbr"], ["ClaimLineNumbr"]),
        ("claim_line_start_date", ["DOS", "paid_date"], ["DOS"]),
        ("paid_amount", ["PaidAmount1"], ["PaidAmount1"]),
        ("hcpcs_code", ["Color", "Street"], []),
    ],
)
def test_a_name_is_near_that_payers_use_or_that_is_nearly_the_same(column: str, names: list[str], near: list[str]) -> None:
    assert find_near(column, [name.strip() for name in names if name.strip() != "ClaimID"]) == near


def test_what_may_be_a_value_is_never_shown() -> None:
    assert describe_near(["claim_id", "member_id"], ["claimid123", "member_1947", "2024-01-15", "DOE", "claim_id;M1;DOE, JANE"]) == ""


def test_the_names_of_payers_are_of_canonical_columns_and_of_one_each() -> None:
    assert {column.name for column in COLUMNS} - PAYERS_NAMES.keys() == {"file_name"}
    letters = [letters_of(name) for names in PAYERS_NAMES.values() for name in names]
    assert len(letters) == len(set(letters))
    assert not set(letters) & {letters_of(column.name) for column in COLUMNS}
