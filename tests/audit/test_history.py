"""Runs are listed with their figures, any two are compared, and old ones go: never one that somebody needs, never by half."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.audit.history import PRUNE_CRASH_POINTS, choose_runs, explain_difference, list_runs, parse_age, prune
from sij_audit.transforms.audit.summary import STRENGTHS
from sij_audit.transforms.errors import BusyError, UsageError
from sij_audit.transforms.handoff.deliveries import deliver
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.retractions import retract
from sij_audit.transforms.store.runs import verify_run
from tests.runs import SAMPLE, command, line, read_report, run, write_extract

DAYS = ("2023-01-10", "2023-04-10", "2023-05-10", "2023-09-10", "2023-10-01")
LATER = datetime.now(UTC) + timedelta(days=100)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs over the same lines, each knowing more of them; the last one is current."""
    folder = tmp_path_factory.mktemp("four")
    extract = write_extract(folder / "lines.parquet", [line(f"C{number}", day) for number, day in enumerate(DAYS)])
    for day in DAYS[1:]:
        run(folder / "out", extract, as_of=date.fromisoformat(day))
    return folder / "out"


@pytest.fixture
def store(four: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(four, tmp_path / "out", symlinks=True)))


def run_ids(store: Store) -> list[str]:
    return [run.run_id for run in list_runs(store)]


