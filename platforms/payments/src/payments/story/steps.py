"""Telling a story: each step with its time, and on failure which step and why."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Teller:
    """Prints a line a step."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._number = 0

    def step(self, title: str, act: Callable[[], T], shown: Callable[[T], str] = lambda _: "") -> T:
        """Does `act`. When it fails, says so and exits 1."""
        self._number += 1
        begun = time.monotonic()
        try:
            result = act()
        except Exception as error:  # any failure of a step is the story's end, with its reason
            print(f"{self._number:>3}. {title}\n     FAILED: {type(error).__name__}: {error}", flush=True)
            sys.exit(1)
        took = (time.monotonic() - begun) * 1000
        print(f"{self._number:>3}. {title:<52} {took:7.0f} ms   {shown(result)}".rstrip(), flush=True)
        return result

    def end(self) -> None:
        print(f"\n{self._number} steps in {time.monotonic() - self._begun:.1f} s", flush=True)
