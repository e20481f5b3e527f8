"""A layout that cannot be used is refused with the line that is to blame."""

import os
from pathlib import Path

import pytest

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.ingest.layouts.layout import SIZE_LIMIT, LayoutText, parse_layout, read_layout

MISTAKES = {
    "separator = ": "a.toml: cannot be read as TOML: Invalid value",
    'divider = "|"': "a.toml, line 1: divider is no key of a layout.",
    'separator = "||"': "a.toml, line 1: separator: it must be one character of ASCII",
    'separator = "\\n"': "a.toml, line 1: separator: it must be one character of ASCII",
    'quote = "x"': "a.toml, line 1: quote: it must be",
    'separator = "\'"\nquote = "\'"': "a.toml: separator and quote are one character.",
    'encoding = "ebcdic"': "a.toml, line 1: encoding: Input should be 'utf-8', ",
    'nulls = ["-"]\ndates = "DD/DD/YYYY"': "a.toml, line 2: dates: DD/DD/YYYY is no form of dates: write it with YYYY or YY,",
    'amounts = "1.5"': "a.toml, line 1: amounts: Input should be '1,234.50', ",
    'names = ["a", "A"]': "a.toml: two columns have the name a, in any case.",
    'names = ["a"]\n[widths]\nb = [1, 2]': "a.toml: widths has names already; leave out names.",
    "[widths]\nb = [0, 2]": "a.toml, line 2: widths.b.0: it must be two numbers: the place of the first character, ",
    '[columns]\nclaim_id = "a"\nclaim_no = "b"': "a.toml, line 3: columns.claim_no: claim_no is no column that the audit reads",
    '[columns]\nclaim_id = { sq = "a" }': "a.toml, line 2: columns.claim_id.sql: it must be the name of a column, or { sql = ",
    "[columns]\nclaim_id = { sql = \"getenv('A')\" }": "a.toml, line 2: columns.claim_id.sql: the function getenv may not be in it;",
    '[columns]\nclaim_id = { sql = "a b c" }': "a.toml, line 2: columns.claim_id.sql: it cannot be read as SQL: ",
    '[columns]\nmodifiers = "a"': "a.toml: columns: name the columns of modifiers one by one, hcpcs_modifier_1 and so on.",
    '[forms]\npaid_amount = "x"': "a.toml, line 2: forms.paid_amount: x is no form of amounts; known: 1,234.50, 1.234,50, cents.",
    '[forms]\nclaim_id = "x"': "a.toml, line 2: forms.claim_id: claim_id holds neither dates nor amounts.",
    '[values.paid_amount]\nA = "1"': "a.toml, line 1: values.paid_amount: paid_amount holds no words; a table of values is for columns of text.",
    '[values.claim_status]\nA = "ok"': "a.toml, line 1: values.claim_status: ok is no status; known: paid, denied, reversed, pending.",
    '[values.payer]\nA = "x"\na = "y"': "a.toml, line 1: values.payer: two of its words are one but for upper and lower case.",
    'names = ["a\\u0000"]': "a.toml: the name of a column is empty, or has control characters.",
    '[columns]\nclaim_id = ""': "a.toml: the name of a column is empty, or has control characters.",
    "header_row = 0": "a.toml: header_row is 0, so names or widths must name the columns.",
    "header_row = true": "a.toml, line 1: header_row: it must be the number of a line, at most 1,000.",
    f"header_row = {'1' * 5000}": "a.toml: cannot be read as TOML: ",
    f"a = {'[' * 5000}": "a.toml: cannot be read as TOML: ",
    "[widths]\na = [1, 1000000000]": "a.toml, line 2: widths.a.1: it must be two numbers: ",
    '[columns]\n"\\u001b[31mX" = "a"': "a.toml, line 2: columns.?[31mX: ?[31mX is no column that the audit reads",
    '[recognize.cells]\nA = "(?x)a # b"': "a.toml, line 2: recognize.cells.A: the pattern of A cannot be read.",
    '[recognize.cells]\nA = "("': "a.toml, line 2: recognize.cells.A: the pattern of A cannot be read.",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_layout_is_named_with_its_line(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_layout(LayoutText("a.toml", text))
    assert str(error.value).startswith(MISTAKES[text])


def test_a_layout_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for name, content, reason in (
        ("large.toml", b"#" * (SIZE_LIMIT + 1), "has more than 64 kB, so it is no layout."),
        ("latin.toml", b"#\xe9", "cannot be read as a layout: it is not UTF-8."),
        ("wrong.toml", b"x = 1", "line 1: x is no key of a layout."),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=f"{name}.*{reason}"):
            read_layout(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(UsageError, match=r"pipe.toml: is no file, so it is no layout\."):
        read_layout(tmp_path / "pipe.toml")
    with pytest.raises(UsageError, match=r"/\?\[31m.toml: cannot be read"):
        read_layout(tmp_path / "\x1b[31m.toml")
    with pytest.raises(UsageError, match=r"gone.toml: cannot be read as a layout: No such file or directory\."):
        read_layout(tmp_path / "gone.toml")


def test_what_a_layout_does_not_say_is_as_in_a_canonical_extract() -> None:
    layout = parse_layout(LayoutText("a.toml", ""))
    assert (layout.separator, layout.quote, layout.encoding, layout.header_row, layout.form_of("paid_date")) == (
        ",",
        '"',
        "utf-8",
        None,
        "",
    )


def test_forms_and_values_of_one_column_come_before_those_of_all() -> None:
    text = 'dates = "DD/MM/YYYY"\n[forms]\npaid_date = "YYYYMMDD"\n[values.modifiers]\n" Left " = "LT"\n[values.hcpcs_modifier_2]\nL = "LT"'
    layout = parse_layout(LayoutText("a.toml", text))
    assert [layout.form_of(name) for name in ("paid_date", "claim_start_date", "claim_id")] == ["YYYYMMDD", "DD/MM/YYYY", ""]
    assert [layout.meanings_of(f"hcpcs_modifier_{n}") for n in (1, 2)] == [{"left": "LT"}, {"l": "LT"}]
