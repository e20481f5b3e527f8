"""Rows as CSV that a spreadsheet opens right and takes for no formula.

UTF-8 with a byte-order mark, without which Excel garbles what is not ASCII, commas and CRLF (RFC 4180). A text that a spreadsheet may take for
a formula has an apostrophe in front; `take_back` undoes it, and changes no other text. Numbers, dates and amounts are left alone, lists are
joined with "; ". Excel still guesses what is a number when it opens CSV, and drops leading zeros: the workbook and Parquet are exact.
"""

import csv
import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

FORMULA = re.compile(r"""["'\s]*[=+\-@＝＋－＠]|["']*[\t\r\n]""")
"""How a text begins that a spreadsheet may take for a formula, behind blanks and quotes too.

An apostrophe before such a text gives such a text again: so what `defuse` does can be taken back without doubt.
"""


def defuse(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet may take for a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def take_back(text: str) -> str:
    """Take away the apostrophe that `defuse` put there."""
    return text[1:] if text.startswith("'") and FORMULA.match(text, 1) else text


def write_csv(rows: pa.RecordBatchReader, path: Path) -> int:
    """Write rows under a header, and say how many there were; `path` is written over."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([defuse(name) for name in rows.schema.names])
        for batch in rows:
            columns = [column.to_pylist() for column in batch.columns]
            writer.writerows([write_cell(value) for value in row] for row in zip(*columns, strict=True))
            count += batch.num_rows
    return count


def write_cell(value: Any) -> str:
    """Write a value as the text of a CSV cell; null is empty."""
    match value:
        case None:
            return ""
        case str():
            return defuse(value)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case datetime() | date():
            return str(value)
        case list():
            return defuse("; ".join(_write_part(part) for part in value))
        case _:
            return defuse(_write_part(value))


def _write_part(value: Any) -> str:
    """A value within a list; a struct is JSON, bytes are hex."""
    match value:
        case str():
            return value
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=_write_part)
        case bytes():
            return value.hex()
        case bool() | int() | float() | Decimal() | datetime() | date() | None:
            return write_cell(value)
        case _:
            return str(value)
