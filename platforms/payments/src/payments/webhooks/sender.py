"""The loop: take what is due, send it, write down what came of it. One dead endpoint delays no other.

Each endpoint has room for some deliveries at a time, more once it took one; one that failed has room for one; one that
failed often is left alone for a while (a circuit breaker), and its deliveries wait in the database and not in memory.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import logging
import random
import time
from collections.abc import Callable
from typing import Protocol

import asyncpg

from payments.common import outbox
from payments.webhooks import posting, schedule, signing, store

ROOM = 32
"""Deliveries at a time to an endpoint that took one lately."""
UNPROVEN = 4
"""Deliveries at a time to an endpoint of which nothing is known: it may hang."""
MOST = 512
"""Deliveries at a time in all."""
IDLE = 0.1
"""Seconds between looks when there was nothing."""
WRITE_EVERY = 0.01
"""Seconds that outcomes are gathered before they are written together."""
OPENS_AFTER = 5
"""Failures in a row after which an endpoint is left alone."""
SHORTEST, LONGEST = 30.0, 600.0
"""Seconds that it is left alone at first, and at most."""
UNAVAILABLE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError)
_log = logging.getLogger(__name__)


class Posts(Protocol):
    async def post(self, url: str, headers: list[tuple[str, str]], body: bytes) -> posting.Result: ...

    def tidy(self) -> None: ...


@dataclasses.dataclass
class Health:
    """How an endpoint did lately."""

    sending: int = 0
    proven: bool = False
    failures: int = 0
    closed_until: float = 0.0

    def room(self, now: float) -> int:
        if now < self.closed_until:
            return 0
        return (1 if self.failures else ROOM if self.proven else UNPROVEN) - self.sending

    def ended(self, now: float, *, taken: bool) -> None:
        self.proven = taken
        self.failures = 0 if taken else self.failures + 1
        if self.failures >= OPENS_AFTER:
            alone = SHORTEST * 2 ** (self.failures - OPENS_AFTER) if self.failures < OPENS_AFTER + 8 else LONGEST
            self.closed_until = now + min(alone, LONGEST)


class Sender:
    """`clock` gives Unix seconds, `dice` the jitter; `counted` hears what became of each delivery."""

    def __init__(
        self,
        rows: store.Store,
        poster: Posts,
        clock: Callable[[], float] = time.time,
        dice: random.Random | None = None,
        counted: Callable[[str], None] = lambda state: None,
    ) -> None:
        self._store = rows
        self._poster = poster
        self._clock = clock
        self._dice = dice or random.Random()  # noqa: S311  (jitter)
        self._counted = counted
        self._health: dict[str, Health] = collections.defaultdict(Health)
        self._running: set[asyncio.Task[None]] = set()
        self._outcomes: list[store.Outcome] = []

    async def run(self) -> None:
        """For ever; a database that is away is waited for."""
        looks = 0
        while True:
            try:
                found = await self.look()
                await self._write()
            except UNAVAILABLE as error:
                _log.warning("the sender waits for the database", extra={"cause": repr(error)})
                found = 0
            looks += 1
            if looks % 100 == 0:
                self._poster.tidy()
                self._forget()
            await asyncio.sleep(WRITE_EVERY if found or self._running else IDLE)

    async def look(self) -> int:
        """Starts what is due; how many."""
        free = MOST - len(self._running) - len(self._outcomes)
        if free <= 0:
            return 0
        now = self._clock()
        room = {endpoint: health.room(now) for endpoint, health in self._health.items()}
        taken = await self._store.take(now, room, UNPROVEN, free)
        for delivery in taken:
            self._health[delivery.endpoint].sending += 1
            task = asyncio.create_task(self._deliver(delivery))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(taken)

    async def settle(self) -> None:
        """Waits for everything under way, and writes it down."""
        while self._running:
            await asyncio.wait(self._running)
        await self._write()

    async def _deliver(self, delivery: store.Delivery) -> None:
        now = self._clock()
        if delivery.state != "enabled":
            result = posting.Result(None, f"the endpoint is {delivery.state}", 0)
            self._ended(delivery, now, result, "given_up", now)
            return
        body = outbox.payload(delivery.body, 1)
        headers = signing.headers(delivery.event, body, delivery.secrets, int(now))
        result = await self._poster.post(delivery.url, headers, body)
        pause = None if result.taken else schedule.delay(delivery.tries, self._dice)
        state = "delivered" if result.taken else "pending" if pause is not None else "given_up"
        self._health[delivery.endpoint].ended(self._clock(), taken=result.taken)
        self._ended(delivery, now, result, state, self._clock() + (pause or 0))

    def _ended(self, delivery: store.Delivery, at: float, result: posting.Result, state: str, due: float) -> None:
        self._health[delivery.endpoint].sending -= 1
        self._counted(state)
        said = (result.status, result.error, result.milliseconds)
        self._outcomes.append(store.Outcome(delivery, at, *said, state, due))

    async def _write(self) -> None:
        writing, self._outcomes = self._outcomes, []
        if not writing:
            return
        try:
            await self._store.record(writing)
        except BaseException:
            self._outcomes = writing + self._outcomes
            raise

    def _forget(self) -> None:
        """Endpoints that do well need no memory."""
        for endpoint, health in list(self._health.items()):
            if health.sending == 0 and health.failures == 0:
                del self._health[endpoint]
