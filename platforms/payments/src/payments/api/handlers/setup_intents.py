"""/v1/setup_intents."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import msgspec

from payments.api import changes, fields, kinds, lists, wallet
from payments.api.flows import keeping, setting_up
from payments.api.objects import rows, setups
from payments.api.wire import calls, errors, params, routes
from payments.api.wire.params import boolean, choice, one, text
from payments.api.world import World
from payments.common import ids

Setup = rows.Row[setups.SetupIntent]

_SHARED: dict[str, params.Param] = {
    "customer": text(most=255),
    "description": text(unset=True),
    "metadata": params.metadata(),
    "payment_method": text(most=255),
    "payment_method_data": one(fields.METHOD_DATA),
    "payment_method_options": one(fields.METHOD_OPTIONS),
    "payment_method_types": fields.TYPES,
}
_CONFIRM: dict[str, params.Param] = {
    "return_url": params.url(),
    "use_stripe_sdk": boolean(),
    "mandate_data": one(fields.MANDATE_DATA),
}
CREATE = params.request(
    **_SHARED,
    **_CONFIRM,
    automatic_payment_methods=one(fields.AUTOMATIC),
    confirm=boolean(),
    usage=choice("off_session", "on_session"),
)
UPDATE = params.request(**_SHARED)
CONFIRM = params.request(
    **_CONFIRM,
    client_secret=text(most=255),
    payment_method=text(most=255),
    payment_method_data=one(fields.METHOD_DATA),
    payment_method_options=one(fields.METHOD_OPTIONS),
)
CANCEL = params.request(cancellation_reason=choice("abandoned", "duplicate", "requested_by_customer"))
LIST = params.request(**lists.CREATED, customer=text(most=255), payment_method=text(most=255))
RETRIEVE = params.request(client_secret=text(most=255))
_COPIED = ("customer", "description", "payment_method_types", "usage")
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_PUBLIC = frozenset(
    (
        "id", "object", "automatic_payment_methods", "cancellation_reason", "client_secret", "created", "description",
        "last_setup_error", "livemode", "next_action", "payment_method", "payment_method_types", "status", "usage",
    )
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/setup_intents", "setup_intents"
        return (
            routes.Route("POST", base, self.create, name),
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name, publishable=True),
            routes.Route("POST", f"{base}/{{id}}", self.update, name),
            routes.Route("POST", f"{base}/{{id}}/confirm", self.confirm, name, publishable=True),
            routes.Route("POST", f"{base}/{{id}}/cancel", self.cancel, name),
        )

    async def create(self, call: calls.Call) -> calls.Answer:
        values = call.read(CREATE)
        keeping.check_expand(setups.SetupIntent, values)
        if values.get("customer"):
            await self.world.customer(call, values["customer"])
        picked = await self.world.wallet.chosen(call, values)
        row = _new(call.tenant, values)
        _fits(row.object, picked)
        if values.get("confirm"):
            return await self._confirmed(call, values, row, picked)
        if picked is None:
            return await self.world.write(call, values, changes.along(kinds.SETUP, row, "create"))
        ready = row.with_(payment_method=picked.row.id, status="requires_confirmation")
        write = changes.along(kinds.SETUP, ready, "create_ready")
        return await self.world.write(call, values, write, *picked.writes)

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        values = call.read(RETRIEVE)
        row = await self._setup(call, values)
        return _seen(call, await self.world.show(call, row.object, values))

    async def list(self, call: calls.Call) -> calls.Answer:
        values = call.read(LIST)
        return await lists.listed(self.world.store, call, kinds.SETUP, values, "customer", "payment_method")

    async def update(self, call: calls.Call) -> calls.Answer:
        values = call.read(UPDATE)
        row = await self._open(call, values, "update")
        if values.get("customer"):
            await self.world.customer(call, values["customer"])
        picked = await self.world.wallet.chosen(call, values)
        after = row.with_(**_said(values, row.object))
        _fits(after.object, picked)
        if picked is None:
            return await self.world.write(call, values, changes.along(kinds.SETUP, after, "update"))
        fresh = {"nonce": "", "transaction": ""}
        ready = after.with_(fresh, payment_method=picked.row.id, status="requires_confirmation", next_action=None)
        return await self.world.write(call, values, changes.along(kinds.SETUP, ready, "attach"), *picked.writes)

    async def confirm(self, call: calls.Call) -> calls.Answer:
        values = call.read(CONFIRM)
        keeping.check_expand(setups.SetupIntent, values)
        row = await self._open(call, values, "confirm")
        picked = await self.world.wallet.chosen(call, values)
        if picked is None and row.object.payment_method:
            picked = await self.world.wallet.method(call.tenant, row.object.payment_method)
        _fits(row.object, picked)
        return _seen(call, await self._confirmed(call, values, row, picked))

    async def cancel(self, call: calls.Call) -> calls.Answer:
        values = call.read(CANCEL)
        row = await self._open(call, values, "cancel")
        reason = values.get("cancellation_reason")
        after = row.with_({"nonce": ""}, status="canceled", cancellation_reason=reason, next_action=None)
        return await self.world.write(call, values, changes.along(kinds.SETUP, after, "cancel"))

    async def _confirmed(
        self, call: calls.Call, values: dict[str, Any], row: Setup, picked: wallet.Choice | None
    ) -> calls.Answer:
        if picked is None:
            raise _unexpected(row.object, _NO_METHOD)
        flow = setting_up.SettingUp(self.world, picked.writes[0].stored if picked.writes else picked.row)
        promise = keeping.promise(flow.kind, row.id, call, values)
        write = setting_up.submitted(row.with_({"return_url": values.get("return_url", "")}), picked, promise)
        return await keeping.begun(self.world, flow, call, promise, write, *picked.writes)

    async def _open(self, call: calls.Call, values: dict[str, Any], verb: str) -> Setup:
        row = await self._setup(call, values)
        if row.object.status not in _OPEN:
            said = f"You cannot {verb} this SetupIntent because it has a status of {row.object.status}."
            raise _unexpected(row.object, said)
        if row.inner.promise:
            raise errors.Busy
        return row

    async def _setup(self, call: calls.Call, values: dict[str, Any]) -> Setup:
        row: Setup = await self.world.found(call, kinds.SETUP, call.id)
        given = values.get("client_secret")
        if call.publishable and given is None:
            errors.refuse("Missing required param: client_secret.", param="client_secret", code="parameter_missing")
        if given is not None and given != row.object.client_secret:
            raise errors.missing(kinds.SETUP.noun, call.id, kinds.SETUP.param)
        return row


_NO_METHOD = (
    "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment "
    "method and then confirm it again, or confirm it with a payment method."
)


def _new(tenant: calls.Tenant, values: dict[str, Any]) -> Setup:
    name = ids.new("seti")
    automatic = values.get("automatic_payment_methods")
    if automatic is None and "payment_method_types" not in values:
        automatic = {"allow_redirects": "always", "enabled": True}
    made = setups.SetupIntent(
        id=name,
        automatic_payment_methods=automatic,
        client_secret=f"{name}_secret_{ids.random(24)}",
        created=int(time.time()),
        livemode=tenant.livemode,
        **_said(values, None),
    )
    return rows.Row(tenant, made)


def _said(values: dict[str, Any], old: setups.SetupIntent | None) -> dict[str, Any]:
    said = {name: values[name] for name in _COPIED if name in values}
    if "metadata" in values:
        said["metadata"] = params.merged(old.metadata if old else {}, values["metadata"])
    return said


def _fits(one: setups.SetupIntent, picked: wallet.Choice | None) -> None:
    owner = picked.row.object.customer if picked else None
    if owner is not None and owner != one.customer:
        said = "The provided PaymentMethod is attached to another customer than the SetupIntent's."
        errors.refuse(said, param="payment_method", code="payment_method_customer_mismatch")


def _unexpected(one: setups.SetupIntent, said: str) -> errors.Error:
    return errors.invalid(said, code="setup_intent_unexpected_state", setup_intent=msgspec.to_builtins(one))


def _seen(call: calls.Call, answer: calls.Answer) -> calls.Answer:
    if not call.publishable or answer.status != 200:
        return answer
    whole = msgspec.json.decode(answer.body)
    return calls.answer({name: value for name, value in whole.items() if name in _PUBLIC})
