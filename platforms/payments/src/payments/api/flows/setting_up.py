"""Confirming a setup: the card is verified with an amount of nothing, and saved for later."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from payments.api import acquiring, changes, kinds, wallet
from payments.api.flows import authenticating, declines, keeping
from payments.api.objects import methods, rows, setups
from payments.api.wire import calls
from payments.api.world import World
from payments.rpc import transaction_pb2 as pb

Setup = rows.Row[setups.SetupIntent]
VERIFIED_IN = "usd"
"""The currency of nothing: acquirers want one named."""
_log = logging.getLogger(__name__)


def submitted(row: Setup, choice: wallet.Choice, promise: changes.Promise) -> changes.Write:
    """`row` (new or stored) on its way to the acquirer."""
    inner = {
        "attempt": row.inner.attempt + 1,
        "promise": promise.id,
        "card": choice.row.inner.card,
        "unanswered": False,
        "transaction": "",
    }
    after = row.with_(inner, payment_method=choice.row.id, status="processing", next_action=None, last_setup_error=None)
    if row.version == 0:
        first = row.with_(payment_method=choice.row.id, status="requires_confirmation").object
        return changes.along(kinds.SETUP, after, "create_ready", "submit", first=first)
    return changes.along(kinds.SETUP, after, "submit")


@dataclasses.dataclass(frozen=True)
class SettingUp:
    """The promise to verify a setup's card."""

    world: World
    method: rows.Row[methods.PaymentMethod] | None = None
    kind: str = "set_up"

    async def subject(self, tenant: calls.Tenant, promise: changes.Promise) -> Setup | None:
        return await self.world.store.find(tenant, kinds.SETUP, promise.subject)

    async def decide(self, tenant: calls.Tenant, promise: changes.Promise, subject: Setup) -> keeping.Decided | None:
        method = self.method or await self.world.store.find(tenant, kinds.METHOD, str(subject.object.payment_method))
        if method is None:
            raise LookupError(f"{subject.id} was submitted with {subject.object.payment_method}, which is gone")
        try:
            answer = await self._asked(tenant, subject)
        except acquiring.Refused as refused:
            _log.error("verification refused", extra={"intent": subject.id, "reason": str(refused)})
            return _failed(subject, declines.lost(None, method.object))
        if isinstance(answer, acquiring.Unknown):
            return _unanswered(subject, answer)
        return self._decided(subject, method, answer)

    async def _asked(self, tenant: calls.Tenant, row: Setup) -> pb.Transaction | acquiring.Unknown:
        if row.inner.transaction:
            return await self.world.transactions.get(tenant.account_id, row.inner.transaction)
        request = pb.AuthorizeRequest(
            request_id=f"{row.id}/set_up/{row.inner.attempt}",
            account_id=tenant.account_id,
            livemode=tenant.livemode,
            reference=row.id,
            amount=0,
            currency=VERIFIED_IN,
            card_token=row.inner.card,
            authentication=row.inner.authentication,
        )
        return await self.world.transactions.authorize(request)

    def _decided(self, row: Setup, method: rows.Row[methods.PaymentMethod], answer: pb.Transaction) -> keeping.Decided:
        if answer.state == pb.REQUIRES_ACTION:
            inner, action = authenticating.challenge(self.world, row, answer)
            after = row.with_(inner, status="requires_action", next_action=action)
            return keeping.Decided((changes.along(kinds.SETUP, after, "challenge"),), after.object)
        if answer.state in (pb.AUTHORIZED, pb.CAPTURED):
            return _succeeded(row, method, answer)
        said = declines.error(answer, "", method.object) if answer.state == pb.DECLINED else None
        return _failed(row, said or declines.lost(None, method.object))


_SETTLED = {"promise": "", "unanswered": False, "authentication": "", "nonce": ""}


def _succeeded(row: Setup, method: rows.Row[methods.PaymentMethod], answer: pb.Transaction) -> keeping.Decided:
    after = row.with_(_SETTLED | {"transaction": answer.id}, status="succeeded", next_action=None)
    writes = [changes.along(kinds.SETUP, after, "succeed")]
    if row.object.customer and method.state == "loose":
        writes.append(changes.along(kinds.METHOD, method.with_(customer=row.object.customer), "attach"))
    return keeping.Decided(tuple(writes), after.object)


def _failed(row: Setup, said: dict[str, Any]) -> keeping.Decided:
    told = {name: value for name, value in said.items() if name != "charge"}
    after = row.with_(
        _SETTLED | {"transaction": ""}, status="requires_payment_method", payment_method=None, last_setup_error=told,
        next_action=None,
    )  # fmt: skip
    error = declines.told(told, "setup_intent", after.object)
    return keeping.Decided((changes.along(kinds.SETUP, after, "decline"),), after.object, error)


def _unanswered(row: Setup, unknown: acquiring.Unknown) -> keeping.Decided | None:
    if row.inner.unanswered and row.inner.transaction == unknown.transaction:
        return None
    inner = {"unanswered": True, "transaction": unknown.transaction or row.inner.transaction}
    after = row.with_(inner)
    return keeping.Decided((changes.along(kinds.SETUP, after, "unanswered"),), after.object, open=True)


def unauthenticated(row: Setup, method: methods.PaymentMethod) -> changes.Write:
    """The holder failed or gave up authenticating."""
    return _failed(row, declines.unauthenticated(method, "setup_intent_authentication_failure")).writes[0]
