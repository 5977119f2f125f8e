"""What handlers work with: the store, the services behind, the addresses of hosted pages."""

from __future__ import annotations

import dataclasses
from typing import Any

from payments.api import acquiring, changes, expansion, keys, kinds, store, wallet
from payments.api.objects import rows
from payments.api.wire import calls, errors


@dataclasses.dataclass(frozen=True)
class World:
    store: store.Store
    wallet: wallet.Wallet
    transactions: acquiring.Transactions
    checkout_url: str
    """Public base of the hosted pages, without a slash at its end."""

    async def found(self, call: calls.Call, kind: kinds.Kind, given: str, param: str = "") -> rows.Row[Any]:
        """The caller's row; raises 404."""
        row = await self.store.find(call.tenant, kind, given)
        if row is None:
            raise errors.missing(kind.noun, given, param or kind.param)
        return row

    async def customer(self, call: calls.Call, given: str, param: str = "customer") -> rows.Row[Any]:
        """The caller's customer, who is not deleted; raises 404."""
        row = await self.found(call, kinds.CUSTOMER, given, param)
        if row.state == "deleted":
            raise errors.missing(kinds.CUSTOMER.noun, given, param)
        return row

    async def show(self, call: calls.Call, document: Any, values: dict[str, Any], **known: Any) -> calls.Answer:
        return await expansion.answer(self.store, call, document, values.get("expand"), known)

    async def write(
        self, call: calls.Call, values: dict[str, Any], *writes: changes.Write, shown: Any = None
    ) -> calls.Answer:
        """One phase: everything, the answer under the idempotency key included, in one statement."""
        document = writes[0].row.object if shown is None else shown
        known = {write.row.id: write.row.object for write in writes}
        answer = await expansion.answer(self.store, call, document, values.get("expand"), known)
        claim = keys.finished(call, answer)
        await self.store.commit(changes.Change(call.tenant, writes, cause(call), claim=claim))
        return answer


def cause(call: calls.Call) -> changes.Cause:
    return changes.Cause(call.request_id, call.key)
