"""When a delivery that was not taken is tried again: growing delays over three days, jittered."""

from __future__ import annotations

import random

# The schedule that Standard Webhooks recommends; three days and a quarter in all, as Stripe's live mode.
DELAYS = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds after the first, second, … failed attempt."""
JITTER = 0.2
"""How far a delay may be off, as a part of it, so that what failed together does not come back together."""


def delay(tries: int, dice: random.Random) -> float | None:
    """Seconds to wait after attempt number `tries` (from 1) failed; None: it is given up."""
    if tries > len(DELAYS):
        return None
    return DELAYS[tries - 1] * dice.uniform(1 - JITTER, 1 + JITTER)
