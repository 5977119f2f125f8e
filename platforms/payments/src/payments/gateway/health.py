"""How the platform is, for people: each backend asked, in the shape that the platform's document gives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from groundplan_runtime import callee, clients, deadlines

FRESH = 1.0
"""Seconds for which an answer counts: however many people look, backends are asked once."""
_PATIENCE = 1.0


class Health:
    """Asks the backends; ``open`` means healthy (the document's word), beside it the breakers in the usual words."""

    def __init__(
        self,
        service: str,
        version: str,
        backends: Mapping[str, tuple[clients.Http, str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`backends` by their short name: the client, and the name of its breaker (``auth-service.http``)."""
        self._about = {"service": service, "version": version}
        self._backends = backends
        self._clock = clock
        self._asked_at = float("-inf")
        self._known: dict[str, Any] = {}
        self._lock = asyncio.Lock()

    async def document(self) -> dict[str, Any]:
        async with self._lock:
            if self._clock() - self._asked_at >= FRESH:
                self._known = await self._ask()
                self._asked_at = self._clock()
        return self._known

    async def _ask(self) -> dict[str, Any]:
        found = await asyncio.gather(*(_answers(client) for client, _ in self._backends.values()))
        services = {name: "open" if well else "closed" for name, well in zip(self._backends, found, strict=True)}
        status = "ok" if all(found) else "degraded"
        states = callee.breakers()
        breakers = {name: states.get(known, "closed") for name, (_, known) in self._backends.items()}
        return {
            "service": self._about["service"],
            "status": status,
            "version": self._about["version"],
            "services": services,
            "breaker": breakers,
        }


async def _answers(client: clients.Http) -> bool:
    """Whether the backend answers at all: a 404 shows that it does as well as anything."""
    try:
        with deadlines.within(_PATIENCE):
            return (await client.request("GET", "/", timeout=_PATIENCE)).status < 500
    except clients.CallFailed:
        return False
