"""Spans from the files that a collector on this machine keeps (`groundplan.standins.traces`)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path

from groundplan.local.traces import protobuf, spans, trees

FILES = ("spans.1.log", "spans.log")
"""Older first."""


def traces(data: Path) -> list[trees.Trace]:
    """Every trace kept below `data` (the data of all engines), the newest first."""
    found: dict[str, dict[str, spans.Span]] = {}
    for name in FILES:
        for file in sorted(data.glob(f"*/{name}")):
            for span in _of_file(file):
                found.setdefault(span.trace, {})[span.id] = span
    made = [trees.Trace(tuple(each.values())) for each in found.values()]
    return sorted(made, key=lambda trace: trace.start, reverse=True)


def _of_file(file: Path) -> Iterator[spans.Span]:
    try:
        with file.open("rb") as lines:
            for line in lines:
                yield from _of_line(line)
    except FileNotFoundError:
        return  # put aside between being listed and being opened: the other file has it


def _of_line(line: bytes) -> Iterator[spans.Span]:
    """The spans of one request; none of one that cannot be read, or was cut short by a kill."""
    kind, _, body = line.rstrip(b"\n").partition(b" ")
    try:
        if kind == b"json":
            yield from list(spans.of_json(body))
        elif kind == b"protobuf":
            yield from list(spans.of_tree(protobuf.request(base64.b64decode(body, validate=True))))
    except (ValueError, binascii.Error, RecursionError):
        return
