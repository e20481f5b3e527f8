"""Ordinary claims of an invented plan, each a pure function of the seed and its position: the background of the sample, and the benchmarks.

Nothing here keeps a state, so a claim can be made again wherever its replacement, void or reversal comes up, in another chunk or in another
file; and only integer arithmetic decides, so that every machine makes the same bytes.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

SCHEMA: dict[str, pl.DataType] = {
    "claim_id": pl.String(),
    "claim_line_number": pl.Int64(),
    "claim_type": pl.String(),
    "person_id": pl.String(),
    "member_id": pl.String(),
    "payer": pl.String(),
    "plan": pl.String(),
    "claim_start_date": pl.Date(),
    "claim_end_date": pl.Date(),
    "claim_line_start_date": pl.Date(),
    "place_of_service_code": pl.String(),
    "bill_type_code": pl.String(),
    "service_unit_quantity": pl.Int64(),
    "hcpcs_code": pl.String(),
    "hcpcs_modifier_1": pl.String(),
    "hcpcs_modifier_2": pl.String(),
    "rendering_npi": pl.String(),
    "billing_npi": pl.String(),
    "facility_npi": pl.String(),
    "paid_date": pl.Date(),
    "paid_amount": pl.Decimal(14, 2),
    "allowed_amount": pl.Decimal(14, 2),
    "charge_amount": pl.Decimal(14, 2),
    "diagnosis_code_1": pl.String(),
    "data_source": pl.String(),
    "claim_status": pl.String(),
    "claim_frequency_code": pl.String(),
    "replaced_claim_id": pl.String(),
    "line_of_business": pl.String(),
    "prior_authorization_number": pl.String(),
}
"""The 30 columns that the extracts have, out of the canonical ones."""

FIRST_DAY = date(2021, 7, 1)
DAYS = 1050
"""Services fall into the days from the first, about three years."""

# fmt: off
ORDINARY_CODES = [
    "99213", "99214", "99203", "99396", "80053", "85025", "83036", "80061", "84443", "36415", "72100", "72148", "71046", "73030", "97110",
    "97140", "97530", "97161", "90471", "90686", "93000", "J1885", "A4550", "87086", "81001", "77067", "96372", "99283", "92014", "D0120",
]
# fmt: on
PROCEDURE_CODES = ["27096"] * 11 + ["G0260"] * 2 + ["64451", "64625"] + ["62323"] * 2 + ["64493"] * 2 + ["20552"]
"""What patients with back pain are injected with, as often as it stands here."""

DIAGNOSES = ["M533", "M461", "M5450", "M5416", "I10", "E119", "Z0000", "J069", "E785", "N390", "M25511", "R0789"]
SIDES = ["RT"] * 9 + ["LT"] * 9 + ["50", None]
BUSINESS_LINES = ["commercial"] * 11 + ["medicaid"] * 5 + ["medicare"] * 3 + [None]
PROVIDERS = 5_000
LAGS = (200, 20_000)
"""An adjustment comes up so many claims after the one that it adjusts."""


@dataclass(frozen=True)
class Mix:
    """Say what the claims are a mix of.

    The first `patients` of the `persons` are those who get injections. Shares are of claims, but `relevant_share`, which is of lines.
    """

    seed: int
    persons: int
    patients: int
    relevant_share: float = 0.002
    adjusted_share: float = 0.05
    denied_share: float = 0.05
    providers: int = PROVIDERS


def make_noise(seed: int, topic: int, index: np.ndarray) -> np.ndarray:
    """Give each index 64 bits that look random and hang on nothing but the arguments (SplitMix64's finaliser)."""
    start = (seed * 0xD1342543DE82EF95 + topic * 0x2545F4914F6CDD1D) % 2**64
    bits = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def pick_number(seed: int, topic: int, index: np.ndarray, count: int) -> np.ndarray:
    """Give each index a number from 0 to `count - 1`."""
    return (((make_noise(seed, topic, index) >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)).astype(np.int64)


def pick_share(seed: int, topic: int, index: np.ndarray, share: float) -> np.ndarray:
    """Say yes to that share of the indexes."""
    return (make_noise(seed, topic, index) >> np.uint64(11)) < np.uint64(int(share * 2**53))


def pick_value(seed: int, topic: int, index: np.ndarray, values: list[str] | list[str | None]) -> pl.Series:
    """Give each index one of the values."""
    return pl.Series(values, dtype=pl.String).gather(pick_number(seed, topic, index, len(values)))


def find_adjusted_claims(mix: Mix, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the claims whose adjustments come up at these positions; give the positions and the claims."""
    found_positions, found_claims = [], []
    for choice, lag in enumerate(LAGS):
        claims = positions - lag
        is_found = (claims >= 0) & pick_share(mix.seed, 1, claims, mix.adjusted_share)
        is_found &= pick_number(mix.seed, 2, claims, len(LAGS)) == choice
        found_positions.append(positions[is_found])
        found_claims.append(claims[is_found])
    return np.concatenate(found_positions), np.concatenate(found_claims)


def make_lines(mix: Mix, first: int, last: int) -> pl.DataFrame:
    """Make the lines of the claims at positions `first` to `last - 1`, and of the adjustments that come up there.

    A claim has one to five lines, three on average. They stand together, but for three lines in a hundred, which come up to 300 lines late.
    """
    positions = np.arange(first, last, dtype=np.int64)
    adjusted_positions, adjusted_claims = find_adjusted_claims(mix, positions)
    claims = np.concatenate([positions, adjusted_claims])
    kinds = np.concatenate([np.zeros(len(positions), np.int64), 1 + pick_number(mix.seed, 3, adjusted_claims, 4)])
    heads = make_claims(mix, claims, kinds)
    sizes = 1 + pick_number(mix.seed, 4, claims, 5)
    rows = np.repeat(np.arange(len(claims)), sizes)
    numbers = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    lines = make_claim_lines(mix, heads[rows], claims[rows] * 8 + numbers, numbers)
    place = np.concatenate([positions, adjusted_positions])[rows] * 8
    is_late = pick_share(mix.seed, 5, place + numbers, 0.03)
    place += np.where(is_late, pick_number(mix.seed, 6, place + numbers, 800), 0)
    return lines[np.argsort(place, kind="stable")].select(list(SCHEMA))


def make_claims(mix: Mix, claims: np.ndarray, kinds: np.ndarray) -> pl.DataFrame:
    """Make what the lines of a claim share, one row a claim.

    Kinds are 0 as first sent, 1 replaced under its own number, 2 replaced under another, 3 voided, 4 reversed.
    """
    seed = mix.seed
    is_relevant = pick_share(seed, 10, claims, mix.relevant_share * 3 / 1.2)
    code = pick_value(seed, 11, claims, [*PROCEDURE_CODES])
    person = np.where(is_relevant, pick_number(seed, 12, claims, max(mix.patients, 1)), pick_number(seed, 13, claims, mix.persons))
    service_day = pick_number(seed, 14, claims, DAYS) + (FIRST_DAY - date(1970, 1, 1)).days
    paid_day = service_day + 14 + pick_number(seed, 15, claims, 30) + np.where(kinds > 0, 60, 0)
    is_denied = pick_share(seed, 16, claims, mix.denied_share) & (kinds == 0)
    is_institutional = pick_share(seed, 17, claims, 0.15)
    provider = pick_number(seed, 18, claims, mix.providers)
    status = np.where(kinds == 4, 2, np.where(is_denied, 1, 0))
    facts = pl.DataFrame(
        {
            "kind": kinds,
            "claim": claims,
            "person": person,
            "service_day": service_day.astype(np.int32),
            "paid_day": paid_day.astype(np.int32),
            "provider": provider,
            "is_relevant": is_relevant,
            "procedure_code": code,
            "side": pick_value(seed, 19, claims, SIDES),
            "diagnosis_code_1": pick_value(seed, 20, claims, [*DIAGNOSES]),
            "claim_status": pl.Series(["paid", "denied", "reversed"]).gather(status),
            "claim_frequency_code": pl.Series(["1", "7", "7", "8", "1"]).gather(kinds),
            "line_of_business": pick_value(seed, 21, person, BUSINESS_LINES),
            "is_institutional": is_institutional,
            "is_authorized": pick_share(seed, 22, claims, 0.01),
        }
    )
    number = pl.col("claim").cast(pl.String).str.zfill(10)
    person_number = pl.col("person").cast(pl.String).str.zfill(8)
    provider_number = pl.col("provider").cast(pl.String).str.zfill(5)
    service_date = pl.col("service_day").cast(pl.Date)
    is_facility = pl.col("is_institutional") | (pl.col("is_relevant") & (pl.col("procedure_code") == "G0260"))
    return facts.with_columns(
        claim_id=pl.format("C{}{}", number, pl.when(pl.col("kind") == 2).then(pl.lit("R")).otherwise(pl.lit(""))),
        replaced_claim_id=pl.when(pl.col("kind") == 2).then(pl.format("C{}", number)),
        claim_type=pl.when(is_facility).then(pl.lit("institutional")).otherwise(pl.lit("professional")),
        person_id=pl.format("P{}", person_number),
        member_id=pl.format("M{}", person_number),
        payer=pl.lit("Sample Health"),
        plan=pl.when(pl.col("person") % 3 == 0).then(pl.lit("Silver")).otherwise(pl.lit("Gold")),
        claim_start_date=service_date,
        claim_end_date=service_date,
        claim_line_start_date=service_date,
        place_of_service_code=pl.when(~is_facility).then(pl.lit("11")),
        bill_type_code=pl.when(is_facility).then(pl.lit("13") + pl.col("claim_frequency_code")),
        rendering_npi=pl.when(~is_facility).then(pl.format("91000{}", provider_number)),
        billing_npi=pl.format("92000{}", (pl.col("provider") // 8).cast(pl.String).str.zfill(5)),
        facility_npi=pl.when(is_facility).then(pl.format("93000{}", (pl.col("provider") // 50).cast(pl.String).str.zfill(5))),
        paid_date=pl.col("paid_day").cast(pl.Date),
        data_source=pl.lit("core"),
        prior_authorization_number=pl.when("is_authorized").then(pl.format("A{}", number)),
    )


def make_claim_lines(mix: Mix, heads: pl.DataFrame, index: np.ndarray, numbers: np.ndarray) -> pl.DataFrame:
    """Add to each line, whose head stands in the same row, what is its own."""
    seed = mix.seed
    is_second = pick_share(seed, 30, index, 0.3)
    own = pl.DataFrame(
        {
            "claim_line_number": numbers + 1,
            "ordinary_code": pick_value(seed, 31, index, [*ORDINARY_CODES]),
            "second_code": pick_value(seed, 32, index, [*PROCEDURE_CODES]),
            "is_second": is_second & (numbers == 1),
            "cents": 2_000 + pick_number(seed, 33, index, 30_000),
            "units": 1 + pick_number(seed, 34, index, 2) * pick_number(seed, 35, index, 3),
            "ordinary_modifier": pick_value(seed, 36, index, ["25", "GP", None, None, None, None]),
        }
    )
    lines = heads.hstack(own)
    is_procedure = pl.col("is_relevant") & ((pl.col("claim_line_number") == 1) | pl.col("is_second"))
    sign = pl.when(pl.col("kind") == 4).then(-1).otherwise(1)
    paid = pl.when(pl.col("claim_status") == "denied").then(0).otherwise(pl.col("cents") * sign)
    return lines.with_columns(
        hcpcs_code=pl.when(pl.col("is_relevant") & (pl.col("claim_line_number") == 1))
        .then("procedure_code")
        .when(pl.col("is_relevant") & pl.col("is_second"))
        .then("second_code")
        .otherwise("ordinary_code"),
        hcpcs_modifier_1=pl.when(is_procedure).then("side").otherwise("ordinary_modifier"),
        hcpcs_modifier_2=pl.lit(None, pl.String),
        service_unit_quantity=pl.when(is_procedure).then(1).otherwise("units") * sign,
        paid_amount=turn_to_dollars(paid),
        allowed_amount=turn_to_dollars(
            pl.when(pl.col("claim_status") == "denied").then(0).otherwise(pl.col("cents") * sign + sign * 1_500)
        ),
        charge_amount=turn_to_dollars(pl.col("cents") * sign * 3),
    )


def turn_to_dollars(cents: pl.Expr) -> pl.Expr:
    """Turn whole cents into dollars with two decimals."""
    return (cents.cast(pl.Decimal(16, 2)) / pl.lit(100, pl.Decimal(16, 2))).cast(pl.Decimal(14, 2))
