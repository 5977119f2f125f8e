"""A card holder comes back from his bank: go on with the payment or setup, or learn that he did not authenticate."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

from payments.api import changes, kinds, store, wallet
from payments.api.flows import authorizing, keeping, setting_up
from payments.api.objects import rows
from payments.api.wire import calls
from payments.api.world import World


async def returned(
    world: World, tenant: calls.Tenant, one: str, nonce: str, proof: str, *, passed: bool
) -> rows.Row[Any] | None:
    """The intent after the holder's return; None where the address was not ours. Coming back twice changes nothing."""
    kind = kinds.SETUP if one.startswith(f"{kinds.SETUP.prefix}_") else kinds.INTENT
    row = await world.store.find(tenant, kind, one)
    if row is None or not nonce:
        return None
    if row.object.status != "requires_action" or row.inner.promise:
        return row
    if not secrets.compare_digest(row.inner.nonce.encode(), nonce.encode()):
        return None
    with contextlib.suppress(store.Stale):  # the same return twice at once: the other one did it
        await _went_on(world, kind, row, proof if passed else "")
    return await world.store.find(tenant, kind, one)


async def _went_on(world: World, kind: kinds.Kind, row: rows.Row[Any], proof: str) -> None:
    method = await world.store.find(row.tenant, kinds.METHOD, str(row.object.payment_method))
    if method is None:
        raise LookupError(f"{row.id} is to go on with {row.object.payment_method}, which is gone")
    module: Any = authorizing if kind is kinds.INTENT else setting_up
    if not proof:
        await world.store.commit(changes.Change(row.tenant, (module.unauthenticated(row, method.object),)))
        return
    call = calls.Call(tenant=row.tenant, method="POST", path="", tree={})
    flow = authorizing.Authorizing(world, method) if kind is kinds.INTENT else setting_up.SettingUp(world, method)
    promise = keeping.promise(flow.kind, row.id, call, {})
    write = module.submitted(row.with_({"authentication": proof}), wallet.Choice(method), promise)
    await keeping.begun(world, flow, call, promise, write)
