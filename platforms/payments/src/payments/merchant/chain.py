"""The audit log's chain: each line's hash covers the line and the hash before it (as in RFC 6962's idea, but linear).

Changing, removing or reordering a line breaks every hash after it; cutting lines off the end shows against the count
and the head that the account's own row keeps. Whoever can rewrite all of it at once is not stopped by this: keep the
head elsewhere (it is in each answer of ``/audit/verify``) to catch that too.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec


@dataclasses.dataclass(frozen=True)
class Line:
    """One thing that was done."""

    merchant_id: str
    number: int
    at: datetime.datetime
    actor: str
    action: str
    detail: dict[str, Any]
    hash: bytes = b""


_ENCODER = msgspec.json.Encoder(order="deterministic")


def hashed(line: Line, before: bytes) -> bytes:
    """The hash of `line` after the one `before` (empty for the first)."""
    at = line.at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    said = (line.merchant_id, line.number, at, line.actor, line.action, line.detail)
    return hashlib.sha256(before + _ENCODER.encode(said)).digest()


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether a log is whole; else where it is broken first."""

    intact: bool
    lines: int
    head: str
    broken_at: int | None = None
    problem: str = ""


def verify(lines: Iterable[Line], count: int, head: bytes) -> Verdict:
    """Checks `lines` (by number) against each other and against the `count` and `head` that the account keeps."""
    before, expected = b"", 0
    for line in lines:
        expected += 1
        if line.number != expected:
            return _broken(expected, before, f"line {expected} is missing")
        if hashed(line, before) != line.hash:
            return _broken(expected, before, f"line {expected} was changed")
        before = line.hash
    if expected != count:
        return _broken(expected + 1, before, f"{count} lines were written, {expected} are there")
    if before != head:
        return _broken(expected, before, "the last line is not the one that was written last")
    return Verdict(True, expected, head.hex())


def _broken(at: int, head: bytes, problem: str) -> Verdict:
    return Verdict(False, at - 1, head.hex(), at, problem)
