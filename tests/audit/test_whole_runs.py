"""Whole runs, one after another on one OUT: what they publish, when they publish nothing, and what is held against them.

`python -m tests.audit.test_whole_runs` writes the golden file anew: look at its diff before it is committed.
"""

import json
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.columns import COLUMNS, FORMAT, ROW_OUTCOMES
from sij_audit.transforms.errors import AuditError, BusyError, UsageError
from sij_audit.transforms.ingest.outcomes import Loaded, LoadedBefore, Refused
from sij_audit.transforms.stages import reference as reference_tables
from sij_audit.transforms.stages.queries import load_stage
from sij_audit.transforms.store.folder import Store
from sij_audit.transforms.store.runs import verify_run
from tests.runs import (
    AS_OF,
    EARLY,
    ROOT,
    SAMPLE,
    Row,
    change_batch,
    findings,
    keys,
    line,
    read_report,
    reports,
    run,
    run_reports,
    write_csv,
    write_extract,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "sample.txt"
REPORTS = [query.table for query in load_stage("5_reports")]

GOLDEN_COLUMNS = {
    "findings": (
        "finding_id rule_id person_id service_date determination strength scope doubts presumptions paid_amount amount_at_risk is_upper_bound"
    ).split(),
    "rules": "rule_id looked_at violations reviews proven presumed likely possible paid_amount amount_at_risk".split(),
    "controls": (
        "extract outcome reason rows_read rows_kept rows_not_relevant rows_quarantined rows_duplicate "
        "paid_read paid_kept paid_not_relevant paid_quarantined paid_duplicate"
    ).split(),
}

EARLY_FINDING = ("interval_under_two_months", "P1", "2023-05-10", "violation")


def empty_file(folder: Path, name: str = "empty.csv") -> Path:
    path = folder / name
    path.touch()
    return path


def files_of(run: Path) -> set[str]:
    return {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}


def runs_of(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "runs").iterdir())


def manifest_of(out: Path) -> Row:
    return dict(json.loads((out / "current" / "manifest.json").read_bytes()))


@pytest.fixture
def copy(sample: Path, tmp_path: Path) -> Path:
    """OUT with the sample in it, to do with as one likes."""
    return Path(shutil.copytree(sample, tmp_path / "copy", symlinks=True))


# --- what the sample says


def golden_text(out: Path) -> str:
    """What a run found and counted, one a line."""
    lines = []
    for name, columns in GOLDEN_COLUMNS.items():
        lines.append(f"# {name}: {' '.join(columns)}")
        for row in read_report(out, name):
            cells = [",".join(cell) if isinstance(cell, list) else cell for cell in (row[column] for column in columns)]
            lines.append(" ".join("-" if cell in (None, "") else str(cell) for cell in cells))
    lines += ["# totals", *(f"{name} {value}" for name, value in sorted(manifest_of(out)["totals"].items()))]
    lines += ["# rows", *(f"{output['path']} {output['rows']}" for output in manifest_of(out)["outputs"])]
    return "\n".join(lines) + "\n"


def test_the_sample_says_what_it_said(sample: Path) -> None:
    assert golden_text(sample) == GOLDEN.read_text(encoding="utf-8"), "if this is meant: python -m tests.audit.test_whole_runs"


def test_dollars_at_risk_are_counted_once(sample: Path) -> None:
    found = read_report(sample)
    by_line: dict[tuple[str, int], set[Decimal]] = {}
    for finding in found:
        assert sum(claim_line["amount_at_risk"] for claim_line in finding["claim_lines"]) == finding["amount_at_risk"]
        assert sum(claim_line["paid_amount"] for claim_line in finding["claim_lines"]) == finding["paid_amount"]
        for claim_line in finding["claim_lines"]:
            by_line.setdefault((claim_line["claim_id"], claim_line["claim_line_number"]), set()).add(claim_line["paid_amount"])
    assert len(by_line) < sum(len(finding["claim_lines"]) for finding in found), "no line is in two findings"
    assert sum(finding["amount_at_risk"] for finding in found) == sum(max(paid) for paid in by_line.values())


