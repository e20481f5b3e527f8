"""Elements of SVG, with all that is put into them escaped; the one home of charts and timelines for them."""

from collections.abc import Iterable

from markupsafe import Markup, escape


def element(name: str, *children: str | Markup, **attributes: str | float | None) -> Markup:
    """Write an element; `_` in the name of an attribute stands for `-`, and attributes without a value are left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value if isinstance(value, str) else number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{''.join(escape(child) for child in children)}</{name}>")  # noqa: S704 (every part is escaped)


def number(value: float) -> str:
    """Write a coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> Markup:
    """Write a straight line; `look` is its class in the style sheet."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=look)


def text(x: float, y: float, content: str, look: str | None = None, anchor: str = "start") -> Markup:
    """Write a label that begins, ends or has its middle at x."""
    return element("text", content, x=x, y=y, class_=look, text_anchor=None if anchor == "start" else anchor)


def joined(shapes: Iterable[Markup]) -> Markup:
    """Lay shapes over each other, the last on top."""
    return Markup("\n").join(shapes)
