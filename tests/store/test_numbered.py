"""Files of OUT/reviews are added under the next number, complete or not at all, and are read in the order in which they were added."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sij_audit.transforms.errors import AuditError
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.numbered import NumberedFiles


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT [x]*")
    store.prepare()
    return store


@given(entries=st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.none()), max_size=5))
def test_entries_are_read_in_the_order_in_which_they_were_added(
    tmp_path_factory: pytest.TempPathFactory, entries: list[dict[str, str | int | None]]
) -> None:
    store = Store(tmp_path_factory.mktemp("any") / "OUT")
    store.prepare()
    files = NumberedFiles(store, "retractions", ".json")
    for entry in entries:
        files.add_entry(files.next_number(), entry)
    assert [files.read_entry(path) for path in files.paths()] == entries
    assert [path.name for path in files.paths()] == [f"{number:06}.json" for number in range(1, len(entries) + 1)]


def test_a_mark_behind_the_number_is_no_part_of_it(store: Store) -> None:
    files = NumberedFiles(store, "dispositions", ".parquet")
    files.add(9, lambda path: path.write_bytes(b"x"), "77")
    assert files.path(9, "77").read_bytes() == b"x"
    assert files.next_number() == 10


def test_kinds_and_suffixes_are_numbered_apart(store: Store) -> None:
    NumberedFiles(store, "deliveries", ".parquet").add(7, lambda path: path.write_bytes(b""))
    assert NumberedFiles(store, "deliveries", ".json").next_number() == 1
    assert NumberedFiles(store, "retractions", ".parquet").next_number() == 1


def test_a_write_that_fails_adds_nothing(store: Store) -> None:
    files = NumberedFiles(store, "deliveries", ".json")

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        files.add(1, fail)
    assert list((store.reviews / "deliveries").iterdir()) == []
    assert files.next_number() == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_entry_is_named(store: Store, content: bytes) -> None:
    files = NumberedFiles(store, "deliveries", ".json")
    files.add(3, lambda path: path.write_bytes(content))
    with pytest.raises(AuditError, match=re.escape("reviews/deliveries/000003.json is damaged. Restore it from a backup.")):
        files.read_entry(files.path(3))
