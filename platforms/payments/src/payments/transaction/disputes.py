"""Card holders' objections: the network takes the money until they are decided."""

from __future__ import annotations

import logging
from typing import NoReturn, cast

import grpc

from payments.common import failures
from payments.transaction import acquirer, desk, states
from payments.transaction.records import Dispute, Operation, Transaction
from payments.transaction.store import Ended, Repeated

_log = logging.getLogger(__name__)
OUTCOMES = ("", "won", "lost")


class Disputes:
    """Opens and ends disputes."""

    def __init__(self, work: desk.Desk) -> None:
        self._desk = work
        self._rows = work.rows

    async def record(
        self, account_id: str, operation: Operation, reason: str, outcome: str
    ) -> tuple[Transaction, Dispute] | Operation:
        """The dispute as it is now; the operation that already did this, where the request id came before."""
        known = await self._rows.operation(account_id, "dispute", operation.request_id)
        if known is None:
            try:
                return await self._recorded(account_id, operation, reason, outcome)
            except Repeated:
                known = await self._rows.operation(account_id, "dispute", operation.request_id)
        if known is None:
            # The other unique index: a dispute of this transaction is open.
            _refuse("dispute_open", f"'{operation.transaction_id}' is disputed already; record its outcome first")
        return known

    async def notified(self, event: acquirer.Event) -> bool:
        """Takes in an event, once however often it is listed; False when it came before its time."""
        authorization = await self._rows.operation_by_id(event.key)
        if authorization is None:
            _log.error("an event about nothing of ours", extra={"event": event.id, "key": event.key})
            return True
        one = await self._desk.found(authorization.account_id, authorization.transaction_id)
        if one.state in states.UNDECIDED or one.capturing:
            return False
        if not one.refundable:
            _log.error("a dispute of more than was taken", extra={"event": event.id, "transaction": one.id})
            return True
        amount = min(event.amount, one.refundable)
        wanted = desk.new_operation("dispute", one.account_id, one.id, f"event:{event.id}", event.id.encode(), amount)
        try:
            await self.record(one.account_id, wanted, event.reason, "")
        except failures.Refused as refused:
            _log.error("a dispute is not recorded: %s", refused, extra={"event": event.id, "transaction": one.id})
        return True

    async def _recorded(
        self, account_id: str, operation: Operation, reason: str, outcome: str
    ) -> tuple[Transaction, Dispute]:
        if not outcome:
            return await self._desk.open_dispute(account_id, operation, reason, lambda one: _amount(one, operation))
        await self._desk.found(account_id, operation.transaction_id)
        open_one = await self._rows.open_dispute(operation.transaction_id)
        if open_one is None:
            _refuse("no_open_dispute", f"'{operation.transaction_id}' has no open dispute")
        return await self._desk.end_dispute(account_id, operation, open_one, cast(Ended, outcome))


def _amount(one: Transaction, operation: Operation) -> int:
    """What is disputed: all that was taken and not given back, unless less is said."""
    amount = operation.amount or one.refundable
    if not 0 < amount <= one.refundable:
        _refuse("amount_too_large", f"{one.refundable} of '{one.id}' can be disputed, not {amount}")
    return amount


def _refuse(code: str, message: str) -> NoReturn:
    failures.refuse(grpc.StatusCode.FAILED_PRECONDITION, code, "transaction_id", message)
