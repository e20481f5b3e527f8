"""The extracts of a run are loaded one after another; after an error that passes, loading goes on where it stopped."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sij_audit.transforms.audit import loading as module
from sij_audit.transforms.audit.loading import Loading
from sij_audit.transforms.audit.progress import Event, ExtractBegun, ExtractEnded, report_nothing
from sij_audit.transforms.audit.steps import RunSteps
from sij_audit.transforms.ingest.landing import Landing, look
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, Outcome, Refused
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.reference import load_codes
from sij_audit.transforms.store.folder import Store
from tests.runs import line, write_extract

CODES = load_codes()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    store.prepare()
    return store


def loading_of(store: Store, extracts: list[Path], landing: Landing | None = None, seen: list[Event] | None = None) -> Loading:
    return Loading(store, extracts, landing, CODES, Settings(), report_nothing if seen is None else seen.append)


@settings(max_examples=30)
@given(failures=st.lists(st.integers(0, 3), max_size=6))
def test_tried_again_it_goes_on_with_the_extract_that_failed(store: Store, monkeypatch: pytest.MonkeyPatch, failures: list[int]) -> None:
    """Each of four extracts fails as often as it stands in `failures`."""
    paths = [Path(f"{name}.csv") for name in "abcd"]
    left = {path: failures.count(number) for number, path in enumerate(paths)}
    read: list[Path] = []

    def ingest(_store: Store, path: Path, *_others: object) -> Outcome:
        if left[path]:
            left[path] -= 1
            raise ConnectionError
        read.append(path)
        return Refused(path.name, None, "")

    loading = loading_of(store, paths)
    with monkeypatch.context() as patched:
        patched.setattr(module, "ingest_extract", ingest)
        for _ in failures:
            with pytest.raises(ConnectionError):
                RunSteps().ingest(loading)
        outcomes = RunSteps().ingest(loading)
    assert read == paths
    assert [outcome.extract for outcome in outcomes if isinstance(outcome, Refused)] == [path.name for path in paths]


def test_extracts_that_were_named_come_before_those_in_landing_and_each_is_reported(store: Store, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    named = write_extract(tmp_path / "z.csv", [line("C1", "2024-01-02")])
    landed = write_extract(landing / "a.csv", [line("C2", "2024-01-02")])
    (landing / "b.csv").touch()
    seen: list[Event] = []
    with store.lock():
        loading = loading_of(store, [named, named], look(store, landing, CODES, Settings()), seen)
        outcomes = RunSteps().ingest(loading)
    assert [type(outcome) for outcome in outcomes] == [Loaded, LoadedBefore, Loaded, Refused]
    assert set(loading.landed) == {landed, landing / "b.csv"}
    assert [(event.number, event.of, event.name) for event in seen if isinstance(event, ExtractBegun)] == [
        (1, 4, "z.csv"),
        (2, 4, "z.csv"),
        (3, 4, "a.csv"),
        (4, 4, "b.csv"),
    ]
    assert [event.outcome for event in seen if isinstance(event, ExtractEnded)] == list(outcomes)
