"""How long to wait before the next start: doubling up to a cap, forgotten after a healthy time.

The kubelet's rule (10 s doubling to 300 s, reset after 10 min) at a developer's pace.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST, CAP, HEALTHY = 0.25, 30.0, 60.0
"""Seconds."""


@dataclass
class Backoff:
    """Counts the deaths of one instance."""

    deaths: int = 0

    def after_death(self, lived: float) -> float:
        """Seconds to wait before the next start, when the last one lived for `lived` seconds."""
        self.deaths = 1 if lived >= HEALTHY else self.deaths + 1
        return min(CAP, FIRST * 2.0 ** min(self.deaths - 1, 16))
