"""How a text of rows is written: what separates its cells, what quotes them, where its names stand, in which encoding."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Dialect:
    """A way to write rows of cells as lines. A contract's extract is written as `COMMAS` says; a layout may say otherwise."""

    separator: bytes = b","
    """One byte of ASCII."""
    quote: bytes = b'"'
    """One byte of ASCII; empty where a quote is a character like others."""
    header_row: int | None = None
    """The line that has the names, from 1; None for the first that is not blank, 0 where no line has them."""
    names: tuple[str, ...] = ()
    """Those of the columns, where no line has them."""
    encoding: str = "utf-8"

    @cached_property
    def quoted_cell(self) -> re.Pattern[bytes]:
        """A cell in quotes, with its text as group 1."""
        quote = re.escape(self.quote)
        return re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"'.replace(b'"', quote))

    @cached_property
    def bare_cell(self) -> re.Pattern[bytes]:
        """A cell without quotes round it."""
        return re.compile(rb"[^%b\n]*+" % re.escape(self.separator))

    @cached_property
    def may_precede_quote(self) -> npt.NDArray[np.bool_]:
        """Which bytes may stand before a quote that opens a cell."""
        return np.isin(np.arange(256), list(self.separator + self.quote + b"\n"))

    @cached_property
    def may_follow_quote(self) -> npt.NDArray[np.bool_]:
        """Which bytes may stand behind a quote that closes a cell."""
        return np.isin(np.arange(256), list(self.separator + self.quote + b"\n\r"))


COMMAS = Dialect()
