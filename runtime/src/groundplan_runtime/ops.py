"""What operators ask a process: /livez, /readyz, /health and /metrics, on a port of its own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, generate_latest

from groundplan_runtime import callee, contract, masking, readiness

Health = Callable[[], Awaitable[dict[str, Any]]]

_JSON = b"application/json"
_TEXT = b"text/plain; version=0.0.4; charset=utf-8"


class Ops:
    """The ASGI app on METRICS_LISTEN."""

    def __init__(
        self, about: dict[str, str], ready: readiness.Readiness, health: Health | None, registry: CollectorRegistry
    ) -> None:
        self._about = about
        self._ready = ready
        self._health = health
        self._registry = registry
        self._born = time.monotonic()
        self._answers: dict[str, Callable[[], Awaitable[tuple[int, bytes, bytes]]]] = {
            contract.LIVEZ: self._livez,
            contract.READYZ: self._readyz,
            contract.HEALTH: self._aggregate,
            contract.METRICS: self._metrics,
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        answer = self._answers.get(scope["path"])
        if answer is None:
            status, kind, content = _json(404, {"error": f"ask one of {', '.join(self._answers)}"})
        elif scope["method"] not in ("GET", "HEAD"):
            status, kind, content = _json(405, {"error": "only GET"})
        else:
            status, kind, content = await answer()
        headers = [(b"content-type", kind), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _livez(self) -> tuple[int, bytes, bytes]:
        return _json(200, {"status": "ok"})

    async def _readyz(self) -> tuple[int, bytes, bytes]:
        state, checks = await self._state()
        return _json(200 if state == "ready" else 503, {"status": state, "checks": checks})

    async def _aggregate(self) -> tuple[int, bytes, bytes]:
        if self._health is not None:
            found = await self._health()
            return _json(200 if found.get("status", "ok") in _WELL else 503, found)
        state, checks = await self._state()
        document: dict[str, Any] = {"status": "ok" if state == "ready" else state, **self._about, "checks": checks}
        document |= {"breakers": callee.breakers(), "uptime_seconds": round(time.monotonic() - self._born, 1)}
        return _json(200 if state == "ready" else 503, document)

    async def _metrics(self) -> tuple[int, bytes, bytes]:
        return 200, _TEXT, generate_latest(self._registry)

    async def _state(self) -> tuple[str, dict[str, str]]:
        if self._ready.draining:
            return "draining", {}
        checks = {name: masking.text(answer) for name, answer in (await self._ready.answers()).items()}
        return ("ready" if await self._ready.ready() else "not ready"), checks


# A degraded platform still serves: that is what the word is for.
_WELL = frozenset(("ok", "healthy", "up", "open", "degraded"))


def _json(status: int, document: Any) -> tuple[int, bytes, bytes]:
    return status, _JSON, msgspec.json.encode(document)
