"""Persons of the sample about I, one procedure a visit, and IV and V, procedures that are never necessary."""

from sij_audit.transforms.sample.bills import bill, bill_facility, correct
from sij_audit.transforms.sample.expected import NERVE, RADIO, Scenario, find_code, find_visit

PROCEDURES: tuple[Scenario, ...] = (
    # --- I: one procedure a visit
    Scenario(
        "visit_with_epidural",
        "joint injection and epidural injection by one physician in one visit",
        (bill("A", "2023-08-01", "27096", "RT"), bill("A", "2023-08-01", "62323", claim_line_number=2)),
        (find_visit("2023-08-01"),),
    ),
    Scenario(
        "visit_with_facet_two_claims",
        "joint and facet injection by one physician, on two claims",
        (bill("A", "2023-08-01", "27096", "LT"), bill("B", "2023-08-01", "64493", "LT")),
        (find_visit("2023-08-01", site="left"),),
    ),
    Scenario(
        "visit_by_biller",
        "one practice billed both and names no physician: nothing says that it was the same one",
        (
            bill("A", "2023-08-01", "27096", "RT", rendering_npi=None),
            bill("A", "2023-08-01", "64493", "RT", claim_line_number=2, rendering_npi=None),
        ),
        (find_visit("2023-08-01", "visit_open"),),
    ),
    Scenario(
        "visit_with_modifier_59",
        "modifier 59 says that they were apart",
        (bill("A", "2023-08-01", "27096", "RT"), bill("A", "2023-08-01", "62323", "59", claim_line_number=2)),
        (find_visit("2023-08-01", "visit_open"),),
    ),
    Scenario(
        "visit_by_two_physicians",
        "another physician of another practice did the epidural injection",
        (
            bill("A", "2023-08-01", "27096", "RT"),
            bill("B", "2023-08-01", "62323", rendering_npi="9100090002", billing_npi="9200090002"),
        ),
        (find_visit("2023-08-01", "visit_open"),),
    ),
    Scenario(
        "visit_with_trigger_points",
        "trigger point codes also stand for what goes with a visit",
        (bill("A", "2023-08-01", "27096", "RT"), bill("A", "2023-08-01", "20552", claim_line_number=2)),
        (find_visit("2023-08-01", "visit_open"),),
    ),
    Scenario(
        "visit_authorized",
        "the epidural injection was approved beforehand",
        (
            bill("A", "2023-08-01", "27096", "RT"),
            bill("A", "2023-08-01", "62323", claim_line_number=2, prior_authorization_number="AUTH-3"),
        ),
        (find_visit("2023-08-01", "authorized"),),
    ),
    Scenario(
        "visit_with_nerve_block",
        "joint injection and nerve block in one visit: the block is never necessary, and what is taken away is no second procedure",
        (bill("A", "2023-08-01", "27096", "RT"), bill("A", "2023-08-01", "64451", "RT", claim_line_number=2)),
        (find_code(NERVE, "2023-08-01", "64451"),),
    ),
    Scenario(
        "complies_visit_with_imaging",
        "imaging and an office visit are no further procedure",
        (
            bill("A", "2023-08-01", "27096", "RT"),
            bill("A", "2023-08-01", "77003", "26", claim_line_number=2),
            bill("A", "2023-08-01", "99213", "25", claim_line_number=3),
        ),
    ),
    Scenario(
        "complies_next_day",
        "the epidural injection is a day later",
        (bill("A", "2023-08-01", "27096", "RT"), bill("B", "2023-08-02", "62323")),
    ),
    Scenario(
        "complies_visit_other_denied",
        "the epidural injection was denied",
        (bill("A", "2023-08-01", "27096", "RT"), bill("B", "2023-08-01", "62323", claim_status="denied", paid_amount="0.00")),
    ),
    Scenario(
        "complies_epidural_and_facet",
        "two procedures of one visit, none of the sacroiliac joint: not this policy's",
        (bill("A", "2023-08-01", "62323"), bill("A", "2023-08-01", "64493", "RT", claim_line_number=2)),
    ),
    # --- IV and V: never necessary
    Scenario(
        "nerve_block",
        "a sacroiliac nerve block",
        (bill("A", "2023-08-01", "64451", "LT"),),
        (find_code(NERVE, "2023-08-01", "64451", site="left"),),
    ),
    Scenario(
        "nerve_block_first_day",
        "on the first day on which the policy names it; the wording of IV was the same",
        (bill("A", "2020-02-01", "64451", "RT"),),
        (find_code(NERVE, "2020-02-01", "64451"),),
    ),
    Scenario(
        "nerve_block_line_of_business",
        "a nerve block without a line of business",
        (bill("A", "2023-08-01", "64451", "RT", line_of_business=None),),
        (find_code(NERVE, "2023-08-01", "64451", "line_of_business_unknown"),),
    ),
    Scenario(
        "nerve_block_and_facility",
        "a nerve block billed by physician and facility: one finding, both claims' dollars",
        (bill("A", "2023-08-01", "64451", "RT"), bill_facility("AF", "2023-08-01", "64451", "RT", paid_amount="700.00")),
        (find_code(NERVE, "2023-08-01", "64451", paid_amount="941.10"),),
    ),
    Scenario(
        "complies_nerve_block_before", "before February 2020 the policy did not name the code", (bill("A", "2020-01-20", "64451", "RT"),)
    ),
    Scenario(
        "complies_nerve_block_medicare", "a nerve block under Medicare", (bill("A", "2023-08-01", "64451", "RT", line_of_business="mapd"),)
    ),
    Scenario("complies_other_nerve_block", "another peripheral nerve's code", (bill("A", "2023-08-01", "64450", "RT"),)),
    Scenario(
        "radiofrequency",
        "radiofrequency ablation of the joint's nerves",
        (bill("A", "2023-08-01", "64625", "RT"),),
        (find_code(RADIO, "2023-08-01", "64625"),),
    ),
    Scenario(
        "radiofrequency_authorized",
        "radiofrequency ablation that was approved beforehand",
        (bill("A", "2023-08-01", "64625", "LT", prior_authorization_number="AUTH-4"),),
        (find_code(RADIO, "2023-08-01", "64625", "authorized", site="left"),),
    ),
    Scenario(
        "radiofrequency_denial_unclear",
        "nothing paid and nothing allowed: perhaps denied",
        (bill("A", "2023-08-01", "64625", "RT", paid_amount="0.00"),),
        (find_code(RADIO, "2023-08-01", "64625", "denial_unclear", paid_amount="0.00"),),
    ),
    Scenario(
        "complies_radiofrequency_voided",
        "radiofrequency ablation that was voided",
        (
            bill("A", "2023-08-01", "64625", "RT"),
            correct(bill("A", "2023-08-01", "64625", "RT"), "2023-10-01", claim_frequency_code="8"),
        ),
        done_on={"A": None},
    ),
)
