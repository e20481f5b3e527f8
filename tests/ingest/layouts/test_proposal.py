"""A layout that is proposed can be used, reads what it is sure of, and says what it is not sure of."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.feeds import Terms
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.layouts.layout import Layout, LayoutText, parse_layout
from sij_audit.transforms.ingest.layouts.proposal import Proposal, _is_npi, propose_layout
from sij_audit.transforms.ingest.outcomes import Loaded
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store
from tests.runs import command

NAMES = ["Clm_Nbr", "Ln", "Mbr_Id", "DOS", "Proc_Cd", "Mod1", "Net_Paid", "Sts", "Bill_Prov_NPI", "Notes"]

ROWS = [
    ["A1", "1", "M1", "15/01/2024", "27096", "RT", "1.186,40", "paid", "1234567893", "ok"],
    ["A2", "1", "M1", "20/02/2024", "27096", "LT", "186,40", "PAID", "1234567893", ""],
    ["A3", "1", "M2", "05/03/2024", "99213", "25", "310,00", "denied", "1234567893", "é"],
]


def propose(folder: Path, content: bytes, name: str = "x.txt") -> Proposal:
    path = folder / name
    path.write_bytes(content)
    return propose_layout(path)


def text(separator: str = ";", names: list[str] | None = NAMES, rows: list[list[str]] = ROWS, encoding: str = "utf-8") -> bytes:
    return "".join(separator.join(row) + "\n" for row in ([names] if names else []) + rows).encode(encoding)


def layout_of(proposal: Proposal) -> Layout:
    return parse_layout(LayoutText("proposed.toml", proposal.text))


def columns_of(proposal: Proposal) -> dict[str, tuple[str, bool]]:
    return {guess.column: (guess.source, guess.is_sure) for guess in proposal.guesses}


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", "|", "\t"])
@pytest.mark.parametrize("titles", [0, 2])
def test_what_is_proposed_reads_the_extract(tmp_path: Path, encoding: str, separator: str, titles: int) -> None:
    content = ("Claims of the month\n" * titles + text(separator).decode()).encode(encoding)
    proposal = propose(tmp_path, content)
    assert proposal.questions == []
    store = Store(tmp_path / "OUT")
    store.prepare()
    terms = Terms(layouts=(LayoutText("proposed.toml", proposal.text),))
    outcome = ingest_extract(store, tmp_path / "x.txt", [Code("27096", None, None)], terms=terms)
    assert isinstance(outcome, Loaded), outcome
    controls = outcome.batch.controls
    assert (controls["rows_read"], controls["rows_kept"], controls["paid_read"]) == (3, 2, "1682.80")


def test_a_name_that_payers_use_is_sure_where_its_cells_do_not_differ(tmp_path: Path) -> None:
    proposal = propose(tmp_path, text())
    assert columns_of(proposal) == {
        "claim_id": ("Clm_Nbr", True),
        "claim_line_number": ("Ln", True),
        "member_id": ("Mbr_Id", True),
        "claim_line_start_date": ("DOS", True),
        "hcpcs_code": ("Proc_Cd", True),
        "hcpcs_modifier_1": ("Mod1", True),
        "paid_amount": ("Net_Paid", True),
        "claim_status": ("Sts", True),
        "billing_npi": ("Bill_Prov_NPI", True),
    }
    assert proposal.not_read == ["Notes"]
    assert (layout_of(proposal).dates, layout_of(proposal).amounts) == ("DD/MM/YYYY", "1.234,50")


def test_cells_that_differ_from_what_a_name_says_make_it_unsure(tmp_path: Path) -> None:
    rows = [[*row[:8], "1234567890", row[9]] for row in ROWS]
    proposal = propose(tmp_path, text(rows=[[*row[:4], f"{row[4]}-RT", *row[5:]] for row in rows]))
    assert {name: columns_of(proposal)[name][1] for name in ("hcpcs_code", "billing_npi", "member_id")} == {
        "hcpcs_code": False,
        "billing_npi": False,
        "member_id": True,
    }


def test_columns_without_names_are_known_by_their_cells(tmp_path: Path) -> None:
    proposal = propose(tmp_path, text(names=None))
    assert columns_of(proposal) == {
        "hcpcs_code": ("column_5", False),
        "hcpcs_modifier_1": ("column_6", False),
        "claim_line_start_date": ("column_4", False),
        "billing_npi": ("column_9", False),
    }
    assert proposal.questions == [
        f"No column is found for {name}, which an extract must have: name it."
        for name in ("claim_id", "claim_line_number", "member_id", "paid_amount")
    ] + ['No name of a column is known in row 1, so it is taken for data: where it has names, write header_row = 1 for "names".']
    assert layout_of(proposal).names == tuple(f"column_{number}" for number in range(1, 11))


def test_a_postal_code_is_no_procedure_code(tmp_path: Path) -> None:
    rows = [["60601", *row] for row in ROWS]
    assert "hcpcs_code" not in columns_of(propose(tmp_path, text(names=None, rows=[[*row[:5], "x", *row[6:]] for row in rows])))


def test_what_no_date_shows_is_asked(tmp_path: Path) -> None:
    rows = [[*row[:3], day, *row[4:]] for row, day in zip(ROWS, ("01/02/2024", "05/06/2024", "03/04/2024"), strict=True)]
    proposal = propose(tmp_path, text(rows=rows))
    assert layout_of(proposal).form_of("claim_line_start_date") == ""
    assert proposal.questions == [
        "No date of claim_line_start_date shows whether its day or its month comes first: MM/DD/YYYY is read. Where it is DD/MM/YYYY, say so."
    ]


def test_numbers_of_days_are_dates_where_the_name_says_so(tmp_path: Path) -> None:
    rows = [[*row[:3], days, *row[4:]] for row, days in zip(ROWS, ("45306", "45342", "45356"), strict=True)]
    proposal = propose(tmp_path, text(rows=rows))
    assert layout_of(proposal).form_of("claim_line_start_date") == "excel"
    assert proposal.questions == [
        "The dates of claim_line_start_date are numbers, read as days as excel counts them: see that they are right."
    ]
    assert "claim_line_start_date" not in columns_of(propose(tmp_path, text(names=None, rows=rows)))


def test_words_of_a_status_that_mean_nothing_are_listed_to_be_explained(tmp_path: Path) -> None:
    proposal = propose(tmp_path, text(rows=[[*row[:7], word, *row[8:]] for row, word in zip(ROWS, ("PD", "XX", "paid"), strict=True)]))
    assert '\n# "XX" = ""' in proposal.text
    assert any("[values.claim_status]" in question for question in proposal.questions)


def test_columns_of_fixed_width_are_found_below_their_names(tmp_path: Path) -> None:
    lines = ["".join(cell.ljust(14) for cell in row) for row in ([name[:13] for name in NAMES], *ROWS, *ROWS)]
    proposal = propose(tmp_path, "\n".join([*lines, ""]).encode())
    layout = layout_of(proposal)
    assert list(layout.widths) == NAMES
    assert layout.widths["Mbr_Id"] == (29, 14)
    assert columns_of(proposal)["claim_id"] == ("Clm_Nbr", True)


def test_a_parquet_extract_is_proposed_by_its_columns(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(zip(NAMES, zip(*ROWS, strict=True), strict=True))), sink)
    assert columns_of(propose(tmp_path, sink.getvalue(), "x.parquet"))["member_id"] == ("Mbr_Id", True)


def test_names_that_are_hostile_stay_text(tmp_path: Path) -> None:
    proposal = propose(tmp_path, text(names=[*NAMES[:9], 'x"]\\u0000 [columns] #']))
    assert proposal.not_read == ['x"]\\u0000 [columns] #']
    layout_of(proposal)
    with pytest.raises(ExtractRefused, match="no names of columns can be read"):
        propose(tmp_path, text(names=[*NAMES[:9], "\x1b[31m"]))


def test_a_file_without_rows_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExtractRefused, match="is empty"):
        propose(tmp_path, b"")
    with pytest.raises(ExtractRefused, match="is a workbook"):
        propose(tmp_path, b"x", "x.xlsx")


@pytest.mark.parametrize(("number", "is_valid"), [("1234567893", True), ("1234567890", False), ("3234567893", False), ("123456789", False)])
def test_a_national_provider_identifier_has_a_check_digit(number: str, is_valid: bool) -> None:
    assert _is_npi(number) == is_valid


def test_the_command_writes_a_layout_that_check_and_run_read(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(text())
    done = command("map", "x.txt", "--write", "a.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sij-audit check x.txt --layout a.toml" in " ".join(done.stdout.split())
    checked = command("check", "x.txt", "--layout", "a.toml", "--json", cwd=tmp_path)
    assert json.loads(checked.stdout)["extracts"][0]["layout"] == "a.toml"
    ran = command("run", "x.txt", "--layout", "a.toml", "--out", "out", "--as-of", "2024-06-30", cwd=tmp_path)
    assert (ran.returncode, "x.txt: 3 rows read, 2 kept, by layout a.toml" in ran.stdout) == (0, True)
    again = command("map", "x.txt", "--write", "a.toml", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (2, "sij-audit: a.toml cannot be written: File exists.\n")
    gone = command("map", "gone.txt", "--write", "b.toml", cwd=tmp_path)
    assert (gone.returncode, gone.stderr) == (2, "sij-audit: gone.txt does not exist, or is no file.\n")


def test_a_first_row_without_a_known_name_is_not_shown(tmp_path: Path) -> None:
    proposal = propose(tmp_path, b"A;Mary Smith;F;Austin;paid\nB;John Doe;M;Dallas;paid\n")
    assert proposal.not_read == [f"column_{number}" for number in range(1, 6)]
    assert "Smith" not in proposal.text
    assert "Smith" not in "".join(proposal.questions)


def test_a_canonical_name_comes_before_what_payers_call_it(tmp_path: Path) -> None:
    proposal = propose(
        tmp_path, text(names=["claim_no", "line", "subscriber_id", "dos", "cpt", "claim_id", "net_paid", "member_id", "npi", "x"])
    )
    assert {name: columns_of(proposal)[name] for name in ("claim_id", "member_id")} == {
        "claim_id": ("claim_id", True),
        "member_id": ("member_id", True),
    }


@pytest.mark.parametrize(
    ("amounts", "said"),
    [(("105", "106", "107"), "has decimals: dollars are read"), (("1.500", "2.500", "3.500"), "can be read as 1,234.50 and as 1.234,50")],
)
def test_amounts_that_can_be_read_in_two_ways_are_asked_about(tmp_path: Path, amounts: tuple[str, ...], said: str) -> None:
    proposal = propose(tmp_path, text(rows=[[*row[:6], amount, *row[7:]] for row, amount in zip(ROWS, amounts, strict=True)]))
    assert any(said in question for question in proposal.questions)


def test_columns_of_one_name_are_not_proposed(tmp_path: Path) -> None:
    proposal = propose(tmp_path, text(names=[*NAMES[:9], "mbr_id"]))
    assert "member_id" not in columns_of(proposal)
    assert any(question.startswith("Columns of one name cannot be read: ") for question in proposal.questions)


def test_a_fixed_width_header_alone_is_no_error(tmp_path: Path) -> None:
    propose(tmp_path, ("".join(name.ljust(14) for name in NAMES) + "\n").encode())
