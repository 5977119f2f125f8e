"""Giving money back: reserved on the charge first, so that all refunds together never exceed what was taken."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from payments.api import acquiring, changes, kinds
from payments.api.flows import books, keeping
from payments.api.objects import charges, rows
from payments.api.wire import calls
from payments.api.world import World
from payments.rpc import transaction_pb2 as pb

Refund = rows.Row[charges.Refund]
Charge = rows.Row[charges.Charge]
_log = logging.getLogger(__name__)
_DONE = {"promise": "", "unanswered": False}


def reserved(charge: Charge, amount: int) -> changes.Write:
    """The charge with `amount` spoken for."""
    inner = {"reserved": charge.inner.reserved + amount}
    after = charge.with_(inner, amount_refunded=charge.object.amount_refunded + amount)
    return changes.along(kinds.CHARGE, after, "reserve")


@dataclasses.dataclass(frozen=True)
class Refunding:
    """The promise to return a refund's amount."""

    world: World
    kind: str = "refund"

    async def subject(self, tenant: calls.Tenant, promise: changes.Promise) -> Refund | None:
        return await self.world.store.find(tenant, kinds.REFUND, promise.subject)

    async def decide(self, tenant: calls.Tenant, promise: changes.Promise, subject: Refund) -> keeping.Decided | None:
        try:
            answer = await self.world.transactions.refund(_request(tenant, subject))
        except acquiring.Refused as refused:
            _log.error("refund refused", extra={"refund": subject.id, "reason": str(refused)})
            return await self._failed(tenant, subject, "unknown")
        if isinstance(answer, acquiring.Unknown):
            return _unanswered(subject)
        if answer.state == "failed":
            return await self._failed(tenant, subject, answer.failure_reason or "unknown")
        return await self._returned(tenant, subject)

    async def _returned(self, tenant: calls.Tenant, row: Refund) -> keeping.Decided:
        charge = await self._charge(tenant, row)
        entry = books.returned(row.object)
        after = row.with_(_DONE, status="succeeded", balance_transaction=entry.id, destination_details=_DESTINATION)
        writes = (
            _charged(charge, row.object.amount),
            books.recorded(row, entry),
            changes.along(kinds.REFUND, after, "succeed"),
        )
        return keeping.Decided(writes, after.object)

    async def _failed(self, tenant: calls.Tenant, row: Refund, reason: str) -> keeping.Decided:
        charge = await self._charge(tenant, row)
        amount = row.object.amount
        freed = charge.with_(
            {"reserved": charge.inner.reserved - amount},
            amount_refunded=charge.object.amount_refunded - amount,
            refunded=False,
        )
        after = row.with_(_DONE, status="failed", failure_reason=reason)
        writes = (changes.along(kinds.CHARGE, freed, "refund_failed"), changes.along(kinds.REFUND, after, "fail"))
        return keeping.Decided(writes, after.object)

    async def _charge(self, tenant: calls.Tenant, row: Refund) -> Charge:
        found = await self.world.store.find(tenant, kinds.CHARGE, row.object.charge)
        if found is None:
            raise LookupError(f"{row.id} is of {row.object.charge}, which is gone")
        return found


_DESTINATION: dict[str, Any] = {
    "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
    "type": "card",
}


def _charged(charge: Charge, amount: int) -> changes.Write:
    """The charge once `amount` of its reserved money has gone back."""
    one, reserved_left = charge.object, charge.inner.reserved - amount
    whole = one.amount_refunded == one.amount_captured and reserved_left == 0
    after = charge.with_({"reserved": reserved_left}, refunded=whole)
    return changes.along(kinds.CHARGE, after, "refund" if whole else "refund_part")


def _request(tenant: calls.Tenant, row: Refund) -> pb.RefundRequest:
    return pb.RefundRequest(
        request_id=f"{row.id}/refund",
        account_id=tenant.account_id,
        transaction_id=row.inner.transaction,
        amount=row.object.amount,
        reference=row.id,
        reason=row.object.reason or "",
    )


def _unanswered(row: Refund) -> keeping.Decided | None:
    if row.inner.unanswered:
        return None
    after = row.with_({"unanswered": True}, pending_reason="processing")
    return keeping.Decided((changes.along(kinds.REFUND, after, "update"),), after.object, open=True)
