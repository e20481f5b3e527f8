"""Sections of the report page on the data: what extracts lack and what is odd about them, control totals, and the limits that the rules used."""

from collections.abc import Sequence

import polars as pl

from sij_audit.transforms.columns import COLUMNS, ROW_OUTCOMES
from sij_audit.transforms.pages.parts import Section, Table, Tables, write_count
from sij_audit.transforms.pages.suppression import LEAST_MEMBERS
from sij_audit.transforms.text import dollars, list_names

LISTED_EXTRACTS = 40
"""So many extracts have a row of their own in the control totals, and so many reasons in the table of quarantined rows."""

UNBROKEN_HYPHEN = "\u2011"
"""So that no line ends within a form."""

OUTCOMES = ("refused", "retracted", "taken", "held")
"""What became of an extract, in the order in which they are listed."""

MEASURES = (("rows", "Rows", write_count), ("paid", "Dollars paid", dollars))

WHOLE_POLICY = "the whole policy"


def describe_missing_columns(tables: Tables) -> Section:
    """Show which columns extracts lack, and what cannot be found without them."""
    meanings = pl.DataFrame(
        {"column": [column.name for column in COLUMNS], "without": [column.without for column in COLUMNS]},
        {"column": pl.String, "without": pl.String},
    )
    rows = tables["missing_columns"].join(meanings, on="column", how="left").sort("column")
    is_costly = pl.col("without").fill_null("") != ""
    costly, harmless = rows.filter(is_costly), rows.filter(~is_costly)["column"].to_list()
    table = Table(
        "Columns that extracts lack",
        ["Column", "Extracts without it", "Extracts where it is empty", "What that means, for their rows"],
        [
            [
                row["column"],
                f"{write_count(row['extracts_without'])} of {write_count(row['extracts'])}",
                f"{write_count(row['extracts_unfilled'])} of {write_count(row['extracts'])}",
                row["without"],
            ]
            for row in costly.iter_rows(named=True)
        ],
        frozenset({1, 2}),
    )
    sentences = ["Every extract has, and fills, all columns without which something cannot be found."] if costly.is_empty() else []
    if harmless:
        sentences.append(f"Lacking or empty in some extract, and of less weight: {list_names(_ranges(harmless), most=len(COLUMNS))}.")
    if ignored := len(tables["ignored_columns"]):  # their names are not shown: in a file without a header, they are a member's data
        sentences.append(f"Columns that the audit does not know, and ignored: {write_count(ignored)}; the report columns names them.")
    return Section("columns", "What the extracts lack", sentences, tables=() if costly.is_empty() else [table], is_open=True)


def _ranges(names: Sequence[str]) -> list[str]:
    """Write the diagnosis codes as one: they come 25 at a time."""
    diagnoses = [name for name in names if name.startswith("diagnosis_code_")]
    others = [name for name in names if name not in diagnoses]
    return [*others, "a diagnosis code"] if len(diagnoses) == 1 else [*others, f"{len(diagnoses)} diagnosis codes"] if diagnoses else others


def describe_quality(tables: Tables) -> Section:
    """Show what the quality checks give notice of, and what it does to findings."""
    noticed = tables["data_quality"].filter("is_noticed")
    counts = [pl.col("extract").n_unique().alias("extracts"), pl.col("row_count").sum(), pl.col("found_count").sum()]
    rows = noticed.group_by("check_id", "column", "counted", "meaning", "effect", "remedy", maintain_order=True).agg(
        pl.col("extract").is_null().any().alias("is_of_all"), *counts
    )
    table = Table(
        "Notices of the quality checks",
        ["Column", "Extracts", "Counted", "What was found", "What it does to findings", "What to do"],
        [
            [
                row["column"],
                "all together" if row["is_of_all"] else write_count(row["extracts"]),
                _write_share(row["found_count"], row["row_count"], row["counted"]),
                row["meaning"],
                row["effect"],
                row["remedy"],
            ]
            for row in rows.iter_rows(named=True)
        ],
        frozenset({1}),
    )
    if rows.is_empty():
        return Section("quality", "Data quality", ["No quality check of the extracts gives a notice."])
    sentences = ["What follows may be the reason for findings that are wrong, or that are missing. The report data_quality has all checks."]
    return Section("quality", "Data quality", sentences, tables=[table], is_open=True)


def _write_share(found: int, count: int, counted: str) -> str:
    """Write how many of those counted were found; none that shows, or leaves, fewer than a page may show."""
    if found < LEAST_MEMBERS:
        return f"fewer than {LEAST_MEMBERS} {counted}"
    if 0 < count - found < LEAST_MEMBERS:
        return f"all {counted} but fewer than {LEAST_MEMBERS}"
    return f"{write_count(found)} of {write_count(count)} {counted}"


