"""The summary of a run as Markdown shows sentences as they are, whatever a file is called."""

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sij_audit.flows.summary import summarize_failure, summarize_result
from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.ingest.outcomes import Refused
from tests.runs import line, run_reports, write_extract

DAY = date(2024, 6, 30)


def test_a_file_name_that_is_markup_stays_text() -> None:
    name = "[x](http://example.org)<img src=x>*.csv"
    text = summarize_result(DAY, Result((), Path("runs/R"), None, None, (f"{name}: did not come.",)))
    assert "- \\[x\\]\\(http://example.org\\)\\<img src=x\\>\\*.csv: did not come." in text


@given(st.text())
def test_a_sentence_stays_on_its_line(sentence: str) -> None:
    text = summarize_failure("Failed", DAY, sentence)
    assert text.splitlines()[0] == "# Failed"
    assert len(text.splitlines()) == 5


def test_notices_and_remarks_are_listed() -> None:
    text = summarize_result(DAY, Result((), Path("runs/R"), None, None, ("One.",), ("Two.",)))
    assert text.splitlines()[-2:] == ["- One.", "- Two."]


def test_a_refused_extract_stands_first_with_its_reason() -> None:
    text = summarize_result(DAY, Result((Refused("a.csv", None, "a.csv: is empty."),), Path("runs/R"), None, None, ("One.",)))
    assert text.splitlines()[2:5] == ["## Refused, and not audited", "", "- a.csv: is empty."]


def test_findings_that_an_open_adjustment_may_be_about_are_counted(tmp_path: Path) -> None:
    claims = [line("A1", "2024-01-02"), line("A2", "2024-02-01"), line("R9", "2024-02-01", paid_amount="-180.00")]
    told = "1 finding cites a line that an adjustment or a reversal without a line of its own may be about: see open_adjustments."
    assert told in summarize_result(DAY, run_reports(tmp_path / "out", write_extract(tmp_path / "a.csv", claims)))
    assert "open_adjustments" not in summarize_result(DAY, run_reports(tmp_path / "other", write_extract(tmp_path / "b.csv", claims[:2])))
