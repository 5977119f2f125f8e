"""Card verification codes: encrypted, in Redis alone, for fifteen minutes at most, taken once.

Redis may be away: a card is then tokenized without its code kept (`has_cvc` says so), and an authorization goes out
without one. Failing the payment instead would turn an optional check into an outage.
"""

from __future__ import annotations

import logging

import redis.exceptions

from groundplan_runtime import redis as keys

TTL = 15 * 60
"""Seconds a code is kept."""
_log = logging.getLogger(__name__)


class Codes:
    """Encrypted codes by token."""

    def __init__(self, kept: keys.Store) -> None:
        self._client = kept.client
        self._key = kept.key

    async def keep(self, token_id: str, sealed: bytes) -> bool:
        """Whether the code is kept."""
        try:
            return bool(await self._client.set(self._key("cvc", token_id), sealed, ex=TTL))
        except (redis.exceptions.RedisError, OSError) as error:
            _log.warning("a CVC is not kept: redis does not answer", extra={"token": token_id, "cause": repr(error)})
            return False

    async def take(self, token_id: str) -> bytes | None:
        """The code, gone from now on; None when there is none or Redis is away."""
        try:
            taken = await self._client.getdel(self._key("cvc", token_id))
        except (redis.exceptions.RedisError, OSError) as error:
            _log.warning("no CVC goes out: redis does not answer", extra={"token": token_id, "cause": repr(error)})
            return None
        return taken.encode() if isinstance(taken, str) else taken

    async def has(self, token_id: str) -> bool:
        try:
            return bool(await self._client.exists(self._key("cvc", token_id)))
        except (redis.exceptions.RedisError, OSError) as error:
            _log.warning("unknown CVC: redis does not answer", extra={"token": token_id, "cause": repr(error)})
            return False

    async def forget(self, token_id: str) -> None:
        await self.take(token_id)
