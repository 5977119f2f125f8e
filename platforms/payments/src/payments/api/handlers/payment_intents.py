"""/v1/payment_intents."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import msgspec

from payments.api import changes, fields, kinds, lists, wallet
from payments.api.flows import authorizing, capturing, keeping
from payments.api.objects import intents, rows
from payments.api.wire import calls, errors, params, routes
from payments.api.wire.params import amount, boolean, choice, one, text
from payments.api.world import World
from payments.common import ids

Intent = rows.Row[intents.PaymentIntent]

_CAPTURE = ("automatic", "automatic_async", "manual")
_SHARED: dict[str, params.Param] = {
    "customer": text(most=255, unset=True),
    "description": text(unset=True),
    "metadata": params.metadata(),
    "payment_method": text(most=255),
    "payment_method_data": one(fields.METHOD_DATA),
    "payment_method_options": one(fields.METHOD_OPTIONS, unset=True),
    "payment_method_types": fields.TYPES,
    "receipt_email": text(most=800, unset=True),
    "setup_future_usage": choice("off_session", "on_session", unset=True),
    "shipping": one(fields.SHIPPING, unset=True),
    "statement_descriptor": text(most=22, unset=True),
    "statement_descriptor_suffix": text(most=22, unset=True),
    "transfer_group": text(unset=True),
}
_CONFIRM: dict[str, params.Param] = {
    "off_session": boolean(),
    "return_url": params.url(),
    "error_on_requires_action": boolean(),
    "use_stripe_sdk": boolean(),
    "mandate_data": one(fields.MANDATE_DATA),
    "radar_options": one(params.Params(session=text())),
}
CREATE = params.request(
    **_SHARED,
    **_CONFIRM,
    amount=amount(required=True),
    currency=params.currency(required=True),
    automatic_payment_methods=one(fields.AUTOMATIC),
    capture_method=choice(*_CAPTURE),
    confirm=boolean(),
    confirmation_method=choice("automatic", "manual"),
)
UPDATE = params.request(**_SHARED, amount=amount(), currency=params.currency(), capture_method=choice(*_CAPTURE))
CONFIRM = params.request(
    **_CONFIRM,
    capture_method=choice(*_CAPTURE),
    client_secret=text(most=255),
    payment_method=text(most=255),
    payment_method_data=one(fields.METHOD_DATA),
    payment_method_options=one(fields.METHOD_OPTIONS, unset=True),
    payment_method_types=fields.TYPES,
    receipt_email=text(most=800, unset=True),
    setup_future_usage=choice("off_session", "on_session", unset=True),
    shipping=one(fields.SHIPPING, unset=True),
)
CAPTURE = params.request(
    amount_to_capture=amount(),
    final_capture=boolean(),
    metadata=params.metadata(),
    statement_descriptor=text(most=22),
    statement_descriptor_suffix=text(most=22),
)
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
CANCEL = params.request(cancellation_reason=choice(*REASONS))
LIST = params.request(**lists.CREATED, customer=text(most=255))
RETRIEVE = params.request(client_secret=text(most=255))

# Members of the request that are members of the object.
_COPIED = (
    "amount", "currency", "description", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group", "capture_method", "confirmation_method", "customer",
    "payment_method_types",
)  # fmt: skip
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
# What whoever holds a publishable key and the client secret may see.
_PUBLIC = frozenset(
    (
        "id", "object", "amount", "amount_details", "automatic_payment_methods", "canceled_at", "cancellation_reason",
        "capture_method", "client_secret", "confirmation_method", "created", "currency", "description",
        "last_payment_error", "livemode", "next_action", "payment_method", "payment_method_types", "processing",
        "receipt_email", "setup_future_usage", "shipping", "source", "status",
    )
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/payment_intents", "payment_intents"
        return (
            routes.Route("POST", base, self.create, name),
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name, publishable=True),
            routes.Route("POST", f"{base}/{{id}}", self.update, name),
            routes.Route("POST", f"{base}/{{id}}/confirm", self.confirm, name, publishable=True),
            routes.Route("POST", f"{base}/{{id}}/capture", self.capture, name),
            routes.Route("POST", f"{base}/{{id}}/cancel", self.cancel, name),
        )

    async def create(self, call: calls.Call) -> calls.Answer:
        values = call.read(CREATE)
        keeping.check_expand(intents.PaymentIntent, values)
        _confirm_only(values)
        await self._customer_exists(call, values)
        picked = await self.world.wallet.chosen(call, values)
        row = new(call.tenant, values)
        _fits(row.object, picked)
        if values.get("confirm"):
            return await self._confirmed(call, values, row, _wanted(row, picked))
        if picked is None:
            return await self._shown(call, values, changes.along(kinds.INTENT, row, "create"))
        ready = row.with_(payment_method=picked.row.id, status="requires_confirmation")
        return await self._shown(call, values, changes.along(kinds.INTENT, ready, "create_ready"), *picked.writes)

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        values = call.read(RETRIEVE)
        row = await self._intent(call, values)
        return _seen(call, await self.world.show(call, row.object, values))

    async def list(self, call: calls.Call) -> calls.Answer:
        return await lists.listed(self.world.store, call, kinds.INTENT, call.read(LIST), "customer")

    async def update(self, call: calls.Call) -> calls.Answer:
        values = call.read(UPDATE)
        keeping.check_expand(intents.PaymentIntent, values)
        row = await self._intent(call, values)
        _updatable(row, values)
        await self._customer_exists(call, values)
        picked = await self.world.wallet.chosen(call, values)
        after = row.with_(**_said(values, row.object))
        _fits(after.object, picked)
        if picked is not None and row.object.status in _OPEN:
            # A challenge that is open lapses: it was about the former card.
            fresh = {"nonce": "", "transaction": ""}
            ready = after.with_(fresh, payment_method=picked.row.id, status="requires_confirmation", next_action=None)
            return await self._shown(call, values, changes.along(kinds.INTENT, ready, "attach"), *picked.writes)
        return await self._shown(call, values, changes.along(kinds.INTENT, after, "update"))

    async def confirm(self, call: calls.Call) -> calls.Answer:
        values = call.read(CONFIRM)
        keeping.check_expand(intents.PaymentIntent, values)
        row = await self._intent(call, values)
        if row.object.status not in _OPEN:
            raise _unexpected(row.object, _NOT_CONFIRMABLE.get(row.object.status, _CANNOT_CONFIRM), row.object.status)
        _free(row)
        after = row.with_(**_said(values, row.object))
        picked = await self.world.wallet.chosen(call, values)
        if picked is None and row.object.payment_method:
            picked = await self.world.wallet.method(call.tenant, row.object.payment_method)
        _fits(after.object, picked)
        return _seen(call, await self._confirmed(call, values, after, _wanted(after, picked)))

    async def capture(self, call: calls.Call) -> calls.Answer:
        values = call.read(CAPTURE)
        keeping.check_expand(intents.PaymentIntent, values)
        row = await self._intent(call, values)
        one = row.object
        if one.status != "requires_capture":
            raise _unexpected(one, _CANNOT_CAPTURE, one.status)
        _free(row)
        wanted = values.get("amount_to_capture", one.amount_capturable)
        if wanted > one.amount_capturable:
            errors.refuse(_TOO_MUCH, param="amount_to_capture", code="amount_too_large")
        final = values.get("final_capture", True) or wanted == one.amount_capturable
        flow = capturing.Capturing(self.world)
        promise = keeping.promise(flow.kind, row.id, call, values, amount=wanted, final=final)
        return await keeping.begun(
            self.world, flow, call, promise, capturing.promised(row.with_(**_said(values, one)), promise)
        )

    async def cancel(self, call: calls.Call) -> calls.Answer:
        values = call.read(CANCEL)
        keeping.check_expand(intents.PaymentIntent, values)
        row = await self._intent(call, values)
        one = row.object
        if one.status not in (*_OPEN, "requires_capture"):
            raise _unexpected(one, _CANNOT_CANCEL, one.status)
        _free(row)
        reason = values.get("cancellation_reason")
        if not (row.inner.transaction and one.status in ("requires_action", "requires_capture")):
            return await self._shown(call, values, capturing.cancel(row, reason))
        flow = capturing.Voiding(self.world)
        promise = keeping.promise(flow.kind, row.id, call, values, reason=reason)
        return await keeping.begun(self.world, flow, call, promise, capturing.promised(row, promise))

    async def _confirmed(
        self, call: calls.Call, values: dict[str, Any], row: Intent, picked: wallet.Choice
    ) -> calls.Answer:
        method = picked.writes[0].stored if picked.writes else picked.row
        flow = authorizing.Authorizing(self.world, method)
        promise = keeping.promise(flow.kind, row.id, call, values)
        inner = {"off_session": values.get("off_session", False), "return_url": values.get("return_url", "")}
        write = authorizing.submitted(row.with_(inner), picked, promise)
        return await keeping.begun(self.world, flow, call, promise, write, *picked.writes)

    async def _shown(self, call: calls.Call, values: dict[str, Any], *writes: changes.Write) -> calls.Answer:
        return await self.world.write(call, values, *writes)

    async def _intent(self, call: calls.Call, values: dict[str, Any]) -> Intent:
        row: Intent = await self.world.found(call, kinds.INTENT, call.id)
        given = values.get("client_secret")
        if call.publishable and given is None:
            errors.refuse("Missing required param: client_secret.", param="client_secret", code="parameter_missing")
        if given is not None and given != row.object.client_secret:
            raise errors.missing(kinds.INTENT.noun, call.id, kinds.INTENT.param)
        return row

    async def _customer_exists(self, call: calls.Call, values: dict[str, Any]) -> None:
        if values.get("customer"):
            await self.world.customer(call, values["customer"])


def new(tenant: calls.Tenant, values: dict[str, Any]) -> Intent:
    """An intent that nobody stored yet, without its payment method."""
    one = ids.new("pi")
    automatic = values.get("automatic_payment_methods")
    if automatic is None and "payment_method_types" not in values:
        automatic = {"allow_redirects": "always", "enabled": True}
    made = intents.PaymentIntent(
        id=one,
        automatic_payment_methods=automatic,
        client_secret=f"{one}_secret_{ids.random(24)}",
        created=int(time.time()),
        livemode=tenant.livemode,
        **_said(values, None),
    )
    return rows.Row(tenant, made)


def _said(values: dict[str, Any], old: intents.PaymentIntent | None) -> dict[str, Any]:
    """The object's members that the request sets."""
    said = {name: values[name] for name in _COPIED if name in values}
    if "metadata" in values:
        said["metadata"] = params.merged(old.metadata if old else {}, values["metadata"])
    if values.get("payment_method_options"):
        card = (old.payment_method_options if old else intents.OPTIONS)["card"]
        said["payment_method_options"] = {"card": card | values["payment_method_options"].get("card", {})}
    return said


