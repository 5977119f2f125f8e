"""The end of a log file, and its length kept within bounds while a child writes to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

LIMIT = 16 * 1024 * 1024
"""Bytes in a log file before it is cut; one former part of the same length is kept as ``.log.1``."""

TAIL = 64 * 1024
LINES = 15
WIDTH = 2000
"""Characters of one line that are shown."""


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def last_lines(path: Path, since: int = 0, count: int = LINES) -> tuple[str, ...]:
    """The last `count` lines after the byte `since`; from the beginning if the file has been cut."""
    try:
        with path.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            start = since if since <= end else 0
            stream.seek(max(start, end - TAIL))
            text = stream.read(TAIL).decode(errors="replace")
    except OSError:
        return ()
    lines = [line[:WIDTH] for line in text.splitlines() if line.strip()]
    return tuple(lines[-count:])


def cut(path: Path, limit: int = LIMIT) -> bool:
    """Moves what `path` holds to ``.1`` when it is longer than `limit`, keeping at most the last `limit` bytes.

    Children append to the file directly, so it is copied and truncated (logrotate's copytruncate): lines
    written between the last read and the truncation, some microseconds, are lost.
    """
    if size(path) <= limit:
        return False
    former = path.with_name(f"{path.name}.1")
    with path.open("r+b") as source:
        try:
            _copy(source, former, limit)
        except OSError:
            former.unlink(missing_ok=True)  # The disk is full: what was there is what can be given up.
        source.truncate(0)
    return True


def _copy(source: BinaryIO, former: Path, limit: int) -> None:
    source.seek(-limit, os.SEEK_END)
    source.readline()
    copied = 0
    with former.open("wb") as target:
        # A flood may outrun the copy; after another `limit` bytes the rest is let go.
        while copied < 2 * limit and (chunk := source.read(1024 * 1024)):
            copied += target.write(chunk)
