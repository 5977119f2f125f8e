"""Idempotency keys (https://docs.stripe.com/api/idempotent_requests): one key, one effect, one answer, byte for byte.

A request of one phase inserts its key, finished, in the statement that does its work; a second one waits on the
unique index and replays. A request that asks outside inserts it claimed, with the promise it makes; the change that
keeps the promise finishes it, whoever makes that change. What is refused before anything was done is not saved.
"""

from __future__ import annotations

import asyncio
import random
import time

from groundplan_runtime import deadlines
from payments.api import changes, store
from payments.api.wire import calls, errors, routes

PATIENCE = 4.0
"""Seconds that a request waits for an object that others are changing, before it is told to come back."""
_FINISHED = "finished"
_REPLAYED = ((b"idempotent-replayed", b"true"),)


def finished(call: calls.Call, answer: calls.Answer) -> changes.Key | None:
    """The key of a request that ends with this change."""
    return changes.Key(call.key, call.fingerprint(), _FINISHED, answer) if call.key else None


def claimed(call: calls.Call, promise: changes.Promise) -> changes.Key | None:
    """The key of a request that goes on outside."""
    return changes.Key(call.key, call.fingerprint(), promise.kind) if call.key else None


def kept(promise: changes.Promise, answer: calls.Answer) -> changes.Key | None:
    """The end of the key that `promise` was made under."""
    return changes.Key(promise.key, b"", _FINISHED, answer) if promise.key else None


class Keys:
    """Puts `guarded` around each handler of a POST."""

    def __init__(self, rows: store.Store) -> None:
        self._store = rows

    def guarded(self, handler: routes.Handler) -> routes.Handler:
        async def guarded(call: calls.Call) -> calls.Answer:
            replay = await self.replay(call) if call.key else None
            return replay or await self._tried(handler, call)

        return guarded

    async def replay(self, call: calls.Call) -> calls.Answer | None:
        """The answer saved under the call's key; raises 400 where it was another request's, 409 while it runs."""
        found = await self._store.key(call.tenant, call.key)
        if found is None:
            return None
        if found.fingerprint != call.fingerprint():
            raise errors.Error(400, "idempotency_error", _OTHER.format(call.key))
        if found.status is None or found.response is None:
            raise errors.Error(409, "idempotency_error", _RUNNING.format(call.key), code="idempotency_key_in_use")
        return calls.Answer(found.status, found.response.encode(), _REPLAYED)

    async def _tried(self, handler: routes.Handler, call: calls.Call) -> calls.Answer:
        left = deadlines.remaining()
        until, pause = time.monotonic() + (PATIENCE if left is None else min(PATIENCE, left / 2)), 0.004
        while True:
            try:
                return await handler(call)
            except (store.Stale, errors.Busy):
                if time.monotonic() >= until:
                    raise errors.locked() from None
                await asyncio.sleep(random.random() * pause)  # noqa: S311  (jitter)
                pause = min(pause * 2, 0.2)
            except store.KeyTaken:
                replay = await self.replay(call)
                if replay is not None:
                    return replay


_OTHER = (
    "Keys for idempotent requests can only be used with the same parameters they were first used with. "
    "Try using a key other than '{}' if you meant to execute a different request."
)
_RUNNING = (
    "There is currently another in-progress request using this Stripe-Idempotent Key (that probably means you "
    "submitted twice, and the other request is still going through): {}. If you need to use this key, please try "
    "again shortly."
)
