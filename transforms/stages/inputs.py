"""What the SQL stages read besides the reference tables: its shape, and how it comes into a DuckDB that is open for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from sij_audit.transforms.columns import COLUMNS, ROW_OUTCOMES
from sij_audit.transforms.duck import QUICK, insert_rows, quote_name, quote_text, scan_parquet
from sij_audit.transforms.stages.reference import load_reference

CONTROL_COLUMNS = {
    "extract": "VARCHAR",
    "extract_sha256": "VARCHAR",
    "outcome": "VARCHAR",
    "reason": "VARCHAR",
    **{f"rows_{outcome}": "BIGINT" for outcome in ("read", *ROW_OUTCOMES)},
    **{f"paid_{outcome}": "DECIMAL(18, 2)" for outcome in ("read", *ROW_OUTCOMES)},
}

EXTRACT_COLUMNS = {
    "extract": "VARCHAR",
    "extract_sha256": "VARCHAR",
    "column_order": "BIGINT",
    "column": "VARCHAR",
    "is_canonical": "BOOLEAN",
    "is_present": "BOOLEAN",
    "filled_count": "BIGINT",
}

FAULT_COLUMNS = {
    **dict.fromkeys(("extract", "extract_sha256"), "VARCHAR"),
    "fault_order": "BIGINT",
    **dict.fromkeys(("outcome", "reason", "meaning", "what_to_do", "column"), "VARCHAR"),
    "row_count": "BIGINT",
    "first_row_numbers": "BIGINT[]",
    "forms": "VARCHAR[]",
    **dict.fromkeys(("date_form", "note"), "VARCHAR"),
    "is_warning": "BOOLEAN",
}
"""What the quarantined rows of an extract have in common."""

QUALITY_COLUMNS = {
    **dict.fromkeys(("extract", "extract_sha256", "check_id", "column"), "VARCHAR"),
    **dict.fromkeys(("row_count", "found_count"), "BIGINT"),
    "forms": "VARCHAR[]",
}

NOTICED_COLUMNS = {**dict.fromkeys(("extract", "check_id", "column"), "VARCHAR"), "is_noticed": "BOOLEAN"}
"""Of the report `data_quality`, what the next run reads back as `previous_data_quality`."""

CLAIM_LINE = (
    "STRUCT(data_source VARCHAR, claim_id VARCHAR, claim_line_number BIGINT, hcpcs_code VARCHAR, claim_type VARCHAR, billing_npi VARCHAR, "
    "paid_date DATE, paid_amount DECIMAL(14, 2), amount_at_risk DECIMAL(14, 2))"
)

FINDING_COLUMNS = {
    **dict.fromkeys(("finding_id", "run_id", "status"), "VARCHAR"),
    "first_reported": "DATE",
    **dict.fromkeys(("policy_id", "policy_version", "policy_section", "rule_id", "determination", "strength", "scope"), "VARCHAR"),
    "doubts": "VARCHAR[]",
    "presumptions": "VARCHAR[]",
    **dict.fromkeys(("person_id", "member_id", "line_of_business", "payer", "plan", "state"), "VARCHAR"),
    "service_date": "DATE",
    "site": "VARCHAR",
    "procedure_codes": "VARCHAR[]",
    "prior_service_date": "DATE",
    "interval_days": "BIGINT",
    "prior_count": "BIGINT",
    "earliest_compliant_date": "DATE",
    "claim_lines": f"{CLAIM_LINE}[]",
    "prior_claim_ids": "VARCHAR[]",
    **dict.fromkeys(("billing_npi", "rendering_npi", "facility_npi"), "VARCHAR"),
    "paid_amount": "DECIMAL(14, 2)",
    "amount_at_risk": "DECIMAL(14, 2)",
    "is_upper_bound": "BOOLEAN",
    "precedence_note": "VARCHAR",
    "rationale": "VARCHAR",
}
"""The report `findings`, which the next run reads back as `previous_findings`."""


DISPOSITION_COLUMNS = {
    "import_number": "BIGINT",
    "row_number": "BIGINT",
    **dict.fromkeys(("finding_id", "run_id", "evidence_id", "policy_id", "rule_id", "determination", "disposition"), "VARCHAR"),
    "recovered_amount": "DECIMAL(14, 2)",
    **dict.fromkeys(("reviewer", "note"), "VARCHAR"),
    "claim_lines": "STRUCT(data_source VARCHAR, claim_id VARCHAR, claim_line_number BIGINT)[]",
    "imported_on": "DATE",
}
"""What reviewers have said of findings, as OUT/reviews keeps it; a later import, and a later row, has the last word on a finding."""

SUPPRESSION_COLUMNS = {
    "import_number": "BIGINT",
    "row_number": "BIGINT",
    **dict.fromkeys(("claim_id", "data_source", "finding_id", "reason"), "VARCHAR"),
    "suppressed_until": "DATE",
    "imported_on": "DATE",
}
"""Claims and findings that somebody else has, as OUT/reviews keeps them; the last word on each counts."""

TREND_COLUMNS = {
    "run_order": "BIGINT",
    "run_id": "VARCHAR",
    "as_of": "DATE",
    **dict.fromkeys(("policy_id", "rule_id"), "VARCHAR"),
    **dict.fromkeys(("violations", "reviews", "new_findings", "changed_findings", "withdrawn_findings"), "BIGINT"),
    **dict.fromkeys(("paid_amount", "amount_at_risk"), "DECIMAL(14, 2)"),
}
"""The report `trend`, which the next run reads back as `previous_trend`."""

SERVED_COLUMNS = {**FINDING_COLUMNS, "was_handed_over": "BOOLEAN"}
"""Findings of the run that was handed over last, which stage 6_handoff reads; those suppressed or overturned were not handed over."""

ASKED_COLUMNS = {**dict.fromkeys(("billing_npi", "data_source", "claim_id", "person_id"), "VARCHAR"), "asked_on": "DATE"}
"""Claims whose records were asked for before, which stage 6_handoff reads; `asked_on` is null where no delivery asked."""


@dataclass(frozen=True)
class Inputs:
    """All that the SQL stages read besides reference tables; without any of it they run over nothing."""

    batch_files: Sequence[Path] = ()
    versioning: Mapping[Path, str | None] = field(default_factory=dict)
    """How the rows of a batch are versions of a claim line, where that is not by adjudication date."""
    previous_run: Path | None = None
    extract_controls: Sequence[Mapping[str, Any]] = ()
    extract_columns: Sequence[Mapping[str, Any]] = ()
    extract_faults: Sequence[Mapping[str, Any]] = ()
    extract_quality: Sequence[Mapping[str, Any]] = ()
    dispositions: Sequence[Path] = ()
    suppressions: Sequence[Path] = ()
    lines_of_business: Mapping[str, str] = field(default_factory=dict)
    """The plan's own: the group of a line of business, both in lower case."""