def test_payees_and_rules_sum_to_the_findings(sample: Path) -> None:
    found = read_report(sample)
    for report in ("payees", "rules"):
        for column in ("paid_amount", "amount_at_risk"):
            assert sum(row[column] for row in read_report(sample, report)) == sum(row[column] for row in found)
    payees = read_report(sample, "payees")
    assert {row["finding_id"] for row in payees} == {row["finding_id"] for row in found}
    rules = read_report(sample, "rules")
    for column, determination in (("violations", "violation"), ("reviews", "review")):
        assert sum(row[column] for row in rules) == sum(row["determination"] == determination for row in found) > 0


def test_every_row_read_is_accounted_for(sample: Path) -> None:
    controls = read_report(sample, "controls")
    assert len(controls) == 3
    for row in controls:
        for measure in ("rows", "paid"):
            parts = [row[f"{measure}_{outcome}"] for outcome in ROW_OUTCOMES]
            assert row[f"{measure}_read"] == sum(parts) > 0
    for name in ("read", *ROW_OUTCOMES):
        assert manifest_of(sample)["controls"][f"rows_{name}"] == sum(row[f"rows_{name}"] for row in controls)
        assert Decimal(manifest_of(sample)["controls"][f"paid_{name}"]) == sum(row[f"paid_{name}"] for row in controls)


def test_the_database_holds_the_same_tables(sample: Path) -> None:
    with duckdb.connect(sample / "current" / "audit.duckdb", read_only=True) as con:
        for name in REPORTS:
            parquet = f"read_parquet('{sample}/current/{name}.parquet')"
            for one, other in ((name, parquet), (parquet, name)):
                assert con.execute(f"select count(*) from (from {one} except all from {other})").fetchone() == (0,)


# --- what is published, and who may read it


def test_folders_are_0700_and_files_0600(sample: Path) -> None:
    seen = [path for path in sample.rglob("*") if not path.is_symlink()]
    assert {path.name for path in seen} >= {"claims", "quarantine", "runs", "manifest.json", "audit.duckdb"}
    for path in (sample, *seen):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_out_is_as_drawn(sample: Path) -> None:
    current = (sample / "current").resolve()
    assert current.parent == (sample / "runs").resolve()
    for_people = {"handoff/findings.xlsx", "handoff/findings.csv", "handoff/findings.parquet", "handoff/records_request.csv", "report.html"}
    assert files_of(current) == {*(f"{name}.parquet" for name in REPORTS), "audit.duckdb", "manifest.json", *for_people}
    assert {path.name for path in (sample / "claims").iterdir()} == {path.name for path in (sample / "quarantine").iterdir()}
    assert len(list((sample / "claims").iterdir())) == 3
    assert {path.name for path in sample.iterdir()} == {"claims", "quarantine", "runs", "current", "journal.jsonl", ".work", ".lock"}
    assert list((sample / ".work").iterdir()) == []


def test_a_run_id_is_the_as_of_date_a_hyphen_and_12_hex_digits(sample: Path) -> None:
    run_id = (sample / "current").resolve().name
    assert re.fullmatch(r"2024-06-30-[0-9a-f]{12}", run_id)
    assert {row["run_id"] for row in read_report(sample)} == {run_id} == {manifest_of(sample)["run_id"]}


def test_a_run_id_hangs_on_the_date_the_settings_and_the_run_before(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "early.parquet", EARLY)

    def first(name: str, **settings: Any) -> str:
        return run_reports(tmp_path / name, extract, **settings).current.name

    plain = first("plain")
    assert first("again") == plain
    assert first("settings", line_of_business="medicaid") != plain
    run_reports(tmp_path / "later", as_of=date(2024, 6, 29))
    assert first("later") != plain
    run_reports(tmp_path / "refused", extract, empty_file(tmp_path))
    assert (tmp_path / "refused/current").resolve().name != plain


