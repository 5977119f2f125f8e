"""What probes answered last."""

from __future__ import annotations

from typing import Literal

import msgspec

Question = Literal["startup", "readiness", "liveness"]


class Health(msgspec.Struct, frozen=True, kw_only=True, tag="health"):
    """The last answer to one question about one instance; written when it changes."""

    instance: str
    question: Question
    passed: bool
    said: str
    """In words: "200 OK", "connection refused"."""
    since: float