def open_warehouse(folder: Path, memory_limit: str = "1500MB", threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB in memory that spills into `folder` and can load no extension."""
    config: dict[str, Any] = {
        **QUICK,
        "memory_limit": memory_limit,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    return duckdb.connect(config=config)


def create_table(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]] = ()) -> None:
    """Make a table of these columns and fill it."""
    con.execute(f"create or replace table {name} ({', '.join(f'{quote_name(column)} {kind}' for column, kind in columns.items())})")
    insert_rows(con, name, list(columns), [[row[column] for column in columns] for row in rows])


def load_inputs(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Offer the reference tables, `kept_lines` (read from the batches as they are needed) and, as tables, all else that the stages read."""
    load_reference(con)
    if inputs.batch_files:
        con.execute(f"create view kept_lines as {_select_kept_lines(inputs)}")
    else:
        create_table(con, "kept_lines", {**{column.name: column.sql_type for column in COLUMNS}, "versioning": "VARCHAR"})
    previous = inputs.previous_run
    _load_files(con, "previous_findings", FINDING_COLUMNS, [previous / "findings.parquet"] if previous else [])
    trend = [previous / "trend.parquet"] if previous else []
    _load_files(con, "previous_trend", TREND_COLUMNS, [path for path in trend if path.is_file()])
    quality = [previous / "data_quality.parquet"] if previous else []
    _load_files(con, "previous_data_quality", NOTICED_COLUMNS, [path for path in quality if path.is_file()], list(NOTICED_COLUMNS))
    _load_files(con, "given_dispositions", DISPOSITION_COLUMNS, inputs.dispositions)
    _load_files(con, "given_suppressions", SUPPRESSION_COLUMNS, inputs.suppressions)
    plan_lines = [{"line_of_business": value, "line_group": group} for value, group in inputs.lines_of_business.items()]
    create_table(con, "plan_lines_of_business", {"line_of_business": "VARCHAR", "line_group": "VARCHAR"}, plan_lines)
    create_table(con, "extract_controls", CONTROL_COLUMNS, inputs.extract_controls)
    create_table(con, "extract_columns", EXTRACT_COLUMNS, inputs.extract_columns)
    create_table(con, "extract_faults", FAULT_COLUMNS, inputs.extract_faults)
    create_table(con, "extract_quality", QUALITY_COLUMNS, inputs.extract_quality)


def _select_kept_lines(inputs: Inputs) -> str:
    """Select the lines of all batches, each with the versioning of its feed; null is by adjudication date."""
    names = ", ".join(column.name for column in COLUMNS)
    files: dict[str | None, list[Path]] = {}
    for path in inputs.batch_files:
        files.setdefault(inputs.versioning.get(path), []).append(path)
    selects = [
        f"select {names}, {quote_text(versioning) if versioning else 'null'}::varchar as versioning from {scan_parquet(paths)}"
        for versioning, paths in files.items()
    ]
    return " union all ".join(selects)


def _load_files(
    con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], files: Sequence[Path], selected: Sequence[str] = ()
) -> None:
    """Make a table of these columns and fill it from files: of their columns only those that are selected, where any are."""
    create_table(con, table, columns)
    if files:
        con.execute(f"insert into {table} by name select {', '.join(map(quote_name, selected)) or '*'} from {scan_parquet(files)}")