# --- nothing new


def test_where_nothing_is_new_nothing_is_published(early: Path, tmp_path: Path) -> None:
    before = reports(early)
    for extracts in ((), (tmp_path / "early.parquet",)):
        result = run(early, *extracts)
        assert (result.exit_code, result.run, result.summary) == (0, None, None)
        assert [type(outcome) for outcome in result.outcomes] == [LoadedBefore] * len(extracts)
    assert len(runs_of(early)) == 1
    assert reports(early) == before


def test_the_same_bytes_under_another_name_are_not_read_again(early: Path, tmp_path: Path) -> None:
    shutil.copy(tmp_path / "early.parquet", tmp_path / "renamed.parquet")
    result = run(early, tmp_path / "renamed.parquet")
    assert (type(result.outcomes[0]), result.run) == (LoadedBefore, None)


@pytest.mark.parametrize("change", [{"as_of": date(2024, 7, 1)}, {"line_of_business": "commercial"}])
def test_another_date_or_setting_is_new(early: Path, change: dict[str, Any]) -> None:
    result = run_reports(early, **change)
    assert result.run is not None
    assert len(runs_of(early)) == 2
    assert {row["outcome"] for row in read_report(early, "controls")} == {"held"}
    assert manifest_of(early)["previous_run_id"] in runs_of(early)


# --- refused extracts


def test_a_refused_extract_stands_in_the_controls_and_the_others_go_on(tmp_path: Path) -> None:
    bad = write_csv(tmp_path / "bad.csv", ["claim_id", "member_id"], [["C1", "M1"]])
    result = run(tmp_path / "out", bad, write_extract(tmp_path / "early.parquet", EARLY))
    assert result.exit_code == 3
    refused, taken = read_report(tmp_path / "out", "controls")
    assert (refused["extract"], refused["outcome"]) == ("bad.csv", "refused")
    assert "claim_line_number" in refused["reason"]
    assert "bad.csv" in refused["reason"]
    assert {value for name, value in refused.items() if name.startswith(("rows_", "paid_"))} == {0}
    assert (taken["extract"], taken["outcome"], taken["rows_kept"]) == ("early.parquet", "taken", 3)
    assert keys(findings(tmp_path / "out")) == [EARLY_FINDING]


def test_where_all_are_refused_what_out_holds_is_audited(early: Path, tmp_path: Path) -> None:
    result = run(early, empty_file(tmp_path))
    assert (result.exit_code, [type(outcome) for outcome in result.outcomes]) == (3, [Refused])
    assert [(row["extract"], row["outcome"]) for row in read_report(early, "controls")] == [
        ("early.parquet", "held"),
        ("empty.csv", "refused"),
    ]
    assert [row["status"] for row in findings(early)] == ["open"]


def test_where_all_are_refused_an_empty_out_is_audited_too(tmp_path: Path) -> None:
    assert run(tmp_path / "out", empty_file(tmp_path)).exit_code == 3
    assert [row["outcome"] for row in read_report(tmp_path / "out", "controls")] == ["refused"]


def test_the_same_refused_again_is_nothing_new_and_still_exit_3(early: Path, tmp_path: Path) -> None:
    run_reports(early, empty_file(tmp_path))
    result = run_reports(early, empty_file(tmp_path))
    assert (result.exit_code, result.run) == (3, None)
    assert len(runs_of(early)) == 2


def test_a_refused_extract_is_gone_from_the_next_runs_controls(early: Path, tmp_path: Path) -> None:
    run_reports(early, empty_file(tmp_path))
    assert run_reports(early).run is not None
    assert [row["outcome"] for row in read_report(early, "controls")] == ["held"]


