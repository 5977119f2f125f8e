"""/v1/refunds."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, NoReturn

from payments.api import changes, kinds, lists
from payments.api.flows import keeping, refunding
from payments.api.objects import charges, rows
from payments.api.wire import calls, errors, params, routes
from payments.api.wire.params import amount, choice, text
from payments.api.world import World
from payments.common import ids, money

CREATE = params.request(
    amount=amount(),
    charge=text(most=255),
    payment_intent=text(most=255),
    metadata=params.metadata(),
    reason=choice("duplicate", "fraudulent", "requested_by_customer"),
)
UPDATE = params.request(metadata=params.metadata())
LIST = params.request(**lists.CREATED, charge=text(most=255), payment_intent=text(most=255))
RETRIEVE = params.request()


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/refunds", "refunds"
        return (
            routes.Route("POST", base, self.create, name),
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name),
            routes.Route("POST", f"{base}/{{id}}", self.update, name),
        )

    async def create(self, call: calls.Call) -> calls.Answer:
        return await self.refund(call, call.read(CREATE))

    async def refund(self, call: calls.Call, values: dict[str, Any]) -> calls.Answer:
        """Reserve, return, write down."""
        keeping.check_expand(charges.Refund, values)
        charge = await self._charge(call, values)
        row = _new(charge, values, _amount(charge.object, values.get("amount")))
        flow = refunding.Refunding(self.world)
        promise = keeping.promise(flow.kind, row.id, call, values)
        created = changes.along(kinds.REFUND, row.with_({"promise": promise.id}), "create")
        reserved = refunding.reserved(charge, row.object.amount)
        return await keeping.begun(self.world, flow, call, promise, created, reserved)

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        values = call.read(RETRIEVE)
        return await self.world.show(call, (await self.world.found(call, kinds.REFUND, call.id)).object, values)

    async def list(self, call: calls.Call) -> calls.Answer:
        return await lists.listed(self.world.store, call, kinds.REFUND, call.read(LIST), "charge", "payment_intent")

    async def update(self, call: calls.Call) -> calls.Answer:
        values = call.read(UPDATE)
        row = await self.world.found(call, kinds.REFUND, call.id)
        if row.inner.promise and not row.inner.unanswered:
            raise errors.Busy
        metadata = params.merged(row.object.metadata, values.get("metadata", {}))
        return await self.world.write(call, values, changes.along(kinds.REFUND, row.with_(metadata=metadata), "update"))

    async def _charge(self, call: calls.Call, values: dict[str, Any]) -> rows.Row[charges.Charge]:
        if ("charge" in values) == ("payment_intent" in values):
            _one_of_two(both="charge" in values)
        if "charge" in values:
            return await self.world.found(call, kinds.CHARGE, values["charge"], "charge")
        intent = await self.world.found(call, kinds.INTENT, values["payment_intent"], "payment_intent")
        one = intent.object
        if one.latest_charge is None or one.amount_received == 0:
            said = f"This PaymentIntent ({one.id}) does not have a successful charge to refund."
            errors.refuse(said, param="payment_intent", code="charge_not_refundable")
        return await self.world.found(call, kinds.CHARGE, one.latest_charge, "payment_intent")


def _one_of_two(*, both: bool) -> NoReturn:
    if both:
        errors.refuse("You may only specify one of these parameters: charge, payment_intent.")
    said = "One of the following params should be provided for this request: payment_intent or charge."
    errors.refuse(said, code="parameter_missing")


def _amount(charge: charges.Charge, wanted: int | None) -> int:
    left = charge.amount_captured - charge.amount_refunded
    if not charge.captured:
        state = "failed and" if charge.status == "failed" else "has not been captured and"
        errors.refuse(f"Charge {charge.id} {state} cannot be refunded.", code="charge_not_captured", param="charge")
    if left == 0:
        errors.refuse(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
    if wanted is not None and wanted > left:
        shown, most = money.decimal(wanted, charge.currency), money.decimal(left, charge.currency)
        currency = charge.currency
        said = f"Refund amount ({shown} {currency}) is greater than unrefunded amount on charge ({most} {currency})"
        errors.refuse(said, param="amount", code="amount_too_large")
    return left if wanted is None else wanted


def _new(charge: rows.Row[charges.Charge], values: dict[str, Any], minor: int) -> rows.Row[charges.Refund]:
    one = charge.object
    made = charges.Refund(
        id=ids.new("re"),
        amount=minor,
        charge=one.id,
        created=int(time.time()),
        currency=one.currency,
        metadata=params.merged({}, values.get("metadata", {})),
        payment_intent=one.payment_intent,
        reason=values.get("reason"),
    )
    return rows.Row(charge.tenant, made, rows.Inner(transaction=charge.inner.transaction))
