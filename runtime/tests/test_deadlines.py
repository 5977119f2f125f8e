"""A call inherits what is left of its request's time."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundplan_runtime import deadlines, retry


def test_without_a_deadline_the_default_holds() -> None:
    deadlines.start(None)
    assert deadlines.timeout(5.0) == 5.0
    assert deadlines.remaining() is None


def test_a_tighter_deadline_wins_and_ends_with_its_block() -> None:
    deadlines.start(60.0)
    with deadlines.within(1.0), deadlines.within(30.0):
        assert deadlines.timeout(5.0) <= 1.0
    assert deadlines.timeout(5.0) == 5.0


def test_a_call_after_the_deadline_is_refused() -> None:
    deadlines.start(0.0)
    with pytest.raises(deadlines.DeadlineExceeded):
        deadlines.timeout(5.0)


async def test_concurrent_requests_have_deadlines_of_their_own() -> None:
    async def request(seconds: float | None) -> float | None:
        deadlines.start(seconds)
        await asyncio.sleep(0)
        return deadlines.remaining()

    short, none, long = await asyncio.gather(request(1.0), request(None), request(100.0))
    assert none is None
    assert short is not None
    assert long is not None
    assert short <= 1.0 < long <= 100.0


@pytest.mark.parametrize(
    ("header", "seconds"), [(b"1500", 1.5), ("0", 0.0), (b"-5", 0.0), (b"soon", None), (None, None)]
)
def test_the_header_is_milliseconds_and_nonsense_is_no_limit(header: str | bytes | None, seconds: float | None) -> None:
    assert deadlines.parse(header) == seconds


@given(st.integers(1, 12), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_a_cap_and_are_one_fewer_than_tries(tries: int, jitter: float) -> None:
    pauses = list(retry.pauses(tries, base=0.1, cap=2.0, jitter=lambda: jitter))
    assert len(pauses) == tries - 1
    assert pauses == sorted(pauses)
    assert all(0 <= pause <= 2.0 * jitter for pause in pauses)
