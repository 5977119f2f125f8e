"""/v1/customers."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import msgspec

from payments.api import changes, fields, kinds, lists
from payments.api.objects import customers, rows
from payments.api.wire import calls, params, routes
from payments.api.wire.params import choice, many, one, text
from payments.api.world import World
from payments.common import ids

_SHARED: dict[str, params.Param] = {
    "address": one(fields.ADDRESS, unset=True),
    "description": text(unset=True),
    "email": text(most=512, unset=True),
    "invoice_settings": one(params.Params(default_payment_method=text(most=255, unset=True))),
    "metadata": params.metadata(),
    "name": text(most=256, unset=True),
    "phone": text(most=20, unset=True),
    "preferred_locales": many(text(most=20)),
    "shipping": one(fields.SHIPPING, unset=True),
    "tax_exempt": choice("exempt", "none", "reverse"),
}
CREATE = params.request(**_SHARED, payment_method=text(most=255))
UPDATE = params.request(**_SHARED)
LIST = params.request(**lists.CREATED, email=text(most=512))
PLAIN = params.request()
_COPIED = ("address", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")

Customer = rows.Row[customers.Customer]


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/customers", "customers"
        return (
            routes.Route("POST", base, self.create, name),
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name),
            routes.Route("POST", f"{base}/{{id}}", self.update, name),
            routes.Route("DELETE", f"{base}/{{id}}", self.delete, name),
        )

    async def create(self, call: calls.Call) -> calls.Answer:
        values = call.read(CREATE)
        await self._method_exists(call, values)
        made = customers.Customer(
            id=ids.new("cus"),
            created=int(time.time()),
            livemode=call.tenant.livemode,
            invoice_prefix=ids.random(8).upper(),
        )
        row = rows.Row(call.tenant, msgspec.structs.replace(made, **_said(values, made)))
        writes = [changes.along(kinds.CUSTOMER, row, "create")]
        if "payment_method" in values:
            picked = (await self.world.wallet.method(call.tenant, values["payment_method"])).row
            edge = "attach" if picked.version else "create_attached"
            writes.append(changes.along(kinds.METHOD, picked.with_(customer=row.id), edge))
        return await self.world.write(call, values, *writes)

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        row = await self.world.found(call, kinds.CUSTOMER, call.id)
        if row.state == "deleted":
            return calls.answer(rows.Deleted(id=row.id, object="customer"))
        return await self.world.show(call, row.object, values)

    async def list(self, call: calls.Call) -> calls.Answer:
        values = call.read(LIST) | {"state": "active"}
        return await lists.listed(self.world.store, call, kinds.CUSTOMER, values, "email", "state")

    async def update(self, call: calls.Call) -> calls.Answer:
        values = call.read(UPDATE)
        row = await self.world.customer(call, call.id, "id")
        await self._method_exists(call, values)
        said = _said(values, row.object)
        previous = {name: getattr(row.object, name) for name in said if getattr(row.object, name) != said[name]}
        write = changes.along(kinds.CUSTOMER, row.with_(**said), "update", previous=previous)
        return await self.world.write(call, values, write)

    async def delete(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        row = await self.world.customer(call, call.id, "id")
        gone = rows.Deleted(id=row.id, object="customer")
        # What was known of the person goes; the id stays, because payments name it.
        empty = customers.Customer(id=row.id, created=row.object.created, livemode=row.object.livemode)
        stripped = rows.Row(row.tenant, empty, rows.Inner(), row.version, row.state)
        return await self.world.write(call, values, changes.along(kinds.CUSTOMER, stripped, "delete"), shown=gone)

    async def _method_exists(self, call: calls.Call, values: dict[str, Any]) -> None:
        wanted = (values.get("invoice_settings") or {}).get("default_payment_method")
        if wanted:
            param = "invoice_settings[default_payment_method]"
            await self.world.found(call, kinds.METHOD, wanted, param)


def _said(values: dict[str, Any], old: customers.Customer) -> dict[str, Any]:
    said = {name: values[name] for name in _COPIED if name in values}
    if "metadata" in values:
        said["metadata"] = params.merged(old.metadata, values["metadata"])
    if "invoice_settings" in values:
        said["invoice_settings"] = old.invoice_settings | values["invoice_settings"]
    return said
