"""The script that a good analyst writes in Polars, lazy and streaming, for the same rules: without versions, validation or accounting.

python benchmarks/peer_polars.py FINDINGS.csv EXTRACT...
"""

import sys

import polars as pl
from codes import CODES, COLUMNS


def scan_lines(file: str) -> pl.LazyFrame:
    lines = pl.scan_parquet(file) if file.endswith(".parquet") else pl.scan_csv(file, infer_schema=False)
    return (
        lines.select(COLUMNS)
        .filter(
            pl.col("hcpcs_code").is_in(list(CODES)),
            pl.col("claim_status") == "paid",
            pl.col("claim_frequency_code") != "8",
            pl.col("line_of_business").ne_missing("medicare"),
        )
        .with_columns(
            family=pl.col("hcpcs_code").replace_strict(CODES),
            date=pl.col("claim_line_start_date").cast(pl.String).str.to_date(),
            paid=pl.col("paid_amount").cast(pl.Float64),
        )
    )


def find_all(lines: pl.LazyFrame) -> pl.LazyFrame:
    visit = ["person_id", "date"]
    never = (
        lines.filter(pl.col("family").is_in(["sij_nerve_block", "sij_radiofrequency"]), pl.col("date") >= pl.date(2020, 2, 1))
        .group_by(*visit, rule="family")
        .agg(pl.col("paid").sum())
    )
    several = (
        lines.group_by(visit)
        .agg(pl.col("family").n_unique(), pl.col("paid").sum(), has_sij=pl.col("family").str.starts_with("sij_").any())
        .filter(pl.col("family") > 1, "has_sij")
        .with_columns(rule=pl.lit("several_procedures"))
    )
    injections = (
        lines.filter(pl.col("family") == "sij_injection")
        .group_by(visit)
        .agg(pl.col("paid").sum())
        .sort(visit)
        .with_columns(previous=pl.col("date").shift(1).over("person_id"), fourth=pl.col("date").shift(4).over("person_id"))
        .with_columns(series=(pl.col("previous").is_null() | (pl.col("date") >= pl.col("previous").dt.offset_by("12mo"))).cum_sum())
        .with_columns(start=pl.col("date").min().over("series"))
    )
    limits = {
        "interval": pl.col("date") < pl.col("previous").dt.offset_by("2mo"),
        "fifth_in_twelve_months": pl.col("date") < pl.col("fourth").dt.offset_by("12mo"),
        "beyond_twelve_months": pl.col("date") > pl.col("start").dt.offset_by("12mo"),
    }
    found = [injections.filter(is_broken).with_columns(rule=pl.lit(rule)) for rule, is_broken in limits.items()]
    columns = ["rule", "person_id", "date", "paid"]
    return pl.concat([findings.select(columns) for findings in (never, several, *found)]).sort(columns)


if __name__ == "__main__":
    lines = pl.concat([scan_lines(file) for file in sys.argv[2:]]).collect(engine="streaming")
    find_all(lines.lazy()).collect().write_csv(sys.argv[1])
