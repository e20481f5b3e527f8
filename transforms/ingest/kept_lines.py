"""Which lines of an extract are kept: all valid lines of each claim that has an audit-relevant one, in this extract or in those before.

Two steps, so that one machine can run them over files and a cluster over row groups: `find_relevant_claims` says which claims a part of an
extract has audit-relevant lines of, `keep_lines` keeps what belongs to them. The first leaves one narrow row for each row of the part, and
the cells of the few rows to keep are read a second time.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sij_audit.transforms.columns import COLUMNS, Column
from sij_audit.transforms.duck import fetch_one, registered
from sij_audit.transforms.ingest.part import Part, PartMisread, Positions
from sij_audit.transforms.ingest.readings import FIRST_DATE, FIRST_FORM, LAST_DATE, missing, select_drafts
from sij_audit.transforms.ingest.row_checks import CLAIM_HASH, ScannedRows, scan_rows
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Batch

RELEVANT_HASHES = "select claim_hash from checked where reason = 0 and is_relevant"

KEY = [column.name for column in COLUMNS if column.name not in ("file_name", "file_date")]
"""What makes two rows exact duplicates."""


@dataclass(frozen=True)
class RelevantClaims:
    """Claims (data_source, claim_id) that have a relevant line in a part, and what the pass over the part has found besides."""

    claims: pa.Table
    rows: ScannedRows


def find_relevant_claims(part: Part, codes: Sequence[Code]) -> RelevantClaims:
    """Check all rows of a part, and say which claims have an audit-relevant line in it.

    Leaves the table `scanned`, and in `fetched` the canonical values of the lines that share a claim's hash with a relevant one.
    """
    rows = scan_rows(part, codes)
    count = fetch_one(part.con, "select count(*) from checked")
    if count != part.row_count:
        raise PartMisread(f"{part.row_count} rows are there, and {count} were read.")
    _fetch(part, rows, f"reason = 0 and claim_hash in ({RELEVANT_HASHES})")
    claims = part.con.sql(
        "select distinct data_source, claim_id from fetched semi join (select position from checked where is_relevant) using (position)"
    ).to_arrow_table()
    return RelevantClaims(claims, rows)


def keep_lines(part: Part, claims: pa.Table, rows: ScannedRows) -> None:
    """Keep the valid lines of the claims (data_source, claim_id): in the table `kept`, where `is_repeat` marks exact duplicates."""
    con = part.con
    with registered(con, "given_claims", claims):
        con.execute(f"create temp table claims as select distinct data_source, claim_id, {CLAIM_HASH} as claim_hash from given_claims")
    if fetch_one(part.con, f"select count(*) from claims where claim_hash not in ({RELEVANT_HASHES})"):
        unfetched = "position not in (select position from fetched)"
        _fetch(part, rows, f"reason = 0 and claim_hash in (select claim_hash from claims) and {unfetched}")
    misread = fetch_one(
        con,
        "select count(*) from fetched f left join checked s on s.position = f.position where s.claim_hash is distinct from f.own_hash",
    )
    if misread:
        raise PartMisread(f"{misread} rows were not where they had been read.")
    con.execute(
        """create temp table kept_rows as
        select position, row_hash from fetched f semi join claims c
        on c.claim_hash = f.own_hash and claim_number_of(c.claim_id) = claim_number_of(f.claim_id)
        and c.data_source is not distinct from f.data_source"""
    )
    con.execute(
        f"""create temp table repeats as
        select position from (
            select position, row_number() over (
                partition by {", ".join(KEY)} order by file_date nulls first, file_name nulls first, position
            ) as n
            from fetched
            where row_hash in (select row_hash from kept_rows group by row_hash having count(*) > 1)
            and position in (select position from kept_rows)
        ) where n > 1"""
    )
    names = ", ".join(column.name for column in COLUMNS)
    con.execute(
        f"create temp view kept as select position, {names}, position in (select position from repeats) as is_repeat "
        "from fetched semi join kept_rows using (position)"
    )


def _fetch(part: Part, rows: ScannedRows, condition: str) -> None:
    """Add the canonical values of the checked rows of a condition to `fetched`, in any order, since to keep it costs a thread.

    Columns that the extract lacks are not stored: they would take as much room as those that it has.
    """
    positions = find_positions(part, f"from checked where {condition}")
    types = {column.name: column.sql_type for column in _columns_there(part)}
    columns = ", ".join(f"{name} {sql_type}" for name, sql_type in types.items())
    part.con.execute(f"create temp table if not exists fetched_rows (position bigint, {columns}, own_hash ubigint, row_hash ubigint)")
    if len(positions):
        part.con.execute("set preserve_insertion_order = false")
        part.fetch(positions, "fetched_rows", _normaliser(part, rows))
        part.con.execute("set preserve_insertion_order = true")
    lacking = [f", {missing(column).value} as {column.name}" for column in COLUMNS if column.name not in types]
    part.con.execute(f"create temp view if not exists fetched as select *{''.join(lacking)} from fetched_rows")


def _columns_there(part: Part) -> list[Column]:
    return [column for column in COLUMNS if part.reading(column, FIRST_FORM) != missing(column)]


def _normaliser(part: Part, rows: ScannedRows) -> Callable[[str], str]:
    """Make what selects canonical values of a source's rows, with hashes of claim and row; a date that no row may have is null."""
    readings = {column.name: part.reading(column, rows.date_forms.get(column.name, FIRST_FORM)) for column in COLUMNS}
    values = ", ".join(f"{readings[column.name].value} as {column.name}" for column in COLUMNS)
    bounded = ", ".join(
        f"case when {column.name} between {FIRST_DATE} and {LAST_DATE} then {column.name} end as {column.name}"
        for column in COLUMNS
        if column.kind == "date"
    )
    names = [column.name for column in _columns_there(part)]
    keys = [name for name in names if name in KEY]

    def normalise(source: str) -> str:
        normalised = f"select * replace ({bounded}) from (select position, {values} from {select_drafts(readings, source)})"
        return f"select position, {', '.join(names)}, {CLAIM_HASH} as own_hash, hash({', '.join(keys)}) as row_hash from ({normalised})"

    return normalise


def claims_kept_before(part: Part, batches: Sequence[Batch]) -> pa.Table:
    """List the claims of batches, as (data_source, claim_id), that this part has lines of too."""
    found = [pa.table({"data_source": pa.array([], pa.string()), "claim_id": pa.array([], pa.string())})]
    for start in range(0, len(batches), 100):
        with ExitStack() as stack:
            files = [stack.enter_context(open(batch.path, "rb")) for batch in batches[start : start + 100]]
            paths = ", ".join(f"'/dev/fd/{file.fileno()}'" for file in files)
            found.append(
                part.con.sql(
                    f"select distinct data_source, claim_id from read_parquet([{paths}], hive_partitioning = false) "
                    f"where {CLAIM_HASH} in (select claim_hash from checked where reason = 0)"
                ).to_arrow_table()
            )
    return pa.concat_tables(found)


def find_positions(part: Part, query: str) -> Positions:
    """List the positions that a query gives, sorted."""
    return np.asarray(part.con.execute(f"select position {query} order by position").fetchnumpy()["position"], dtype=np.int64)
