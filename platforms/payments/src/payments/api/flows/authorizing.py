"""Confirming a payment: authorize (and take) the money, and write down what the acquirer said."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from payments.api import acquiring, changes, kinds, wallet
from payments.api.flows import authenticating, books, declines, keeping, sessions
from payments.api.objects import charges, intents, methods, rows
from payments.api.wire import calls
from payments.api.world import World
from payments.common import ids
from payments.rpc import transaction_pb2 as pb

Intent = rows.Row[intents.PaymentIntent]
_log = logging.getLogger(__name__)
_NO_TRANSACTION = pb.Transaction()


def submitted(row: Intent, choice: wallet.Choice, promise: changes.Promise, **changed: Any) -> changes.Write:
    """`row` (new or stored) on its way to the acquirer."""
    start: dict[str, Any] = {"payment_method": choice.row.id, **changed}
    inner = {
        "attempt": row.inner.attempt + 1,
        "promise": promise.id,
        "card": choice.row.inner.card,
        "unanswered": False,
        "transaction": "",
    }
    after = row.with_(inner, **start, status="processing", next_action=None, last_payment_error=None)
    if row.version == 0:
        first = row.with_(**start, status="requires_confirmation").object
        return changes.along(kinds.INTENT, after, "create_ready", "submit", first=first)
    return changes.along(kinds.INTENT, after, "submit")


@dataclasses.dataclass(frozen=True)
class Authorizing:
    """The promise to ask for an intent's money."""

    world: World
    method: rows.Row[methods.PaymentMethod] | None = None
    """The payment method, where the caller has it at hand."""
    kind: str = "authorize"

    async def subject(self, tenant: calls.Tenant, promise: changes.Promise) -> Intent | None:
        return await self.world.store.find(tenant, kinds.INTENT, promise.subject)

    async def decide(self, tenant: calls.Tenant, promise: changes.Promise, subject: Intent) -> keeping.Decided | None:
        decided = await self._said(tenant, subject)
        if decided is None or decided.open or not subject.inner.session:
            return decided
        after = next(write.row for write in decided.writes if write.kind is kinds.INTENT)
        return decided._replace(writes=(*decided.writes, *await sessions.ended(self.world, after)))

    async def _said(self, tenant: calls.Tenant, subject: Intent) -> keeping.Decided | None:
        method = await self._method(tenant, subject)
        try:
            answer = await self._asked(tenant, subject)
        except acquiring.Refused as refused:
            # It was never charged and never will be under this request id: not the holder's fault, so no bank's words.
            _log.error("authorization refused", extra={"intent": subject.id, "reason": str(refused)})
            return _failed(subject, method, _NO_TRANSACTION, declines.lost)
        if isinstance(answer, acquiring.Unknown):
            return _unanswered(subject, answer)
        return self._decided(subject, method, answer)

    async def _method(self, tenant: calls.Tenant, subject: Intent) -> rows.Row[methods.PaymentMethod]:
        found = self.method or await self.world.store.find(tenant, kinds.METHOD, str(subject.object.payment_method))
        if found is None:
            raise LookupError(f"{subject.id} was submitted with {subject.object.payment_method}, which is gone")
        return found

    async def _asked(self, tenant: calls.Tenant, row: Intent) -> pb.Transaction | acquiring.Unknown:
        if row.inner.transaction:
            return await self.world.transactions.get(tenant.account_id, row.inner.transaction)
        answer = await self.world.transactions.authorize(_request(tenant, row))
        if isinstance(answer, acquiring.Unknown) and answer.transaction and row.inner.unanswered:
            # Asked again, it may repeat its first answer; how it stands now is another question.
            return await self.world.transactions.get(tenant.account_id, answer.transaction)
        return answer

    def _decided(
        self, row: Intent, method: rows.Row[methods.PaymentMethod], answer: pb.Transaction
    ) -> keeping.Decided | None:
        if answer.state == pb.REQUIRES_ACTION:
            return self._challenged(row, answer)
        if answer.state == pb.AUTHORIZED and row.object.capture_method == "manual":
            return _held(row, method, answer)
        if answer.state == pb.AUTHORIZED:
            return _unanswered(row, acquiring.Unknown(answer.id))  # held, and not taken yet
        if answer.state == pb.CAPTURED:
            return _paid(row, method, answer)
        return _failed(row, method, answer, declines.lost if answer.state != pb.DECLINED else None)

    def _challenged(self, row: Intent, answer: pb.Transaction) -> keeping.Decided:
        inner, action = authenticating.challenge(self.world, row, answer)
        after = row.with_(inner, status="requires_action", next_action=action)
        return keeping.Decided((changes.along(kinds.INTENT, after, "challenge"),), after.object)


