"""Counts, amounts and lists are written one way everywhere."""

from decimal import Decimal

from sij_audit.transforms.text import count_of, dollars, list_names, printable, whole_dollars


def test_amounts_below_zero_have_their_sign_before_the_dollar() -> None:
    assert [dollars(Decimal(text)) for text in ("-1234.5", "0", "1234567.891")] == ["-$1,234.50", "$0.00", "$1,234,567.89"]
    assert [whole_dollars(Decimal(text)) for text in ("-1234.4", "0", "1234567.891")] == ["-$1,234", "$0", "$1,234,568"]


def test_an_amount_that_is_not_there_is_no_zero() -> None:
    assert dollars(None) == "no amount"


def test_one_of_a_thing_has_no_plural() -> None:
    assert [count_of(number, "finding") for number in (0, 1, 1234)] == ["0 findings", "1 finding", "1,234 findings"]


def test_names_beyond_the_limit_are_counted() -> None:
    assert list_names(["a", "b"], 2) == "a, b"
    assert list_names((name for name in "abcd"), 2) == "a, b and 2 more"


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert printable("a\x1b[2Jb\n") == "a?[2Jb?"
