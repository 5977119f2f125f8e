"""HTTP calls to other services, on pyqwest: pooled, with deadline, retries, breaker and ids (see `callee`)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from groundplan_runtime import callee, contract, deadlines, traces

if TYPE_CHECKING:
    import pyqwest

# pyqwest's own runtime (tokio) starts a thread a core; for services, whose work is in Python, one does the same work
# with fewer switches (13 % more throughput at the gateway on two cores). Read when pyqwest is first imported.
os.environ.setdefault("TOKIO_WORKER_THREADS", "1")

_UNAVAILABLE = frozenset((502, 503, 504))


class Http:
    """A client of one service. Answers of any status but 502, 503 and 504 are returned, not raised."""

    def __init__(self, to: callee.Callee, base: str, *, timeout: float = callee.TIMEOUT) -> None:
        import pyqwest

        self._to = to
        self._base = base.rstrip("/")
        self._timeout = timeout
        # No redirects (a service is asked at its address or not at all), no compression on a local network.
        self._transport = pyqwest.HTTPTransport(
            connect_timeout=min(timeout, 2.0),
            pool_idle_timeout=30.0,
            pool_max_idle_per_host=64,
            follow_redirects=False,
            enable_gzip=False,
            enable_brotli=False,
            enable_zstd=False,
            enable_otel=False,
        )
        self._client = pyqwest.Client(self._transport)

    @classmethod
    def for_callee(
        cls,
        name: str,
        *,
        port: str = "http",
        timeout: float = callee.TIMEOUT,
        environment: Mapping[str, str] | None = None,
    ) -> Http:
        """The client of the service called `name` in the plan: reads ``<CALLEE>_URL`` and ``<CALLEE>_TOKEN``."""
        environment = os.environ if environment is None else environment
        base = callee.required(environment, contract.url_variable(name, port), "http://127.0.0.1:8001")
        return cls(callee.Callee(name, port, environment), base, timeout=timeout)

    async def __aenter__(self) -> Http:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        content: bytes | None = None,
        json: Any = None,
        idempotent: bool = False,
        timeout: float | None = None,
    ) -> pyqwest.FullResponse:
        """Send a request to `path` (with its query); tried again only when `idempotent`. Raises `callee.CallFailed`."""
        sent = list(headers.items() if isinstance(headers, Mapping) else headers or ())
        if json is not None:
            content = msgspec.json.encode(json)
            sent.append(("content-type", "application/json"))

        async def attempt(left: float) -> pyqwest.FullResponse:
            with traces.span(method, "client", peer=self._to.name, path=path):
                return await self._send(method, path, sent, content, left)

        tries = callee.TRIES if idempotent else 1
        return await self._to.call(attempt, timeout=timeout or self._timeout, tries=tries)

    async def get(self, path: str, *, idempotent: bool = True, timeout: float | None = None) -> pyqwest.FullResponse:
        """GET, which is safe to repeat (RFC 9110, 9.2.2)."""
        return await self.request("GET", path, idempotent=idempotent, timeout=timeout)

    async def post(
        self, path: str, json: Any, *, idempotent: bool = False, timeout: float | None = None
    ) -> pyqwest.FullResponse:
        """POST `json`."""
        return await self.request("POST", path, json=json, idempotent=idempotent, timeout=timeout)

    async def _send(
        self, method: str, path: str, headers: list[tuple[str, str]], content: bytes | None, left: float
    ) -> pyqwest.FullResponse:
        import pyqwest

        ours = [*headers, *self._to.headers(), (deadlines.HEADER, str(int(left * 1000)))]
        try:
            async with asyncio.timeout(left):
                response = await self._client.execute(method, self._base + path, ours, content)
        except TimeoutError:
            raise callee.DeadlineExceeded(self._to.name, f"{method} {path} had no answer in {left:.3g} s") from None
        except (OSError, pyqwest.ReadError, pyqwest.WriteError, pyqwest.RemoteProtocolError) as error:
            raise callee.CalleeUnavailable(self._to.name, f"{method} {path} failed: {error}") from error
        if response.status in _UNAVAILABLE:
            what = f"{method} {path} was answered with {response.status}"
            raise callee.CalleeUnavailable(self._to.name, what, response=response, retry_after=_retry_after(response))
        return response


def _retry_after(response: pyqwest.FullResponse) -> float:
    value = response.headers.get("retry-after", "1")
    return float(value) if value.isdigit() else 1.0