def _request(tenant: calls.Tenant, row: Intent) -> pb.AuthorizeRequest:
    one = row.object
    return pb.AuthorizeRequest(
        request_id=f"{row.id}/authorize/{row.inner.attempt}",
        account_id=tenant.account_id,
        livemode=tenant.livemode,
        reference=row.id,
        amount=one.amount,
        currency=one.currency,
        card_token=row.inner.card,
        capture=one.capture_method != "manual",
        statement_descriptor=one.statement_descriptor or one.statement_descriptor_suffix or "",
        authentication=row.inner.authentication,
        off_session=row.inner.off_session,
    )


def _unanswered(row: Intent, unknown: acquiring.Unknown) -> keeping.Decided | None:
    """Said once; later rounds of the settler have nothing to add, except the transaction's id."""
    if row.inner.unanswered and row.inner.transaction == unknown.transaction:
        return None
    inner = {"unanswered": True, "transaction": unknown.transaction or row.inner.transaction}
    after = row.with_(inner)
    edge = "update" if row.inner.unanswered else "unanswered"
    return keeping.Decided((changes.along(kinds.INTENT, after, edge),), after.object, open=True)


_SETTLED = {"promise": "", "unanswered": False, "authentication": "", "nonce": ""}


def _paid(row: Intent, method: rows.Row[methods.PaymentMethod], answer: pb.Transaction) -> keeping.Decided:
    charge_id = ids.new("ch")
    entry = books.taken(row.object, charge_id, answer.captured, answer.fee)
    charge = books.charge(
        row, method.object, answer, id=charge_id, amount_captured=answer.captured, captured=True, paid=True,
        status="succeeded", outcome=books.APPROVED, balance_transaction=entry.id,
    )  # fmt: skip
    after = row.with_(
        _SETTLED | {"transaction": answer.id}, status="succeeded", amount_received=answer.captured, amount_capturable=0,
        latest_charge=charge_id, next_action=None, last_payment_error=None,
    )  # fmt: skip
    writes = (
        changes.along(kinds.CHARGE, charge, "pay"),
        books.recorded(row, entry),
        changes.along(kinds.INTENT, after, "pay"),
        *_saved(row, method),
    )
    return keeping.Decided(writes, after.object)


def _held(row: Intent, method: rows.Row[methods.PaymentMethod], answer: pb.Transaction) -> keeping.Decided:
    charge = books.charge(row, method.object, answer, paid=True, status="succeeded", outcome=books.APPROVED)
    after = row.with_(
        _SETTLED | {"transaction": answer.id}, status="requires_capture", amount_capturable=answer.authorized,
        latest_charge=charge.id, next_action=None, last_payment_error=None,
    )  # fmt: skip
    writes = (
        changes.along(kinds.CHARGE, charge, "authorize"),
        changes.along(kinds.INTENT, after, "hold"),
        *_saved(row, method),
    )
    return keeping.Decided(writes, after.object)


def _saved(row: Intent, method: rows.Row[methods.PaymentMethod]) -> tuple[changes.Write, ...]:
    """setup_future_usage: a card that paid is attached to the intent's customer."""
    if not (row.object.setup_future_usage and row.object.customer) or method.state != "loose":
        return ()
    return (changes.along(kinds.METHOD, method.with_(customer=row.object.customer), "attach"),)


def _failed(
    row: Intent, method: rows.Row[methods.PaymentMethod], answer: pb.Transaction, lost: Any = None
) -> keeping.Decided:
    charge_id = ids.new("ch")
    said = lost(charge_id, method.object) if lost else declines.error(answer, charge_id, method.object)
    charge: rows.Row[charges.Charge] = books.charge(
        row, method.object, answer, id=charge_id, status="failed", failure_code=said["code"],
        failure_message=said["message"], outcome=books.declined(said.get("decline_code")),
    )  # fmt: skip
    after = row.with_(
        _SETTLED | {"transaction": ""}, status="requires_payment_method", payment_method=None,
        last_payment_error=said, latest_charge=charge_id, next_action=None,
    )  # fmt: skip
    writes = (changes.along(kinds.CHARGE, charge, "fail"), changes.along(kinds.INTENT, after, "decline"))
    return keeping.Decided(writes, after.object, declines.told(said, "payment_intent", after.object))


def unauthenticated(row: Intent, method: methods.PaymentMethod) -> changes.Write:
    """The holder failed or gave up authenticating: no charge was ever made."""
    said = declines.unauthenticated(method, "payment_intent_authentication_failure")
    after = row.with_(
        _SETTLED | {"transaction": ""}, status="requires_payment_method", payment_method=None,
        last_payment_error=said, next_action=None,
    )  # fmt: skip
    return changes.along(kinds.INTENT, after, "decline")
