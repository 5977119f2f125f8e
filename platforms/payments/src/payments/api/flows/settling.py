"""The settler: a background task that keeps the promises which nobody kept in time, and lets old keys go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from payments.api import store
from payments.api.flows import authorizing, capturing, checking_out, keeping, refunding, setting_up
from payments.api.wire import errors
from payments.api.world import World

EVERY = 1.0
"""Seconds between looks for overdue promises."""
BATCH = 16
KEY_HOURS = 25
"""How long an idempotency key's answer is kept; Stripe promises 24 hours."""
_FORGET_EVERY = 300
_log = logging.getLogger(__name__)


def flows(world: World) -> tuple[keeping.Flow, ...]:
    """Every kind of promise."""
    return (
        authorizing.Authorizing(world),
        capturing.Capturing(world),
        capturing.Voiding(world),
        refunding.Refunding(world),
        setting_up.SettingUp(world),
    )


class Settler:
    """Several may run at once: each promise is leased to one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._flows = {flow.kind: flow for flow in flows(world)}

    async def run(self) -> None:
        """For ever; a database that is away is waited for."""
        rounds = 0
        while True:
            try:
                while await self.settle() == BATCH:
                    pass
                await self.expire()
                if rounds % _FORGET_EVERY == 0:
                    await self._world.store.forget_keys(KEY_HOURS, 1000)
            except store.UNAVAILABLE as error:
                _log.warning("the settler waits for the database", extra={"cause": repr(error)})
            rounds += 1
            await asyncio.sleep(EVERY)

    async def settle(self) -> int:
        """One look: how many promises were overdue."""
        overdue = await self._world.store.overdue(BATCH)
        await asyncio.gather(*map(self._one, overdue))
        return len(overdue)

    async def expire(self) -> None:
        """Checkout sessions past their time."""
        for session in await self._world.store.outlived(int(time.time()), BATCH):
            # Somebody paid or expired it this moment: then it is not ours to end.
            with contextlib.suppress(store.Stale, errors.Busy):
                await checking_out.expire(self._world, session)

    async def _one(self, overdue: store.Overdue) -> None:
        promise = overdue.promise
        try:
            await keeping.keep(self._world, self._flows[promise.kind], overdue.tenant, promise)
        except store.UNAVAILABLE:
            raise
        except (
            Exception
        ):  # one promise that cannot be kept must not hold up the others; it comes up again, and in the log
            _log.exception("a promise cannot be kept", extra={"promise": promise.id, "kind": promise.kind})