def test_one_content_refused_under_two_names_is_one(tmp_path: Path) -> None:
    run_reports(tmp_path / "out", *(write_csv(tmp_path / name, ["claim_id"], [["C1"]]) for name in ("a.csv", "b.csv")))
    assert [row["extract"] for row in read_report(tmp_path / "out", "controls")] == ["a.csv"]


def test_a_path_that_does_not_exist_is_wrong_usage(early: Path, tmp_path: Path) -> None:
    good = write_extract(tmp_path / "more.parquet", [line("D", "2023-05-12")])
    with pytest.raises(UsageError, match=r"nowhere\.csv does not exist") as caught:
        run(early, good, tmp_path / "nowhere.csv")
    assert caught.value.exit_code == 2
    assert (len(runs_of(early)), len(list((early / "claims").iterdir()))) == (1, 1)


# --- little or nothing to audit


def test_no_extracts_on_an_empty_out_give_valid_empty_reports(sample: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "out")
    assert result.exit_code == 0
    assert result.run is not None
    row_counts = {}
    for name in REPORTS:
        file = pq.ParquetFile(tmp_path / "out/current" / f"{name}.parquet")
        assert file.schema_arrow == pq.ParquetFile(sample / "current" / f"{name}.parquet").schema_arrow
        if file.metadata.num_rows:
            row_counts[name] = file.metadata.num_rows
    of_rules = {"rules": 7, "trend": 7, "review_outcomes": 16, "limits": 13}
    assert row_counts == of_rules | {"run_facts": 1, "policy_texts": 1, "doubt_meanings": 18, "family_meanings": 15, "data_quality": 5}
    assert verify_run(Store(tmp_path / "out")) == []


def test_a_header_alone_is_an_extract_of_no_rows(tmp_path: Path) -> None:
    result = run(tmp_path / "out", write_extract(tmp_path / "header.csv", []), write_extract(tmp_path / "header.parquet", []))
    assert (result.exit_code, [type(outcome) for outcome in result.outcomes]) == (0, [Loaded, Loaded])
    controls = read_report(tmp_path / "out", "controls")
    assert [(row["outcome"], row["rows_read"], row["paid_read"]) for row in controls] == [("taken", 0, 0)] * 2
    columns = read_report(tmp_path / "out", "columns")
    assert {(row["is_present"], row["filled_count"]) for row in columns} == {(True, 0)}
    assert len(columns) == 2 * len(COLUMNS)
    assert run(tmp_path / "out", tmp_path / "header.csv").run is None


def test_extracts_without_a_relevant_line_give_no_findings(tmp_path: Path) -> None:
    run(tmp_path / "out", write_extract(tmp_path / "x.parquet", [line("A", "2023-01-10", "99213")]))
    assert findings(tmp_path / "out") == []
    assert [row["rows_not_relevant"] for row in read_report(tmp_path / "out", "controls")] == [1]


# --- one run at a time, and readers beside it


