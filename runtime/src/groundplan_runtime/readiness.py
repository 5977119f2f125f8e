"""Whether this process may get traffic: its own hard dependencies answer, and it is not going down.

Never another service: a service that waits for another one's readiness takes the whole platform down
with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

Check = Callable[[], Awaitable[object]]
"""Returns when the dependency answers, raises when not."""

CHECK_TIMEOUT = 1.0
"""Seconds that one check may take."""

_FRESH = 0.25  # seconds: several probes at the same time ask the dependencies once


class Readiness:
    """Asks the checks; knows when the process is draining."""

    def __init__(self, checks: Mapping[str, Check], clock: Callable[[], float] = time.monotonic) -> None:
        self._checks = dict(checks)
        self._clock = clock
        self._answers: dict[str, str] = {}
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self.draining = False
        self.started = False

    async def ready(self) -> bool:
        return self.started and not self.draining and all(answer == "ok" for answer in (await self.answers()).values())

    async def answers(self) -> dict[str, str]:
        """Each dependency and "ok", or what is wrong with it."""
        async with self._asking:
            if self._clock() - self._asked_at >= _FRESH:
                found = await asyncio.gather(*map(_answer, self._checks.values()))
                self._answers = dict(zip(self._checks, found, strict=True))
                self._asked_at = self._clock()
        return self._answers


async def _answer(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            await check()
    except TimeoutError:
        return f"no answer in {CHECK_TIMEOUT:.0f} s"
    except Exception as error:  # a check may fail in any way: how it failed is its answer
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return "ok"
