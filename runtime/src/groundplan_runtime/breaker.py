"""A circuit breaker: after enough failures in a row, calls fail at once until a trial succeeds.

The states are the field's (Nygard, "Release It!"): closed lets calls through; open refuses them for
`reset_after` seconds; half-open lets one trial through, which closes or opens it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half_open"]
STATES: tuple[State, ...] = ("closed", "half_open", "open")


class Breaker:
    """One per callee. `allow()` before a call, then exactly one of `succeeded()`, `failed()` or `abandoned()`."""

    def __init__(
        self,
        *,
        failures: int = 5,
        reset_after: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[State], None] = lambda state: None,
    ) -> None:
        self._limit = failures
        self._reset_after = reset_after
        self._clock = clock
        self._changed = changed
        self._failures = 0
        self._opened_at: float | None = None
        self._trial_at: float | None = None

    @property
    def state(self) -> State:
        if self._opened_at is None:
            return "closed"
        if self._trial_at is not None or self._clock() - self._opened_at >= self._reset_after:
            return "half_open"
        return "open"

    def allow(self) -> bool:
        """Whether a call may go out now."""
        if self._opened_at is None:
            return True
        now = self._clock()
        if now - self._opened_at < self._reset_after:
            return False
        # A trial that never reported back (its task was killed) must not keep the breaker open for ever.
        if self._trial_at is not None and now - self._trial_at < self._reset_after:
            return False
        self._trial_at = now
        self._changed("half_open")
        return True

    def succeeded(self) -> None:
        """The callee answered."""
        self._failures = 0
        if self._opened_at is not None:
            self._opened_at = self._trial_at = None
            self._changed("closed")

    def failed(self) -> None:
        """The callee was not there, or not in time."""
        self._failures += 1
        if self._trial_at is not None or self._failures >= self._limit:
            self._opened_at = self._clock()
            self._trial_at = None
            self._changed("open")

    def abandoned(self) -> None:
        """The call was given up for the caller's reasons: it says nothing about the callee."""
        self._trial_at = None

    @property
    def retry_after(self) -> float:
        """Seconds until a trial may go out; 0 when calls may go."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._reset_after - (self._clock() - self._opened_at))
