"""The script that a good analyst writes in pandas for the same rules: without versions, validation or accounting.

python benchmarks/peer_pandas.py all|needed FINDINGS.csv EXTRACT...

The first word is which columns it reads: all of them, as a first script does, or the ones that the rules need.
"""

import sys

import pandas as pd
from codes import CODES, COLUMNS


def read_lines(file: str, columns: list[str] | None) -> pd.DataFrame:
    lines = pd.read_parquet(file, columns=columns) if file.endswith(".parquet") else pd.read_csv(file, usecols=columns, dtype=str)
    lines = lines[lines["hcpcs_code"].isin(CODES)]
    return lines[(lines["claim_status"] == "paid") & (lines["claim_frequency_code"] != "8") & (lines["line_of_business"] != "medicare")]


def find_all(lines: pd.DataFrame) -> pd.DataFrame:
    lines = lines.assign(
        family=lines["hcpcs_code"].map(CODES),
        date=pd.to_datetime(lines["claim_line_start_date"]),
        paid=lines["paid_amount"].astype(float),
    )
    months = pd.DateOffset(months=1)
    never = lines[lines["family"].isin(["sij_nerve_block", "sij_radiofrequency"]) & (lines["date"] >= "2020-02-01")]
    never = never.groupby(["person_id", "date", "family"], as_index=False)["paid"].sum().rename(columns={"family": "rule"})

    visits = lines.groupby(["person_id", "date"], as_index=False).agg(
        families=("family", "nunique"), has_sij=("family", lambda family: family.str.startswith("sij_").any()), paid=("paid", "sum")
    )
    several = visits[(visits["families"] > 1) & visits["has_sij"]].assign(rule="several_procedures")

    injections = lines[lines["family"] == "sij_injection"].groupby(["person_id", "date"], as_index=False)["paid"].sum()
    injections = injections.sort_values(["person_id", "date"])
    dates = injections.groupby("person_id")["date"]
    previous, fourth = dates.shift(1), dates.shift(4)
    too_soon = injections[injections["date"] < previous + 2 * months].assign(rule="interval")
    fifth = injections[injections["date"] < fourth + 12 * months].assign(rule="fifth_in_twelve_months")
    series = (previous.isna() | (injections["date"] >= previous + 12 * months)).cumsum()
    start = injections.groupby(series)["date"].transform("min")
    beyond = injections[injections["date"] > start + 12 * months].assign(rule="beyond_twelve_months")

    findings = pd.concat([never, several, too_soon, fifth, beyond])[["rule", "person_id", "date", "paid"]]
    return findings.sort_values(["rule", "person_id", "date"])


if __name__ == "__main__":
    which, findings, *extracts = sys.argv[1:]
    columns = {"all": None, "needed": COLUMNS}[which]
    find_all(pd.concat([read_lines(file, columns) for file in extracts])).to_csv(findings, index=False)