HOLD = """
import sys
from pathlib import Path
from sij_audit.transforms.store.folder import Store

with Store(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_held_off_while_another_process_holds_out(early: Path) -> None:
    holding: list[str | Path] = [sys.executable, "-c", HOLD, early]
    with subprocess.Popen(holding, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError) as caught:
            run_reports(early, as_of=date(2024, 7, 1))
        assert caught.value.exit_code == 75
        assert len(runs_of(early)) == 1
        holder.communicate("")
    assert run_reports(early, as_of=date(2024, 7, 1)).run is not None


def test_readers_see_the_old_run_or_the_new_one_whole(early: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []
    wrong: list[str] = []
    stop = threading.Event()

    def read() -> None:
        store = Store(early)
        while not stop.is_set():
            current = store.current_run()
            assert current is not None
            found = read_report(current)
            if {row["run_id"] for row in found} != {current.name} or store.manifest(current)["run_id"] != current.name:
                wrong.append(current.name)
            if (current.name, len(found)) not in seen:
                seen.append((current.name, len(found)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number, day in enumerate(("2023-05-20", "2023-06-30"), 1):
            run(early, write_extract(tmp_path / f"more{number}.parquet", [line(f"D{number}", day)]))
        deadline = time.monotonic() + 30
        while (early / "current").resolve().name not in dict(seen) and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        stop.set()
        reader.join()
    assert wrong == []
    assert [count for _, count in seen] == [1, 2, 4]
    assert sorted(name for name, _ in seen) == runs_of(early)


# --- what is held against a run


def test_verify_finds_no_difference_in_what_was_published(sample: Path) -> None:
    assert verify_run(Store(sample)) == []


def test_verify_finds_a_flipped_byte_of_any_file(copy: Path) -> None:
    store = Store(copy)
    current = store.current_run()
    assert current is not None
    files = [*(current / name for name in sorted(files_of(current))), *sorted((copy / "claims").iterdir())]
    assert len(files) == len(REPORTS) + 7 + 3
    for path in files:
        content = path.read_bytes()
        place = len(content) // 2
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            differences = verify_run(store)
        except AuditError as error:
            assert path.name == "manifest.json"
            differences = [str(error)]
        assert [path.name in difference for difference in differences] == [True]
        path.write_bytes(content)
    assert verify_run(store) == []


def test_verify_finds_a_missing_file(copy: Path) -> None:
    (copy / "current" / "payees.parquet").unlink()
    [difference] = verify_run(Store(copy))
    assert "payees.parquet is missing" in difference


def test_earlier_runs_stay_as_they_were(early: Path) -> None:
    [first] = runs_of(early)
    folder = early / "runs" / first
    before = {name: (folder / name).read_bytes() for name in files_of(folder)}
    run(early, as_of=date(2023, 5, 1))
    run(early, line_of_business="medicare")
    assert {name: (folder / name).read_bytes() for name in files_of(folder)} == before
    assert verify_run(Store(early), first) == []


# --- dates


def test_a_past_as_of_date_audits_what_had_been_done_by_then(early: Path, tmp_path: Path) -> None:
    assert [row["status"] for row in findings(early)] == ["new"]
    result = run_reports(early, as_of=date(2023, 5, 9))
    assert [(row["status"], row["amount_at_risk"]) for row in findings(early)] == [("withdrawn", 0)]
    assert manifest_of(early)["totals"]["lines_after_as_of"] == 1
    assert result.current.name.startswith("2023-05-09-")
    run_reports(early, as_of=date(2023, 5, 10))
    assert [(row["status"], row["first_reported"]) for row in findings(early)] == [("new", date(2023, 5, 10))]
    assert manifest_of(early)["totals"]["lines_after_as_of"] == 0


def test_a_past_date_finds_in_the_sample_what_a_first_run_would(copy: Path, tmp_path: Path) -> None:
    day = date(2023, 3, 31)
    run_reports(copy, as_of=day)
    run_reports(tmp_path / "fresh", SAMPLE, as_of=day)
    held = [row for row in findings(copy) if row["status"] != "withdrawn"]
    names = [name for name in held[0] if name not in ("status", "first_reported")]
    assert 0 < len(held) < len(findings(copy))
    assert [[row[name] for name in names] for row in held] == [[row[name] for name in names] for row in findings(tmp_path / "fresh")]


# --- one run after another


def statuses(out: Path) -> list[tuple[str, str]]:
    return [(row["person_id"], row["status"]) for row in findings(out)]


def test_findings_are_new_open_changed_withdrawn_and_new_again(tmp_path: Path) -> None:
    """Person S stays, C is corrected, W is voided and comes back under a new claim, N comes later."""
    out = tmp_path / "out"
    pair = [("A", "2023-01-10"), ("B", "2023-04-10"), ("C", "2023-05-10")]

    def bills(person: str) -> list[Row]:
        return [line(f"{person}{claim}", day, person=person) for claim, day in pair]

    run_reports(out, write_extract(tmp_path / "1.parquet", [*bills("S"), *bills("C"), *bills("W")]), as_of=date(2024, 1, 31))
    assert statuses(out) == [("C", "new"), ("S", "new"), ("W", "new")]
    ids = {row["person_id"]: row["finding_id"] for row in findings(out)}
    voided = findings(out)[2]

    second = [
        bills("C")[2] | {"paid_date": date(2024, 2, 1), "paid_amount": Decimal("150.00")},
        bills("W")[2] | {"paid_date": date(2024, 2, 1), "claim_frequency_code": "8"},
        *bills("N"),
    ]
    run_reports(out, write_extract(tmp_path / "2.parquet", second), as_of=date(2024, 2, 29))
    assert statuses(out) == [("C", "changed"), ("N", "new"), ("S", "open"), ("W", "withdrawn")]
    corrected, new, stays, withdrawn = findings(out)
    assert {row["person_id"]: row["finding_id"] for row in (corrected, stays, withdrawn)} == ids
    assert {str(row["first_reported"]) for row in (corrected, stays, withdrawn)} == {"2024-01-31"}
    assert str(new["first_reported"]) == "2024-02-29"
    assert (corrected["paid_amount"], corrected["amount_at_risk"]) == (150, 150)
    kept = {name: value for name, value in voided.items() if name not in ("status", "amount_at_risk", "claim_lines")}
    assert {name: withdrawn[name] for name in kept} == kept
    assert (withdrawn["amount_at_risk"], withdrawn["paid_amount"]) == (0, voided["paid_amount"])
    assert [claim_line | {"amount_at_risk": claim_line["paid_amount"]} for claim_line in withdrawn["claim_lines"]] == voided["claim_lines"]
    payees = [row for row in read_report(out, "payees") if row["finding_id"] == withdrawn["finding_id"]]
    assert [(row["paid_amount"], row["amount_at_risk"]) for row in payees] == [(voided["paid_amount"], 0)]
    rules = {row["rule_id"]: row for row in read_report(out, "rules")}
    assert (rules["interval_under_two_months"]["violations"], rules["interval_under_two_months"]["paid_amount"]) == (
        3,
        sum(row["paid_amount"] for row in (corrected, new, stays)),
    )

    run_reports(out, as_of=date(2024, 3, 31))
    assert statuses(out) == [("C", "open"), ("N", "open"), ("S", "open")]

    back = [bills("W")[2] | {"claim_id": "WD", "paid_date": date(2024, 4, 1)}]
    run_reports(out, write_extract(tmp_path / "4.parquet", back), as_of=date(2024, 4, 30))
    assert statuses(out) == [("C", "open"), ("N", "open"), ("S", "open"), ("W", "new")]
    assert findings(out)[3]["first_reported"] == date(2024, 4, 30)
    assert findings(out)[3]["finding_id"] == ids["W"]
    assert findings(out)[0]["first_reported"] == date(2024, 1, 31)


def test_each_run_names_the_one_before(early: Path) -> None:
    [first] = runs_of(early)
    assert manifest_of(early)["previous_run_id"] is None
    run_reports(early, as_of=date(2024, 7, 1))
    assert manifest_of(early)["previous_run_id"] == first


def test_a_later_extract_corrects_what_an_earlier_one_brought(early: Path, tmp_path: Path) -> None:
    """An unmarked correction of a kept claim is kept for the claim's sake."""
    later = EARLY[2] | {"hcpcs_code": "99213", "paid_date": date(2024, 1, 1)}
    run_reports(early, write_extract(tmp_path / "later.parquet", [later]))
    assert [row["status"] for row in findings(early)] == ["withdrawn"]


