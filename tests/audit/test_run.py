"""What holds a run together, where no whole run shows it."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

from sij_audit.transforms.audit.counted_batches import check_codes, one_batch_each
from sij_audit.transforms.ingest.batch_codes import code_table
from sij_audit.transforms.settings import Settings
from sij_audit.transforms.stages.reference import Code, load_codes
from sij_audit.transforms.store.folder import Store
from tests.runs import line, read_report, run, write_extract


def test_of_two_batches_of_one_content_the_one_kept_by_todays_codes_counts(tmp_path: Path) -> None:
    run(tmp_path / "out", write_extract(tmp_path / "a.csv", [line("C1", "2024-01-02")]))
    codes = load_codes()
    [batch] = Store(tmp_path / "out").batches()
    for number in ("0", "f"):
        stale = replace(batch, batch_id=number * 32, codes=code_table([code for code in codes if code.hcpcs_code != "27096"]))
        assert one_batch_each([stale, batch], codes, Settings()) == one_batch_each([batch, stale], codes, Settings()) == [batch]


def test_a_code_that_comes_into_force_later_leaves_a_batch_as_good_as_it_was(tmp_path: Path) -> None:
    run(tmp_path / "out", write_extract(tmp_path / "a.csv", [line("C1", "2024-01-02")]))
    check_codes(Store(tmp_path / "out").batches(), [*load_codes(), Code("99999", date(2099, 1, 1), None)])


def test_a_file_name_that_is_no_utf_8_is_loaded(tmp_path: Path) -> None:
    name = os.fsdecode(b"claims \xff.csv")
    write_extract(tmp_path / "a.csv", [line("C1", "2024-01-02")]).rename(tmp_path / name)
    run(tmp_path / "out", tmp_path / name)
    assert [row["extract"] for row in read_report(tmp_path / "out", "controls")] == ["claims \ufffd.csv"]
