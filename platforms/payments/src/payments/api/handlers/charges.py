"""/v1/charges (read and described; money moves by payment intents), /v1/balance, /v1/balance_transactions."""

from __future__ import annotations

import dataclasses
from typing import Any

from payments.api import changes, fields, kinds, lists
from payments.api.handlers import refunds
from payments.api.wire import calls, errors, params, routes
from payments.api.wire.params import one, text
from payments.api.world import World

LIST = params.request(**lists.CREATED, customer=text(most=255), payment_intent=text(most=255))
UPDATE = params.request(
    description=text(unset=True),
    metadata=params.metadata(),
    receipt_email=text(most=800, unset=True),
    shipping=one(fields.SHIPPING, unset=True),
    transfer_group=text(unset=True),
)
BALANCES = params.request(
    **lists.CREATED, source=text(most=255), type=text(most=40), currency=params.currency(), payout=text(most=255)
)
PLAIN = params.request()


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/charges", "charges"
        return (
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name),
            routes.Route("POST", f"{base}/{{id}}", self.update, name),
            routes.Route("POST", f"{base}/{{id}}/refund", self.refund, name),
            routes.Route("GET", f"{base}/{{id}}/refunds", self.refunds, name),
            routes.Route("GET", "/v1/balance", self.balance, "balance"),
            routes.Route("GET", "/v1/balance_transactions", self.entries, "balance_transactions"),
            routes.Route("GET", "/v1/balance_transactions/{id}", self.entry, "balance_transactions"),
        )

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        return await self.world.show(call, (await self.world.found(call, kinds.CHARGE, call.id)).object, values)

    async def list(self, call: calls.Call) -> calls.Answer:
        return await lists.listed(self.world.store, call, kinds.CHARGE, call.read(LIST), "customer", "payment_intent")

    async def update(self, call: calls.Call) -> calls.Answer:
        values = call.read(UPDATE)
        row = await self.world.found(call, kinds.CHARGE, call.id)
        said = {name: values[name] for name in values if name not in ("metadata", "expand")}
        if "metadata" in values:
            said["metadata"] = params.merged(row.object.metadata, values["metadata"])
        return await self.world.write(call, values, changes.along(kinds.CHARGE, row.with_(**said), "update"))

    async def refund(self, call: calls.Call) -> calls.Answer:
        """The older way to refund a charge."""
        values = call.read(refunds.CREATE)
        if "charge" in values or "payment_intent" in values:
            errors.refuse("This URL names the charge already.", param="charge")
        return await refunds.Handlers(self.world).refund(call, values | {"charge": call.id})

    async def refunds(self, call: calls.Call) -> calls.Answer:
        values = call.read(params.request(**lists.CREATED))
        await self.world.found(call, kinds.CHARGE, call.id)
        return await lists.listed(self.world.store, call, kinds.REFUND, values | {"charge": call.id}, "charge")

    async def balance(self, call: calls.Call) -> calls.Answer:
        call.read(PLAIN)
        found = await self.world.transactions.balance(*call.tenant)
        document = {
            "object": "balance",
            "available": _money(found.available),
            "livemode": call.tenant.livemode,
            "pending": _money(found.pending),
        }
        return calls.answer(document)

    async def entries(self, call: calls.Call) -> calls.Answer:
        values = call.read(BALANCES)
        if "payout" in values:  # there are no payouts, so none has entries
            raise errors.missing("payout", values["payout"], "payout")
        return await lists.listed(self.world.store, call, kinds.BALANCE, values, "source", "type", "currency")

    async def entry(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        return await self.world.show(call, (await self.world.found(call, kinds.BALANCE, call.id)).object, values)


def _money(amounts: Any) -> list[dict[str, Any]]:
    return [{"amount": one.amount, "currency": one.currency, "source_types": {"card": one.amount}} for one in amounts]
