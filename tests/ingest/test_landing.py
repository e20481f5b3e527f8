"""The landing folder: what is known is not opened, what is not known is not believed; feeds that did not come, and what they lost."""

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sij_audit.transforms import program
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.ingest import landing
from sij_audit.transforms.ingest.feeds import RECENT, lost_columns, missing_feeds
from sij_audit.transforms.ingest.formats import discover_extracts
from sij_audit.transforms.ingest.intake import ingest_extract
from sij_audit.transforms.ingest.landing import BLUR_NS, Landing, look, remember
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, NotReady, Outcome, Refused
from sij_audit.transforms.settings import Feed, Settings
from sij_audit.transforms.stages.reference import Code
from sij_audit.transforms.store.folder import Batch, Store
from sij_audit.transforms.store.retractions import retract, undo
from tests.runs import change_batch, line, write_csv

CODES = [Code("27096", None, None)]
HOUR = 3600 * 10**9
NOW = datetime.now(UTC)
COLUMNS = ("claim_id", "claim_line_number", "member_id", "claim_line_start_date", "hcpcs_code", "paid_amount", "claim_status")


@pytest.fixture(autouse=True)
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """All looks come an hour after files were written: their times are beyond doubt."""
    monkeypatch.setattr(landing, "time_ns", lambda: time_ns() + HOUR)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "OUT")
    store.prepare()
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


def write(path: Path, *claims: str, columns: Sequence[str] = COLUMNS, **changes: Any) -> Path:
    """Write a CSV extract with a line a claim."""
    lines = [line(claim, "2024-01-15", member_id="M1", **{"claim_status": "paid", **changes}) for claim in claims]
    return write_csv(path, columns, ([row[column] for column in columns] for row in lines))


def write_refused(path: Path, text: str = "claim_id\nC1\n") -> Path:
    """Write a file that is no extract, since it lacks columns."""
    path.write_text(text)
    return path


def read_in(store: Store, found: Landing, codes: Sequence[Code] = CODES) -> dict[Path, Outcome]:
    """Do what a run does between looking and remembering."""
    return {path: found.recognize(path, ingest_extract(store, path, codes, terms=found.terms(path))) for path in found.to_read}


