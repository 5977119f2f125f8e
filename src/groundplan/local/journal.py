"""The supervisor's own log, in the form of the services' logs: what happened to whom, and when."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterable
from pathlib import Path

import msgspec

from groundplan.local.state import events, logs

NAME = "groundplan"


def line(notice: logs.Notice) -> bytes:
    """One notice as a JSON log line."""
    at = datetime.datetime.fromtimestamp(notice.at, datetime.UTC).isoformat(timespec="milliseconds")
    fields = {"time": at.replace("+00:00", "Z"), "level": notice.level.upper(), "service": NAME, "message": notice.text}
    more = {"unit": notice.unit} if notice.unit else {}
    return msgspec.json.encode({**fields, **more}) + b"\n"


async def keep(path: Path, batches: AsyncIterable[list[events.Event]]) -> None:
    """Appends every notice to `path`."""
    async for batch in batches:
        lines = [line(event) for event in batch if isinstance(event, logs.Notice)]
        if lines:
            _append(path, b"".join(lines))


def _append(path: Path, content: bytes) -> None:
    try:
        with path.open("ab") as stream:
            stream.write(content)
    except OSError:
        return  # A full disk is told elsewhere; this file is a convenience.
