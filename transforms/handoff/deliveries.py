"""What payment integrity is handed: the findings that are new, changed or withdrawn since the last hand-off, and the files with them.

A run holds what is new since the run before; a delivery what is new since the delivery before, whatever runs lie between. Both are made by the
same queries from published tables, and kept in the same files.
"""

import getpass
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from sij_audit.transforms.duck import fetch_dicts, write_report
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.handoff.csv_files import write_findings_csv, write_requests_csv
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.query.versions import check_columns
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.inputs import ASKED_COLUMNS, SERVED_COLUMNS, create_table
from sij_audit.transforms.stages.running import compare_findings, run_stage
from sij_audit.transforms.store.deliveries import delivery_records, list_deliveries
from sij_audit.transforms.store.durable import hash_file, write_durably
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.numbered import NumberedFiles
from sij_audit.transforms.store.runs import find_run

NEEDED_COLUMNS = {("doubt_meanings", "settled_by"), ("limits", "limit_value"), ("open_adjustments", "finding_ids")}
"""Columns of the reports that runs of earlier versions lack."""

ANY_DAY = date(1900, 1, 1)


@dataclass(frozen=True)
class Delivery:
    """What a delivery wrote; `number` is None where nothing was new and nothing was written."""

    number: int | None
    run_id: str
    since_run_id: str | None
    totals: list[dict[str, Any]]
    requests: int
    left_out: int


def write_run_handoff(run: Path, previous_run: Path | None, settings: Settings, folder: Path) -> None:
    """Write, into a folder that is there, what a run has that is new since the run before.

    Records of claims that the run before had findings on are not asked for again; nothing is known here of what was delivered.
    """
    with open_run(run, _served_files(previous_run)) as con:
        _load_served(con, previous_run)
        create_table(con, "asked_claims", ASKED_COLUMNS)
        con.execute(
            """insert into asked_claims by name
            select distinct lines.billing_npi, lines.data_source, lines.claim_id, lines.person_id
            from lines inner join (
                select person_id, unnest(list_transform(claim_lines, lambda claim_line: claim_line.claim_id) || prior_claim_ids) as claim_id
                from served_findings where was_handed_over
            ) using (person_id, claim_id)"""
        )
        _run_queries(con, settings, ANY_DAY)
        _write_files(con, folder, previous_run.name if previous_run else None)


def deliver(store: Store, folder: Path, settings: Settings, since: str | None = None) -> Delivery:
    """Write what changed since the last delivery, or since the run `since`, into a folder that is empty or not there; keep what was delivered.

    What was delivered last and holds no more is withdrawn whatever `since` says. UsageError where the folder is not empty, or OUT holds no run,
    or not that one, or `since` is later than the last delivery; BusyError where a run holds OUT.
    """
    with store.lock():
        current = find_run(store)
        earlier = list_deliveries(store)
        last_run_id = earlier[-1]["run_id"] if earlier else None
        since_run_id = since or last_run_id
        served = find_run(store, since_run_id) if since_run_id else None
        delivered = find_run(store, last_run_id) if last_run_id else None
        if since and last_run_id and _is_later(current, since, last_run_id):
            raise UsageError(
                f"{since} is later than {last_run_id}, which was delivered last: what changed between them would never be handed over."
                " Leave --since out, or name an earlier run."
            )
        _check_folder(folder)
        asked_claims = NumberedFiles(store, "deliveries", ".parquet")
        asked = [asked_claims.path(entry["number"]) for entry in earlier]
        files_of_delivered = {"delivered_findings": [delivered / "findings.parquet"]} if delivered else {}
        with open_run(current, {**_served_files(served), **files_of_delivered, "asked_claims": asked}) as con:
            check_columns(con, current, NEEDED_COLUMNS, "a hand-off")
            _load_served(con, served)
            if delivered:
                con.execute(
                    """insert into served_findings by name
                    select delivered_findings.*, true as was_handed_over
                    from delivered_findings
                    anti join served_findings using (finding_id)
                    anti join (from findings where status <> 'withdrawn') using (finding_id)
                    where delivered_findings.status <> 'withdrawn'"""
                )
            if not asked:
                create_table(con, "asked_claims", ASKED_COLUMNS)
            today = datetime.now(UTC).date()
            _run_queries(con, settings, today - timedelta(days=settings.request_period_days))
            totals, requests, left_out = _count(con)
            number = delivery_records(store).next_number()
            if not requests and not any(row["findings"] for row in totals if row["part"] not in ("suppressed", "overturned")):
                return Delivery(None, current.name, since_run_id, totals, requests, left_out)
            _make_folder(folder)
            files = _write_files(con, folder, since_run_id)
            con.execute(
                "create table asked_now as select billing_npi, data_source, claim_id, person_id, cast(? as date) as asked_on "
                "from records_request",
                [today],
            )
            asked_claims.add(number, partial(write_report, con, "asked_now"))
        entry = {
            "number": number,
            "delivered": datetime.now(UTC).isoformat(timespec="seconds"),
            "by": getpass.getuser(),
            "run_id": current.name,
            "since_run_id": since_run_id,
            "to": str(folder),
            "files": [{"path": path.name, "sha256": hash_file(path)} for path in files],
            "totals": totals,
            "requests": requests,
            "left_out_requests": left_out,
        }
        delivery_records(store).add_entry(number, entry)
        return Delivery(number, current.name, since_run_id, totals, requests, left_out)


