"""What commands say with --json: one object on standard output, for programs. docs/json.md lists the keys; nothing of a member is among them.

Dollars are texts with two decimals, dates and times are ISO texts, and what there is not is null.
"""

import json
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

FORMAT = 1
"""Number of the form of the objects; it grows where a key goes or changes its meaning, not where one is added."""


def print_json(command: str, exit_code: int, facts: Mapping[str, Any]) -> None:
    """Print the object of a command that ends with an exit code."""
    document = {"format": FORMAT, "command": command, "exit_code": exit_code, **facts}
    sys.stdout.write(json.dumps(document, default=_write_value, ensure_ascii=False) + "\n")


def _write_value(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
