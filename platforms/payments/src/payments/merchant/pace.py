"""How many invitations an account may mail in an hour: mail to strangers must not be ours to send without end."""

from __future__ import annotations

import logging

from redis import exceptions

from groundplan_runtime import http
from groundplan_runtime import redis as runtime_redis

_log = logging.getLogger(__name__)

AN_HOUR = 20


class Pace:
    """Counts in Redis. Without Redis nothing is counted: the limit of open invitations in the database still holds."""

    def __init__(self, store: runtime_redis.Store) -> None:
        self._store = store

    async def admit(self, merchant_id: str) -> None:
        """Counts one invitation; raises a 429 `http.Problem` where it is one too many."""
        key = self._store.key("invitations", merchant_id)
        try:
            async with self._store.client.pipeline(transaction=False) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, 3600, nx=True)
                pipeline.ttl(key)
                count, _, left = await pipeline.execute()
        except (exceptions.RedisError, OSError) as error:
            _log.warning("invitations are not counted: %s", error)
            return
        if count > AN_HOUR:
            headers = {"retry-after": str(max(1, left))}
            detail = f"{AN_HOUR} invitations an hour, no more"
            raise http.Problem(429, "Too Many Requests", detail, code="too_many_invitations", headers=headers)
