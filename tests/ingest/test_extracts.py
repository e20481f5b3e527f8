"""Which files are refused before a row is read, and what their sidecars say."""

import gzip
import hashlib
import os
from pathlib import Path

import pytest
import zstandard

from sij_audit.transforms.errors import ExtractNotReady, ExtractRefused
from sij_audit.transforms.ingest import extracts
from sij_audit.transforms.ingest.extracts import check_unchanged, decompress, hash_extract, open_extract, read_sidecars
from sij_audit.transforms.ingest.formats import format_of


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_regular_files_are_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.csv"
    if kind == "link":
        (tmp_path / "real.csv").write_bytes(b"x")
        path.symlink_to(tmp_path / "real.csv")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(ExtractRefused), open_extract(path):
        pass


@pytest.mark.parametrize("change", ["grow", "touch", "replace", "remove"])
def test_a_file_that_changes_is_not_ready(tmp_path: Path, change: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a\n")
    with open_extract(path) as extract:
        check_unchanged(extract)
        if change == "grow":
            with path.open("ab") as file:
                file.write(b"b\n")
        elif change == "touch":
            os.utime(path, (1, 1))
        elif change == "remove":
            path.unlink()
        else:
            (tmp_path / "new").write_bytes(b"a\n")
            (tmp_path / "new").rename(path)
        with pytest.raises(ExtractNotReady):
            check_unchanged(extract)


def content_of(path: Path) -> bytes:
    with open_extract(path, format_of(path)[1]) as extract:
        return b"".join(decompress(extract))


def pack(name: str, content: bytes) -> bytes:
    return gzip.compress(content) if name.endswith("gz") else zstandard.compress(content)


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv.zst"])
def test_compressed_content_comes_whole_or_not_at_all(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = b"claim,line\n" * 5000
    packed = pack(name, content)
    path.write_bytes(packed)
    assert content_of(path) == content
    path.write_bytes(packed + packed)
    assert content_of(path) == content * 2
    for cut in (1, 10, len(packed) // 2, len(packed) - 1):
        path.write_bytes(packed[:cut])
        with pytest.raises(ExtractRefused, match="compression"):
            content_of(path)
    path.write_bytes(packed + b"text")
    with pytest.raises(ExtractRefused, match="compression"):
        content_of(path)
    path.write_bytes(b"claim,line\n")
    with pytest.raises(ExtractRefused, match="compression"):
        content_of(path)


def test_zeros_behind_gzip_are_padding(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a\n") + b"\0" * 100)
    assert content_of(path) == b"a\n"


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv.zst"])
def test_a_file_that_expands_beyond_all_claims_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracts, "EXPANSION_FREE", 1 << 20)
    path = tmp_path / name
    path.write_bytes(pack(name, b"\n" * (8 << 20)))
    with pytest.raises(ExtractRefused, match="expands"):
        content_of(path)


def test_sidecars_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a\n")
    digest = hashlib.sha256(b"a\n").hexdigest()
    with open_extract(path) as extract:
        assert read_sidecars(extract) == extracts.Sidecars(None, None, None)
        assert hash_extract(extract) == digest
        (tmp_path / "x.csv.sha256").write_text(f"{digest.upper()}  x.csv\n")
        (tmp_path / "x.csv.totals.json").write_text('{"rows": 3, "paid_amount": 12.10}')
        found = read_sidecars(extract)
        assert (found.sha256, found.rows, str(found.paid_amount)) == (digest, 3, "12.10")
        for text in ("", "no hash", "{"):
            (tmp_path / "x.csv.sha256").write_text(text)
            with pytest.raises(ExtractRefused, match="SHA-256"):
                read_sidecars(extract)
        (tmp_path / "x.csv.sha256").unlink()
        for text in ("", "[]", '{"rows": "many"}', '{"paid_amount": "much"}', '{"paid_amount": NaN}'):
            (tmp_path / "x.csv.totals.json").write_text(text)
            with pytest.raises(ExtractRefused, match="totals"):
                read_sidecars(extract)
