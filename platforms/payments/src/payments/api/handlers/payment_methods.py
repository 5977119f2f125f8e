"""/v1/payment_methods and /v1/tokens."""

from __future__ import annotations

import dataclasses
from typing import Any

from payments.api import changes, fields, kinds, lists, wallet
from payments.api.objects import methods, rows
from payments.api.wire import calls, errors, params, routes
from payments.api.wire.params import choice, integer, one, text
from payments.api.world import World

CREATE = params.request(
    type=choice("card", required=True),
    card=one(fields.CARD),
    billing_details=one(fields.BILLING),
    allow_redisplay=choice("always", "limited", "unspecified"),
    metadata=params.metadata(),
)
UPDATE = params.request(
    billing_details=one(fields.BILLING),
    allow_redisplay=choice("always", "limited", "unspecified"),
    metadata=params.metadata(),
)
ATTACH = params.request(customer=text(most=255, required=True))
LIST = params.request(**lists.PAGE, customer=text(most=255), type=choice("card"))
PLAIN = params.request()
_ADDRESS = ("address_city", "address_country", "address_line1", "address_line2", "address_state", "address_zip")
TOKEN = params.request(
    card=one(
        params.Params(
            number=params.number(), exp_month=integer(), exp_year=integer(), cvc=params.cvc(), name=text(most=200),
            currency=params.currency(), **{name: text(most=500) for name in _ADDRESS},
        )
    )
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/payment_methods", "payment_methods"
        return (
            routes.Route("POST", base, self.create, name, publishable=True),
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name),
            routes.Route("POST", f"{base}/{{id}}", self.update, name),
            routes.Route("POST", f"{base}/{{id}}/attach", self.attach, name),
            routes.Route("POST", f"{base}/{{id}}/detach", self.detach, name),
            routes.Route("GET", "/v1/customers/{id}/payment_methods", self.of_customer, name),
            routes.Route("POST", "/v1/tokens", self.create_token, "tokens", publishable=True),
            routes.Route("GET", "/v1/tokens/{id}", self.retrieve_token, "tokens", publishable=True),
        )

    async def create(self, call: calls.Call) -> calls.Answer:
        values = call.read(CREATE)
        picked = await self.world.wallet.made(call.tenant, values, "")
        return await self.world.write(call, values, *picked.writes)

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        return await self.world.show(call, (await self._method(call)).object, values)

    async def list(self, call: calls.Call) -> calls.Answer:
        values = call.read(LIST)
        if "customer" in values:
            await self.world.customer(call, values["customer"])
        return await lists.listed(self.world.store, call, kinds.METHOD, values, "customer", "type")

    async def of_customer(self, call: calls.Call) -> calls.Answer:
        values = call.read(params.request(**lists.PAGE, type=choice("card")))
        await self.world.customer(call, call.id, "id")
        return await lists.listed(
            self.world.store, call, kinds.METHOD, values | {"customer": call.id}, "customer", "type"
        )

    async def update(self, call: calls.Call) -> calls.Answer:
        values = call.read(UPDATE)
        row = await self._method(call)
        if row.state == "detached":
            errors.refuse(
                "This PaymentMethod was detached and cannot be updated.", code="payment_method_unexpected_state"
            )
        after = row.with_(**_said(values, row.object))
        return await self.world.write(call, values, changes.along(kinds.METHOD, after, "update"))

    async def attach(self, call: calls.Call) -> calls.Answer:
        values = call.read(ATTACH)
        await self.world.customer(call, values["customer"])
        picked = await self.world.wallet.method(call.tenant, call.id)
        row = picked.row
        if row.object.customer == values["customer"]:
            return await self.world.show(call, row.object, values)
        if row.object.customer is not None:
            said = "The payment method you provided has already been attached to a customer."
            errors.refuse(said, code="payment_method_unexpected_state")
        after = row.with_(customer=values["customer"])
        edge = "attach" if row.version else "create_attached"
        return await self.world.write(call, values, changes.along(kinds.METHOD, after, edge))

    async def detach(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        row = await self._method(call)
        if row.state != "attached":
            said = "The payment method you provided is not attached to a customer so detachment is impossible."
            errors.refuse(said, code="payment_method_unexpected_state")
        previous = {"customer": row.object.customer}
        after = row.with_(customer=None)
        return await self.world.write(call, values, changes.along(kinds.METHOD, after, "detach", previous=previous))

    async def create_token(self, call: calls.Call) -> calls.Answer:
        values = call.read(TOKEN)
        card = values.get("card")
        if card is None:
            errors.refuse(
                "You must supply either a card, customer, or PII data to create a token.", code="parameter_missing"
            )
        wallet.whole(card, "card")
        made = await self.world.wallet.tokenize(call.tenant, card, "card")
        row = wallet.token(call.tenant, made, card)
        return await self.world.write(call, values, changes.along(kinds.TOKEN, row, "create"))

    async def retrieve_token(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        return await self.world.show(call, (await self.world.found(call, kinds.TOKEN, call.id)).object, values)

    async def _method(self, call: calls.Call) -> rows.Row[methods.PaymentMethod]:
        return await self.world.found(call, kinds.METHOD, call.id)


def _said(values: dict[str, Any], old: methods.PaymentMethod) -> dict[str, Any]:
    said = {name: values[name] for name in ("allow_redisplay",) if name in values}
    if "billing_details" in values:
        said["billing_details"] = wallet.billing(values["billing_details"], old.billing_details)
    if "metadata" in values:
        said["metadata"] = params.merged(old.metadata, values["metadata"])
    return said