@contextmanager
def other_code(number: int) -> Iterator[None]:
    """Let extracts be read by code of another hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "ingest_hash", lambda: str(number))
        yield


def night(store: Store, folder: Path, codes: Sequence[Code] = CODES, feeds: Sequence[Feed] = ()) -> tuple[Landing, dict[Path, Outcome]]:
    found = look(store, folder, codes, Settings(feeds=tuple(feeds)))
    read = read_in(store, found, codes)
    remember(store, found, read)
    return found, found.outcomes(read)


def to_read(store: Store, folder: Path, codes: Sequence[Code] = CODES, feeds: Sequence[Feed] = ()) -> list[str]:
    return [path.name for path in look(store, folder, codes, Settings(feeds=tuple(feeds))).to_read]


def words_of(outcomes: dict[Path, Outcome]) -> dict[str, str]:
    """Outcomes in a word; what was refused anew in upper case."""
    words = {}
    for path, outcome in outcomes.items():
        is_new = isinstance(outcome, Refused) and not outcome.is_remembered
        words[path.name] = "REFUSED" if is_new else {"LoadedBefore": "known"}.get(type(outcome).__name__, type(outcome).__name__.lower())
    return words


# What is known


def test_what_was_loaded_or_refused_is_known_the_next_night(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    write(folder / "c.csv", "C1")
    write_refused(folder / "b.csv")
    (folder / "d.csv").touch()
    (folder / "e.csv").symlink_to(folder / "a.csv")
    first, outcomes = night(store, folder)
    assert words_of(outcomes) == {"a.csv": "loaded", "b.csv": "REFUSED", "c.csv": "known", "d.csv": "REFUSED", "e.csv": "REFUSED"}
    second, again = night(store, folder)
    assert (first.remembered, second.to_read) == ((), ())
    assert words_of(again) == {"a.csv": "known", "b.csv": "refused", "c.csv": "known", "d.csv": "refused", "e.csv": "refused"}
    for path, outcome in again.items():
        before = outcomes[path]
        if isinstance(before, Refused) and isinstance(outcome, Refused):
            assert (outcome.extract, outcome.sha256, outcome.reason) == (before.extract, before.sha256, before.reason)
        elif isinstance(outcome, LoadedBefore):
            assert (outcome.path, outcome.batch) == (path, store.batches()[0])


_counted: Counter[str] = Counter()
_counted_folder: list[str] = []


def _count(event: str, arguments: tuple[Any, ...]) -> None:
    if _counted_folder and event in ("open", "os.scandir", "os.listdir") and str(arguments[0]).startswith(_counted_folder[0]):
        _counted[event] += 1


sys.addaudithook(_count)


@contextmanager
def counting(folder: Path) -> Iterator[Counter[str]]:
    """Count what this process opens and lists in a folder."""
    _counted.clear()
    _counted_folder.append(str(folder))
    try:
        yield _counted
    finally:
        _counted_folder.clear()


def test_a_full_landing_folder_costs_one_listing_and_no_open(store: Store, folder: Path) -> None:
    taken = write(folder / "0.csv", "C1")
    for number in range(1, 9_000):
        os.link(taken, folder / f"{number}.csv")
    for number in range(1_000):
        (folder / f"empty_{number}.csv").touch()
    outcome = ingest_extract(store, taken, CODES)
    assert isinstance(outcome, Loaded)
    found = look(store, folder, CODES, Settings())
    empty = ingest_extract(store, folder / "empty_0.csv", CODES)
    remember(
        store,
        found,
        {path: empty if path.name.startswith("empty") else LoadedBefore(outcome.batch, path) for path in found.to_read},
    )
    with counting(folder) as counted:
        found, outcomes = night(store, folder)
    assert (counted, found.to_read) == ({"os.scandir": 1}, ())
    assert Counter(words_of(outcomes).values()) == {"known": 9_000, "refused": 1_000}


def test_reading_is_what_opens(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    with counting(folder) as counted:
        night(store, folder)
    assert counted["open"] > 0


def test_a_look_lists_what_the_command_would_take(store: Store, folder: Path) -> None:
    for name in ("b.csv", "A.CSV", "x.parquet", "y.csv.gz", "z.csv.zst", ".hidden.csv", "x.csv.sha256", "notes.txt", "a\nb [x]*.csv"):
        (folder / name).touch()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.csv")).touch()
    (folder / "folder.csv").mkdir()
    (folder / "link.csv").symlink_to(folder / "nothing")
    (folder / "folder_link.csv").symlink_to(folder / "folder.csv")
    os.mkfifo(folder / "pipe.csv")
    assert list(look(store, folder, CODES, Settings()).to_read) == discover_extracts([folder], Settings())
    night(store, folder)
    assert to_read(store, folder) == []


def test_landing_stays_as_it_is(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    write_refused(folder / "b.csv")
    (folder / "a.csv.sha256").write_text(hashlib.sha256((folder / "a.csv").read_bytes()).hexdigest())
    os.chmod(folder, 0o500)
    before = [(path.name, path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in [folder, *sorted(folder.iterdir())]]
    for _ in range(2):
        night(store, folder)
    assert [(path.name, path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in [folder, *sorted(folder.iterdir())]] == before
    os.chmod(folder, 0o700)


def test_a_folder_that_is_not_there_is_wrong_usage(store: Store, folder: Path) -> None:
    with pytest.raises(UsageError, match="nowhere cannot be used as the landing folder"):
        look(store, folder / "nowhere", CODES, Settings())


def test_the_memory_is_private_and_holds_names_and_hashes_alone(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1SECRET")
    write_refused(folder / "b.csv", "claim_id,claim_id\nC1SECRET,C1SECRET\n")
    night(store, folder)
    memory = store.root / "landing.json"
    assert memory.stat().st_mode & 0o777 == 0o600
    assert b"SECRET" not in memory.read_bytes()


def test_a_night_without_news_writes_nothing(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    night(store, folder)
    before = (store.root / "landing.json").stat()
    night(store, folder)
    assert (store.root / "landing.json").stat().st_ino == before.st_ino


# What is not known any more


def rewrite_in_place(path: Path) -> None:
    """Other bytes of the same number, under the same inode and time."""
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"C1", b"C9"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_file(path: Path) -> None:
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes().replace(b"C1", b"C9"))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.rename(other, path)


def add_sidecar(path: Path) -> None:
    path.with_name(path.name + ".sha256").write_text("0" * 64)


def add_totals(path: Path) -> None:
    path.with_name(path.name + ".totals.json").write_text('{"rows": 99}')


def add_sidecar_folder(path: Path) -> None:
    path.with_name(path.name + ".sha256").mkdir()


@pytest.mark.parametrize("change", [rewrite_in_place, replace_file, add_sidecar, add_totals, add_sidecar_folder])
@pytest.mark.parametrize("write_it", [write, write_refused])
def test_what_changed_is_read_again(store: Store, folder: Path, change: Callable[[Path], None], write_it: Callable[..., Path]) -> None:
    path = folder / "a.csv"
    write_it(path, *(["C1"] if write_it is write else []))
    night(store, folder)
    change(path)
    assert to_read(store, folder) == ["a.csv"]
    outcomes = words_of(night(store, folder)[1])
    expected = "REFUSED"
    if write_it is write:
        # the totals of content that was loaded before are not asked for
        others: dict[Callable[[Path], None], str] = {rewrite_in_place: "loaded", replace_file: "loaded", add_totals: "known"}
        expected = others.get(change, "REFUSED")
    assert outcomes == {"a.csv": expected}
    assert to_read(store, folder) == []


def test_a_sidecar_that_goes_is_a_change(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    add_sidecar(folder / "a.csv")
    assert words_of(night(store, folder)[1]) == {"a.csv": "REFUSED"}
    assert words_of(night(store, folder)[1]) == {"a.csv": "refused"}
    (folder / "a.csv.sha256").unlink()
    assert words_of(night(store, folder)[1]) == {"a.csv": "loaded"}


def test_what_other_code_has_read_or_refused_is_read_again_once(store: Store, folder: Path) -> None:
    path = write(folder / "a.csv", "C1")
    write_refused(folder / "b.csv")
    night(store, folder)
    [first] = store.batches()
    with other_code(2):
        assert to_read(store, folder) == ["a.csv", "b.csv"]
        assert words_of(night(store, folder)[1]) == {"a.csv": "loaded", "b.csv": "REFUSED"}
        assert words_of(night(store, folder)[1]) == {"a.csv": "known", "b.csv": "refused"}
        assert to_read(store, folder) == []
        assert isinstance(ingest_extract(store, path, CODES), LoadedBefore)
        [second] = store.batches()
    assert second.batch_id != first.batch_id
    assert (second.sha256, second.controls, second.ingest) == (first.sha256, first.controls, "2")


def test_an_extract_that_is_read_again_came_when_it_came_first(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    night(store, folder)
    [first] = store.batches()
    os.utime(first.path, (NOW.timestamp() - 7200, NOW.timestamp() - 7200))
    came = first.path.stat().st_mtime_ns
    with other_code(2):
        night(store, folder)
        [second] = store.batches()
    assert second.path != first.path
    assert second.path.stat().st_mtime_ns == came


def test_a_batch_that_does_not_say_which_code_made_it_is_used_until_its_extract_is_given_again(store: Store, folder: Path) -> None:
    path = write(folder / "a.csv", "C1")
    night(store, folder)
    [batch] = store.batches()
    change_batch(batch.path, without=("ingest",))
    [older] = store.batches()
    assert (older.batch_id, older.ingest) == (batch.batch_id, "")
    assert isinstance(ingest_extract(store, path, CODES), Loaded)
    assert [again.ingest for again in store.batches()] == [program.ingest_hash()]


def test_a_refused_extract_that_is_only_touched_or_copied_alarms_nobody_again(store: Store, folder: Path) -> None:
    path = write_refused(folder / "b.csv")
    night(store, folder)
    os.utime(path)
    assert to_read(store, folder) == ["b.csv"]
    assert words_of(night(store, folder)[1]) == {"b.csv": "refused"}
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    assert words_of(night(store, folder)[1]) == {"b.csv": "refused"}
    path.write_bytes(content + b"C2\n")
    assert words_of(night(store, folder)[1]) == {"b.csv": "REFUSED"}


def test_the_same_refused_bytes_under_another_name_are_refused_anew(store: Store, folder: Path) -> None:
    write_refused(folder / "b.csv")
    night(store, folder)
    write_refused(folder / "c.csv")
    assert words_of(night(store, folder)[1]) == {"b.csv": "refused", "c.csv": "REFUSED"}


def test_what_has_no_bytes_is_refused_anew_where_it_is_another_file(store: Store, folder: Path) -> None:
    path = folder / "a.csv"
    path.symlink_to("nowhere")
    night(store, folder)
    assert words_of(night(store, folder)[1]) == {"a.csv": "refused"}
    (folder / "other").symlink_to("nowhere")
    os.rename(folder / "other", path)
    assert words_of(night(store, folder)[1]) == {"a.csv": "REFUSED"}


def test_a_refusal_that_may_pass_is_tried_every_night_and_alarms_once(store: Store, folder: Path) -> None:
    path = write(folder / "a.csv", "C1")
    (folder / "a.csv.sha256").symlink_to(folder / "a.csv.sha256")
    assert words_of(night(store, folder)[1]) == {"a.csv": "REFUSED"}
    found, outcomes = night(store, folder)
    assert (found.to_read, words_of(outcomes)) == ((path,), {"a.csv": "refused"})


def test_a_file_of_the_last_seconds_is_not_remembered(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "time_ns", lambda: time_ns() + BLUR_NS - 10**9)
    os.utime(write(folder / "a.csv", "C1"), (0, 0))  # as a copy that keeps times
    write_refused(folder / "b.csv")
    assert words_of(night(store, folder)[1]) == {"a.csv": "loaded", "b.csv": "REFUSED"}
    assert to_read(store, folder) == ["a.csv", "b.csv"]
    assert words_of(night(store, folder)[1]) == {"a.csv": "known", "b.csv": "refused"}
    monkeypatch.setattr(landing, "time_ns", lambda: time_ns() + BLUR_NS + 60 * 10**9)
    night(store, folder)
    assert to_read(store, folder) == []


@pytest.mark.parametrize("when", ["before it is read", "after it was read"])
def test_a_file_that_changes_after_the_look_is_read_again(store: Store, folder: Path, when: str) -> None:
    path = write(folder / "a.csv", "C1")
    found = look(store, folder, CODES, Settings())
    if when == "before it is read":
        rewrite_in_place(path)
    read = read_in(store, found)
    if when == "after it was read":
        rewrite_in_place(path)
    remember(store, found, read)
    assert to_read(store, folder) == ["a.csv"]
    night(store, folder)
    assert to_read(store, folder) == []


def test_what_is_still_written_is_looked_at_the_next_night(store: Store, folder: Path) -> None:
    path = write(folder / "a.csv", "C1")
    found = look(store, folder, CODES, Settings())
    remember(store, found, {path: NotReady("a.csv", "a.csv: changed while it was read.")})
    assert to_read(store, folder) == ["a.csv"]


def test_a_batch_that_is_gone_is_read_again(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    night(store, folder)
    store.batches()[0].path.unlink()
    assert words_of(night(store, folder)[1]) == {"a.csv": "loaded"}


def test_content_of_two_batches_is_read_again_which_leaves_one(store: Store, folder: Path) -> None:
    path = write(folder / "a.csv", "C1")
    outcome = ingest_extract(store, path, CODES)
    assert isinstance(outcome, Loaded)
    older = outcome.batch.path.read_bytes()
    night(store, folder, codes=[*CODES, Code("G0260", None, None)])
    outcome.batch.path.write_bytes(older)
    assert words_of(night(store, folder)[1]) == {"a.csv": "known"}
    assert len(store.batches()) == 1


def test_a_batch_that_lacks_a_code_is_read_again(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    night(store, folder)
    later = [*CODES, Code("99213", date(2024, 1, 16), None)]
    in_force = [*CODES, Code("99213", None, None)]
    assert to_read(store, folder, codes=later) == []
    assert words_of(night(store, folder, codes=in_force)[1]) == {"a.csv": "loaded"}
    assert to_read(store, folder, codes=in_force) == []


def test_a_retracted_extract_whose_batch_is_deleted_stays_away_until_that_is_undone(store: Store, folder: Path) -> None:
    path = write(folder / "a.csv", "C1")
    night(store, folder)
    retract(store, "a.csv", "test data")
    assert words_of(night(store, folder)[1]) == {"a.csv": "known"}
    store.batches()[0].path.unlink()
    found, outcomes = night(store, folder)
    assert not found.to_read
    assert not outcomes
    assert found.retracted == {path}
    undo(store, "a.csv", "it was none")
    assert words_of(night(store, folder)[1]) == {"a.csv": "loaded"}


def test_a_refused_file_whose_bytes_were_loaded_under_another_name_is_looked_at(store: Store, folder: Path) -> None:
    feeds = [Feed(name="claims", pattern="claims_*", required_columns=("claim_status",))]
    columns = [name for name in COLUMNS if name != "claim_status"]
    write(folder / "claims_1.csv", "C1", columns=columns)
    assert words_of(night(store, folder, feeds=feeds)[1]) == {"claims_1.csv": "REFUSED"}
    write(folder / "other.csv", "C1", columns=columns)
    night(store, folder, feeds=feeds)
    assert words_of(night(store, folder, feeds=feeds)[1]) == {"claims_1.csv": "known", "other.csv": "known"}


# A memory that is damaged, lost, or of another folder


def test_a_share_that_is_away_makes_nobody_forget(store: Store, folder: Path, tmp_path: Path) -> None:
    write(folder / "a.csv", "C1")
    write_refused(folder / "b.csv")
    night(store, folder)
    os.rename(folder, tmp_path / "away")
    folder.mkdir()
    assert night(store, folder)[1] == {}
    folder.rmdir()
    os.rename(tmp_path / "away", folder)
    assert words_of(night(store, folder)[1]) == {"a.csv": "known", "b.csv": "refused"}
    assert to_read(store, folder) == []


def test_a_file_that_is_gone_is_forgotten(store: Store, folder: Path) -> None:
    write(folder / "a.csv", "C1")
    write_refused(folder / "b.csv")
    night(store, folder)
    (folder / "b.csv").unlink()
    night(store, folder)
    assert "b.csv" not in (store.root / "landing.json").read_text()


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff\x00"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text('{"format": 3, "sha256": "", "folders": {}}'),
        lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2})),
        lambda path: path.write_text(path.read_text().replace("lacks", "LACKS")),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
    ],
)
def test_a_memory_that_is_lost_or_damaged_costs_time_alone(store: Store, folder: Path, spoil: Callable[[Path], Any]) -> None:
    write(folder / "a.csv", "C1")
    write_refused(folder / "b.csv")
    first = night(store, folder)[1]
    batches = store.batches()
    spoil(store.root / "landing.json")
    found, outcomes = night(store, folder)
    assert (len(found.to_read), words_of(outcomes), store.batches()) == (2, {"a.csv": "known", "b.csv": "REFUSED"}, batches)
    assert outcomes[folder / "b.csv"] == first[folder / "b.csv"]
    assert to_read(store, folder) == []


CONTENTS = (
    b"claim_id\nC1\n",
    b"",
    b"claim_id,claim_line_number,member_id,claim_line_start_date,hcpcs_code,paid_amount\nC1,1,M1,2024-01-15,27096,5\n",
    b"claim_id,claim_line_number,member_id,claim_line_start_date,hcpcs_code,paid_amount\nC2,1,M1,2024-01-15,27096,5\n",
)
PLACES = [f"{folder}/{name}.csv" for folder in ("one", "two") for name in ("a", "b")]
ACTIONS = st.one_of(
    st.tuples(st.sampled_from(["write", "write in place", "totals"]), st.sampled_from(PLACES), st.integers(0, len(CONTENTS) - 1)),
    st.tuples(st.sampled_from(["remove", "touch", "remove totals"]), st.sampled_from(PLACES), st.just(0)),
    st.tuples(st.just("move"), st.sampled_from(PLACES), st.integers(0, len(PLACES) - 1)),
    st.tuples(st.sampled_from(["night", "killed night", "night"]), st.sampled_from(["one", "two"]), st.just(0)),
    st.tuples(st.just("version"), st.just("two"), st.integers(1, 2)),
)


def act(root: Path, action: str, place: str, choice: int) -> None:
    path = root / place
    totals = path.with_name(path.name + ".totals.json")
    match action:
        case "write":
            path.unlink(missing_ok=True)
            path.write_bytes(CONTENTS[choice])
        case "write in place":
            path.write_bytes(CONTENTS[choice])
        case "totals":
            totals.write_text(json.dumps({"rows": choice}))
        case "remove" if path.exists():
            path.unlink()
        case "remove totals" if totals.exists():
            totals.unlink()
        case "touch" if path.exists():
            os.utime(path)
        case "move" if path.exists():
            os.rename(path, root / PLACES[choice])
        case _:
            pass


@settings(max_examples=60)
@given(st.lists(ACTIONS, min_size=4, max_size=14))
def test_a_memory_says_what_reading_would(actions: list[tuple[str, str, int]]) -> None:
    """Of two OUTs one forgets all before every look, and reads all: it holds the same batches, and says the same of every extract."""
    with TemporaryDirectory() as place:
        root = Path(place)
        knowing, forgetting = Store(root / "knowing"), Store(root / "forgetting")
        for folder in ("one", "two"):
            (root / folder).mkdir()
        for store in (knowing, forgetting):
            store.prepare()
        version = 1
        seen: dict[Path, tuple[Any, ...]] = {}
        for action, where, choice in [*actions, ("night", "one", 0), ("night", "two", 0)]:
            if action == "version":
                version = choice
            elif action == "killed night":
                with other_code(version):
                    read_in(knowing, look(knowing, root / where, CODES, Settings()))
                    read_in(forgetting, look(forgetting, root / where, CODES, Settings()))
            elif action == "night":
                (forgetting.root / "landing.json").unlink(missing_ok=True)
                with other_code(version):
                    outcomes = night(knowing, root / where)[1]
                    plain = night(forgetting, root / where)[1]
                assert [name_what(outcome) for outcome in outcomes.values()] == [name_what(outcome) for outcome in plain.values()]
                for path, outcome in outcomes.items():
                    if isinstance(outcome, Refused):
                        marks = (outcome.sha256, outcome.reason, version, mark_of(path.with_name(path.name + ".totals.json")))
                        assert not outcome.is_remembered or seen.get(path) == marks
                        seen[path] = marks
            else:
                act(root, action, where, choice)
        assert [batch.batch_id for batch in knowing.batches()] == [batch.batch_id for batch in forgetting.batches()]


def mark_of(path: Path) -> tuple[int, int, int, int] | None:
    """What a file that stays as it is keeps; None where there is none."""
    if not path.exists():
        return None
    status = path.lstat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def name_what(outcome: Outcome) -> tuple[Any, ...]:
    match outcome:
        case Loaded(batch) | LoadedBefore(batch, _):
            return type(outcome).__name__, batch.sha256
        case Refused(extract, sha256, reason):
            return "Refused", extract, sha256, reason
        case NotReady(extract, reason):
            return "NotReady", extract, reason
    raise AssertionError(outcome)


# Columns that a feed must have


def without(*names: str) -> list[str]:
    return [name for name in COLUMNS if name not in names]


CLAIMS = Feed(name="claims", pattern="claims_*.csv", required_columns=("claim_status",))


def test_an_extract_that_lacks_or_leaves_empty_a_required_column_is_refused(store: Store, folder: Path) -> None:
    write(folder / "claims_1.csv", "C1", columns=without("claim_status"))
    write(folder / "claims_2.csv", "C2", claim_status=" ")
    write(folder / "claims_3.csv", "C3")
    write(folder / "claims_4.csv")
    write(folder / "other.csv", "C5", columns=without("claim_status"))
    outcomes = night(store, folder, feeds=[CLAIMS])[1]
    assert [outcome.reason for outcome in outcomes.values() if isinstance(outcome, Refused)] == [
        "claims_1.csv: lacks column claim_status, which required_columns in the settings asks for.",
        "claims_2.csv: has column claim_status empty in every row, and required_columns in the settings asks for it.",
    ]
    assert [path.name for path, outcome in outcomes.items() if isinstance(outcome, Loaded)] == ["claims_3.csv", "claims_4.csv", "other.csv"]


def test_what_is_required_decides_again_once_it_is_changed(store: Store, folder: Path) -> None:
    write(folder / "claims_1.csv", "C1", columns=without("claim_status"))
    night(store, folder, feeds=[CLAIMS])
    assert words_of(night(store, folder, feeds=[CLAIMS])[1]) == {"claims_1.csv": "refused"}
    assert words_of(night(store, folder)[1]) == {"claims_1.csv": "loaded"}
    assert words_of(night(store, folder, feeds=[CLAIMS])[1]) == {"claims_1.csv": "known"}
    (store.root / "landing.json").unlink()
    assert words_of(night(store, folder, feeds=[CLAIMS])[1]) == {"claims_1.csv": "known"}


def test_what_was_loaded_before_a_column_was_required_is_read_again_for_a_code(store: Store, folder: Path) -> None:
    write(folder / "claims_1.csv", "C1", columns=without("claim_status"))
    night(store, folder)
    in_force = [*CODES, Code("99213", None, None)]
    assert words_of(night(store, folder, codes=in_force, feeds=[CLAIMS])[1]) == {"claims_1.csv": "loaded"}


# Feeds that did not come


def daily(hours: int = 26, pattern: str = "claims_*.csv") -> Feed:
    return Feed(name="claims", pattern=pattern, latest_age_hours=hours)


def age_batch(store: Store, extract: str, hours: float) -> None:
    [batch] = [batch for batch in store.batches() if batch.extract == extract]
    when = (NOW - timedelta(hours=hours)).timestamp()
    os.utime(batch.path, (when, when))


def test_a_feed_that_never_came_is_missing(store: Store) -> None:
    assert missing_feeds([daily()], store.batches(), [], NOW) == ["The feed claims (claims_*.csv) never came."]
    assert missing_feeds([Feed(name="claims", pattern="*")], store.batches(), [], NOW) == []


def test_a_feed_that_did_not_come_again_is_missing(store: Store, folder: Path) -> None:
    write(folder / "claims_1.csv", "C1")
    write(folder / "other.csv", "C2")
    night(store, folder)
    age_batch(store, "claims_1.csv", 26.1)
    [sentence] = missing_feeds([daily()], store.batches(), [], NOW)
    when = f"{NOW - timedelta(hours=26.1):%Y-%m-%d %H:%M}"
    assert sentence == (f"The feed claims (claims_*.csv) did not come: its last extract came at {when} UTC, and latest_age_hours is 26.")
    assert missing_feeds([daily(27)], store.batches(), [], NOW) == []


def test_a_refused_extract_is_no_feed_that_came(store: Store, folder: Path) -> None:
    write_refused(folder / "claims_1.csv")
    outcomes = night(store, folder)[1]
    assert missing_feeds([daily()], store.batches(), outcomes.values(), NOW) == ["The feed claims (claims_*.csv) never came."]


def test_a_feed_without_news_came_when_its_file_was_put_there(store: Store, folder: Path) -> None:
    write(folder / "claims_1.csv")
    night(store, folder)
    age_batch(store, "claims_1.csv", 1000)
    (folder / "claims_1.csv").unlink()
    os.utime(write(folder / "claims_2.csv"), (0, 0))  # as a copy that keeps times
    outcomes = night(store, folder)[1]
    assert words_of(outcomes) == {"claims_2.csv": "known"}
    now = datetime.now(UTC)
    assert missing_feeds([daily()], store.batches(), outcomes.values(), now) == []
    assert len(missing_feeds([daily()], store.batches(), outcomes.values(), now + timedelta(hours=27))) == 1
    assert missing_feeds([daily()], [], outcomes.values(), now) == ["The feed claims (claims_*.csv) never came."]


# Columns that a feed lost

EXPECTED = Feed(name="claims", pattern="claims_*.csv")


def take(store: Store, path: Path) -> Batch:
    outcome = ingest_extract(store, path, CODES)
    assert isinstance(outcome, Loaded)
    return outcome.batch


def lose(store: Store, *published: Batch) -> list[str]:
    return lost_columns([EXPECTED], store.batches(), {batch.sha256 for batch in published})


def test_a_column_that_is_there_no_more_or_empty_is_lost(store: Store, folder: Path) -> None:
    first = take(store, write(folder / "claims_1.csv", "C1", "C2"))
    take(store, write(folder / "claims_2.csv", "C3", columns=without("claim_status")))
    take(store, write(folder / "claims_3.csv", "C4", "C5", claim_status=""))
    take(store, write(folder / "other.csv", "C6", columns=without("claim_status")))
    assert lose(store, first) == [
        "The feed claims lost claim_status: claims_2.csv has none, and its earlier extracts do.",
    ]
    second = Store(store.root / "second")
    second.prepare()
    published = take(second, folder / "claims_1.csv")
    take(second, folder / "claims_3.csv")
    assert lose(second, published) == ["The feed claims lost claim_status: claims_3.csv has none, and its earlier extracts do."]


def test_a_loss_is_reported_until_it_is_published_and_then_is_the_rule(store: Store, folder: Path) -> None:
    first = take(store, write(folder / "claims_1.csv", "C1"))
    second = take(store, write(folder / "claims_2.csv", "C2", columns=without("claim_status")))
    assert len(lose(store, first)) == 1
    assert len(lose(store, first)) == 1
    assert lose(store, first, second) == []
    third = take(store, write(folder / "claims_3.csv", "C3", columns=without("claim_status")))
    assert lose(store, first, second) == []
    later = [take(store, write(folder / f"claims_{4 + number}.csv", f"C{4 + number}")) for number in range(RECENT)]
    assert lose(store, first, second, third) == []
    take(store, write(folder / "claims_9.csv", "C9", columns=without("claim_status")))
    assert len(lose(store, first, second, third, *later)) == 1


def test_what_a_feed_never_filled_or_nobody_reads_is_not_lost(store: Store, folder: Path) -> None:
    columns = [*COLUMNS, "hcpcs_modifier_2", "batch_note"]
    write_csv(folder / "claims_1.csv", columns, [["C1", "1", "M1", "2024-01-15", "27096", "5.00", "paid", "", "a note"]])
    first = take(store, folder / "claims_1.csv")
    assert {column["column"]: column["filled_count"] for column in first.columns}["batch_note"] == 1
    take(store, write(folder / "claims_2.csv", "C2"))
    assert lose(store, first) == []


def test_an_extract_without_rows_says_nothing(store: Store, folder: Path) -> None:
    first = take(store, write(folder / "claims_1.csv", "C1"))
    empty = take(store, write(folder / "claims_2.csv", columns=without("claim_status")))
    assert lose(store, first) == []
    take(store, write(folder / "claims_3.csv", "C3", columns=without("claim_status")))
    assert len(lose(store, first, empty)) == 1


def test_a_column_that_is_empty_by_chance_is_not_lost(store: Store, folder: Path) -> None:
    rows = [{"hcpcs_modifier_1": "RT" if number < 10 else None} for number in range(100)]
    columns = [*COLUMNS, "hcpcs_modifier_1"]

    def write_rows(name: str, claims: str, rows: Sequence[dict[str, Any]]) -> Batch:
        lines = [line(f"{claims}{number}", "2024-01-15", **row) for number, row in enumerate(rows)]
        return take(store, write_csv(folder / name, columns, ([row[column] for column in columns] for row in lines)))

    first = write_rows("claims_1.csv", "A", rows)
    few = write_rows("claims_2.csv", "B", [{"hcpcs_modifier_1": None}] * 20)
    assert lose(store, first) == []
    few.path.unlink()
    write_rows("claims_3.csv", "C", [{"hcpcs_modifier_1": None}] * 200)
    assert lose(store, first) == ["The feed claims lost hcpcs_modifier_1: claims_3.csv has none, and its earlier extracts do."]


def test_what_not_every_extract_of_a_feed_fills_is_not_lost(store: Store, folder: Path) -> None:
    columns = [*COLUMNS, "bill_type_code"]
    weekly = take(store, write(folder / "claims_1.csv", "C1", "C2", "C3", columns=columns, bill_type_code="131"))
    daily = take(store, write(folder / "claims_2.csv", "C4", columns=columns, bill_type_code=None))
    take(store, write(folder / "claims_3.csv", *(f"D{number}" for number in range(30)), columns=columns, bill_type_code=None))
    assert lose(store, weekly, daily) == []


def test_published_extracts_come_before_new_ones_though_their_batches_were_written_anew(store: Store, folder: Path) -> None:
    first = take(store, write(folder / "claims_1.csv", "C1"))
    take(store, write(folder / "claims_2.csv", "C2", columns=without("claim_status")))
    os.utime(first.path)
    assert len(lose(store, first)) == 1


def test_a_batch_that_was_read_again_for_a_code_is_not_judged_anew(store: Store, folder: Path) -> None:
    old = write(folder / "claims_1.csv", "C1", columns=without("claim_status"))
    first = take(store, old)
    second = take(store, write(folder / "claims_2.csv", "C2"))
    os.utime(first.path)
    assert lose(store, first, second) == []


def test_what_a_layout_has_read_or_refused_is_known_until_the_layout_is_another(store: Store, folder: Path, tmp_path: Path) -> None:
    layout = tmp_path / "pipes.toml"
    layout.write_text('separator = "|"\n')
    feeds = [Feed(name="pipes", pattern="p_*", layout=layout)]
    commas = write(folder / "a.csv", "C1")
    (folder / "p_taken.txt").write_text(commas.read_text().replace(",", "|"))
    (folder / "p_refused.txt").write_text("no pipe\n")
    (folder / "other.txt").write_text("no extract\n")
    assert words_of(night(store, folder, feeds=feeds)[1]).keys() == {"a.csv", "p_taken.txt", "p_refused.txt"}
    assert to_read(store, folder, feeds=feeds) == []
    layout.write_text('separator = "|"\n# mended\n')
    assert to_read(store, folder, feeds=feeds) == ["p_refused.txt", "p_taken.txt"]
