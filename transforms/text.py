"""Counts, amounts and lists of names as people read them, the same wherever they are shown."""

from collections.abc import Iterable
from decimal import Decimal


def printable(value: object) -> str:
    """Write a text that came from outside without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))


def dollars(amount: float | Decimal | None) -> str:
    """Write an amount of US dollars to the cent, its sign before the dollar."""
    return "no amount" if amount is None else _with_sign(amount, f"${abs(amount):,.2f}")


def whole_dollars(amount: float | Decimal) -> str:
    """Write an amount of US dollars without cents, its sign before the dollar."""
    return _with_sign(amount, f"${abs(amount):,.0f}")


def _with_sign(amount: float | Decimal, written: str) -> str:
    return f"-{written}" if amount < 0 else written


def count_of(number: int, noun: str) -> str:
    """Write so many of a thing."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def list_names(names: Iterable[str], most: int = 12) -> str:
    """List names, and count those beyond `most`."""
    named = list(names)
    return ", ".join(named[:most]) + (f" and {len(named) - most:,} more" if len(named) > most else "")


def describe_newest_text(policy_id: str, revision: str) -> str:
    """Say of when the newest text of a policy is that is held; `revision` is its year and month of approval, such as 2023-08."""
    year, month = revision.split("-")
    return f"The newest text of {policy_id} that is held is of {month}/{year[2:]}: later services are measured against it."


def describe_open_adjustments(findings: int) -> list[str]:
    """Point to the report open_adjustments where it names findings; no sentence where it names none."""
    if not findings:
        return []
    cite = "cites a line" if findings == 1 else "cite lines"
    what = "that an adjustment or a reversal without a line of its own may be about"
    return [f"{count_of(findings, 'finding')} {cite} {what}: see open_adjustments."]
