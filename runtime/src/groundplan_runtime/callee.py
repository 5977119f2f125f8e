"""What every call to another service shares: its errors, deadline, retries, breaker, token and ids.

::

    CallFailed
    ├── CalleeUnavailable     not reached, broken off, or it said 502, 503, 504 or UNAVAILABLE
    │   └── BreakerOpen       not tried: it failed often just now
    └── DeadlineExceeded      no answer in time, so nobody knows whether it was done
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from groundplan_runtime import breaker, contract, current, deadlines, retry, settings, traces

T = TypeVar("T")

TIMEOUT = 5.0
"""The default for a whole call with its retries, in seconds."""

TRIES = 3
"""How often an idempotent call is tried."""


class CallFailed(Exception):
    """A call to another service did not give an answer."""

    def __init__(self, callee: str, what: str) -> None:
        super().__init__(f"{callee}: {what}")
        self.callee = callee


class CalleeUnavailable(CallFailed):
    """It was not there. `response` is its answer when it said so itself (HTTP 502, 503, 504)."""

    def __init__(self, callee: str, what: str, *, response: Any = None, retry_after: float = 1.0) -> None:
        super().__init__(callee, what)
        self.response = response
        self.retry_after = retry_after


class BreakerOpen(CalleeUnavailable):
    """It failed often just now, so this call was not sent."""


class DeadlineExceeded(CallFailed, deadlines.DeadlineExceeded):
    """It did not answer in time."""


_breakers: dict[str, breaker.Breaker] = {}


def breaker_of(name: str) -> breaker.Breaker:
    """The breaker of ``auth-service.grpc``: one in the process, however many clients there are."""
    return _breakers.setdefault(name, breaker.Breaker())


def breakers() -> dict[str, breaker.State]:
    """The state of every breaker, for /health and /metrics."""
    return {name: found.state for name, found in _breakers.items()}


class Callee:
    """One endpoint of another service, as this process calls it."""

    def __init__(self, name: str, port: str, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self.name = name
        self.breaker = breaker_of(f"{name}.{port}")
        path = settings.reference(environment, contract.token_variable(name))
        self.token = settings.SecretFile(path) if path else None

    def headers(self) -> list[tuple[str, str]]:
        """Who calls, for which request, in which trace."""
        headers = []
        if self.token is not None:
            headers.append((contract.WORKLOAD_TOKEN_HEADER, self.token.read()))
        request_id = current.request_id.get()
        if request_id:
            headers.append((contract.REQUEST_ID_HEADER, request_id))
        position = traces.current()
        if position is not None:
            headers.append(("traceparent", position.traceparent))
            if position.state:
                headers.append(("tracestate", position.state))
        return headers

    async def call(self, attempt: Callable[[float], Awaitable[T]], *, timeout: float, tries: int) -> T:
        """Run `attempt` (given the seconds left) up to `tries` times, all within `timeout` and the request's deadline.

        `attempt` raises `CalleeUnavailable` for what may be tried again; anything else ends the call.
        """
        until = time.monotonic() + self._limit(timeout)
        pauses = retry.pauses(tries)
        while True:
            try:
                return await self._once(attempt, until)
            except BreakerOpen:
                raise
            except CalleeUnavailable:
                pause = next(pauses, None)
                if pause is None or time.monotonic() + pause >= until:
                    raise
            await asyncio.sleep(pause)

    async def _once(self, attempt: Callable[[float], Awaitable[T]], until: float) -> T:
        if not self.breaker.allow():
            raise BreakerOpen(self.name, "failed often just now, not tried", retry_after=self.breaker.retry_after)
        try:
            answer = await attempt(max(until - time.monotonic(), 0.001))
        except (CalleeUnavailable, DeadlineExceeded):
            self.breaker.failed()
            raise
        except asyncio.CancelledError:
            self.breaker.abandoned()
            raise
        except BaseException:
            self.breaker.succeeded()  # it answered, though not with what was hoped for
            raise
        self.breaker.succeeded()
        return answer

    def _limit(self, timeout: float) -> float:
        try:
            return deadlines.timeout(timeout)
        except deadlines.DeadlineExceeded as error:
            raise DeadlineExceeded(self.name, str(error)) from None


def required(environment: Mapping[str, str], variable: str, example: str) -> str:
    """The value of `variable`; raises `SettingsError` that shows `example`."""
    value = environment.get(variable, "")
    if not value:
        raise settings.SettingsError((f"  {variable} is not set\n    fix: set {variable}, for example {example}",))
    return value
