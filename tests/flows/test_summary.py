"""The summary of a run as Markdown shows sentences as they are, whatever a file is called."""

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sij_audit.flows.summary import summarize_failure, summarize_result
from sij_audit.transforms.audit.run import Result
from sij_audit.transforms.ingest.outcomes import Refused

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
