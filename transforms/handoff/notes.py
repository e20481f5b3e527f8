"""The sheet Read me of the workbook: what was handed over, counted, and how to read and fill it in, in the words of the run."""

import textwrap
from decimal import Decimal

import duckdb
import polars as pl

from sij_audit.transforms.columns import ROW_OUTCOMES
from sij_audit.transforms.duck import fetch_one
from sij_audit.transforms.frames import fetch_frame
from sij_audit.transforms.handoff.book import CONFIDENTIAL, NOTE_WIDTH, Note
from sij_audit.transforms.handoff.handed_columns import ADDED_COLUMNS, INPUTS, MAIN_COLUMNS, NEXT_COLUMNS, PROVIDER_COLUMNS
from sij_audit.transforms.text import describe_newest_text, describe_open_adjustments


def describe_handoff(con: duckdb.DuckDBPyConnection, since: str | None) -> list[Note]:
    """Describe, row by row, what was handed over."""
    return [
        *_describe_run(con, since),
        *_describe_counts(con),
        *_describe_controls(con),
        *_describe_sheets(),
        *_describe_inputs(),
        *_describe_doubts(con),
        *_describe_rules(con),
        *_describe_columns(con),
        *_describe_provider_columns(),
    ]


def _heading(text: str) -> list[Note]:
    return [("gap", ()), ("heading", (text, *[""] * 7))]


def _lines(text: str) -> list[Note]:
    return [("line", (line,)) for line in textwrap.wrap(text, NOTE_WIDTH + 35)]


def _pair(term: str, text: str) -> list[Note]:
    first, *others = textwrap.wrap(text, NOTE_WIDTH) or [""]
    return [("pair", (term, first)), *(("pair", ("", line)) for line in others)]


def _describe_run(con: duckdb.DuckDBPyConnection, since: str | None) -> list[Note]:
    run_id, as_of, version, stand_in = con.execute("select run_id, as_of, version, line_of_business from run_facts").fetchall()[0]
    return [
        ("title", ("Findings for payment integrity",)),
        ("warning", (f"{CONFIDENTIAL}: members' protected health information, for those with a need to know.",)),
        ("gap", ()),
        *_pair("Run", run_id),
        ("pair", ("Services up to", as_of)),
        *_pair(
            "Since",
            f"run {since}: what is new, changed or withdrawn since then" if since else "the beginning: nothing was handed over before",
        ),
        *(_pair("Line of business", f"{stand_in}, where a claim line has none") if stand_in else []),
        *(note for text in con.execute("from policy_texts").fetchall() for note in _pair("Policy text", describe_newest_text(*text[:2]))),
        *_pair("Program", f"sij-audit {version}"),
    ]


def _describe_counts(con: duckdb.DuckDBPyConnection) -> list[Note]:
    totals = fetch_frame(con, "select policy_id, part, findings, amount_at_risk from handed_totals order by policy_id, part_order")
    [(claims,)] = con.execute("select count(*) from records_request").fetchall()
    [(left_out, providers)] = con.execute("select coalesce(sum(claims), 0)::bigint, count(*) from left_out_requests").fetchall()
    cap = f" The cap on requests leaves out {left_out:,} more, of providers: {providers:,}." if left_out else ""
    return [
        *_heading("Counts"),
        *(note for of_policy in totals.partition_by("policy_id", maintain_order=True) for note in _describe_parts(of_policy)),
        *_lines(
            "Within a policy no dollar is counted twice: where findings share a claim line, one of them has its dollars, so amount_at_risk"
            " may be summed."
            " Suppressed findings (somebody else has the claim) and those that reviewers overturned, on the same evidence, are counted here and"
            " not handed over."
        ),
        *_lines(f"Claims whose records are asked for in records_request.csv: {claims:,}.{cap}"),
    ]


def _describe_parts(parts: pl.DataFrame) -> list[Note]:
    """Count what is handed over of one policy; the dollars of several are not summed, since they may be the same."""
    return [
        ("label", (f"findings under {parts['policy_id'][0]}", "number", "at risk, US$")),
        *(("cells", row) for row in parts.select("part", "findings", "amount_at_risk").iter_rows()),
        ("sum", ("to work on: new and changed", *sum_to_work_on(parts))),
    ]


def sum_to_work_on(parts: pl.DataFrame) -> tuple[int, Decimal]:
    """Sum the findings of a policy that are new or changed, and what is at risk in them."""
    handed = parts.filter(pl.col("part").str.contains("^(new|changed) "))
    findings, amount = handed.select(pl.col("findings").sum(), pl.col("amount_at_risk").sum()).row(0)
    return int(findings), amount


