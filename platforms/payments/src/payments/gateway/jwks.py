"""The public keys of auth-service: fetched when first needed, and again when a token names one that is not there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt
import msgspec

from payments.common import tokens

FLOOR = 5.0
"""Seconds between two fetches at least, whatever key ids tokens name."""


class Keys:
    """Verifies access tokens here; `fetch` gives the JWKS document."""

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, Any] = {}
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def verify(self, token: str) -> tokens.Claims:
        """What `token` says; raises `tokens.Invalid`."""
        try:
            return tokens.verify(token, self._keys)
        except tokens.UnknownKey:
            await self._refresh()
        return tokens.verify(token, self._keys)

    async def _refresh(self) -> None:
        async with self._lock:
            if self._clock() - self._fetched_at < FLOOR:
                return
            self._keys = parse(await self._fetch())
            self._fetched_at = self._clock()


def parse(document: bytes) -> Mapping[str, Any]:
    """The EdDSA keys in a JWKS by their id; others are none of ours."""
    entries = msgspec.json.decode(document, type=dict[str, Any]).get("keys", [])
    ours = (entry for entry in entries if entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519")
    return {entry["kid"]: jwt.PyJWK(entry, "EdDSA").key for entry in ours}
