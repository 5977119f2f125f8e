"""What can go wrong with a backup; one kind, since whoever meets it reads the words."""

from __future__ import annotations


class BackupError(Exception):
    """Says what is wrong, where, and what to do about it."""

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        lines = (self.what, self.why, self.fix and f"fix: {self.fix}")
        return "\n      ".join(line for line in lines if line)
