"""When a log file was how long, so that lines without a time of their own can be put between others.

Beside ``api.log`` lies ``api.times``: "1795225214.458 1024" says that the first 1024 bytes had been written
by then. It is noted once a second while the log grows, and begun anew when the log is cut.
"""

from __future__ import annotations

import bisect
from pathlib import Path

LONGEST = 1024 * 1024
"""Bytes after which the older half of the notes is dropped."""


class Recorder:
    """Notes the lengths of files that grow."""

    def __init__(self) -> None:
        self._lengths: dict[Path, int] = {}

    def note(self, log: Path, now: float) -> None:
        """Notes the length of `log` if it has changed. What cannot be written is left out: it is a convenience."""
        try:
            length = log.stat().st_size
            if length != self._lengths.get(log):
                self._lengths[log] = length
                _append(log.with_suffix(".times"), f"{now:.3f} {length}\n")
        except OSError:
            return

    def forget(self, log: Path) -> None:
        """Begins anew: `log` is empty."""
        self._lengths.pop(log, None)
        log.with_suffix(".times").unlink(missing_ok=True)


def _append(path: Path, text: str) -> None:
    with path.open("a+") as stream:
        stream.write(text)
        if stream.tell() > LONGEST:
            stream.seek(LONGEST // 2)
            newer = stream.read().partition("\n")[2]
            stream.seek(0)
            stream.truncate()
            stream.write(newer)


class Times:
    """The notes about one log."""

    def __init__(self, log: Path) -> None:
        self._moments: list[float] = []
        self._lengths: list[int] = []
        try:
            found = [line.split() for line in log.with_suffix(".times").read_text().splitlines()]
            self._moments = [float(moment) for moment, _ in found]
            self._lengths = [int(length) for _, length in found]
        except (OSError, ValueError):
            return  # Without notes, or with a half-written one, lines keep the time of their predecessor.

    def at(self, offset: int) -> float:
        """By when the byte at `offset` had been written; 0 where that is unknown."""
        place = bisect.bisect_right(self._lengths, offset)
        return self._moments[place] if place < len(self._moments) else 0.0
