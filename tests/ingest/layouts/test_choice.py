"""Which layout an extract is read by: the one of its feed, or the one that its content fits; where several fit, none is guessed."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.ingest.feeds import Terms, check_layouts, terms_of
from sij_audit.transforms.ingest.formats import discover_extracts
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.layouts.layout import LayoutText
from sij_audit.transforms.ingest.outcomes import Loaded, Outcome
from sij_audit.transforms.settings import Feed, Settings, load_settings
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Store

COLUMNS = """
[columns]
claim_id = "CLM"
claim_line_number = "LN"
member_id = "MBR"
claim_line_start_date = "DOS"
hcpcs_code = "PROC"
paid_amount = "PAID"
"""

PIPES = LayoutText("pipes.toml", f'separator = "|"\n{COLUMNS}')
COMMAS = LayoutText("commas.toml", COLUMNS)
OF_LOBS = LayoutText("of_lobs.toml", f'separator = "|"\n{COLUMNS}[recognize.cells]\nlob = "HMO|PPO"')
WITHOUT_LOBS = LayoutText("without_lobs.toml", f'separator = "|"\n{COLUMNS}[recognize]\nlacks = ["LOB"]')
FIXED = LayoutText(
    "fixed.toml", f"[widths]\nCLM = [1, 2]\nLN = [3, 1]\nMBR = [4, 2]\nDOS = [6, 8]\nPROC = [14, 5]\nPAID = [19, 6]\n{COLUMNS}"
)

TEXT = "CLM|LN|MBR|DOS|PROC|PAID\nC1|1|M1|20240115|27096|1.00\n"
CANONICAL = "claim_id,claim_line_number,member_id,claim_line_start_date,hcpcs_code,paid_amount\nC1,1,M1,20240115,27096,1.00\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT")
    store.prepare()
    return store


def take(store: Store, content: str | bytes, *layouts: LayoutText, name: str = "x.csv", is_given: bool = False) -> Outcome:
    path = store.root / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ingest_extract(store, path, [Code("27096", None, None)], terms=Terms(layouts=layouts, is_layout_given=is_given))


def layout_of(outcome: Outcome) -> str | None:
    assert isinstance(outcome, Loaded), outcome
    assert outcome.batch.controls["rows_kept"] == 1
    return outcome.batch.layout


def reason_of(outcome: Outcome) -> str:
    assert not isinstance(outcome, Loaded)
    return getattr(outcome, "reason", "")


@pytest.mark.parametrize(
    ("content", "name", "layout"),
    [
        (TEXT, "x.csv", "pipes.toml"),
        (TEXT, "x.txt", "pipes.toml"),
        (TEXT, "x.20240131", "pipes.toml"),
        (TEXT.replace("|", ","), "x.csv", "commas.toml"),
        ("C11M120240115270961.00\n", "x.dat", "fixed.toml"),
        (CANONICAL, "x.csv", None),
    ],
)
def test_an_extract_is_read_by_the_layout_that_its_first_rows_fit(store: Store, content: str, name: str, layout: str | None) -> None:
    layouts = (FIXED,) if layout == "fixed.toml" else (PIPES, COMMAS)
    assert layout_of(take(store, content, *layouts, name=name)) == layout


def test_a_parquet_extract_is_recognized_by_its_columns(store: Store) -> None:
    [names, cells] = (line.split("|") for line in TEXT.splitlines())
    sink = io.BytesIO()
    pq.write_table(pa.table({name: [cell] for name, cell in zip(names, cells, strict=True)}), sink)
    assert layout_of(take(store, sink.getvalue(), COMMAS, name="x.parquet")) == "commas.toml"


def test_where_several_layouts_fit_the_extract_is_refused_and_they_are_named(store: Store) -> None:
    other = LayoutText("other.toml", f"{PIPES.text}\n# of another payer")
    assert reason_of(take(store, TEXT, PIPES, other)) == (
        "x.csv: fits the layouts pipes.toml, other.toml, and can be read by one only. "
        "Name it by --layout or in its feed, or say under [recognize] in them how to tell them apart."
    )


@pytest.mark.parametrize(("lob", "layout"), [("PPO", "of_lobs.toml"), ("", "of_lobs.toml"), (None, "without_lobs.toml")])
def test_layouts_of_the_same_columns_are_recognized_by_what_they_say(store: Store, lob: str | None, layout: str) -> None:
    text = TEXT if lob is None else TEXT.replace("PAID\n", "PAID|LOB\n").replace("1.00\n", f"1.00|{lob}\n")
    assert layout_of(take(store, text, OF_LOBS, WITHOUT_LOBS)) == layout


def test_an_extract_that_no_layout_fits_is_refused_with_what_each_misses(store: Store) -> None:
    text = TEXT.replace("PAID\n", "PAID|LOB\n").replace("1.00\n", "1.00|MEDICARE\n")
    reason = reason_of(take(store, text, COMMAS, OF_LOBS, WITHOUT_LOBS))
    assert reason.startswith("x.csv: lacks columns claim_id, ")
    assert reason.endswith(
        " No layout fits it: by commas.toml, it has no column CLM, LN, MBR, DOS, PROC, PAID; "
        "by of_lobs.toml, it has other values in lob than [recognize] says; by without_lobs.toml, it has a column LOB."
    )
    assert "MEDICARE" not in reason


def test_a_layout_that_leaves_out_a_needed_column_does_not_fit(store: Store) -> None:
    layout = LayoutText("less.toml", PIPES.text.replace('member_id = "MBR"\n', ""))
    assert "by less.toml, it has no column for member_id, which the layout must name." in reason_of(take(store, TEXT, layout))


def test_a_text_of_another_name_that_no_layout_fits_is_refused_by_its_name(store: Store) -> None:
    assert "is no extract by its name" in reason_of(take(store, TEXT, COMMAS, name="x.txt"))


def test_the_layout_of_a_feed_is_the_only_one_that_counts(store: Store) -> None:
    assert reason_of(take(store, CANONICAL, PIPES, is_given=True)) == (
        "x.csv: No layout fits it: by pipes.toml, it has no column CLM, LN, MBR, DOS, PROC, PAID."
    )


def test_a_feed_names_its_layout_from_the_folder_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pipes.toml").write_text(PIPES.text)
    (tmp_path / "commas.toml").write_text(COMMAS.text)
    settings = tmp_path / "settings.toml"
    settings.write_text('layouts = ["commas.toml"]\n[[feeds]]\nname = "a"\npattern = "a*"\nlayout = "pipes.toml"')
    monkeypatch.setenv("SIJ_AUDIT_SETTINGS", str(settings))
    terms = {name: terms_of(load_settings(), name) for name in ("a.dat", "b.dat")}
    assert {name: ([layout.name for layout in one.layouts], one.is_layout_given) for name, one in terms.items()} == {
        "a.dat": (["pipes.toml"], True),
        "b.dat": (["commas.toml"], False),
    }


def test_an_extract_of_two_feeds_can_have_one_layout_only(tmp_path: Path) -> None:
    feeds = tuple(Feed(name=name, pattern="*", layout=tmp_path / f"{name}.toml") for name in ("a", "b"))
    with pytest.raises(UsageError, match="can be read by one layout only: change a pattern in the settings"):
        terms_of(Settings(feeds=feeds), "x.csv")


def test_a_folder_gives_the_texts_that_a_layout_may_read(tmp_path: Path) -> None:
    (tmp_path / "l.toml").write_text(PIPES.text)
    folder = tmp_path / "landing"
    folder.mkdir()
    for name in ("a.csv", "b.txt", "c.TXT.gz", "d", "e.xlsx", "f.csv.sha256", ".g.txt", "h_2024"):
        (folder / name).write_text("x")

    def names(settings: Settings) -> list[str]:
        return [path.name for path in discover_extracts([folder], settings)]

    assert names(Settings()) == ["a.csv"]
    assert names(Settings(layouts=(tmp_path / "l.toml",))) == ["a.csv", "b.txt", "c.TXT.gz"]
    assert names(Settings(feeds=(Feed(name="h", pattern="h_*", layout=tmp_path / "l.toml"),))) == ["a.csv", "h_2024"]


@pytest.mark.parametrize("layout", [FIXED, LayoutText("names.toml", f'names = ["CLM", "LN", "MBR", "DOS", "PROC", "PAID"]\n{COLUMNS}')])
def test_a_canonical_extract_is_none_of_a_layout_without_a_header(store: Store, layout: LayoutText) -> None:
    assert layout_of(take(store, CANONICAL, layout)) is None


def test_names_in_place_of_a_header_fit_rows_of_as_many_cells(store: Store) -> None:
    names = LayoutText("names.toml", f'separator = "|"\nnames = ["CLM", "LN", "MBR", "DOS", "PROC", "PAID"]\n{COLUMNS}')
    assert layout_of(take(store, TEXT.splitlines()[1] + "\n", names)) == "names.toml"
    assert "it has rows of more or fewer cells than the 6 that it names." in reason_of(take(store, "a|b\n", names))


def test_a_cell_that_the_first_look_cuts_does_not_count(store: Store) -> None:
    layout = LayoutText("long.toml", f'separator = "|"\n{COLUMNS}[recognize.cells]\nMBR = "M{"x" * 700}"')
    rows = "".join(f"D{number}|1|M{'x' * 700}|20240115|99213|1.00\n" for number in range(300))
    assert layout_of(take(store, TEXT.replace("M1", f"M{'x' * 700}") + rows, layout)) == "long.toml"


def test_a_layout_of_fixed_width_fits_no_parquet(store: Store) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)
    assert "it is no text, so it has no columns of fixed width" in reason_of(take(store, sink.getvalue(), FIXED, name="x.parquet"))


def test_a_header_row_behind_the_end_is_said(store: Store) -> None:
    assert "it has no line 50 that could be its header row" in reason_of(
        take(store, TEXT, LayoutText("far.toml", f"header_row = 50\n{COLUMNS}"))
    )


def test_a_layout_given_twice_is_one(store: Store) -> None:
    assert layout_of(take(store, TEXT, PIPES, PIPES)) == "pipes.toml"


def test_a_run_reads_its_layouts_before_all_else_and_names_the_setting(tmp_path: Path) -> None:
    feeds = (Feed(name="acme", pattern="*.txt", layout=tmp_path / "gone.toml"),)
    with pytest.raises(UsageError, match=r"gone.toml: cannot be read as a layout: .* It is named by the feed acme in the settings"):
        check_layouts(Settings(feeds=feeds))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "l.toml").write_text(
            f'payer = "{folder}"'.replace("payer", "dates").replace(f'"{folder}"', '""') + f"\n# {folder}"
        )
    with pytest.raises(UsageError, match="have one file name"):
        check_layouts(Settings(layouts=(tmp_path / "a/l.toml", tmp_path / "b/l.toml")))
