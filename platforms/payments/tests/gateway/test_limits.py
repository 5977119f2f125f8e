"""Token buckets: in Redis and in memory they are one rule, and replicas share what is in Redis."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Counter

from groundplan_runtime import redis as runtime_redis
from payments.gateway import limits
from platforms.payments.tests import engines

SLOW = limits.Limit("slow", 0.01, 10)
WIDE = limits.Limit("wide", 0.01, 500)


def _limits(store: runtime_redis.Store) -> limits.Limits:
    return limits.Limits(store, Counter("without_redis", "…", registry=None))


@pytest.fixture
async def store(valkey: engines.Valkey) -> AsyncIterator[runtime_redis.Store]:
    async with runtime_redis.store(valkey.url(f"rate:{engines.free_port()}:")) as opened:
        yield opened


@given(st.lists(st.floats(0, 3), max_size=60))
def test_no_stretch_of_time_gives_more_than_its_share(pauses: list[float]) -> None:
    limit, now = limits.Limit("l", 2.0, 3), 0.0
    here = limits.Here(lambda: now)
    admitted: list[float] = []
    for pause in pauses:
        now += pause
        verdict = here.take(limit, "a")
        if verdict.admitted:
            admitted.append(now)
        else:
            assert 0 < verdict.retry_after <= 1 / limit.rate + 1e-6
    for first, begin in enumerate(admitted):
        for last, end in enumerate(admitted[first:], first):
            assert last - first + 1 <= limit.burst + limit.rate * (end - begin) + 1e-3


@given(st.integers(1, 20), st.integers(0, 30))
def test_a_full_bucket_gives_its_burst_at_once_and_no_more(burst: int, tries: int) -> None:
    here = limits.Here(lambda: 0.0)
    given_out = sum(here.take(limits.Limit("l", 1.0, burst), "a").admitted for _ in range(tries))
    assert given_out == min(burst, tries)


async def test_many_at_once_get_exactly_the_burst(store: runtime_redis.Store) -> None:
    for limit in (SLOW, WIDE):
        limited = _limits(store)
        verdicts = await asyncio.gather(*(limited.take(limit, "acct_1") for _ in range(limit.burst * 2)))
        assert sum(verdict.admitted for verdict in verdicts) == limit.burst
        refused = next(verdict for verdict in verdicts if not verdict.admitted)
        assert 0 < refused.retry_after <= 100


async def test_replicas_share_a_bucket(store: runtime_redis.Store) -> None:
    replicas = [_limits(store) for _ in range(3)]
    verdicts = [await replicas[number % 3].take(SLOW, "acct_1") for number in range(20)]
    assert [verdict.admitted for verdict in verdicts] == [True] * 10 + [False] * 10


async def test_callers_and_classes_have_buckets_of_their_own(store: runtime_redis.Store) -> None:
    limited = _limits(store)
    for _ in range(SLOW.burst):
        await limited.take(SLOW, "acct_1")
    assert not (await limited.take(SLOW, "acct_1")).admitted
    assert (await limited.take(SLOW, "acct_2")).admitted
    assert (await limited.take(WIDE, "acct_1")).admitted


async def test_what_is_left_is_told(store: runtime_redis.Store) -> None:
    limited = _limits(store)
    left = [(await limited.take(SLOW, "acct_1")).remaining for _ in range(10)]
    assert left == list(range(9, -1, -1))
    wide = [(await limited.take(WIDE, "acct_1")).remaining for _ in range(20)]
    assert wide == list(range(499, 479, -1))


async def test_a_bucket_leaves_nothing_behind_in_redis(store: runtime_redis.Store) -> None:
    limit = limits.Limit("quick", 1000.0, 1)
    await _limits(store).take(limit, "acct_1")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while await store.client.exists(store.key("quick:acct_1")):
                await asyncio.sleep(0.01)
    assert not await store.client.exists(store.key("quick:acct_1"))
