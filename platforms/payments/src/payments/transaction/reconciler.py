"""What happens without being asked: doubts are settled, holds expire, captured money becomes available, the network's
events are taken in.

Every replica runs it. Rows are taken with a lease (SKIP LOCKED), so that two replicas do not work on one; if they did,
the acquirer's keys and the transactions' versions would make the second one's work vain, not wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable

from payments.common import failures
from payments.transaction import acquirer, desk, disputes, vault
from payments.transaction.records import Operation, Transaction
from payments.transaction.store import Store

_log = logging.getLogger(__name__)
BATCH = 200
"""Most rows of a kind taken up in one round."""
_AT_ONCE = 8
"""Questions to the acquirer at one time."""
_EVENTS = "acquirer-events"


class Reconciler:
    """Makes our books and the acquirer's agree."""

    def __init__(self, rows: Store, work: desk.Desk, bank: acquirer.Acquirer, objections: disputes.Disputes) -> None:
        self._rows = rows
        self._desk = work
        self._bank = bank
        self._disputes = objections

    async def round(self) -> None:
        """One look at everything that may be due."""
        await self.doubts(BATCH)
        await self.expired(BATCH)
        while await self._rows.settle_due(BATCH) == BATCH:
            continue
        await self.events()

    async def doubts(self, limit: int, *, now: bool = False) -> tuple[int, int]:
        """How many open operations were looked at, and how many of them are decided; `now`: before their turn too."""
        found = await self._rows.claim_due(limit, doubtful=now)
        decided = await _all(self._resumed(operation) for operation in found)
        return len(found), sum(decided)

    async def expired(self, limit: int) -> int:
        """How many holds and challenges were freed."""
        return sum(await _all(self._expired(one) for one in await self._rows.expiring(limit)))

    async def events(self) -> None:
        """Takes in what the network says; what does not fit yet is read again next time."""
        try:
            events = await self._bank.events(await self._rows.cursor(_EVENTS))
        except (acquirer.Unknown, acquirer.Refused) as error:
            _log.info("no events: %s", error)
            return
        for event in events:
            if not await self._disputes.notified(event):
                return
            await self._rows.advance(_EVENTS, event.number)

    async def _resumed(self, operation: Operation) -> bool:
        try:
            _, after = await self._desk.finished(self._desk.resume(operation, again=False))
        except (failures.Refused, vault.Unavailable, acquirer.Unknown, acquirer.Refused) as error:
            _log.warning("not settled: %s", error, extra={"operation": operation.id})
            return False
        return not after.open

    async def _expired(self, one: Transaction) -> bool:
        try:
            return await self._desk.expire(one)
        except failures.Refused as error:
            _log.warning("not expired: %s", error, extra={"transaction": one.id})
            return False


async def _all(work: Iterable[Awaitable[bool]]) -> list[bool]:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Awaitable[bool]) -> bool:
        async with limit:
            return await each

    return await asyncio.gather(*(one(each) for each in work))