def _confirm_only(values: dict[str, Any]) -> None:
    for name in _CONFIRM:
        if name in values and not values.get("confirm") and name not in ("use_stripe_sdk", "radar_options"):
            errors.refuse(_CONFIRM_ONLY.format(name), param=name)


def _wanted(row: Intent, picked: wallet.Choice | None) -> wallet.Choice:
    if picked is None:
        raise _unexpected(row.object, _NO_METHOD, "")
    return picked


def _fits(one: intents.PaymentIntent, picked: wallet.Choice | None) -> None:
    """A saved card pays for its own customer only."""
    owner = picked.row.object.customer if picked else None
    if owner is not None and owner != one.customer:
        said = (
            "The provided PaymentMethod cannot be used with this PaymentIntent: it is attached to a customer, "
            f"and the PaymentIntent {'has another' if one.customer else 'has none'}. "
            "Create the PaymentIntent with the customer that the PaymentMethod is attached to."
        )
        errors.refuse(said, param="payment_method", code="payment_method_customer_mismatch")


def _updatable(row: Intent, values: dict[str, Any]) -> None:
    one = row.object
    _free(row)
    if one.status in _OPEN:
        return
    fixed = [name for name in values if name not in ("metadata", "description", "receipt_email", "expand")]
    if fixed or one.status == "processing":
        names = " or ".join(fixed) or "fields"
        said = (
            f"This PaymentIntent's {names} could not be updated because it has a status of {{}}. You may only update "
            f"the {names} of a PaymentIntent with one of the following statuses: {', '.join(_OPEN)}."
        )
        raise _unexpected(one, said, one.status)


