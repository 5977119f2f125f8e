"""How long a restore takes, on paper: from rates well below what was measured, and times that people take.

Measured: a database of 300 MiB with three indexes, by PostgreSQL 18.6 with fsync on two shared cores, was dumped in
7.5 s and put back in 6.2 s, which is 48 MiB/s. A fifth of that is assumed: tables are wider, disks are elsewhere.
"""

from __future__ import annotations

import dataclasses

MIB = 1024**2
START = 60.0
"""Seconds for a pod to be scheduled, to pull its image and to get its secrets."""
UNSEAL = 120.0
"""Seconds for people to unseal a store, once they are there."""
SERVICES = 60.0
"""Seconds until services that were at 0 replicas are ready."""


@dataclasses.dataclass(frozen=True)
class Rates:
    """MiB of data a second. `load` is the engine's own part, where one processor writes rows and builds indexes."""

    fetch: float = 50.0
    """From the place, checksums included."""
    load: float = 10.0


def restore(mebibytes: float, rates: Rates | None = None) -> float:
    """Seconds from starting the restore's Job to its end."""
    known = rates or Rates()
    return START + mebibytes / known.fetch + mebibytes / known.load


def fits(seconds: float, rates: Rates | None = None) -> float:
    """MiB that can be restored in `seconds`."""
    known = rates or Rates()
    return max(0.0, seconds - START) / (1 / known.fetch + 1 / known.load)
