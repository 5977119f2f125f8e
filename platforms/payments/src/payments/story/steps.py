"""Telling a story: each step with its time, and on failure which step and why."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Teller:
    """Prints a line a step: for people, or as JSON where `as_json`."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._begun = time.monotonic()
        self._number = 0

    def step(self, title: str, act: Callable[[], T], shown: Callable[[T], str] = lambda _: "") -> T:
        """Does `act`. When it fails, says so and exits 1."""
        self._number += 1
        begun = time.monotonic()
        try:
            result = act()
        except Exception as error:  # any failure of a step is the story's end, with its reason
            why = f"{type(error).__name__}: {error}"
            self.line(
                {"step": self._number, "title": title, "failed": why}, f"{self._number:>3}. {title}\n     FAILED: {why}"
            )
            sys.exit(1)
        took, said = (time.monotonic() - begun) * 1000, shown(result)
        document = {"step": self._number, "title": title, "milliseconds": round(took, 1), "shown": said}
        self.line(document, f"{self._number:>3}. {title:<60} {took:7.0f} ms   {said}".rstrip())
        return result

    def end(self) -> None:
        """Says how long it took."""
        took = time.monotonic() - self._begun
        self.line({"steps": self._number, "seconds": round(took, 2)}, f"\n{self._number} steps in {took:.1f} s")

    def line(self, document: dict[str, object], text: str) -> None:
        """A line: `text` for people, or `document`."""
        print(json.dumps(document) if self._json else text, flush=True)
