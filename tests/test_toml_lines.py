"""The line of a key or an item is found in whatever way TOML lets it be written."""

import pytest

from sij_audit.transforms.toml_lines import Step, find_line

TEXT = """\
# revisions = ["2000-01"]
revisions = [
    "2018-08",  # the first
    "2019-08", "2020-02",
]
title = "revisions = 1"
inline = { a = 1, "B b" = 2 }

[params]
months = 2
dotted.name = 3

[[feeds]]
name = "a"

[[feeds]]
name = "b"
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("revisions",), 2),
        (("revisions", 0), 3),
        (("revisions", 1), 4),
        (("revisions", 2), 4),
        (("inline", "B b"), 7),
        (("params",), 9),
        (("params", "months"), 10),
        (("params", "dotted", "name"), 11),
        (("feeds", 1), 16),
        (("feeds", 1, "name"), 17),
        (("feeds", 1, "pattern"), 16),
        (("revisions", 3), 2),
        (("nowhere", 3), None),
        ((), None),
    ],
)
def test_a_line_is_found(place: tuple[Step, ...], line: int | None) -> None:
    assert find_line(TEXT, place) == line