def _describe_controls(con: duckdb.DuckDBPyConnection) -> list[Note]:
    controls = fetch_frame(con, "from controls order by extract, reason")
    notes = _heading("Control totals of the extracts")
    for measure, label in (("rows", "rows"), ("paid", "paid, US$")):
        *by_outcome, total = sum_by_outcome(controls, measure).iter_rows()
        notes += [
            ("label", (label, "extracts", "read", *(outcome.replace("_", " ") for outcome in ROW_OUTCOMES))),
            *(("cells", row) for row in by_outcome),
            ("sum", total),
        ]
    notes += _lines(
        "All that was read was kept, not relevant, quarantined or duplicate, or the run would not have been published. Taken: new in this run;"
        " held: loaded by an earlier one; refused: not used."
    )
    for extract, reason in controls.filter(pl.col("outcome") == "refused").select("extract", "reason").iter_rows():
        notes += _pair("Refused", f"{extract}: {reason}")
    counted = con.execute("select orphan_adjustments, adjustments_across_persons, unmatched_reversals, lines_after_as_of from run_facts")
    for count, meaning in zip(
        counted.fetchall()[0],
        (
            "adjustments of claims of which nothing was ever delivered",
            "adjustments of a claim of another person",
            "reversals under a claim number of their own that found no line",
            "lines after the last day of service looked at, which wait",
        ),
        strict=True,
    ):
        if count:
            notes += _pair("Note", f"{meaning}: {count:,}")
    for text in describe_open_adjustments(fetch_one(con, "select count(*) from handed_findings where len(open_adjustments) > 0")):
        notes += _pair("Note", text)
    return notes


def sum_by_outcome(controls: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Count extracts and sum their rows or dollars (`measure`) by outcome, and in a last row all of them."""
    sums = [pl.len().alias("extracts"), *(pl.col(f"{measure}_{outcome}").sum() for outcome in ("read", *ROW_OUTCOMES))]
    of_all = controls.select(pl.lit("all").alias("outcome"), *sums)
    return pl.concat([controls.group_by("outcome").agg(*sums).sort("outcome"), of_all])


def _describe_sheets() -> list[Note]:
    return [
        *_heading("How to read it"),
        *_pair("Violations", "new and changed findings that claims show, given what is presumed: a claim to check, no verdict"),
        *_pair("Review", "new and changed findings that depend on a fact that claims cannot show; doubts name it, records what to ask for"),
        *_pair("Withdrawn", "findings handed over before that no longer hold, with their last values: do not recover money for them"),
        *_pair("Providers", "who billed the claim lines of these findings, and how often findings come up at all"),
        *_pair("Rows", "the highest amount at risk first. The white columns after the yellow ones can be folded away, and are not printed"),
        *_pair("claim_lines", "the cited lines, one a row: claim/line code $paid. Other lists are joined with a comma"),
        *_pair("Long texts", "there only if a text does not fit into a cell, which then names its place on that sheet"),
    ]


def _describe_inputs() -> list[Note]:
    return [
        *_heading("How to fill in the yellow columns"),
        *(note for name, meaning in INPUTS.items() for note in _pair(name, meaning.removeprefix("yours to fill in: "))),
        *_lines(
            "A row left empty is no review. Sort, filter, add columns and split the file as you like, but leave the header, finding_id and"
            " run_id as they are. Save it as .xlsx or .csv, and have it read back: sij-audit import-dispositions FILE --out OUT. A finding"
            " that was overturned is not handed over again unless its evidence changes."
        ),
    ]


def _describe_doubts(con: duckdb.DuckDBPyConnection) -> list[Note]:
    doubts = con.execute(
        "select doubt_id, description || '. What settles it: ' || settled_by from doubt_meanings order by rowid"
    ).fetchall()
    return [*_heading("What doubts mean"), *(note for doubt in doubts for note in _pair(*doubt))]


def _describe_rules(con: duckdb.DuckDBPyConnection) -> list[Note]:
    rules = fetch_frame(con, "from rules order by rowid")
    return [
        *_heading("What rules find, and by which limits"),
        *(note for rule in list_rules(rules, fetch_frame(con, "from limits")).iter_rows() for note in _pair(*rule)),
    ]


def list_rules(rules: pl.DataFrame, limits: pl.DataFrame) -> pl.DataFrame:
    """List rules with what they find and their limits in force, and after them the limits that are the whole policy's."""
    texts = limits.group_by("policy_id", "rule_id").agg(
        pl.format("{} {}", "limit_name", "limit_value").sort().str.join(", ").alias("limit_texts")
    )
    found = pl.format("{} {}: {}", "policy_id", "policy_section", "title")
    of_rules = rules.join(texts, on=["policy_id", "rule_id"], how="left", maintain_order="left").select(
        pl.col("rule_id").alias("term"), pl.concat_str(found, pl.format(" ({})", "limit_texts"), ignore_nulls=True).alias("meaning")
    )
    of_policies = texts.filter(pl.col("rule_id").is_null()).sort("policy_id")
    return pl.concat(
        [of_rules, of_policies.select(pl.format("all of {}", "policy_id").alias("term"), pl.col("limit_texts").alias("meaning"))]
    )


def _describe_columns(con: duckdb.DuckDBPyConnection) -> list[Note]:
    comments = con.execute(
        "select column_name, comment from duckdb_columns() where table_name = 'findings' and comment is not null order by column_index"
    ).fetchall()
    meanings = dict(comments) | ADDED_COLUMNS | INPUTS
    names = dict.fromkeys((*MAIN_COLUMNS, *INPUTS, *NEXT_COLUMNS, *con.table("handed_findings").columns))
    return [*_heading("What columns mean"), *(note for name in names if name in meanings for note in _pair(name, meanings[name]))]


def _describe_provider_columns() -> list[Note]:
    return [*_heading("What the columns of Providers mean"), *(note for pair in PROVIDER_COLUMNS.items() for note in _pair(*pair))]
