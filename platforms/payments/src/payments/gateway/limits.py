"""Rate limits, kept in Redis for all replicas: a token bucket (GCRA) for each caller and class.

One number a bucket is enough: the time at which it would be full again. A busy caller's tokens are fetched several at
a time and spent here, so that not every request asks Redis; what a replica has fetched it may spend for `LEASE`
seconds. While Redis does not answer, each replica keeps the same rule in its own memory: a limit that is a little off
is better than a platform that refuses everybody.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import logging
import math
import time
from collections.abc import Callable

from prometheus_client import Counter
from redis import exceptions

from groundplan_runtime import breaker
from groundplan_runtime import redis as runtime_redis

_log = logging.getLogger(__name__)

LEASE = 1.0
"""Seconds for which fetched tokens may be spent."""
_SHARE = 50
"""One fiftieth of a bucket is fetched at a time."""
_REMEMBERED = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """`burst` requests at once, refilled at `rate` a second."""

    name: str
    rate: float
    burst: int

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket fills."""
        return max(1, math.ceil(self.burst / self.rate))


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may go on; `remaining` in the bucket; seconds until there is room."""

    admitted: bool
    remaining: int
    retry_after: float = 0.0


# KEYS: the bucket. ARGV: microseconds a token takes, burst, wanted. Redis' own clock counts: replicas' may differ.
# Answers the tokens given, those left, and microseconds until there is one.
_SCRIPT = """
local interval, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local room = math.floor((now + burst * interval - full) / interval)
local given = math.min(wanted, room)
if given <= 0 then return {0, 0, math.ceil(full + interval - burst * interval - now)} end
full = full + given * interval
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return {given, room - given, 0}
"""


class Limits:
    """Takes tokens for callers."""

    def __init__(
        self, store: runtime_redis.Store, without_redis: Counter, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._script = store.client.register_script(_SCRIPT)
        self._without_redis = without_redis
        self._clock = clock
        self._leases: collections.OrderedDict[str, _Lease] = collections.OrderedDict()
        self._here = Here(clock)
        # One failure is enough: while Redis is away, requests must not wait for it one after the other.
        self._breaker = breaker.Breaker(failures=1, reset_after=1.0)

    async def take(self, limit: Limit, caller: str) -> Verdict:
        """One token of `caller`."""
        name = f"{limit.name}:{caller}"
        lease = self._leases.get(name)
        if lease is None:
            lease = self._leases[name] = _Lease()
            if len(self._leases) > _REMEMBERED:
                self._leases.popitem(last=False)
        while True:
            now = self._clock()
            if lease.tokens > 0 and lease.until > now:
                lease.tokens -= 1
                return Verdict(True, lease.left + lease.tokens)
            if lease.empty_until > now:
                return Verdict(False, 0, lease.empty_until - now)
            if lease.fetching is None:
                return await self._fetch(limit, name, lease)
            await asyncio.shield(lease.fetching)

    async def _fetch(self, limit: Limit, name: str, lease: _Lease) -> Verdict:
        lease.fetching = asyncio.get_running_loop().create_future()
        try:
            given, left, wait = await self._ask(limit, name)
        finally:
            lease.fetching.set_result(None)
            lease.fetching = None
        lease.left = left
        if given == 0:
            # Known until then without asking: refusing must be cheaper than serving.
            lease.empty_until = self._clock() + min(wait, LEASE)
            return Verdict(False, 0, wait)
        lease.tokens, lease.until = given - 1, self._clock() + LEASE
        return Verdict(True, left + lease.tokens)

    async def _ask(self, limit: Limit, name: str) -> tuple[int, int, float]:
        if self._breaker.allow():
            try:
                interval = max(1, round(1_000_000 / limit.rate))
                arguments = (interval, limit.burst, max(1, limit.burst // _SHARE))
                given, left, wait = await self._script(keys=[self._store.key(name)], args=arguments)
            except (exceptions.RedisError, OSError) as error:
                self._breaker.failed()
                _log.warning("rate limits are counted in this process alone: %s", error)
            except BaseException:
                self._breaker.abandoned()
                raise
            else:
                self._breaker.succeeded()
                return given, left, wait / 1_000_000
        self._without_redis.inc()
        verdict = self._here.take(limit, name)
        return int(verdict.admitted), verdict.remaining, verdict.retry_after


class _Lease:
    __slots__ = ("empty_until", "fetching", "left", "tokens", "until")

    def __init__(self) -> None:
        self.tokens = 0
        self.left = 0
        self.until = 0.0
        self.empty_until = 0.0
        self.fetching: asyncio.Future[None] | None = None


class Here:
    """The same buckets in memory, for a bounded number of callers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full: collections.OrderedDict[str, float] = collections.OrderedDict()

    def take(self, limit: Limit, name: str) -> Verdict:
        """One token of the bucket `name`."""
        now, interval = self._clock(), 1 / limit.rate
        full = max(self._full.pop(name, now), now)
        # A hair of tolerance: sums of floats fall short of what they should be.
        room = math.floor((now + limit.burst * interval - full) / interval + 1e-6)
        admitted = room >= 1
        self._full[name] = full + interval if admitted else full
        if len(self._full) > _REMEMBERED:
            self._full.popitem(last=False)
        wait = 0.0 if admitted else full + interval - limit.burst * interval - now
        return Verdict(admitted, max(room - 1, 0), max(wait, 0.0))


def headers(limit: Limit, verdict: Verdict) -> list[tuple[bytes, bytes]]:
    """What the caller is told (draft-ietf-httpapi-ratelimit-headers): the policy, and what is left of it."""
    policy = f'"{limit.name}";q={limit.burst};w={limit.window}'
    reset = max(1, math.ceil(verdict.retry_after)) if not verdict.admitted else limit.window
    left = f'"{limit.name}";r={verdict.remaining};t={reset}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
