"""What there is, and how each of its processes is. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Phase = Literal[
    "waiting",  # for what comes before it
    "starting",
    "running",  # a task or a schedule at work
    "ready",
    "unready",  # runs, but its readiness fails
    "restarting",  # ended, and waits for its next start
    "failed",
    "stopping",
    "stopped",
    "done",  # a task that ended well
    "idle",  # a schedule between two runs
]

WORST: tuple[Phase, ...] = (
    "failed", "restarting", "stopping", "unready", "starting", "waiting", "running", "stopped", "idle", "ready", "done",
)  # fmt: skip
SETTLED: tuple[Phase, ...] = ("ready", "done", "idle")


class Unit(msgspec.Struct, frozen=True, kw_only=True, tag="unit"):
    """One unit of the plan, in the words that views show."""

    name: str
    kind: str
    """task, schedule, engine, service, worker or stand-in."""
    title: str = ""
    instances: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    runs: str = ""
    fidelity: str = ""
    origin: str = ""


class Instance(msgspec.Struct, frozen=True, kw_only=True, tag="instance"):
    """One process: a replica of a daemon, a task or a schedule."""

    name: str
    unit: str
    phase: Phase
    since: float
    why: str = ""
    """In words: "accepting connections", "exited with status 1"."""
    pid: int | None = None
    restarts: int = 0
    retry_at: float | None = None
    """When it is started again, while restarting."""

    def words(self, now: float) -> str:
        """The phase and its reason for people: "restarting in 3 s: exited with status 1"."""
        match self.phase:
            case "restarting" if self.retry_at is not None:
                return f"restarting in {max(0, round(self.retry_at - now))} s: {self.why}"
            case "waiting" if self.why:
                return f"waiting for {self.why}"
            case _ if self.why and self.phase not in ("ready", "done", "idle"):
                return f"{self.phase}: {self.why}"
        return self.phase


def overall(instances: Iterable[Instance]) -> Phase:
    """One phase for a unit: its worst instance's."""
    phases = {instance.phase for instance in instances}
    return next((phase for phase in WORST if phase in phases), "stopped")
