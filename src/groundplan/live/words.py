"""Words of others on our terminal: a container may end with any bytes as its last message."""

from __future__ import annotations

_FIRST, _LAST = 350, 150
"""Letters that are kept of what is longer: an API server's last words, after a whole object, say what is wrong."""


def plain(text: object) -> str:
    """`text` in one line without anything that a terminal would obey, and cut in its middle where it is long."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())
    return shown if len(shown) <= _FIRST + _LAST else f"{shown[:_FIRST]} … {shown[-_LAST:]}"