# --- batches that cannot be used


def the_batch(out: Path) -> Path:
    [path] = (out / "claims").iterdir()
    return Path(path)


def failed(out: Path, *extracts: Path) -> str:
    """The message of a run that fails, whatever stands published staying as it is."""
    before = (runs_of(out), (out / "current").resolve(), reports(out))
    with pytest.raises(AuditError) as caught:
        run(out, *extracts, as_of=date(2024, 7, 1))
    assert caught.value.exit_code == 4
    assert (runs_of(out), (out / "current").resolve(), reports(out)) == before
    return str(caught.value)


def test_a_batch_of_another_format_stops_the_run_with_a_sentence(early: Path) -> None:
    change_batch(the_batch(early), format=FORMAT + 1)
    message = failed(early)
    assert f"format {FORMAT + 1}" in message
    assert "early.parquet" in message


def test_a_batch_that_was_cut_stops_the_run_with_a_sentence(early: Path) -> None:
    path = the_batch(early)
    for size in (0, 10, path.stat().st_size // 2, path.stat().st_size - 1):
        content = path.read_bytes()
        path.write_bytes(content[:size])
        assert f"claims/{path.name} is damaged" in failed(early)
        path.write_bytes(content)
    assert run_reports(early, as_of=date(2024, 7, 1)).exit_code == 0


def test_a_batch_whose_rows_are_not_those_it_counts_stops_the_run(early: Path) -> None:
    path = the_batch(early)
    table = pq.ParquetFile(path).read()
    pq.write_table(table.slice(0, 2), path)
    assert f"claims/{path.name} has 2 rows" in failed(early)


# --- a family that has gained a code


@pytest.fixture
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reference tables, to do with as one likes."""
    folder = Path(shutil.copytree(reference_tables.REFERENCE, tmp_path / "0_reference"))
    monkeypatch.setattr(reference_tables, "REFERENCE", folder)
    return folder / "procedure_codes.csv"


def gain(codes: Path, code: str, effective_from: str = "") -> None:
    with codes.open("a", encoding="utf-8") as file:
        file.write(f"{code},sij_injection,{effective_from},,false,made up,a test\n")


def test_where_a_family_has_gained_a_code_the_extract_is_asked_for_and_read_again(tmp_path: Path, reference: Path) -> None:
    out, extract = tmp_path / "out", tmp_path / "nights 1.parquet"
    write_extract(extract, [*EARLY, line("D", "2023-05-12", "0999T")])
    write_extract(tmp_path / "old.parquet", [line("O", "2020-05-12", person="P2")])
    run_reports(out, extract, tmp_path / "old.parquet")
    [first] = runs_of(out)
    old_batches = {path.name for path in (out / "claims").iterdir()}
    gain(reference, "0999T", "2021-01-01")

    message = failed(out)
    assert "nights 1.parquet" in message
    assert "0999T" in message
    assert "old.parquet" not in message, "its lines all come before the code"
    assert {path.name for path in (out / "claims").iterdir()} == old_batches

    result = run_reports(out, extract)
    assert [type(outcome) for outcome in result.outcomes] == [Loaded]
    batches = {path.name for path in (out / "claims").iterdir()}
    assert (len(batches), len(batches & old_batches)) == (2, 1)
    assert {path.name for path in (out / "quarantine").iterdir()} == batches
    assert ("interval_under_two_months", "P1", "2023-05-12", "violation") in keys(findings(out))
    assert [(row["extract"], row["rows_kept"]) for row in read_report(out, "controls")] == [("nights 1.parquet", 4), ("old.parquet", 1)]
    assert verify_run(Store(out), first) == []
    assert run_reports(out, extract).run is None


def test_a_code_that_comes_into_force_later_asks_for_nothing(early: Path, reference: Path) -> None:
    gain(reference, "0999T", "2023-05-11")
    assert run_reports(early).run is not None
    assert [row["status"] for row in findings(early)] == ["open"]


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        result: Result = run(Path(folder) / "out", SAMPLE, as_of=AS_OF)
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(golden_text(Path(folder) / "out"), encoding="utf-8")
