"""Text as Markdown: nothing that an author writes becomes markup (GitHub's dialect, with tables).

Source: https://github.github.com/gfm/
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_SIGNS = re.compile(r"([\\`*\[\]|~#!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_TICKS = re.compile(r"`+")


def text(plain: object) -> str:
    """`plain` as it reads, on one line."""
    said = html.escape(_line(plain), quote=False)
    said = _SIGNS.sub(r"\\\1", said)
    # A scheme or "www." would become a link by itself.
    return said.replace("://", ":&#47;&#47;").replace("www.", "www&#46;").replace("@", "&#64;")


def _line(plain: object) -> str:
    """In one line, without what a terminal obeys or what turns the order of letters round."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(plain)).split())


def code(plain: object) -> str:
    """`plain` in the type of code; empty for nothing."""
    said = _line(plain).replace("|", "\\|")
    if not said:
        return ""
    fence = "`" * (max((len(each) for each in _TICKS.findall(said)), default=0) + 1)
    room = " " if said.startswith("`") or said.endswith("`") else ""
    return f"{fence}{room}{said}{room}{fence}"


def codes(several: Iterable[object]) -> str:
    return ", ".join(code(each) for each in several)


def link(words: object, address: str) -> str:
    """A link; whatever an address may not hold is encoded."""
    where = re.sub(r"[^A-Za-z0-9._/#-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), address)
    return f"[{text(words)}]({where})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already. A sentence in place of one without rows."""
    lines = list(rows)
    if not lines:
        return "None."
    return "\n".join(f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head), *lines))


def page(title: str, *parts: str) -> str:
    """A whole page."""
    return "\n\n".join((f"# {text(title)}", *(part for part in parts if part))) + "\n"


def anchor(title: str) -> str:
    """The fragment by which a heading of plain words is found (as GitHub makes them)."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
