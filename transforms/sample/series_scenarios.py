"""Persons of the sample about I.A.2, a second diagnostic injection, I.A.3.d, the fifth in twelve months, and III, beyond them."""

from sij_audit.transforms.sample.bills import EVERY_TWO_MONTHS, ONE_RIGHT, bill, bill_dates, reverse
from sij_audit.transforms.sample.expected import Scenario, find_beyond, find_fifth, find_second

SERIES: tuple[Scenario, ...] = (
    # --- I.A.2: two weeks before a second diagnostic injection
    Scenario(
        "second_diagnostic_after_ten_days",
        "second diagnostic injection after ten days",
        (ONE_RIGHT, bill("B", "2023-03-11", "27096", "RT", "KX")),
        (find_second("2023-03-11", 10, "2023-03-15"),),
    ),
    Scenario(
        "second_diagnostic_day_before",
        "second diagnostic injection after thirteen days",
        (ONE_RIGHT, bill("B", "2023-03-14", "27096", "RT", "KX")),
        (find_second("2023-03-14", 13, "2023-03-15"),),
    ),
    Scenario(
        "second_diagnostic_unspecified_side",
        "second diagnostic injection after ten days, without a side",
        (ONE_RIGHT, bill("B", "2023-03-11", "27096", "KX")),
        (find_second("2023-03-11", 10, "2023-03-15", "side_open", scope="unspecified_site", site="unspecified"),),
    ),
    Scenario(
        "second_diagnostic_authorized",
        "second diagnostic injection after ten days, approved beforehand",
        (ONE_RIGHT, bill("B", "2023-03-11", "27096", "RT", "KX", prior_authorization_number="AUTH-2")),
        (find_second("2023-03-11", 10, "2023-03-15", "authorized"),),
    ),
    # --- I.A.3.d: four injections in twelve months
    Scenario(
        "fifth_same_side",
        "five injections of the right side in eight months, far enough apart",
        bill_dates(EVERY_TWO_MONTHS, "RRRRR"),
        (find_fifth("2023-09-10", 4, "2024-01-10"),),
    ),
    Scenario(
        "fifth_and_sixth_same_side",
        "the sixth is measured against the fourth before it",
        bill_dates((*EVERY_TWO_MONTHS, "2023-11-10"), "LLLLLL"),
        (find_fifth("2023-09-10", 4, "2024-01-10", site="left"), find_fifth("2023-11-10", 5, "2024-03-10", site="left")),
    ),
    Scenario(
        "fifth_day_before_twelve_months",
        "the fifth, one day before the first is twelve months old",
        bill_dates((*EVERY_TWO_MONTHS[:4], "2024-01-09"), "RRRRR"),
        (find_fifth("2024-01-09", 4, "2024-01-10"),),
    ),
    Scenario(
        "fifth_unspecified_side",
        "five injections without a side",
        bill_dates(EVERY_TWO_MONTHS, "-----"),
        (find_fifth("2023-09-10", 4, "2024-01-10", "side_open", scope="unspecified_site", site="unspecified", presumptions=()),),
    ),
    Scenario(
        "complies_fifth_alternating_sides",
        "five injections of changing sides: the limit is per site, and none has four before it",
        bill_dates(EVERY_TWO_MONTHS, "RLRLR"),
    ),
    Scenario(
        "fifth_with_one_in_doubt",
        "without the one that was stopped there are only three before it",
        (
            *bill_dates(EVERY_TWO_MONTHS[:3], "RRR"),
            bill("S", "2023-07-10", "27096", "RT", "53"),
            bill("T", "2023-09-10", "27096", "RT"),
        ),
        (find_fifth("2023-09-10", 4, "2024-01-10", "discontinued"),),
        done_on={"S": None},
    ),
    Scenario(
        "complies_fifth_after_twelve_months",
        "the fifth exactly twelve months after the first",
        bill_dates((*EVERY_TWO_MONTHS[:4], "2024-01-10"), "LLLLL"),
    ),
    Scenario(
        "complies_fifth_is_reversed",
        "one of five was taken back",
        (*bill_dates(EVERY_TWO_MONTHS, "RRRRR"), reverse(bill_dates(EVERY_TWO_MONTHS, "RRRRR")[2], "2023-10-01")),
        done_on={"D2": None},
    ),
    Scenario(
        "complies_fifth_after_a_diagnostic",
        "a diagnostic injection does not count among the four therapeutic ones",
        (bill("A", "2023-01-10", "27096", "RT", "KX"), *bill_dates(EVERY_TWO_MONTHS[1:], "RRRR")),
    ),
    # --- III: beyond twelve months
    Scenario(
        "beyond_twelve_months",
        "a series that goes on for fourteen months",
        bill_dates(("2022-01-10", "2022-07-10", "2023-03-10"), "RRR"),
        (find_beyond("2023-03-10"),),
    ),
    Scenario(
        "beyond_twelve_months_in_doubt",
        "a series that goes on for fourteen months, without a line of business",
        bill_dates(("2022-01-10", "2022-07-10", "2023-03-10"), "LLL", line_of_business=None),
        (find_beyond("2023-03-10", "line_of_business_unknown", site="left"),),
    ),
    Scenario(
        "complies_last_day_of_twelve_months",
        "the series ends twelve months to the day after it began",
        bill_dates(("2022-01-10", "2022-07-10", "2023-01-10"), "RRR"),
    ),
    Scenario(
        "complies_new_series",
        "twelve months without an injection: a new series",
        bill_dates(("2022-01-10", "2023-01-10", "2024-01-10"), "RRR"),
    ),
)
