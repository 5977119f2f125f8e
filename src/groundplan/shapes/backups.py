"""How a resource is backed up, or why it is not."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Daily:
    """Once a day at `at` (UTC, HH:MM), the last `keep` kept."""

    keep: int
    at: str = "03:00"


@dataclasses.dataclass(frozen=True)
class NoBackup:
    """Nothing is backed up, because."""

    reason: str


Backup = Daily | NoBackup


def daily(*, keep: int, at: str = "03:00") -> Daily:
    """A backup a day, the last `keep` (days) kept."""
    return Daily(keep=keep, at=at)