def contents(folder: Path) -> dict[str, bytes | None]:
    """All that a folder holds, and what stands in it; of the journal and of locks too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def test_runs_stand_in_the_order_in_which_they_were_published(store: Store) -> None:
    found = list_runs(store)
    assert [run.run_id[:10] for run in found] == list(DAYS[1:])
    assert [run.is_current for run in found] == [False, False, False, True]
    assert all(run.size > 100_000 for run in found)


def test_the_figures_are_those_of_the_reports(store: Store) -> None:
    for found in list_runs(store):
        rows = read_report(found.folder)
        held = [row for row in rows if row["status"] != "withdrawn"]
        assert found.figures
        assert found.figures.findings == len(held)
        assert found.figures.strengths == {strength: sum(row["strength"] == strength for row in held) for strength in STRENGTHS}
        assert found.figures.amount_at_risk == sum((row["amount_at_risk"] for row in held), Decimal(0))
        assert found.figures.new_findings == sum(row["status"] == "new" for row in rows)
        assert found.figures.as_of.isoformat() == found.run_id[:10]


def test_a_damaged_run_is_listed_and_stays(store: Store) -> None:
    damaged = list_runs(store)[1]
    (damaged.folder / "manifest.json").write_text("{")
    first, *others = list_runs(store)
    assert (first.run_id, first.figures) == (damaged.run_id, None)
    assert all(run.figures for run in others)
    prune(store, keep=0, older_than=timedelta(), is_wanted=True, now=LATER)
    assert run_ids(store) == [damaged.run_id, others[-1].run_id]


def test_a_run_of_a_program_without_strengths_is_listed_without_them(store: Store) -> None:
    first, *others = (found.folder for found in list_runs(store))
    findings = pq.ParquetFile(first / "findings.parquet").read()
    pq.write_table(findings.drop_columns("strength"), first / "findings.parquet")
    figures = [found.figures for found in list_runs(store)]
    assert [bool(found and found.strengths) for found in figures] == [False, *(True for _ in others)]
    listed = command("runs", "--out", store.root)
    assert (listed.returncode, len(listed.stdout.splitlines())) == (0, 2 + len(figures))


def test_what_is_no_run_is_not_listed(store: Store) -> None:
    (store.runs / f"{list_runs(store)[0].run_id}.building").mkdir()
    (store.runs / "notes").mkdir()
    assert len(list_runs(store)) == 4


def test_without_a_run_there_is_nothing_to_list_to_compare_or_to_remove(tmp_path: Path) -> None:
    for arguments in (["runs"], ["diff"], ["prune", "--keep", "1", "--older-than", "1d", "--delete"]):
        ended = command(*arguments, "--out", tmp_path / "none")
        assert (ended.returncode, ended.stderr) == (2, f"sij-audit: {tmp_path / 'none'} holds no published run yet.\n")
    assert not (tmp_path / "none").exists()


def test_the_current_run_is_compared_with_the_one_before_unless_others_are_named(store: Store) -> None:
    first, second, third, last = (run.folder for run in list_runs(store))
    assert choose_runs(store, None, None) == (third, last)
    assert choose_runs(store, first.name, None) == (first, last)
    assert choose_runs(store, first.name, second.name) == (first, second)
    with pytest.raises(UsageError, match="holds no run of that id"):
        choose_runs(store, "2023-01-01-000000000000", None)
    shutil.rmtree(third)
    with pytest.raises(UsageError, match=r"The run before .* is not there any more"):
        choose_runs(store, None, None)


def test_the_first_run_has_none_before_it(tmp_path: Path) -> None:
    run(tmp_path / "out", write_extract(tmp_path / "1.parquet", [line("A", "2023-01-10")]))
    ended = command("diff", "--out", tmp_path / "out")
    assert ended.returncode == 2
    assert "is the first run" in ended.stderr


def test_what_two_runs_were_made_of_is_reported(tmp_path: Path) -> None:
    out = tmp_path / "out"
    store = Store(out)
    extracts = [write_extract(tmp_path / f"{name}.parquet", [line(name, day)]) for name, day in zip("AB", DAYS, strict=False)]
    before = run(out, extracts[0], as_of=date(2024, 1, 1)).run
    retract(store, "A.parquet", "test data")
    after = run(out, extracts[1], line_of_business="commercial").run
    assert before
    assert after
    manifest = store.manifest(after)
    assert explain_difference(store.manifest(before), manifest) == [
        "services up to 2024-06-30 instead of 2024-01-01",
        "extracts that came: B.parquet",
        "extracts that count no more: A.parquet",
        "dispositions, suppressions or retractions that came",
        "line_of_business: commercial instead of none",
    ]
    assert explain_difference(manifest, manifest) == []
    changed = manifest | {"versions": {"sij-audit": "9"}, "files": manifest["files"][1:], "reviews": ["f" * 64]}
    assert explain_difference(manifest, changed) == [
        "dispositions, suppressions or retractions that came",
        f"files that the audit goes by: {manifest['files'][0]['path']}",
        f"version 9 of the program instead of {manifest['versions']['sij-audit']}",
    ]


def test_gone_is_what_is_old_and_not_among_the_newest(store: Store) -> None:
    ids = run_ids(store)
    for keep, older_than, gone in ((1, 0, ids[:3]), (0, 0, ids[:3]), (2, 99, ids[:2]), (4, 0, []), (0, 101, [])):
        removable = prune(store, keep, timedelta(days=older_than), now=LATER).removable
        assert [run.run_id for run in removable] == gone, (keep, older_than)


def test_runs_are_removed_only_where_that_is_asked_for(store: Store) -> None:
    before = contents(store.root)
    assert len(prune(store, 1, timedelta(), now=LATER).removable) == 3
    assert contents(store.root) == before
    ids = run_ids(store)
    assert prune(store, 1, timedelta(), is_wanted=True, now=LATER).is_done
    assert [path.name for path in store.runs.iterdir()] == [ids[-1]]
    assert verify_run(store) == []


def test_a_run_that_a_delivery_names_stays(store: Store, tmp_path: Path) -> None:
    first, second, *_, last = run_ids(store)
    delivery = deliver(store, tmp_path / "delivery", Settings(), since=second)
    assert (delivery.number, delivery.since_run_id, delivery.run_id) == (1, second, last)
    assert [run.is_delivered for run in list_runs(store)] == [False, True, False, True]
    pruning = prune(store, 0, timedelta(), is_wanted=True, now=LATER)
    assert [run.run_id for run in pruning.protected] == [second, last]
    assert run_ids(store) == [second, last]
    assert first in {run.run_id for run in pruning.removable}


def test_the_current_run_stays_where_others_are_newer(store: Store) -> None:
    first = run_ids(store)[0]
    store.current.unlink()
    store.current.symlink_to(f"runs/{first}")
    prune(store, 1, timedelta(), is_wanted=True, now=LATER)
    assert run_ids(store) == [first, run_ids(store)[-1]]
    assert len(run_ids(store)) == 2


def test_nothing_is_removed_while_a_run_holds_out(store: Store) -> None:
    before = run_ids(store)
    with store.lock():
        with pytest.raises(BusyError):
            prune(Store(store.root), 1, timedelta(), is_wanted=True, now=LATER)
        assert len(prune(Store(store.root), 1, timedelta(), now=LATER).removable) == 3
    assert run_ids(store) == before


@pytest.mark.parametrize("step", PRUNE_CRASH_POINTS)
def test_a_prune_that_dies_leaves_no_half_run(store: Store, step: str) -> None:
    ids = run_ids(store)
    if (child := os.fork()) == 0:
        prune(store, 1, timedelta(), True, LATER, lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    left = run_ids(store)
    assert left == (ids if step == "rename run away" else ids[1:])
    assert [difference for run_id in left for difference in verify_run(store, run_id)] == []
    prune(store, 1, timedelta(), True, LATER)
    assert [path.name for path in store.runs.iterdir()] == ids[-1:]


def test_a_prune_that_dies_while_it_removes_leaves_no_half_run(store: Store) -> None:
    """The folder is half empty, as it is where rmtree was under way."""
    gone = store.runs / run_ids(store)[0]
    going = gone.rename(gone.with_name(f"{gone.name}.building"))
    (going / "manifest.json").unlink()
    assert len(run_ids(store)) == 3
    with store.lock():
        pass
    assert not going.exists()


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("0d", 0)])
def test_an_age_is_in_days(text: str, days: int) -> None:
    assert parse_age(text) == timedelta(days=days)


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "3w", "1.5d", "9999999d", "90d "])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no age"):
        parse_age(text)


def test_the_command_shows_what_changed_and_nothing_of_a_member(tmp_path: Path) -> None:
    out = tmp_path / "out"
    professional, *_ = sorted(SAMPLE.glob("claims_1*"))
    before = run(out, professional).run
    after = run(out, *sorted(SAMPLE.glob("claims_*"))).run
    assert before
    assert after
    shown = command("diff", "--out", out, "--findings").stdout
    rows = read_report(after)
    held = [row for row in rows if row["status"] != "withdrawn"]
    numbers = [sum(row["status"] == status for row in rows) for status in ("new", "withdrawn", "changed", "open")]
    assert "{} new, {} withdrawn, {} changed, {} the same".format(*numbers) in shown
    assert f"${sum(row['amount_at_risk'] for row in held):,.2f} after" in shown
    assert {row["finding_id"] for row in rows if row["status"] != "open"} == set(re.findall(r"^[0-9a-f]{32}", shown, re.MULTILINE))
    assert "extracts that came: claims_2_facility.parquet, claims_3_corrections.csv.gz" in shown
    assert not re.search(r"[0-9a-f]{32}", command("diff", "--out", out).stdout)
    everything = shown + command("runs", "--out", out).stdout
    for row in rows:
        assert row["person_id"] not in everything
        assert row["member_id"] not in everything
    assert "\x1b" not in everything


def test_the_command_lists_runs_and_removes_them(store: Store) -> None:
    ids = run_ids(store)
    listed = command("runs", "--out", store.root).stdout.splitlines()
    assert [row.split()[0] for row in listed[1:5]] == ids[::-1]
    assert listed[1].split()[1] == "current"
    shown = command("prune", "--keep", "2", "--older-than", "0d", "--out", store.root)
    assert shown.returncode == 0
    assert shown.stdout.endswith("Nothing was changed. The same with --delete removes them.\n")
    assert run_ids(store) == ids
    assert command("prune", "--keep", "2", "--older-than", "0d", "--out", store.root, "--delete").returncode == 0
    assert run_ids(store) == ids[2:]
    assert stat.S_IMODE(store.runs.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "arguments", [("runs",), ("diff",), ("prune", "--keep", "2", "--older-than", "0d")], ids=lambda arguments: str(arguments[0])
)
def test_no_library_of_workbooks_is_loaded_to_list_compare_or_remove_runs(store: Store, arguments: tuple[str, ...]) -> None:
    script = f"import sys; from sij_audit.flows.command import app; app({[*arguments, '--out', str(store.root)]}, standalone_mode=False)"
    done = subprocess.run([sys.executable, "-c", f"{script}; sys.exit('xlsxwriter' in sys.modules)"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout


def test_a_damaged_run_is_compared_with_nothing(store: Store) -> None:
    (list_runs(store)[0].folder / "findings.parquet").unlink()
    ended = command("diff", run_ids(store)[0], "--out", store.root)
    assert ended.returncode == 4
    assert ended.stderr == f"sij-audit: runs/{run_ids(store)[0]}/findings.parquet is missing. Restore the run from a backup.\n"
