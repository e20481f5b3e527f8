"""What files are that are no extracts, by their names and by their first bytes, and what to do with them: a sentence each."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sij_audit.transforms.errors import ExtractRefused
from sij_audit.transforms.ingest.extracts import SIDECAR_SUFFIXES, open_extract
from sij_audit.transforms.ingest.header_advice import HEAD, SAVE_AS_CSV, SAVE_AS_UTF8, describe_look, look_at

WORKBOOK = "is a workbook. In Excel, save the sheet of claims as 'CSV UTF-8 (Comma delimited)', with codes and ids formatted as text."
ARCHIVE = "is an archive. Unpack it, and give the .csv or .parquet that it holds, or their folder."
COMPRESSED = "is compressed in a way that is not read. Decompress it, or compress the .csv with gzip (.csv.gz) or zstd (.csv.zst)."
GZIP = "is compressed with gzip. Where it holds comma-separated text, give it a name that ends in .csv.gz."
ZSTD = "is compressed with zstd. Where it holds comma-separated text, give it a name that ends in .csv.zst."
JSON = "is JSON. Export the claims as CSV or Parquet, one row a claim line."
XML = "is XML or a web page. Export the claims as CSV or Parquet, one row a claim line."
X12 = "is an X12 transaction. Give the claim lines that your claims system made of it, as CSV or Parquet."
STATISTICS = "is a data set of a statistics program. Export it there as CSV (SAS: proc export with dbms=csv; dates formatted yymmdd10.)."
DATABASE = "is a database. Export the table of claim lines from it, as CSV or Parquet."
COLUMNAR = "is of a columnar format that is not read. Write the same rows as Parquet."
PARQUET = "holds Parquet. Give it a name that ends in .parquet."
MARKER = "is a marker of the program that wrote the folder, and holds no claims. Give the files beside it, or the folder."
SIDECAR = "says what another file holds. Give that file; what lies beside it is read with it."
DOCUMENT = "is a document. Ask its sender for the claim lines as CSV or Parquet."
TEXT = "is no extract by its name"

KINDS: Mapping[str, tuple[str, ...]] = {
    TEXT: (".txt", ".tsv", ".psv", ".tab", ".dat", ".asc", ".prn", ".out"),
    WORKBOOK: (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"),
    ARCHIVE: (".zip", ".7z", ".rar", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.zst"),
    COMPRESSED: (".bz2", ".xz", ".lz4", ".br", ".z", ".snappy", ".lzo", ".pgp", ".gpg"),
    GZIP: (".gz",),
    ZSTD: (".zst", ".zstd"),
    JSON: (".json", ".ndjson", ".jsonl"),
    XML: (".xml", ".html", ".htm"),
    X12: (".x12", ".edi", ".837", ".835"),
    STATISTICS: (".sas7bdat", ".xpt", ".sav", ".dta", ".rds", ".rdata"),
    DATABASE: (".db", ".sqlite", ".sqlite3", ".duckdb", ".mdb", ".accdb", ".dbf", ".bak", ".sql", ".dmp"),
    COLUMNAR: (".orc", ".avro", ".feather", ".arrow", ".ipc"),
    DOCUMENT: (".pdf", ".doc", ".docx", ".rtf"),
    SIDECAR: SIDECAR_SUFFIXES,
    MARKER: ("_success", "_metadata", "_common_metadata", ".crc", "_delta_log"),
}
"""Sentences on kinds of files, each with endings of names, in lower case."""

BY_SUFFIX = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes}

BEGINNINGS: Mapping[str, bytes] = {
    PARQUET: rb"PAR1",
    GZIP: rb"\x1f\x8b",
    ZSTD: rb"\x28\xb5\x2f\xfd",
    WORKBOOK: rb"PK\x03\x04.{26}(?:\[Content_Types\]|_rels/|xl/|docProps/)|\xd0\xcf\x11\xe0",
    ARCHIVE: rb"PK\x03\x04|7z\xbc\xaf|Rar!",
    COMPRESSED: rb"BZh[1-9]|\xfd7zXZ",
    DOCUMENT: rb"%PDF",
    COLUMNAR: rb"ORC|Obj\x01|ARROW1",
    XML: rb"\s*<(?:\?xml|!doctype|html)",
    JSON: rb"\s*(?:\{\s*\"|\[\s*\{)",
    X12: rb"ISA[*|~^]",
}
"""How files of these kinds begin."""


BEGINNING = 64
"""So many first bytes say the kind."""


def kind_of_bytes(head: bytes) -> str | None:
    """Say what kind of file begins in this way, which may be text; None where it may be an extract's text."""
    return next((kind for kind, pattern in BEGINNINGS.items() if re.match(pattern, head, re.DOTALL | re.IGNORECASE)), None)


def kind_of_name(path: Path) -> str | None:
    """Say what kind of file has such a name; None where none is known by it."""
    suffix = max((suffix for suffix in BY_SUFFIX if path.name.lower().endswith(suffix)), key=len, default=None)
    return BY_SUFFIX[suffix] if suffix else None


def is_marker(path: Path) -> bool:
    """Say whether a file of this name holds no rows, whatever the kind of those beside it."""
    return kind_of_name(path) in (MARKER, SIDECAR)


def is_like_claims(path: Path) -> bool:
    """Say whether files of such names are deliveries of rows as a rule."""
    return kind_of_name(path) in (TEXT, WORKBOOK, ARCHIVE, COMPRESSED, GZIP, ZSTD, STATISTICS, COLUMNAR, X12)


def describe_unknown(path: Path, endings: str) -> str:
    """Say of a file that is no extract by its name what it is, and what to do; `endings` are those that an extract's name may have.

    Where the name does not say it, the first bytes are looked at.
    """
    if (kind := kind_of_name(path)) not in (None, TEXT):
        return kind
    try:
        with open_extract(path) as extract:
            head = os.pread(extract.descriptor, HEAD, 0)
    except ExtractRefused:
        return f"{TEXT}, which must end in {endings}."
    return kind_of_bytes(head) or f"{TEXT}, which must end in {endings}. {_describe_text(head)}"


def _describe_text(head: bytes) -> str:
    """Say what to do with a text of another name."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        return f"It is no text in UTF-8. {SAVE_AS_UTF8}"
    look = look_at(head.decode("utf-8-sig", "replace"))
    otherwise = describe_look(look)
    if otherwise:
        return f"{' '.join(otherwise)} {SAVE_AS_CSV}."
    if look.separator == ",":
        return "Its columns are separated by commas: rename it to a name that ends in .csv."
    return f"{SAVE_AS_CSV}."
