"""How long the request being served may still take; calls made for it inherit that.

Between services it travels as gRPC's own timeout, or in `HEADER` in milliseconds. Times here are
seconds.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

HEADER = "x-request-timeout-ms"

_deadline: ContextVar[float | None] = ContextVar("groundplan_deadline", default=None)


class DeadlineExceeded(Exception):
    """The time that the caller allowed is over."""


def start(seconds: float | None) -> None:
    """The request that begins in this context must end within `seconds` (None: no limit)."""
    _deadline.set(None if seconds is None else time.monotonic() + seconds)


def remaining() -> float | None:
    """Seconds left (negative when over), or None without a limit."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()


def timeout(default: float) -> float:
    """Seconds that a call may take: `default`, or what is left if that is less; raises `DeadlineExceeded`."""
    left = remaining()
    if left is None:
        return default
    if left <= 0:
        raise DeadlineExceeded("the caller's deadline passed before this call began")
    return min(default, left)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Calls in this block must end within `seconds`; a tighter deadline outside stays."""
    ours = time.monotonic() + seconds
    theirs = _deadline.get()
    token = _deadline.set(ours if theirs is None else min(ours, theirs))
    try:
        yield
    finally:
        _deadline.reset(token)


def parse(header: bytes | str | None) -> float | None:
    """Seconds from the value of `HEADER`; None when absent or not a number of milliseconds."""
    if not header:
        return None
    try:
        milliseconds = int(header)
    except ValueError:
        return None
    return max(milliseconds, 0) / 1000
