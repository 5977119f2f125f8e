"""/v1/checkout/sessions."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import msgspec

from payments.api import changes, kinds, lists
from payments.api.flows import checking_out
from payments.api.objects import checkouts, rows
from payments.api.wire import calls, errors, params, routes
from payments.api.wire.params import amount, choice, integer, many, one, text
from payments.api.world import World
from payments.common import ids, money

SHORTEST, LONGEST = 30 * 60, 24 * 3600
"""Seconds that a session may stay open, as Stripe bounds them; without ``expires_at`` the longest."""
_PRODUCT = params.Params(
    name=text(required=True, most=250),
    description=text(most=1000),
    images=many(params.url(), most=8),
    metadata=params.metadata(),
)
_PRICE = params.Params(
    currency=params.currency(required=True),
    unit_amount=amount(required=True, zero=True),
    product_data=one(_PRODUCT, required=True),
)
_ITEM = params.Params(price_data=one(_PRICE, required=True), quantity=integer(least=1, most=999_999))
_INTENT = params.Params(
    capture_method=choice("automatic", "automatic_async", "manual"),
    description=text(),
    metadata=params.metadata(),
    receipt_email=text(most=800),
    setup_future_usage=choice("off_session", "on_session"),
    statement_descriptor=text(most=22),
    statement_descriptor_suffix=text(most=22),
)
CREATE = params.request(
    mode=choice("payment", required=True),
    line_items=many(one(_ITEM), required=True),
    success_url=params.url(required=True, most=5000),
    cancel_url=params.url(most=5000),
    client_reference_id=text(most=200),
    customer=text(most=255),
    customer_email=text(most=512),
    expires_at=integer(least=0),
    locale=choice("auto", "en"),
    metadata=params.metadata(),
    payment_intent_data=one(_INTENT),
    payment_method_types=many(choice("card")),
    submit_type=choice("auto", "book", "donate", "pay"),
    ui_mode=choice("hosted", "hosted_page"),
)
UPDATE = params.request(metadata=params.metadata())
LIST = params.request(**lists.CREATED, payment_intent=text(most=255), customer=text(most=255))
PLAIN = params.request()
_COPIED = ("cancel_url", "client_reference_id", "customer", "customer_email", "locale", "submit_type", "success_url")

Session = rows.Row[checkouts.Session]


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/checkout/sessions", "checkout_sessions"
        return (
            routes.Route("POST", base, self.create, name),
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name),
            routes.Route("POST", f"{base}/{{id}}", self.update, name),
            routes.Route("POST", f"{base}/{{id}}/expire", self.expire, name),
            routes.Route("GET", f"{base}/{{id}}/line_items", self.line_items, name),
        )

    async def create(self, call: calls.Call) -> calls.Answer:
        values = call.read(CREATE)
        if values.get("customer"):
            await self.world.customer(call, values["customer"])
        row = _new(call, values, self.world.checkout_url)
        return await self.world.write(call, values, changes.along(kinds.SESSION, row, "create"))

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        row = await self._session(call)
        shown: Any = row.object
        if "line_items" in (values.get("expand") or ()):
            values["expand"] = [path for path in values["expand"] if path != "line_items"]
            items = lists.envelope(list(row.inner.items), False, f"{call.path}/line_items")
            shown = msgspec.to_builtins(row.object) | {"line_items": items}
        return await self.world.show(call, shown, values)

    async def list(self, call: calls.Call) -> calls.Answer:
        values = call.read(LIST)
        return await lists.listed(self.world.store, call, kinds.SESSION, values, "payment_intent", "customer")

    async def update(self, call: calls.Call) -> calls.Answer:
        values = call.read(UPDATE)
        row = await self._session(call)
        if row.state != "open":
            errors.refuse(f"Only open sessions can be updated, and this one is {row.state}.")
        metadata = params.merged(row.object.metadata, values.get("metadata", {}))
        write = changes.along(kinds.SESSION, row.with_(metadata=metadata), "update")
        return await self.world.write(call, values, write)

    async def expire(self, call: calls.Call) -> calls.Answer:
        call.read(PLAIN)
        row = await self._session(call)
        if row.state != "open":
            said = f"Only open Checkout Sessions can be expired. This Checkout Session has a status of {row.state}."
            errors.refuse(said)
        return await checking_out.expire(self.world, row, call)

    async def line_items(self, call: calls.Call) -> calls.Answer:
        values = call.read(params.request(**lists.PAGE))
        row = await self._session(call)
        items = list(row.inner.items)
        names = [item["id"] for item in items]
        after = values.get("starting_after")
        if after is not None and after not in names:
            raise errors.missing("line item", after, "starting_after")
        start = names.index(after) + 1 if after else 0
        shown = items[start : start + values.get("limit", lists.DEFAULT)]
        return calls.answer(lists.envelope(shown, start + len(shown) < len(items), call.path))

    async def _session(self, call: calls.Call) -> Session:
        return await self.world.found(call, kinds.SESSION, call.id)


def _new(call: calls.Call, values: dict[str, Any], base: str) -> Session:
    items = tuple(map(_item, values["line_items"]))
    currency, total = _sum(items)
    name = f"cs_{'live' if call.tenant.livemode else 'test'}_{ids.new('x')[2:]}"
    now = int(time.time())
    made = checkouts.Session(
        id=name,
        amount_subtotal=total,
        amount_total=total,
        created=now,
        currency=currency,
        expires_at=_expiry(values.get("expires_at"), now),
        livemode=call.tenant.livemode,
        metadata=params.merged({}, values.get("metadata", {})),
        url=f"{base}/checkout/pay/{name}",
        **{member: values[member] for member in _COPIED if member in values},
    )
    data = dict(values.get("payment_intent_data", {}))
    if "metadata" in data:
        data["metadata"] = params.merged({}, data["metadata"])
    return rows.Row(call.tenant, made, rows.Inner(items=items, nonce=ids.random(24), intent=data))


def _expiry(wanted: int | None, now: int) -> int:
    if wanted is None:
        return now + LONGEST
    if not now + SHORTEST <= wanted <= now + LONGEST:
        said = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        errors.refuse(said, param="expires_at")
    return wanted


def _item(given: dict[str, Any]) -> dict[str, Any]:
    price, quantity = given["price_data"], given.get("quantity", 1)
    total = price["unit_amount"] * quantity
    shown = {
        "id": ids.new("price"),
        "object": "price",
        "active": False,
        "currency": price["currency"],
        "type": "one_time",
        "unit_amount": price["unit_amount"],
    }
    one = checkouts.LineItem(
        id=ids.new("li"),
        amount_subtotal=total,
        amount_total=total,
        currency=price["currency"],
        description=price["product_data"]["name"],
        price=shown,
        quantity=quantity,
    )
    return dict(msgspec.to_builtins(one))


def _sum(items: tuple[dict[str, Any], ...]) -> tuple[str, int]:
    if not items:
        errors.refuse("line_items must name at least one item.", param="line_items")
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        errors.refuse("All line_items must have the same currency.", param="line_items")
    total = sum(item["amount_total"] for item in items)
    if not 1 <= total <= money.MAX_AMOUNT:
        errors.refuse("The Checkout Session's total amount must be from 1 to 999,999,999.99.", param="line_items")
    return currencies.pop(), total
