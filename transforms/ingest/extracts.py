"""Extracts as files: opened so that nothing else is read, hashed, decompressed; what their sidecars say."""

import hashlib
import json
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import zstandard

from sij_audit.transforms.errors import ExtractNotReady, ExtractRefused, ExtractUnreadable

SIDECAR_SUFFIXES = (".sha256", ".totals.json")

BLOCK = 4 << 20
"""Bytes read at a time."""

EXPANSION_LIMIT = 250
EXPANSION_FREE = 256 << 20
"""An extract may expand to this many bytes, or else to this many times its size: claims compress some 5 to 50 times."""


@dataclass(frozen=True)
class Extract:
    """One opened extract: a regular file, whatever its path may name later."""

    name: str
    path: Path
    descriptor: int
    compression: str
    """gzip, zstd or nothing."""
    status: os.stat_result

    @property
    def size(self) -> int:
        return self.status.st_size


@dataclass(frozen=True)
class Sidecars:
    """What the sender says of an extract, each None where it says nothing."""

    sha256: str | None
    rows: int | None
    paid_amount: Decimal | None


@contextmanager
def open_extract(path: Path, compression: str = "") -> Iterator[Extract]:
    """Open an extract for reading; ExtractRefused where it is no regular file, or is empty.

    A symbolic link is not followed, and a pipe does not block.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise ExtractRefused(f"{name_of(path)}: is a symbolic link, which is not followed.") from None
        raise ExtractUnreadable(f"{name_of(path)}: cannot be opened: {error.strerror}.") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ExtractRefused(f"{name_of(path)}: is not a regular file.")
        if status.st_size == 0:
            raise ExtractRefused(f"{name_of(path)}: is empty, not even a header row.")
        yield Extract(name_of(path), path, descriptor, compression, status)
    finally:
        os.close(descriptor)


def name_of(path: Path) -> str:
    """Give a file's name as text that can be stored: bytes of it that are no UTF-8 are replaced."""
    return os.fsencode(path.name).decode(errors="replace")


def check_unchanged(extract: Extract) -> None:
    """Raise ExtractNotReady where the file was written to, or another took its name, since it was opened."""
    before = extract.status
    try:
        states = (os.fstat(extract.descriptor), os.stat(extract.path, follow_symlinks=False))
    except OSError:
        raise ExtractNotReady(f"{extract.name}: went away while it was read.") from None
    for now in states:
        if (now.st_size, now.st_mtime_ns, now.st_ino) != (before.st_size, before.st_mtime_ns, before.st_ino):
            raise ExtractNotReady(f"{extract.name}: changed while it was read. It is left for the next run.")


def read_blocks(descriptor: int, size: int = BLOCK) -> Iterator[bytes]:
    """Read a file from its beginning, wherever it stands."""
    offset = 0
    while block := os.pread(descriptor, size, offset):
        yield block
        offset += len(block)


def read_head(extract: Extract, size: int) -> bytes:
    """Read the first bytes of an extract's content; ExtractRefused where its compression is broken."""
    if not extract.compression:
        return os.pread(extract.descriptor, size, 0)
    head = b""
    for piece in decompress(extract):
        head += piece[: size - len(head)]
        if len(head) == size:
            break
    return head


def hash_extract(extract: Extract) -> str:
    """Compute the SHA-256 of the bytes as delivered, in hex."""
    digest = hashlib.sha256()
    for block in read_blocks(extract.descriptor):
        digest.update(block)
    return digest.hexdigest()


def decompress(extract: Extract) -> Iterator[bytes]:
    """Give the content of a compressed extract; ExtractRefused where it is broken, cut, or expands beyond all claims."""
    limit = max(EXPANSION_FREE, EXPANSION_LIMIT * extract.size)
    made = 0
    new = _gzip_stream if extract.compression == "gzip" else _zstd_stream
    stream = new()
    started = False
    try:
        for block in read_blocks(extract.descriptor, 1 << 20):
            while block:
                if stream.eof:
                    if extract.compression == "gzip" and not block.strip(b"\0"):
                        break  # gzip files may be padded with zeros
                    stream = new()
                piece = stream.decompress(block)
                started = True
                block = stream.unused_data if stream.eof else b""
                made += len(piece)
                if made > limit:
                    raise ExtractRefused(f"{extract.name}: expands to more than {EXPANSION_LIMIT} times its size.")
                yield from (piece[start : start + BLOCK] for start in range(0, len(piece), BLOCK))
    except (zlib.error, zstandard.ZstdError):
        raise ExtractRefused(f"{extract.name}: its {extract.compression} compression is broken.") from None
    if not started or not stream.eof:
        raise ExtractRefused(f"{extract.name}: its {extract.compression} compression ends too early; the file was cut.")


def _gzip_stream() -> Any:
    return zlib.decompressobj(wbits=31)


def _zstd_stream() -> Any:
    return zstandard.ZstdDecompressor().decompressobj()


def read_sidecars(extract: Extract) -> Sidecars:
    """Read NAME.sha256 and NAME.totals.json beside an extract; ExtractRefused where one cannot be understood."""
    digest_suffix, totals_suffix = SIDECAR_SUFFIXES
    text = _sidecar(extract, digest_suffix)
    sha256 = None
    if text is not None:
        words = text.split()
        sha256 = words[0].lower().removeprefix("\\") if words else ""
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise ExtractRefused(f"{extract.name}: its sidecar {extract.name}.sha256 holds no SHA-256.")
    text = _sidecar(extract, totals_suffix)
    rows = paid = None
    if text is not None:
        try:
            totals = json.loads(text, parse_float=Decimal)
            rows, paid = totals.get("rows"), totals.get("paid_amount")
            paid = None if paid is None else Decimal(paid)
            if not (rows is None or type(rows) is int) or not (paid is None or paid.is_finite()):
                raise ValueError
        except (ValueError, TypeError, AttributeError, InvalidOperation):
            raise ExtractRefused(f"{extract.name}: its sidecar {extract.name}.totals.json holds no rows and paid_amount.") from None
    return Sidecars(sha256, rows, paid)


def _sidecar(extract: Extract, suffix: str) -> str | None:
    path = extract.path.with_name(extract.path.name + suffix)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:
        raise ExtractUnreadable(f"{extract.name}: its sidecar {name_of(path)} cannot be read.") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ExtractRefused(f"{extract.name}: its sidecar {name_of(path)} is not a regular file.")
        return os.pread(descriptor, 1 << 16, 0).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ExtractRefused(f"{extract.name}: its sidecar {name_of(path)} is not UTF-8.") from None
    finally:
        os.close(descriptor)
