"""The tables that people maintain: each row says where it is from."""

import re

import pytest

from sij_audit.transforms.stages.reference import read_reference, reference_files

YEAR = re.compile(r"\b(19|20)[0-9]{2}\b|\b(0[1-9]|1[0-2])/[0-9]{2}\b")
"""A year, or a revision of a policy, MM/YY."""


@pytest.mark.parametrize("name", [path.stem for path in reference_files()])
def test_each_row_names_a_public_source_and_its_year(name: str) -> None:
    rows = read_reference(name)
    assert rows
    assert [row for row in rows if not YEAR.search(row["source"]) or "contract" in row["source"].lower()] == []


def test_a_code_that_is_new_names_the_year_in_which_it_came() -> None:
    codes = [row for row in read_reference("procedure_codes") if row["effective_from"]]
    assert codes
    assert [row["hcpcs_code"] for row in codes if row["effective_from"][:4] not in row["source"]] == []