def _free(row: Intent) -> None:
    if row.inner.promise:
        raise errors.Busy


def _unexpected(one: intents.PaymentIntent, said: str, status: str) -> errors.Error:
    more = {"payment_intent": msgspec.to_builtins(one)} if one.id else {}
    return errors.invalid(said.format(status), code="payment_intent_unexpected_state", **more)


def _seen(call: calls.Call, answer: calls.Answer) -> calls.Answer:
    """What the browser may see of it."""
    if not call.publishable or answer.status != 200:
        return answer
    whole = msgspec.json.decode(answer.body)
    return calls.answer({name: value for name, value in whole.items() if name in _PUBLIC})


_CONFIRM_ONLY = "The parameter `{}` cannot be passed when creating a PaymentIntent unless `confirm` is set to true."
_CANNOT_CONFIRM = "You cannot confirm this PaymentIntent because it has a status of {}."
_NOT_CONFIRMABLE = {
    "succeeded": (
        "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
    ),
}
_NO_METHOD = (
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
    "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment "
    "method or ConfirmationToken."
)
_CANNOT_CAPTURE = (
    "This PaymentIntent could not be captured because it has a status of {}. "
    "Only a PaymentIntent with one of the following statuses may be captured: requires_capture."
)
_TOO_MUCH = "The provided capture amount is greater than the amount this PaymentIntent can capture."
_CANNOT_CANCEL = (
    "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the "
    "following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, "
    "requires_confirmation, requires_action, processing."
)
