"""Whether a session still lives: the database knows, Redis remembers it for a while.

An end is written over whatever Redis says and lasts longer than any access token; "alive" is only ever written where
nothing is, and not for long. So an end that Redis did not hear of (it was away) counts after `ALIVE` seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from redis import exceptions

from groundplan_runtime import redis as runtime_redis
from payments.auth.store import sessions
from payments.common import tokens

_log = logging.getLogger(__name__)

ALIVE = 30
"""Seconds for which a session is believed to be alive."""
_ENDED = tokens.LIFETIME + 60


class Liveness:
    """Asks Redis first, the database where that does not know or does not answer."""

    def __init__(self, store: runtime_redis.Store, rows: sessions.Sessions) -> None:
        self._store = store
        self._rows = rows

    async def alive(self, session_id: str) -> bool:
        key = self._store.key("session", session_id)
        try:
            said = await self._store.client.get(key)
            if said is not None:
                return bool(said == b"1")
            alive = await self._rows.live(session_id)
            await self._store.client.set(key, "1" if alive else "0", ex=ALIVE, nx=True)
        except (exceptions.RedisError, OSError) as error:
            _log.warning("sessions are looked up in the database: %s", error)
            return await self._rows.live(session_id)
        return alive

    async def ended(self, session_ids: Iterable[str]) -> None:
        """These sessions were ended in the database."""
        pipeline = self._store.client.pipeline(transaction=False)
        for session_id in session_ids:
            pipeline.set(self._store.key("session", session_id), "0", ex=_ENDED)
        try:
            await pipeline.execute()
        except (exceptions.RedisError, OSError) as error:
            _log.warning("ended sessions may be believed alive for %d s: %s", ALIVE, error)
