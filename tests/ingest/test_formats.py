"""Which files are extracts, and of which format, by their names alone."""

from pathlib import Path

import pytest

from sij_audit.transforms.errors import ExtractRefused, UsageError
from sij_audit.transforms.ingest import csv_part, parquet_part
from sij_audit.transforms.ingest.formats import FORMATS, SUFFIXES, discover_extracts, format_of, name_left_aside
from sij_audit.transforms.settings import Settings


def test_a_folder_is_its_extracts_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a.parquet", "c.CSV.GZ", "d.csv.zst", ".hidden.csv", "notes.txt", "e.csv.sha256"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub.csv").mkdir()
    (tmp_path / "sub.csv" / "deep.csv").write_bytes(b"x")
    assert [path.name for path in discover_extracts([tmp_path], Settings())] == ["a.parquet", "b.csv", "c.CSV.GZ", "d.csv.zst"]


def test_arguments_keep_their_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_bytes(b"x")
    arguments = [tmp_path / "b.csv", tmp_path / "a.csv"]
    assert discover_extracts(arguments, Settings()) == arguments


def test_a_path_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.csv does not exist"):
        discover_extracts([tmp_path / "gone.csv"], Settings())


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"claim_id,member_id,hcpcs_code,paid_amount\n")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "It is empty"),
        ((".hidden.csv",), "It is empty"),
        (("_SUCCESS",), "It holds 1 file of other names: _SUCCESS."),
        (("claims.xlsx", "_SUCCESS"), "claims.xlsx is a workbook. In Excel, save"),
        (("a.zip",), "a.zip is an archive. Unpack it"),
        (
            ("part-0",),
            "part-0 is no extract by its name, which must end in .csv, .csv.gz, .csv.zst or .parquet. Its columns are separated by commas",
        ),
        (("year=2023/a.csv", "year=2024/month=1/b.parquet"), "give {0}/year=2023, {0}/year=2024/month=1."),
        (("notes/a.docx",), "It holds 1 subfolder, without extracts: notes."),
    ],
)
def test_a_folder_without_extracts_is_wrong_usage_and_the_message_says_what_lies_there(
    tmp_path: Path, names: tuple[str, ...], said: str
) -> None:
    write(tmp_path, *names)
    with pytest.raises(UsageError) as refused:
        discover_extracts([tmp_path], Settings())
    assert f"{tmp_path} holds no extract" in str(refused.value)
    assert said.format(tmp_path) in str(refused.value)


def test_what_lies_beside_extracts_and_may_hold_claims_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "a.csv.sha256", "_SUCCESS", ".b.txt", "README.md", "truth.json", "deep.zip/c.csv", "b.xlsx", "c.txt")
    [sentence] = name_left_aside([tmp_path], Settings())
    assert sentence.endswith(": b.xlsx, c.txt.")
    for name in ("b.xlsx", "c.txt"):
        (tmp_path / name).unlink()
    assert name_left_aside([tmp_path], Settings()) == []


@pytest.mark.parametrize(
    ("name", "known", "compression"),
    [
        ("x.csv", csv_part.FORMAT, ""),
        ("x.CSV.gz", csv_part.FORMAT, "gzip"),
        ("x.csv.zst", csv_part.FORMAT, "zstd"),
        ("x.parquet", parquet_part.FORMAT, ""),
    ],
)
def test_a_name_says_format_and_compression(name: str, known: object, compression: str) -> None:
    assert format_of(Path(name)) == (known, compression)


def test_a_file_of_no_format_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(ExtractRefused) as refused:
        format_of(Path("x.txt"))
    assert str(refused.value) == "x.txt: is no extract by its name, which must end in .csv, .csv.gz, .csv.zst or .parquet."


def test_no_name_is_of_two_formats() -> None:
    assert len(set(SUFFIXES)) == len(SUFFIXES) == sum(len(known.suffixes) for known in FORMATS)
    assert not [(one, other) for one in SUFFIXES for other in SUFFIXES if one != other and one.endswith(other)]
