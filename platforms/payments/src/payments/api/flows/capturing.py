"""Taking money that is held, in part or whole; and letting it go."""

from __future__ import annotations

import dataclasses
import logging
import time
from typing import Any

from payments.api import acquiring, changes, kinds
from payments.api.flows import books, keeping
from payments.api.objects import charges, intents, rows
from payments.api.wire import calls, errors
from payments.api.world import World
from payments.rpc import transaction_pb2 as pb

Intent = rows.Row[intents.PaymentIntent]
_log = logging.getLogger(__name__)
_DONE = {"promise": "", "unanswered": False}


def promised(row: Intent, promise: changes.Promise) -> changes.Write:
    """The intent, taken by `promise`: nobody else moves it meanwhile."""
    inner = {"promise": promise.id, "attempt": row.inner.attempt + 1, "unanswered": False}
    return changes.along(kinds.INTENT, row.with_(inner), "promise")


@dataclasses.dataclass(frozen=True)
class _Held:
    """What capturing and voiding share."""

    world: World

    async def subject(self, tenant: calls.Tenant, promise: changes.Promise) -> Intent | None:
        return await self.world.store.find(tenant, kinds.INTENT, promise.subject)

    async def _charge(self, tenant: calls.Tenant, row: Intent) -> rows.Row[charges.Charge]:
        found = await self.world.store.find(tenant, kinds.CHARGE, str(row.object.latest_charge))
        if found is None:
            raise LookupError(f"{row.id} holds money without a charge")
        return found

    def _unanswered(self, row: Intent) -> keeping.Decided | None:
        if row.inner.unanswered:
            return None
        after = row.with_({"unanswered": True})
        return keeping.Decided((changes.along(kinds.INTENT, after, "promise"),), after.object, open=True)

    async def _released(self, tenant: calls.Tenant, row: Intent, reason: Any) -> tuple[changes.Write, ...]:
        """The charge (where money was held) and the intent, which is last: nothing is held any more."""
        canceled = cancel(row, reason)
        if row.object.status != "requires_capture":
            return (canceled,)
        charge = await self._charge(tenant, row)
        released = charge.with_(refunded=True, amount_refunded=charge.object.amount)
        return changes.along(kinds.CHARGE, released, "release"), canceled

    async def _expired(self, tenant: calls.Tenant, row: Intent) -> keeping.Decided:
        """The bank let the hold go before anybody took it."""
        said = errors.invalid(
            "The authorization has expired and cannot be captured.", code="charge_expired_for_capture"
        )
        return keeping.Decided(await self._released(tenant, row, "automatic"), error=said)

    def _given_up(self, row: Intent, refused: acquiring.Refused) -> keeping.Decided:
        _log.error("the hold stays as it was", extra={"intent": row.id, "reason": str(refused)})
        after = row.with_(_DONE)
        said = errors.invalid(
            f"This PaymentIntent could not be changed: {refused}", code="payment_intent_unexpected_state"
        )
        return keeping.Decided((changes.along(kinds.INTENT, after, "give_up"),), error=said)


@dataclasses.dataclass(frozen=True)
class Capturing(_Held):
    """The promise to take ``values["amount"]`` minor units; ``values["final"]`` frees the rest."""

    kind: str = "capture"

    async def decide(self, tenant: calls.Tenant, promise: changes.Promise, subject: Intent) -> keeping.Decided | None:
        amount, final = int(promise.values["amount"]), bool(promise.values["final"])
        wanted = subject.object.amount_received + amount
        request = pb.CaptureRequest(
            request_id=f"{subject.id}/capture/{subject.inner.attempt}",
            account_id=tenant.account_id,
            transaction_id=subject.inner.transaction,
            amount=amount,
            final=final,
        )
        try:
            answer = await self.world.transactions.capture(request)
            if subject.inner.unanswered and not _captured(answer, wanted):
                # Asked again, it may repeat its first answer; how it stands now is another question.
                answer = await self.world.transactions.get(tenant.account_id, subject.inner.transaction)
        except acquiring.Refused as refused:
            return self._given_up(subject, refused)
        if _free(answer) and subject.object.amount_received == 0:
            return await self._expired(tenant, subject)
        if isinstance(answer, acquiring.Unknown) or not _captured(answer, wanted):
            return self._unanswered(subject)
        charge = await self._charge(tenant, subject)
        return _taken(subject, charge, answer, final=final)


def _captured(answer: pb.Transaction | acquiring.Unknown, wanted: int) -> bool:
    return not isinstance(answer, acquiring.Unknown) and answer.captured >= wanted


def _taken(row: Intent, charge: rows.Row[charges.Charge], answer: pb.Transaction, *, final: bool) -> keeping.Decided:
    one = row.object
    taken, whole = answer.captured - one.amount_received, answer.captured
    entry = books.taken(one, charge.id, taken, answer.fee - charge.inner.fee)
    left = 0 if final else one.amount_capturable - taken
    after = row.with_(
        _DONE, status="requires_capture" if left else "succeeded", amount_received=whole, amount_capturable=left
    )
    charged = charge.with_(
        {"fee": answer.fee}, amount_captured=whole, captured=not left, balance_transaction=entry.id,
    )  # fmt: skip
    edge = "capture_part" if left else "capture"
    writes = (
        changes.along(kinds.CHARGE, charged, edge),
        books.recorded(row, entry),
        changes.along(kinds.INTENT, after, edge),
    )
    return keeping.Decided(writes, after.object)


@dataclasses.dataclass(frozen=True)
class Voiding(_Held):
    """The promise to let a hold go, or a challenge that nobody answered."""

    kind: str = "void"

    async def decide(self, tenant: calls.Tenant, promise: changes.Promise, subject: Intent) -> keeping.Decided | None:
        request = pb.VoidRequest(
            request_id=f"{subject.id}/void/{subject.inner.attempt}",
            account_id=tenant.account_id,
            transaction_id=subject.inner.transaction,
            reason=promise.values.get("reason") or "",
        )
        try:
            answer = await self.world.transactions.void(request)
            if subject.inner.unanswered and not _free(answer):
                answer = await self.world.transactions.get(tenant.account_id, subject.inner.transaction)
        except acquiring.Refused as refused:
            return self._given_up(subject, refused)
        if not _free(answer):
            return self._unanswered(subject)
        writes = await self._released(tenant, subject, promise.values.get("reason"))
        return keeping.Decided(writes, writes[-1].row.object)


_FREE = frozenset((pb.VOIDED, pb.EXPIRED, pb.DECLINED))


def _free(answer: pb.Transaction | acquiring.Unknown) -> bool:
    return not isinstance(answer, acquiring.Unknown) and answer.state in _FREE


def cancel(row: Intent, reason: Any) -> changes.Write:
    """The intent, canceled: nothing is held for it."""
    after = row.with_(
        _DONE | {"nonce": ""}, status="canceled", canceled_at=int(time.time()), cancellation_reason=reason,
        amount_capturable=0, next_action=None,
    )  # fmt: skip
    return changes.along(kinds.INTENT, after, "cancel")
