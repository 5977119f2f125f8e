"""Things kept for people to read: in memory, and as lines of JSON in a file that outlives the process."""

from __future__ import annotations

import collections
import itertools
import json
import pathlib
import threading
from collections.abc import Iterator

KEPT = 10_000
"""The newest ones that can be asked for; the file holds no more than twice as many."""


class Shelf:
    """Newest first, numbered from 1."""

    def __init__(self, file: pathlib.Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._kept = collections.deque(_read(file), maxlen=KEPT)
        self._written = len(self._kept)
        newest = self._kept[-1] if self._kept else {}
        self._numbers = itertools.count(int(str(newest.get("number", 0))) + 1)

    def add(self, thing: dict[str, object]) -> dict[str, object]:
        """Keeps `thing`, with its number."""
        with self._lock:
            numbered = {"number": next(self._numbers), **thing}
            self._kept.append(numbered)
            self._written += 1
            with self._file.open("a") as out:
                out.write(json.dumps(numbered) + "\n")
            if self._written > 2 * KEPT:
                self._shorten()
        return numbered

    def newest(self, limit: int, after: int = 0) -> list[dict[str, object]]:
        """At most `limit` with a number above `after`, newest first."""
        with self._lock:
            found = itertools.takewhile(lambda each: int(str(each["number"])) > after, reversed(self._kept))
            return list(itertools.islice(found, limit))

    def one(self, number: int) -> dict[str, object] | None:
        with self._lock:
            return next((each for each in self._kept if each["number"] == number), None)

    def _shorten(self) -> None:
        shorter = self._file.with_suffix(".new")
        shorter.write_text("".join(json.dumps(each) + "\n" for each in self._kept))
        shorter.replace(self._file)
        self._written = len(self._kept)


def _read(file: pathlib.Path) -> Iterator[dict[str, object]]:
    if not file.exists():
        return
    with file.open() as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue  # the last line of a process that was killed while it wrote
