"""Guessing is slowed: after a few tries each further one has to wait twice as long.

Tries are counted before the password is looked at, so that many at once do not get more; a success forgets them.
They are counted by address whether it has an account or not, so that waiting tells nothing.
"""

from __future__ import annotations

import collections
import hashlib
import logging
import time
from collections.abc import Callable

from redis import exceptions

from groundplan_runtime import http
from groundplan_runtime import redis as runtime_redis

_log = logging.getLogger(__name__)

FREE = 5
"""Tries without any wait in between."""
LONGEST = 900
"""The longest wait, in seconds."""
MEMORY = 3600
"""Seconds after which tries are forgotten."""
_REMEMBERED = 10_000

# KEYS: count, lock. Milliseconds to wait still, or 0 where this try may go on.
_SCRIPT = f"""
local wait = redis.call('PTTL', KEYS[2])
if wait > 0 then return wait end
local tries = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], {MEMORY})
if tries >= {FREE} then
  redis.call('SET', KEYS[2], '1', 'PX', math.min({LONGEST}, 2 ^ (tries - {FREE})) * 1000)
end
return 0
"""


class Throttle:
    """Counts in Redis; in this process alone while Redis does not answer."""

    def __init__(self, store: runtime_redis.Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._script = store.client.register_script(_SCRIPT)
        self._here = _Here(clock)

    async def admit(self, who: str) -> None:
        """Counts one try; raises a 429 `http.Problem` where it has to wait."""
        try:
            wait = await self._script(keys=self._keys(who)) / 1000
        except (exceptions.RedisError, OSError) as error:
            _log.warning("tries are counted in this process alone: %s", error)
            wait = self._here.admit(who)
        if wait > 0:
            seconds = max(1, round(wait))
            detail = f"too many tries: wait {seconds} s"
            raise http.Problem(
                429, "Too Many Requests", detail, code="too_many_tries", headers={"retry-after": str(seconds)}
            )

    async def forget(self, who: str) -> None:
        """A success."""
        self._here.forget(who)
        try:
            await self._store.client.delete(*self._keys(who))
        except (exceptions.RedisError, OSError) as error:
            _log.warning("tries are not forgotten: %s", error)

    def _keys(self, who: str) -> list[str]:
        # A hash, so that Redis does not hold a list of addresses.
        name = hashlib.sha256(who.encode()).hexdigest()[:32]
        return [self._store.key("tries", name), self._store.key("wait", name)]


class _Here:
    """The same rule in memory, for a bounded number of addresses."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tries: collections.OrderedDict[str, tuple[int, float]] = collections.OrderedDict()

    def admit(self, who: str) -> float:
        tries, until = self._tries.pop(who, (0, 0.0))
        now = self._clock()
        if until > now:
            self._tries[who] = (tries, until)
            return until - now
        tries += 1
        wait = min(LONGEST, 2.0 ** (tries - FREE)) if tries >= FREE else 0.0
        self._tries[who] = (tries, now + wait)
        if len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
        return 0.0

    def forget(self, who: str) -> None:
        self._tries.pop(who, None)