def list_extracts(controls: pl.DataFrame, most: int) -> pl.DataFrame:
    """List extracts by outcome, each with its counts and dollars; those beyond `most` are one row, and the last row sums all."""
    ordered = controls.sort(pl.col("outcome").cast(pl.Enum(OUTCOMES)), "extract")
    sums = pl.col("^(rows|paid)_.*$").sum()
    label = pl.lit("", pl.String).alias("outcome")
    parts = [ordered.head(most).select("extract", "outcome", "^(rows|paid)_.*$")]
    if len(ordered) > most:
        more = ordered.tail(len(ordered) - most)
        parts.append(more.select(pl.lit(f"{write_count(len(more))} more extracts").alias("extract"), label, sums))
    return pl.concat([*parts, ordered.select(pl.lit("All").alias("extract"), label, sums)], how="vertical_relaxed")


def balances(controls: pl.DataFrame) -> bool:
    """Find out whether each extract's rows and dollars read are those of all outcomes together."""
    sums = [pl.col(f"{kind}_read") == pl.sum_horizontal(f"{kind}_{outcome}" for outcome in ROW_OUTCOMES) for kind, _, _ in MEASURES]
    return bool(controls.select(pl.all_horizontal(sums).all()).item())


def describe_controls(tables: Tables) -> Section:
    """Account for every row and dollar that was read."""
    controls = tables["controls"]
    *rows, total = list_extracts(controls, LISTED_EXTRACTS).iter_rows(named=True)
    refused = controls.filter(pl.col("outcome") == "refused").select(pl.format("{} was refused: {}", "extract", "reason"))
    written = []
    for kind, caption, write in MEASURES:
        columns = [f"{kind}_read", *(f"{kind}_{outcome}" for outcome in ROW_OUTCOMES)]
        cells = [[row["extract"], row["outcome"], *(write(row[column]) for column in columns)] for row in (*rows, total)]
        names = ["Extract", "Outcome", "Read", *(outcome.replace("_", " ").capitalize() for outcome in ROW_OUTCOMES)]
        written.append(Table(f"{caption}: read, and what became of them", names, cells[:-1], frozenset(range(2, len(names))), cells[-1]))
    return Section(
        "controls",
        "Control totals",
        [
            f"Read = kept + not relevant + quarantined + duplicate, in rows and in dollars: {'true' if balances(controls) else 'NOT true'}.",
            "Taken: new in this run. Held: loaded by an earlier run. Refused, or retracted by hand: not used, and counted nowhere.",
            *refused.to_series().to_list(),
        ],
        tables=written,
        is_open=True,
    )


def describe_quarantine(tables: Tables) -> Section:
    """Show why rows were quarantined, those of new and of refused extracts first."""
    outcome = pl.col("outcome").cast(pl.Enum(OUTCOMES))
    rows = tables["quarantine_reasons"].sort(outcome, pl.col("row_count"), descending=[False, True], maintain_order=True)
    table = Table(
        "Quarantined rows by reason",
        ["Extract", "Outcome", "Reason", "Column", "Rows", "First rows", "Forms of the cells, or what rows are like"],
        [
            [
                row["extract"],
                row["outcome"],
                f"{row['reason']}: {row['meaning']}",
                row["column"] or "",
                write_count(row["row_count"]),
                ", ".join(map(write_count, row["first_row_numbers"])),
                "; ".join([*row["forms"], *([f"read as {row['date_form']}"] if row["date_form"] else [])]).replace("-", UNBROKEN_HYPHEN),
            ]
            for row in rows.head(LISTED_EXTRACTS).iter_rows(named=True)
        ],
        frozenset({4}),
    )
    noted = rows.filter(pl.col("note").is_not_null()).select(pl.format("{}: {}", "extract", "note")).to_series().to_list()
    forms = "In a form, 9 stands for a digit, A for a letter, and all else is as it is. A row with several columns at fault counts at each."
    unlisted = len(rows) - LISTED_EXTRACTS
    more = [f"{write_count(unlisted)} more stand in the report quarantine_reasons."] if unlisted > 0 else []
    sentences = [forms, *noted, *more] if len(rows) else ["No row was quarantined."]
    return Section("quarantine", "Why rows were quarantined", sentences, tables=[table] if len(rows) else (), is_open=True)


def describe_limits(tables: Tables) -> Section:
    """List the limits of the rules that were audited, and of the policy."""
    rules = tables["rules"].select("policy_id", "rule_id", rule=pl.format("{}: {}", "policy_section", "title"), rule_order=pl.row_index())
    limits = (
        tables["limits"]
        .join(rules, on=["policy_id", "rule_id"], how="left")
        .filter(pl.col("rule_id").is_null() | pl.col("rule").is_not_null())
        .sort("policy_id", "rule_order", "limit_name", nulls_last=False)
        .select("policy_id", pl.col("rule").fill_null(WHOLE_POLICY), "limit_name", "limit_value")
    )
    table = Table("Limits in force", ["Policy", "Rule", "Limit", "Value"], [list(row) for row in limits.iter_rows()])
    return Section("limits", "Limits", ["The limits of this run; another run may have used others."], tables=[table])
