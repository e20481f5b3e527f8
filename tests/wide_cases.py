"""Cases that are too wide, and too regular, to write by hand."""

from datetime import date, timedelta

from sij_audit.transforms.columns import COLUMNS
from tests.cases import Case, PipeTable

SMALL_AND_GREAT = {"DATE": ("2024-01-01", "2024-01-02"), "VARCHAR": ("a", "b")}


def made_cases(name: str) -> list[Case]:
    """The cases of a query that are made here."""
    made = {"1_lines/distinct_rows": order_of_rows, "4_findings/determinations": many_prior_claims}
    return [made[name]()] if name in made else []


def order_of_rows() -> Case:
    """Rows are ordered by one column after the other, in the order of the contract's table, what is empty first.

    Each row has the greatest value in every column but one, where it is empty or has a smaller one: it comes before all rows that have it in
    a later column. A row's file_date, which has no part in the order, says which it must be.
    """
    columns = [column for column in COLUMNS if column.name not in ("file_name", "file_date")]
    greatest: dict[str, str | None] = {column.name: SMALL_AND_GREAT.get(column.sql_type, ("1", "2"))[1] for column in columns}
    rows: list[dict[str, str | None]] = []
    for column in columns:
        smaller = SMALL_AND_GREAT.get(column.sql_type, ("1", "2"))[0]
        if column.name not in ("claim_id", "claim_line_number"):
            rows.append(greatest | {column.name: None})
        rows.append(greatest | {column.name: smaller})
    rows.append(dict(greatest))
    numbers = {str(date(2000, 1, 1) + timedelta(days=number)): str(number) for number in range(1, len(rows) + 1)}
    names = tuple(greatest)
    claims = {(row["data_source"], row["claim_id"]) for row in rows}
    return Case(
        "the greatest row is found column by column, in the order of the contract's table, empty ones first",
        {
            "audited_claims": PipeTable(("data_source", "claim_id"), tuple(sorted(claims, key=str))),
            "kept_lines": PipeTable(
                (*names, "file_date"), tuple((*(row[name] for name in names), day) for row, day in zip(rows, numbers, strict=True))
            ),
        },
        PipeTable(("file_date", "row_id"), tuple(numbers.items())),
    )


def many_prior_claims() -> Case:
    """Of 51 claims of earlier injections, a finding lists the first 50."""
    claims = [f"C{number}" for number in range(100, 151)]
    return Case(
        "of the claims that came before, the first 50 are listed",
        {
            "policies": PipeTable(("policy_id", "presumes"), (("X", "[]"),)),
            "candidates": PipeTable(
                ("finding_id", "policy_id", "is_violation", "prior_claim_ids"), (("F", "X", "true", f"[{', '.join(claims)}]"),)
            ),
            "cited_lines": PipeTable(("finding_id", "doubts"), (("F", "[]"),)),
        },
        PipeTable(("finding_id", "prior_claim_ids"), (("F", f"[{', '.join(claims[:50])}]"),)),
    )
