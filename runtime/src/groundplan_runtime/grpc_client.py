"""gRPC calls to other services, on grpc.aio: several connections, deadline, retries, breaker and ids (see `callee`).

A gRPC channel keeps one connection to each address it knows. Where one address stands for several
replicas (a ClusterIP Service, or a port that replicas share), all calls would go to one of them; so
`Channel` opens several connections and takes them in turn. Where the name resolves to every replica
(a headless Service), each of them spreads its calls by itself (round_robin).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import grpc
import grpc.aio

from groundplan_runtime import callee, contract, traces

CONNECTIONS = 4
"""Connections of one channel; with two replicas behind one address, seven times in eight both are used."""

PATIENCE = 1.0
"""Seconds that a call waits for a connection: enough to find another replica when one goes."""

Options = tuple[tuple[str, Any], ...]

_OPTIONS: Options = (
    # Health is watched, so that a replica that drains gets no more calls (gRFC A17).
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}'),
    ("grpc.use_local_subchannel_pool", 1),  # else all our channels would share one connection
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.enable_http_proxy", 0),
)


def channel(
    name: str,
    *,
    port: str = "grpc",
    idempotent: Sequence[str] = (),
    timeout: float = callee.TIMEOUT,
    connections: int = CONNECTIONS,
    environment: Mapping[str, str] | None = None,
) -> Channel:
    """The channel to the service called `name` in the plan: reads ``<CALLEE>_GRPC_ADDRESS`` and ``<CALLEE>_TOKEN``.

    `idempotent` names the methods that may be tried again (``("ValidateToken",)``), `timeout` is in seconds.
    """
    environment = os.environ if environment is None else environment
    target = callee.required(environment, contract.address_variable(name, port), "127.0.0.1:50051")
    opened = [grpc.aio.insecure_channel(target, options=_OPTIONS) for _ in range(max(1, connections))]
    return Channel(callee.Callee(name, port, environment), opened, frozenset(idempotent), timeout)


class Channel(grpc.aio.Channel):
    """A `grpc.aio.Channel` for generated stubs. Unary calls raise `callee.CallFailed` where nobody answered,
    and `grpc.aio.AioRpcError` where the callee answered with a status of its own.
    """

    def __init__(
        self, to: callee.Callee, channels: list[grpc.aio.Channel], idempotent: frozenset[str], timeout: float
    ) -> None:
        self._to = to
        self._channels = channels
        self._idempotent = idempotent
        self._timeout = timeout
        self._turn = _Turn(channels)

    def unary_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        opened = [one.unary_unary(method, *arguments, **options) for one in self._channels]
        tries = callee.TRIES if method.rsplit("/", 1)[-1] in self._idempotent else 1
        return _Unary(self._to, opened, self._turn, method, self._timeout, tries)

    def unary_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Stream(
            self._to, [one.unary_stream(method, *arguments, **options) for one in self._channels], self._turn
        )

    def stream_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Stream(
            self._to, [one.stream_unary(method, *arguments, **options) for one in self._channels], self._turn
        )

    def stream_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Stream(
            self._to, [one.stream_stream(method, *arguments, **options) for one in self._channels], self._turn
        )

    async def __aenter__(self) -> Channel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        for one in self._channels:
            await one.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channels[0].get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channels[0].wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        for one in self._channels:
            await one.channel_ready()


class _Turn:
    """Whose turn it is: the next connection that is up."""

    def __init__(self, channels: list[grpc.aio.Channel]) -> None:
        self._channels = channels
        self._order: Iterator[int] = itertools.cycle(range(len(channels)))

    def next(self) -> int | None:
        """The number of the connection to use, or None when none is up; those that are not begin to connect."""
        for _ in self._channels:
            number = next(self._order)
            if self._channels[number].get_state(try_to_connect=True) is _READY:
                return number
        return None

    async def wait(self, seconds: float) -> int | None:
        """The same, after waiting up to `seconds` for one to come up."""
        until = time.monotonic() + seconds
        while (number := self.next()) is None and (left := until - time.monotonic()) > 0:
            await self._change(left)
        return number

    async def _change(self, seconds: float) -> None:
        waiting = [asyncio.ensure_future(one.wait_for_state_change(one.get_state())) for one in self._channels]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()


_READY = grpc.ChannelConnectivity.READY


class _Unary:
    """One unary method of a stub."""

    def __init__(
        self, to: callee.Callee, opened: list[Any], turn: _Turn, method: str, timeout: float, tries: int
    ) -> None:
        self._to = to
        self._opened = opened
        self._turn = turn
        self._method = method
        self._timeout = timeout
        self._tries = tries

    async def __call__(
        self, request: Any, *, timeout: float | None = None, metadata: Sequence[tuple[str, str]] | None = None
    ) -> Any:
        async def attempt(left: float) -> Any:
            with traces.span(self._method[1:], "client", peer=self._to.name):
                return await self._send(request, left, metadata or ())

        return await self._to.call(attempt, timeout=timeout or self._timeout, tries=self._tries)

    async def _send(self, request: Any, left: float, metadata: Sequence[tuple[str, str]]) -> Any:
        until = time.monotonic() + left
        number = self._turn.next()
        if number is None:
            number = await self._turn.wait(min(left, PATIENCE))
            left = until - time.monotonic()
        if number is None:
            raise callee.CalleeUnavailable(self._to.name, f"{self._method} failed: no connection in {PATIENCE} s")
        sent = (*metadata, *self._to.headers())
        try:
            # It is up now; should it go down before the call is out, the call waits for it to return.
            return await self._opened[number](request, timeout=left, metadata=sent, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            self._translate(error, left)
            raise

    def _translate(self, error: grpc.aio.AioRpcError, left: float) -> None:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            raise callee.CalleeUnavailable(self._to.name, f"{self._method} failed: {error.details()}") from error
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise callee.DeadlineExceeded(self._to.name, f"{self._method} had no answer in {left:.3g} s") from error


class _Stream:
    """One streaming method of a stub: spread over the connections, never tried again."""

    def __init__(self, to: callee.Callee, opened: list[Callable[..., Any]], turn: _Turn) -> None:
        self._to = to
        self._opened = opened
        self._turn = turn

    def __call__(self, *arguments: Any, metadata: Sequence[tuple[str, str]] | None = None, **options: Any) -> Any:
        call = self._opened[self._turn.next() or 0]
        return call(*arguments, metadata=(*(metadata or ()), *self._to.headers()), **options)
