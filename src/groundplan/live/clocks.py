"""Time that passes: the system's, or one that whoever embeds this moves."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds."""

    def now(self) -> float:
        """Since 1970, as the clocks of others have it too."""
        ...

    def steady(self) -> float:
        """Since some moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None: ...


class System:
    """This machine's clock."""

    now = staticmethod(time.time)
    steady = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
