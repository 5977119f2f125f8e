"""What Kubernetes accepts as a name, and what people probably meant.

Source: RFC 1123 labels; https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LONGEST = 52
"""Leaves eleven characters of the 63 for the suffix of a derived object or a CronJob's Job."""
LONGEST_PORT = 15


def trouble(name: object, longest: int = LONGEST) -> str | None:
    """Why Kubernetes would refuse `name` for an object or a Service, or None."""
    if not isinstance(name, str):
        return f"a name is text, not {type(name).__name__}"
    if len(name) > longest:
        return f"it has {len(name)} characters, at most {longest} fit with the suffixes of derived objects"
    if not _LABEL.fullmatch(name):
        return "a name starts with a letter and holds only a-z, 0-9 and - (RFC 1123 and RFC 1035)"
    return None


def mended(name: object) -> str:
    """The nearest acceptable name."""
    text = re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-0123456789")
    return text[:LONGEST].strip("-") or "a-name"


def meant(name: str, known: Iterable[str]) -> str:
    """``did you mean …?`` for a name that is not known, or the list of what is."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there is {', '.join(known)}" if known else "there is none"
