"""A layout changes how an extract is written and nothing else: rows, dollars, lines and refusals are those of the canonical extract."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.layouts.layout import LayoutText
from sij_audit.transforms.ingest.outcomes import Loaded, Outcome, Refused
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store
from tests.nasty import make_rows

CODES = [Code("27096", None, None), Code("G0260", None, None), Code("64451", None, None)]

KINDS = {column.name: column.kind for column in COLUMNS}

NAMES = [*KINDS]

PAYERS_NAMES = [f"Fld {number}" for number in range(len(NAMES))]

WORDS = {"paid": "P", "denied": "D", "reversed": "R", "pending": "W"}

BROKEN: list[dict[str, str]] = [
    {"claim_line_start_date": "31/31/2024"},
    {"paid_amount": "12.3x"},
    {"claim_id": ""},
    {"claim_line_number": "one"},
    {"member_id": ""},
    {"claim_status": "lost"},
]


@contextmanager
def a_store() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "OUT")
        store.prepare()
        yield store


def take(store: Store, name: str, content: bytes, layout: str = "") -> Outcome:
    path = store.root / name
    path.write_bytes(content)
    layouts = (LayoutText("payer.toml", layout),) if layout else ()
    return ingest_extract(store, path, CODES, terms=Terms(layouts=layouts))


def taken(store: Store, name: str, content: bytes, layout: str = "") -> Loaded:
    outcome = take(store, name, content, layout)
    assert isinstance(outcome, Loaded), outcome
    return outcome


def facts(store: Store, outcome: Loaded) -> dict[str, Any]:
    """All that a batch says of what an extract holds."""
    quarantine = pq.ParquetFile(store.quarantine / f"{outcome.batch.batch_id}.parquet").read()
    kept = pq.ParquetFile(outcome.batch.path).read().to_pylist()
    return {
        "kept": sorted(map(repr, kept)),
        "controls": outcome.batch.controls,
        "reasons": outcome.batch.reasons,
        "filled": [column for column in outcome.batch.columns if column["is_canonical"]],
        "quarantined": list(zip(quarantine["row_number"].to_pylist(), quarantine["reason"].to_pylist(), strict=True)),
    }


def in_form(day: date, form: str) -> str:
    if form in ("excel", "sas"):
        return str((day - {"excel": date(1899, 12, 30), "sas": date(1960, 1, 1)}[form]).days)
    for part, how in (("YYYY", "%Y"), ("MON", "%b"), ("YY", "%y"), ("MM", "%m"), ("DD", "%d")):
        form = form.replace(part, how)
    return day.strftime(form)


def in_amount_form(amount: Decimal, form: str) -> str:
    match form:
        case "cents":
            return str(int(amount * 100))
        case "1.234,50":
            return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
        case _:
            return f"{amount:.2f}"


@dataclass(frozen=True)
class Writing:
    """How a payer writes."""

    separator: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    title_rows: int = 0
    has_header: bool = True
    dates: str = "YYYY-MM-DD"
    amounts: str = "1,234.50"
    kind: str = "text"

    def cell(self, column: str, value: Any) -> str:
        match value:
            case None:
                return ""
            case date():
                return in_form(value, self.dates)
            case Decimal() if KINDS[column] == "amount":
                return in_amount_form(value, self.amounts)
            case _:
                return WORDS.get(value, value) if column == "claim_status" else str(value)

    def layout(self) -> str:
        lines = [f"separator = {json.dumps(self.separator)}", f"quote = {json.dumps(self.quote)}", f'encoding = "{self.encoding}"']
        if not self.has_header and self.kind == "text":
            lines.append(f"names = {PAYERS_NAMES!r}")
        elif self.title_rows:
            lines.append(f"header_row = {self.title_rows + 1}")
        lines += [f'dates = "{self.dates}"', f'amounts = "{self.amounts}"']
        if self.kind == "fixed":
            lines += ["[widths]", *(f'"{name}" = [{40 * place + 1}, 40]' for place, name in enumerate(PAYERS_NAMES))]
        lines += ["[columns]", *(f'{name} = "{given}"' for name, given in zip(NAMES, PAYERS_NAMES, strict=True))]
        lines += ["[values.claim_status]", *(f'{word} = "{status}"' for status, word in WORDS.items())]
        return "\n".join(lines)

    def write(self, rows: Sequence[Sequence[str]]) -> bytes:
        if self.kind == "parquet":
            sink = io.BytesIO()
            pq.write_table(
                pa.table({name: pa.array(cells, pa.string()) for name, cells in zip(PAYERS_NAMES, zip(*rows, strict=True), strict=True)}),
                sink,
            )
            return sink.getvalue()
        text = io.StringIO(newline="")
        text.write("A title; of the payer's\r\n" * self.title_rows)
        if self.kind == "fixed":
            text.writelines("".join(cell.ljust(40) for cell in row).rstrip() + "\n" for row in rows)
        else:
            writer = csv.writer(text, delimiter=self.separator, quotechar=self.quote, lineterminator="\n")
            writer.writerows([PAYERS_NAMES, *rows] if self.has_header else rows)
        return text.getvalue().encode(self.encoding)


def canonical(rows: Sequence[Mapping[str, Any]], broken: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(NAMES)
    cells = [["" if row[name] is None else str(row[name]) for name in NAMES] for row in rows]
    for row, changes in zip(cells, broken, strict=False):
        for name, value in changes.items():
            row[NAMES.index(name)] = value
    writer.writerows(cells)
    return text.getvalue().encode()


WRITINGS = st.builds(
    Writing,
    separator=st.sampled_from([",", ";", "|", "\t", "^", "~"]),
    quote=st.sampled_from(['"', "'"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "windows-1252"]),
    title_rows=st.sampled_from([0, 0, 3]),
    has_header=st.booleans(),
    dates=st.sampled_from(["YYYY-MM-DD", "DD/MM/YYYY", "YYYYMMDD", "DDMONYYYY", "DD.MM.YY", "MMDDYYYY", "excel", "sas"]),
    amounts=st.sampled_from(["1,234.50", "1.234,50", "cents"]),
    kind=st.sampled_from(["text", "text", "fixed", "parquet"]),
).filter(lambda writing: not (writing.title_rows and (not writing.has_header or writing.kind == "fixed")))


@settings(max_examples=12)
@given(writing=WRITINGS, seed=st.integers(0, 10_000), broken=st.lists(st.sampled_from(BROKEN), max_size=3))
def test_a_layout_gives_what_the_canonical_extract_of_the_same_rows_gives(
    writing: Writing, seed: int, broken: Sequence[Mapping[str, str]]
) -> None:
    rows = make_rows(seed, 2)
    cells = [[writing.cell(name, row[name]) for name in NAMES] for row in rows]
    for row, changes in zip(cells, broken, strict=False):
        for name, value in changes.items():
            row[NAMES.index(name)] = value
    suffix = {"parquet": "parquet", "fixed": "txt"}.get(writing.kind, "csv")
    with a_store() as store, a_store() as other:
        read = facts(store, taken(store, f"x.{suffix}", writing.write(cells), writing.layout()))
        assert read == facts(other, taken(other, "x.csv", canonical(rows, broken)))


HEADER = ["Claim No", "Line", "Member", "DOS", "Proc", "Paid", "Note"]

ROWS = [["C1", "1", "M1", "20240115", "27096-RT", "100.00", "-"], ["C1", "2", "M1", "20240115", "99213", "5", "x"]]

LAYOUT = """
separator = ";"
nulls = ["-", "N/A"]
[columns]
claim_id = "claim no"
claim_line_number = "Line"
member_id = "Member"
claim_line_start_date = { sql = "strptime(DOS, '%Y%m%d')" }
hcpcs_code = { sql = "split_part(Proc, '-', 1)" }
hcpcs_modifier_1 = { sql = "nullif(split_part(Proc, '-', 2), '')" }
paid_amount = { sql = "cast(Paid as decimal(14, 2)) * 2" }
"""


def written(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    return "".join(";".join(row) + "\n" for row in (header, *rows)).encode()


def test_a_canonical_column_is_what_an_expression_makes_of_the_columns_of_its_row() -> None:
    with a_store() as store:
        outcome = taken(store, "x.csv", written(ROWS), LAYOUT)
        [first, second] = pq.ParquetFile(outcome.batch.path).read().to_pylist()
        assert (first["claim_line_start_date"], first["hcpcs_code"], first["hcpcs_modifier_1"]) == (date(2024, 1, 15), "27096", "RT")
        assert (first["paid_amount"], second["paid_amount"], second["hcpcs_modifier_1"]) == (Decimal(200), Decimal(10), None)
        assert outcome.batch.layout == "payer.toml"
        assert outcome.batch.controls["paid_read"] == "210.00"


def test_a_column_that_the_layout_does_not_read_is_ignored_and_counted_where_it_is_filled() -> None:
    with a_store() as store:
        columns = taken(store, "x.csv", written(ROWS), LAYOUT).batch.columns
        assert [column for column in columns if not column["is_canonical"]] == [
            {"column": "Note", "is_canonical": False, "is_present": True, "filled_count": 2}
        ]


def refused(store: Store, content: bytes, layout: str, name: str = "x.csv") -> str:
    outcome = take(store, name, content, layout)
    assert isinstance(outcome, Refused), outcome
    return outcome.reason


def test_an_expression_that_fails_names_the_column_and_the_row_and_no_value() -> None:
    with a_store() as store:
        rows = [*ROWS * 40_000, ["C9", "1", "M9", "SECRET", "27096", "1", ""], *ROWS]
        reason = refused(store, written(rows), LAYOUT)
        assert reason == (
            "x.csv: the layout payer.toml makes claim_line_start_date by an expression that fails on row 80,001. "
            "Where a cell may be other than expected, write try_cast and try_strptime in it."
        )


def test_an_expression_that_fits_no_row_says_why() -> None:
    with a_store() as store:
        reason = refused(store, written(ROWS), LAYOUT.replace("* 2", "+ Proc[1] - true"))
        assert reason.startswith("x.csv: the layout payer.toml makes paid_amount by an expression that cannot be evaluated: Binder Error: ")


def test_a_row_with_too_few_or_too_many_cells_is_refused_with_its_number_and_bytes() -> None:
    with a_store() as store:
        outcome = taken(store, "x.csv", written([ROWS[0], ["C2", "1"], [*ROWS[1], "more"], ROWS[1]]), LAYOUT)
        table = pq.ParquetFile(store.quarantine / f"{outcome.batch.batch_id}.parquet").read().to_pylist()
        assert [(row["row_number"], row["reason"], row["raw_row"]) for row in table] == [
            (2, "unparseable_row", b"C2;1"),
            (3, "unparseable_row", b"C1;2;M1;20240115;99213;5;x;more"),
        ]


def test_a_quoted_cell_may_hold_separators_and_newlines() -> None:
    with a_store() as store:
        rows = [["C1", "1", "M1", "20240115", '"27096-RT"', "1", '"a; ""b""\nc"'], ROWS[1]]
        assert taken(store, "x.csv", written(rows), LAYOUT).batch.controls["rows_kept"] == 2


def test_a_cell_that_its_form_does_not_read_is_quarantined_though_another_reading_would_take_it() -> None:
    layout = LAYOUT.replace("{ sql = \"strptime(DOS, '%Y%m%d')\" }", '"DOS"').replace(
        'separator = ";"', 'separator = ";"\ndates = "DD/MM/YYYY"'
    )
    with a_store() as store:
        rows = [[*ROWS[0][:3], day, *ROWS[0][4:]] for day in ("15/01/2024", "01/15/2024", "2024-01-15", "15/1/2024 00:00:00")]
        batch = taken(store, "x.csv", written(rows), layout).batch
        assert batch.reasons == {"invalid_date": 2}
        assert batch.faults[0].forms == ["!99/99/9999", "!9999-99-99"]


def test_a_text_that_is_not_of_its_encoding_is_refused() -> None:
    with a_store() as store:
        content = written([ROWS[0]]).decode().replace("-\n", "é\n").encode("utf-16-be")
        reason = refused(store, content[:-1], LAYOUT.replace("nulls", 'encoding = "utf-16-be"\nnulls', 1))
        assert reason.startswith("x.csv: is not utf-16-be, as its layout says: what cannot be read is at byte ")


def test_a_batch_is_of_the_layout_that_it_was_read_by() -> None:
    with a_store() as store:
        first = taken(store, "x.csv", written(ROWS), LAYOUT).batch
        again = taken(store, "x.csv", written(ROWS), LAYOUT.replace("* 2", "* 3")).batch
        assert first.batch_id != again.batch_id
        assert [batch.controls["paid_read"] for batch in store.batches()] == ["315.00"]


def test_a_compressed_text_is_read_by_a_layout_too() -> None:
    with a_store() as store:
        assert taken(store, "x.txt.gz", gzip.compress(written(ROWS)), LAYOUT).batch.controls["rows_kept"] == 2


@pytest.mark.parametrize("cell", [pa.array([Decimal("1.50")]), pa.array([1.5]), pa.array(["1.50"]).dictionary_encode()])
def test_a_parquet_column_keeps_the_reading_of_its_type(cell: pa.Array) -> None:
    cells = {name: pa.array([value]) for name, value in zip(HEADER, ROWS[0], strict=True)}
    sink = io.BytesIO()
    pq.write_table(pa.table({**cells, "Paid": cell, "DOS": pa.array([date(2024, 1, 15) + timedelta(1)])}), sink)
    layout = LAYOUT.replace("{ sql = \"strptime(DOS, '%Y%m%d')\" }", '"DOS"').replace(
        '{ sql = "cast(Paid as decimal(14, 2)) * 2" }', '"Paid"'
    )
    with a_store() as store:
        [line] = pq.ParquetFile(taken(store, "x.parquet", sink.getvalue(), layout).batch.path).read().to_pylist()
        assert (line["paid_amount"], line["claim_line_start_date"]) == (Decimal("1.50"), date(2024, 1, 16))


PLAIN = """
[columns]
claim_id = "C"
claim_line_number = "L"
member_id = "M"
claim_line_start_date = "D"
hcpcs_code = "H"
paid_amount = "P"
"""

CELLS: dict[str, Any] = {"C": ["A1"], "L": ["1"], "M": ["M1"], "D": ["2024-01-02"], "H": ["27096"], "P": ["10.50"]}


def parquet(**columns: pa.Array) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({**CELLS, **columns}), sink)
    return sink.getvalue()


@pytest.mark.parametrize("cents", [pa.array([1050]), pa.array([1050.0]), pa.array(["1050"]), pa.array(["$1050"])])
def test_cents_are_cents_whatever_their_type(cents: pa.Array) -> None:
    with a_store() as store:
        assert taken(store, "x.parquet", parquet(P=cents), f'amounts = "cents"\n{PLAIN}').batch.controls["paid_read"] == "10.50"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_timestamp_is_a_date_whatever_form_the_layout_has_for_texts(unit: str, zone: str | None) -> None:
    day = pa.array([datetime.fromisoformat("2024-01-02")]).cast(pa.timestamp(unit, zone))
    with a_store() as store:
        [line] = pq.ParquetFile(taken(store, "x.parquet", parquet(D=day), f'dates = "DD/MM/YYYY"\n{PLAIN}').batch.path).read().to_pylist()
        assert line["claim_line_start_date"] == date(2024, 1, 2)


@pytest.mark.parametrize("numbers", [pa.array([12345678901234567.0]), pa.array([7]), pa.array([["a"]])])
def test_an_id_that_is_stored_as_a_number_is_refused(numbers: pa.Array) -> None:
    with a_store() as store:
        reason = refused(store, parquet(C=numbers), PLAIN, "x.parquet")
        assert "makes claim_id by an expression that cannot be evaluated: it is of type " in reason


def test_values_that_python_cannot_hold_do_not_stop_a_run() -> None:
    far = pa.array([2_932_897 + 400_000], pa.int32()).cast(pa.date32())
    nanoseconds = pa.array([1], pa.int64()).cast(pa.timestamp("ns"))
    with a_store() as store:
        assert taken(store, "x.parquet", parquet(X=far, Y=nanoseconds), PLAIN).batch.controls["rows_kept"] == 1


def test_a_line_that_goes_on_behind_the_last_column_of_fixed_width_is_refused() -> None:
    widths = "[widths]\nC = [1, 2]\nL = [3, 1]\nM = [4, 2]\nD = [6, 10]\nH = [16, 5]\nP = [21, 5]\n"
    with a_store() as store:
        batch = taken(store, "x.txt", b"A11M12024-01-022709610.50   \nA21M12024-01-0227096123.50\n", widths + PLAIN).batch
        assert (batch.controls["rows_kept"], batch.reasons, batch.controls["paid_read"]) == (1, {"unparseable_row": 1}, "10.50")
        assert batch.faults[0].forms == ["characters behind the last column"]


@pytest.mark.parametrize("separator", ["\\u0001", "\\u0002", "\\u0003"])
def test_a_control_character_separates_as_hive_writes_it(separator: str) -> None:
    letter = json.loads(f'"{separator}"')
    content = "".join(letter.join(row) + "\n" for row in (list(CELLS), [cells[0] for cells in CELLS.values()])).encode()
    with a_store() as store:
        assert taken(store, "x.csv", content, f'separator = "{separator}"\n{PLAIN}').batch.controls["rows_kept"] == 1


@pytest.mark.parametrize("nothing", ["NULL", "\\N", "", "(null)"])
def test_what_stands_for_nothing_in_any_extract_does_so_before_a_form_is_read(nothing: str) -> None:
    content = f'C,L,M,D,H,P,paid_date\nA1,1,M1,02/01/2024,27096,10.50,{nothing}\nA2,1,M1,="02/01/2024",27096,1,02/02/2024\n'.encode()
    with a_store() as store:
        assert taken(store, "x.csv", content, f'quote = ""\ndates = "DD/MM/YYYY"\n{PLAIN}').batch.controls["rows_kept"] == 2


def test_the_time_zone_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    layout = PLAIN.replace('"D"', "{ sql = \"strptime(D || ' 01:00 +0000', '%Y-%m-%d %H:%M %z')::date\" }")
    with a_store() as store:
        [line] = pq.ParquetFile(taken(store, "x.parquet", parquet(), layout).batch.path).read().to_pylist()
        assert line["claim_line_start_date"] == date(2024, 1, 2)


def test_a_name_is_found_in_any_case_of_any_letters() -> None:
    content = "CLAIMÉ,L,M,D,H,P\nA1,1,M1,2024-01-02,27096,1\n".encode()
    with a_store() as store:
        assert taken(store, "x.csv", content, PLAIN.replace('"C"', '"claimé"')).batch.controls["rows_kept"] == 1


def test_what_is_too_large_refuses_the_extract_and_not_the_run() -> None:
    layout = PLAIN.replace('"M"', f'{{ sql = "concat({", ".join(["M"] * 3000)})" }}')
    with a_store() as store:
        reason = refused(store, b"C,L,M,D,H,P\n" + b"A1,1," + b"M" * 60_000 + b",2024-01-02,27096,1\n" * 3, layout)
        assert reason == "x.csv: what the layout payer.toml makes of its rows is too large."