def _check_folder(folder: Path) -> None:
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty. Name an empty folder, or one that is not there.")
    except OSError as error:
        raise UsageError(f"{folder} cannot be used to deliver to: {error.strerror}.") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be used to deliver to: {error.strerror}.") from None


def _is_later(current: Path, run_id: str, other_run_id: str) -> bool:
    """Say whether one run was published after another; runs before the current one are known by its trend."""
    with open_run(current) as con:
        orders = dict(con.execute("select distinct run_id, run_order from trend").fetchall())
    return run_id in orders and other_run_id in orders and bool(orders[run_id] > orders[other_run_id])


def _served_files(served: Path | None) -> dict[str, list[Path]]:
    if served is None:
        return {}
    return {"last_findings": [served / "findings.parquet"], "last_review_states": [served / "review_states.parquet"]}


def _load_served(con: duckdb.DuckDBPyConnection, served: Path | None) -> None:
    create_table(con, "served_findings", SERVED_COLUMNS)
    if served is not None:
        con.execute(
            """insert into served_findings by name
            select last_findings.*, last_review_states.held_back_for is null as was_handed_over
            from last_findings left join last_review_states on last_findings.finding_id = last_review_states.finding_id
            where last_findings.status <> 'withdrawn'"""
        )


def _run_queries(con: duckdb.DuckDBPyConnection, settings: Settings, asked_since: date) -> None:
    values = {"max_requests_per_provider": settings.max_requests_per_provider, "asked_since": asked_since}
    served = "select * exclude (was_handed_over) from served_findings where was_handed_over"
    compare_findings(con, served, "from findings where status <> 'withdrawn'")
    run_stage(con, "6_handoff", values)


def _count(con: duckdb.DuckDBPyConnection) -> tuple[list[dict[str, Any]], int, int]:
    """Count what is handed over by part, the claims to request, and those that the cap leaves out."""
    totals = fetch_dicts(con, "select policy_id, part, findings, amount_at_risk from handed_totals order by policy_id, part_order")
    [(requests,)] = con.execute("select count(*) from records_request").fetchall()
    [(left_out,)] = con.execute("select coalesce(sum(claims), 0)::bigint from left_out_requests").fetchall()
    return totals, requests, left_out


def _write_files(con: duckdb.DuckDBPyConnection, folder: Path, since_run_id: str | None) -> list[Path]:
    from sij_audit.transforms.handoff.workbook import write_workbook  # noqa: PLC0415  # a command that writes none waits for no library of workbooks

    files = write_workbook(con, folder / "findings.xlsx", since_run_id)
    write_durably(folder / "findings.csv", partial(write_findings_csv, con))
    write_durably(folder / "records_request.csv", partial(write_requests_csv, con))
    write_durably(folder / "findings.parquet", partial(write_report, con, "handed_findings"))
    return [*files, *(folder / name for name in ("findings.csv", "findings.parquet", "records_request.csv"))]
