"""More persons of the sample about all rules, kept apart so that those before them keep their numbers."""

from sij_audit.transforms.sample.bills import ONE_RIGHT, ORIGINAL, bill, bill_dates, bill_third, bill_two_then, correct
from sij_audit.transforms.sample.expected import RADIO, TOO_EARLY, Scenario, find_code, find_fifth, find_interval, find_second

FURTHER: tuple[Scenario, ...] = (
    Scenario(
        "doubt_version_unclear",
        "two versions name different sides, and one has no date: which came last is not known",
        bill_two_then(bill_third("2023-05-10", "LT", paid_date=None), correct(ORIGINAL, "2023-07-01")),
        (find_interval(*TOO_EARLY, "version_unclear"),),
    ),
    Scenario(
        "doubt_may_be_same_service",
        "far enough apart, and there again two days later with the same code, side, practice and amount: perhaps sent again under another date",
        bill_two_then(bill_third("2023-06-10"), bill("D", "2023-06-12", "27096", "RT")),
        (find_interval("2023-06-12", 2, 3, "2023-08-10", "may_be_same_service", presumptions=()),),
        done_on={"D": None},
    ),
    Scenario(
        "doubt_medicare_beside",
        "a commercial plan and Medicare both paid: which came first is not said",
        bill_two_then(bill_third(), bill("CM", "2023-05-10", "27096", "RT", line_of_business="medicare", paid_amount="30.00")),
        (find_interval(*TOO_EARLY, "medicare_beside"),),
    ),
    Scenario(
        "interval_after_two_diagnostics",
        "two injections marked as diagnostic, so that the third is surely therapeutic, and the fourth a month after it",
        (
            ONE_RIGHT,
            bill("B", "2023-03-22", "27096", "RT", "KX"),
            bill("C", "2023-06-10", "27096", "RT"),
            bill("D", "2023-07-10", "27096", "RT"),
        ),
        (find_interval("2023-07-10", 30, 3, "2023-08-10", presumptions=()),),
    ),
    Scenario(
        "second_diagnostic_after_an_unmarked_one",
        "diagnostic injection ten days after one that nothing marks: too early by I.A.2, and by I.A.3.c if both were therapeutic",
        (bill("A", "2023-03-01", "27096", "RT"), bill("B", "2023-03-11", "27096", "RT", "KX")),
        (
            find_second("2023-03-11", 10, "2023-03-15"),
            find_interval("2023-03-11", 10, 1, "2023-05-01", "purpose_open", presumptions=()),
        ),
    ),
    Scenario(
        "fifth_after_two_diagnostics",
        "two injections marked as diagnostic, so that the five after them are surely therapeutic",
        (
            bill("A", "2022-12-01", "27096", "LT", "KX"),
            bill("B", "2022-12-20", "27096", "LT", "KX"),
            *bill_dates(("2023-03-01", "2023-05-01", "2023-07-01", "2023-09-01", "2023-11-01"), "LLLLL"),
        ),
        (find_fifth("2023-11-01", 4, "2024-03-01", site="left", presumptions=()),),
    ),
    Scenario(
        "radiofrequency_medicaid",
        "radiofrequency ablation under Medicaid: the state's own rules are presumed not to conflict",
        (bill("A", "2023-08-01", "64625", "RT", line_of_business="medicaid"),),
        (find_code(RADIO, "2023-08-01", "64625", presumptions=("state_rules_unchecked",)),),
    ),
)
