"""Standard output and error that carry words of others: a terminal obeys none of them.

Object names in anybody's manifests, spans, log lines, an API server's answers: whatever could move a cursor, retitle
a window, or turn the order of letters round is shown spelt out. What remains are the few colours that we paint in.

Belongs here: the streams themselves. Imports nothing of ours.
Sources: ECMA-48 (control functions), https://www.unicode.org/reports/tr9/ (explicit directional characters).
"""

from __future__ import annotations

import io
import re
import sys
from typing import TextIO

_PAINT = r"(?:[0-4]|22|3[1-6]|39|9[1-6])"
_OBEYED = re.compile(
    rf"(\A\r\x1b\[K|\x1b\[(?:{_PAINT}(?:;{_PAINT})*)?m)"  # our own: the line of progress anew, and colours
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def spelt(text: str) -> str:
    """`text` with what a terminal would obey as JSON spells it (``\\u001b``), so that JSON stays the JSON it is."""
    return _OBEYED.sub(lambda found: found[1] or f"\\u{ord(found[0]):04x}", text)


class Spelling(io.TextIOWrapper):
    """A text stream that writes `spelt`, and spells too what its encoding cannot say."""

    def write(self, text: str) -> int:
        super().write(spelt(text))
        return len(text)


def guard() -> None:
    """Puts a `Spelling` in place of standard output and standard error."""
    sys.stdout, sys.stderr = _spelling(sys.stdout), _spelling(sys.stderr)


def _spelling(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper) or isinstance(stream, Spelling):
        return stream  # closed by who started us
    encoding, lines, through = stream.encoding, stream.line_buffering, stream.write_through
    return Spelling(stream.detach(), encoding, "backslashreplace", line_buffering=lines, write_through=through)
