"""A card holder comes back from his bank: pay now, or learn that he did not authenticate."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

from payments.api import changes, kinds, store, wallet
from payments.api.flows import authorizing, keeping
from payments.api.objects import intents, rows
from payments.api.wire import calls
from payments.api.world import World

Intent = rows.Row[intents.PaymentIntent]


async def returned(
    world: World, tenant: calls.Tenant, intent: str, nonce: str, proof: str, *, passed: bool
) -> Intent | None:
    """The intent after the holder's return; None where the address was not ours. Coming back twice changes nothing."""
    row: Intent | None = await world.store.find(tenant, kinds.INTENT, intent)
    if row is None or not nonce:
        return None
    if row.object.status != "requires_action" or row.inner.promise:
        return row
    if not secrets.compare_digest(row.inner.nonce, nonce):
        return None
    with contextlib.suppress(store.Stale):  # the same return twice at once: the other one did it
        await (_paid(world, row, proof) if passed else _failed(world, row))
    return await world.store.find(tenant, kinds.INTENT, intent)


async def _paid(world: World, row: Intent, proof: str) -> None:
    method = await world.store.find(row.tenant, kinds.METHOD, str(row.object.payment_method))
    if method is None:
        raise LookupError(f"{row.id} is to be paid with {row.object.payment_method}, which is gone")
    call = calls.Call(tenant=row.tenant, method="POST", path="", tree={})
    flow = authorizing.Authorizing(world, method)
    promise = keeping.promise(flow.kind, row.id, call, {})
    write = authorizing.submitted(row.with_({"authentication": proof}), wallet.Choice(method), promise)
    await keeping.begun(world, flow, call, promise, write)


async def _failed(world: World, row: Intent) -> None:
    method: rows.Row[Any] | None = await world.store.find(row.tenant, kinds.METHOD, str(row.object.payment_method))
    if method is None:
        raise LookupError(f"{row.id} was to be paid with {row.object.payment_method}, which is gone")
    write = authorizing.unauthenticated(row, method.object)
    await world.store.commit(changes.Change(row.tenant, (write,)))
