"""What can go wrong with a running cluster, as one small tree.

LiveError
├── Unreachable     nobody answers, or not in time, or not in full
├── Refused         somebody answers, and says no
├── Unexpected      an answer that makes no sense from whom it should be
└── Waiting         people must do or bring something first
"""

from __future__ import annotations


class LiveError(Exception):
    """Says what failed, why, and what to do about it."""

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        said = (self.why, self.fix and f"fix: {self.fix}")
        return "\n".join([self.what, *(f"      {line}" for text in said for line in text.splitlines())])

    def message(self) -> dict[str, str]:
        """The same, as data."""
        return {"kind": type(self).__name__, "what": self.what, "why": self.why, "fix": self.fix}


class Unreachable(LiveError): ...


class Refused(LiveError): ...


class Unexpected(LiveError): ...


class Waiting(LiveError): ...
