"""How long a restore takes, on paper: from rates that were measured on a slow machine, and times that people take."""

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
