"""What an extract looks like as a whole is counted, and one whose ids tell nobody apart is refused."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.outcomes import Loaded, Outcome, Refused
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store
from tests.runs import Row, line, write_extract

CODES = [Code("27096", None, None), Code("G0260", None, None), Code("62320", None, None)]

FORMATS = pytest.mark.parametrize("suffix", [".csv", ".parquet"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT")
    store.prepare()
    return store


def load(store: Store, name: str, rows: Sequence[Row], terms: Terms | None = None) -> Outcome:
    return ingest_extract(store, write_extract(store.root / name, rows), CODES, terms=terms or Terms())


def counts(store: Store, name: str, rows: Sequence[Row], terms: Terms | None = None) -> dict[tuple[str, str], tuple[int, int]]:
    """What was looked at and what was found, by check and column."""
    outcome = load(store, name, rows, terms)
    assert isinstance(outcome, Loaded), outcome
    return {(row["check_id"], row["column"]): (row["row_count"], row["found_count"]) for row in outcome.batch.quality}


def forms(store: Store, name: str, rows: Sequence[Row], check_id: str) -> tuple[str, ...]:
    outcome = load(store, name, rows)
    assert isinstance(outcome, Loaded), outcome
    [found] = [tuple(row["forms"]) for row in outcome.batch.quality if row["check_id"] == check_id]
    return found


def visits(count: int, **changes: Any) -> list[Row]:
    """Office visits, each of a person and a claim of its own."""
    return [line(f"V{n}", "2023-05-05", "99213", person=f"Q{n}", **changes) for n in range(count)]


# --- codes and modifiers


@pytest.mark.parametrize(
    "code",
    [
        *(
            "CPT27096",
            "cpt 27096",
            "27096-RT",
            "27096RT",
            "27096 RT 59",
            "27096,RT",
            "027096",
            "0027096",
            "HCPCS:G0260",
            "(27096)",
            "27096.",
        ),
        *("27096.50", "27096 - SI JOINT INJECTION", "99213;27096"),
    ],
)
@FORMATS
def test_a_code_with_something_else_in_its_cell_is_counted(store: Store, suffix: str, code: str) -> None:
    rows = [*visits(3), line("C1", "2023-06-01", code)]
    assert counts(store, f"x{suffix}", rows)["code_in_disguise", "hcpcs_code"] == (4, 1)


@pytest.mark.parametrize("code", ["27096", "27096.0", "99213-RT", "127096", "270961", "62320-0123-01", "62320012301", "G02601", "0360", ""])
@FORMATS
def test_a_code_alone_and_another_number_are_no_code_in_disguise(store: Store, suffix: str, code: str) -> None:
    rows = [*visits(3), line("C1", "2023-06-01", hcpcs_code=code or None)]
    assert counts(store, f"x{suffix}", rows)["code_in_disguise", "hcpcs_code"] == (4, 0)


def test_one_code_in_disguise_among_many_rows_is_found(store: Store) -> None:
    rows = [*visits(4000), line("C1", "2023-06-01", "27096-RT"), *visits(1)]
    found = counts(store, "x.csv", rows)
    assert found["code_in_disguise", "hcpcs_code"] == (4002, 1)
    assert found["unlike_code", "hcpcs_code"][0] < 4002


def test_forms_of_codes_in_disguise_show_no_value(store: Store) -> None:
    rows = [line(f"C{n}", "2023-06-01", code) for n, code in enumerate(["CPT27096", "CPTG0260", "CPT27096", "27096 JOHN ÖZ"])]
    assert forms(store, "x.csv", rows, "code_in_disguise") == ("AAA99999", "99999 AAAA AA", "AAAA9999")


def test_an_extract_without_any_code_is_odd(store: Store) -> None:
    assert counts(store, "x.csv", visits(2, hcpcs_code=None))["missing_codes", "hcpcs_code"] == (2, 2)
    assert counts(store, "y.csv", [*visits(2, hcpcs_code=None), *visits(1)])["missing_codes", "hcpcs_code"] == (3, 0)


def test_codes_that_look_like_none_are_counted_of_those_that_are_filled(store: Store) -> None:
    texts = ["SIJ", "0360", "INJECTION", "ABCDE", "99213", "G0260", "0213T", "KAGD1", None]
    rows = [line(f"C{n}", "2023-06-01", hcpcs_code=code) for n, code in enumerate(texts)]
    assert counts(store, "x.csv", rows)["unlike_code", "hcpcs_code"] == (8, 4)


@pytest.mark.parametrize(("modifier", "found"), [("RT,59", 1), ("RT59", 1), ("RT 59", 1), ("Right", 1), ("R", 1), ("50,", 1), ("050", 1)])
def test_a_modifier_that_is_not_two_letters_or_digits_is_counted(store: Store, modifier: str, found: int) -> None:
    rows = [line("C1", "2023-06-01", "27096", "RT"), line("C2", "2023-07-01", "27096", hcpcs_modifier_1=None, hcpcs_modifier_3=modifier)]
    assert counts(store, "x.csv", rows)["unlike_modifier", "hcpcs_modifier_1"] == (2, found)


@pytest.mark.parametrize("modifier", ["KX", "50", "50.0", "-", "N/A", "0", "null", "NONE"])
def test_a_modifier_and_what_stands_for_none_is_not(store: Store, modifier: str) -> None:
    rows = [line("C1", "2023-06-01", "27096", "RT", hcpcs_modifier_2=modifier)]
    assert counts(store, "x.csv", rows)["unlike_modifier", "hcpcs_modifier_1"] == (1, 0)


def test_lines_without_modifiers_and_claim_type_are_counted_of_those_with_a_code(store: Store) -> None:
    rows = [
        line("C1", "2023-06-01", "27096", "RT", claim_type=None),
        line("C2", "2023-07-01", "27096", hcpcs_modifier_1=None),
        line("C2", "2023-07-01", "99213", claim_line_number=2, claim_type=None),
        *visits(1, claim_type=None),
    ]
    found = counts(store, "x.csv", rows)
    assert found["missing_claim_type", "claim_type"] == (2, 1)
    assert found["missing_modifiers_of_lines", "hcpcs_modifier_1"] == (2, 1)
    assert found["missing_modifiers", "hcpcs_modifier_1"] == (2, 0)


def test_an_extract_without_any_modifier_is_said_once(store: Store) -> None:
    found = counts(store, "x.csv", [line("C1", "2023-06-01", "27096", hcpcs_modifier_1=None)])
    assert found["missing_modifiers", "hcpcs_modifier_1"] == (1, 1)
    assert found["missing_modifiers_of_lines", "hcpcs_modifier_1"] == (1, 0)


# --- dates


def test_dates_of_service_on_one_day_of_the_month_are_counted(store: Store) -> None:
    days = ("2023-06-01", "2023-07-01", "2023-08-01", "2023-08-15", "2023-06-02")
    rows = [line(f"C{n}", day) for n, day in enumerate(days)]
    assert counts(store, "x.csv", rows)["dates_on_one_day", "claim_line_start_date"] == (5, 3)


# --- ids


def of_one_person(members: Sequence[str], person: str | None = "TEST") -> list[Row]:
    """Lines of one person, each with the next of these member numbers."""
    return [
        line(f"C{n}", f"2023-{1 + n % 12:02}-05", "27096" if n % 2 else "99213", person_id=person, member_id=member)
        for n, member in enumerate(members)
    ]


@FORMATS
def test_one_person_over_many_members_on_more_than_half_of_the_rows_refuses_an_extract(store: Store, suffix: str) -> None:
    rows = [*of_one_person([f"M{n % 7}" for n in range(11)]), *visits(9)]
    outcome = load(store, f"x{suffix}", rows)
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith(
        f"x{suffix}: person_id: 11 of 20 rows: the person_id goes with more member numbers than a person can have."
    )
    assert "What to do: leave person_id empty where the person is not known" in outcome.reason
    assert "TEST" not in outcome.reason
    assert not list(store.claims.iterdir())


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([*of_one_person([f"M{n}" for n in range(10)]), *visits(10)], id="half of 20 rows"),
        pytest.param(of_one_person([f"M{n}" for n in range(19)]), id="19 rows"),
        pytest.param(of_one_person(["M1"] * 60), id="one member with many lines"),
        pytest.param(of_one_person(["M1"] * 30 + ["M2"] * 20 + ["M3"] * 10), id="a person who changed plans"),
        pytest.param(of_one_person([f"M{n}" for n in range(30)], person=None), id="no person_id"),
        pytest.param(of_one_person([f"M{n}" for n in range(30)], person="unknown"), id="what stands for no person_id"),
    ],
)
@FORMATS
def test_an_extract_whose_persons_may_be_such_is_not_refused(store: Store, suffix: str, rows: list[Row]) -> None:
    assert isinstance(load(store, f"x{suffix}", rows), Loaded)


@pytest.mark.parametrize("name", ["claim_id", "person_id", "member_id"])
@pytest.mark.parametrize("written", ["2.02401E+11", "2.02401e+11", "2,02401E+11", "2E+11", "1.5E11"])
def test_ids_in_scientific_form_on_more_than_half_of_the_rows_refuse_an_extract(store: Store, name: str, written: str) -> None:
    rows = [*visits(9), *({**row, name: written} for row in visits(11))]
    outcome = load(store, "x.csv", rows)
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith(f"x.csv: {name}: 11 of 20 rows: the number is in scientific form")
    assert written not in outcome.reason


def test_fewer_ids_in_scientific_form_are_counted(store: Store) -> None:
    rows = [*visits(19), {**visits(20)[-1], "claim_id": "2.02401E+11"}, *visits(1, member_id="1E12")]
    found = counts(store, "x.csv", rows)
    assert found["scientific_id", "claim_id"] == (21, 1)
    assert found["scientific_id", "member_id"] == (21, 0)


def test_an_id_that_hardly_varies_is_counted(store: Store) -> None:
    rows = [*visits(10), *visits(30, claim_id="C", member_id="M", person_id=None)]
    rows = [{**row, "claim_line_number": n} for n, row in enumerate(rows, 1)]
    found = counts(store, "x.csv", rows)
    assert found["one_claim_id", "claim_id"] == (40, 30)
    assert found["one_member_id", "member_id"] == (40, 30)
    assert found["one_person_id", "person_id"] == (40, 1)


@FORMATS
def test_all_rows_of_a_large_extract_are_counted_where_a_sample_shows_something(store: Store, suffix: str) -> None:
    rows = [*visits(3000), *of_one_person([f"M{n}" for n in range(200)]), *visits(500)]
    assert counts(store, f"x{suffix}", rows)["person_over_members", "person_id"] == (3700, 200)


@FORMATS
def test_a_large_extract_is_looked_at_in_a_sample(store: Store, suffix: str) -> None:
    found = counts(store, f"x{suffix}", visits(3000))
    assert found["one_person_id", "person_id"] == (2000, 1)
    assert found["code_in_disguise", "hcpcs_code"] == (3000, 0)


def test_rows_that_cannot_be_read_are_not_counted(store: Store) -> None:
    path = write_extract(store.root / "x.csv", [line("C1", "2023-06-01"), line("C2", "2023-06-02")])
    path.write_bytes(path.read_bytes() + b'C3,1,"not closed\n')
    outcome = ingest_extract(store, path, CODES)
    assert isinstance(outcome, Loaded), outcome
    assert {row["row_count"] for row in outcome.batch.quality if row["check_id"] == "one_claim_id"} == {2}


# --- feeds

FEED = Terms(feed_patterns=("claims_*.csv",))


def test_an_extract_without_a_line_to_audit_is_odd_where_its_feed_has_many(store: Store) -> None:
    assert counts(store, "claims_1.csv", [line("A1", "2023-06-01"), *visits(3)], FEED)["no_relevant_line", "hcpcs_code"] == (4, 0)
    assert counts(store, "claims_2.csv", visits(10), FEED)["no_relevant_line", "hcpcs_code"] == (10, 0), "it may be chance"
    assert counts(store, "claims_3.csv", visits(100), FEED)["no_relevant_line", "hcpcs_code"] == (100, 100)
    assert counts(store, "others.csv", visits(101))["no_relevant_line", "hcpcs_code"] == (101, 0), "it is of no feed"


def test_only_the_last_five_extracts_of_a_feed_say_what_it_has(store: Store) -> None:
    load(store, "claims_0.csv", [line(f"A{n}", "2023-06-01") for n in range(50)], FEED)
    for number in range(1, 6):
        load(store, f"claims_{number}.csv", visits(50 + number), FEED)
    assert counts(store, "claims_6.csv", visits(60), FEED)["no_relevant_line", "hcpcs_code"] == (60, 0)


def test_an_extract_without_rows_is_measured(store: Store) -> None:
    assert set(counts(store, "x.csv", []).values()) == {(0, 0)}
