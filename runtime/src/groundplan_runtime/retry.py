"""Pauses between tries: exponential with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter")."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator


def pauses(
    tries: int, *, base: float = 0.05, cap: float = 2.0, jitter: Callable[[], float] = random.random
) -> Iterator[float]:
    """The pauses in seconds between `tries` tries, so one fewer than that."""
    for attempt in range(tries - 1):
        yield min(cap, base * 2**attempt) * jitter()
