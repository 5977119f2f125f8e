"""A checkout session from its page: one payment, however often the button is pressed.

Pressing it spends the page's nonce in the same change that submits the payment, so a second press (or a second tab)
finds the nonce spent and nothing to do. The session completes in the change that writes the payment's success down.
"""

from __future__ import annotations

import time
from typing import Any

from payments.api import changes, keys, kinds, wallet
from payments.api.flows import authorizing, capturing, keeping
from payments.api.objects import checkouts, intents, rows
from payments.api.wire import calls, errors
from payments.api.world import World
from payments.common import ids

Session = rows.Row[checkouts.Session]
Intent = rows.Row[intents.PaymentIntent]
MAX_ATTEMPTS = 10
"""Cards that may be tried on one page: a page that takes any number of guesses tests stolen cards for thieves."""


class Spent(Exception):
    """The page's nonce was used already, or its session is over: look at the session."""


async def submit(
    world: World, session: Session, nonce: str, picked: wallet.Choice, details: dict[str, Any]
) -> calls.Answer:
    """Pays with `picked`; raises `Spent`, and `store.Stale` where another press came first."""
    if session.state != "open" or session.inner.promise or nonce != session.inner.nonce:
        raise Spent
    row = await _intent(world, session)
    if row.inner.attempt >= MAX_ATTEMPTS:
        raise errors.invalid("Too many cards were tried.", code="card_velocity_exceeded")
    call = calls.Call(tenant=session.tenant, method="POST", path="", tree={})
    flow = authorizing.Authorizing(world, picked.writes[0].stored if picked.writes else picked.row)
    promise = keeping.promise(flow.kind, row.id, call, {})
    inner = {"session": session.id, "return_url": f"{world.checkout_url}/checkout/pay/{session.id}"}
    write = authorizing.submitted(row.with_(inner), picked, promise)
    taken = {"promise": promise.id, "nonce": ids.random(24)}
    after = session.with_(taken, payment_intent=row.id, customer_details=details)
    return await keeping.begun(
        world, flow, call, promise, write, changes.along(kinds.SESSION, after, "update"), *picked.writes
    )


async def _intent(world: World, session: Session) -> Intent:
    one = session.object
    if one.payment_intent is None:
        return _new(session)
    found: Intent | None = await world.store.find(session.tenant, kinds.INTENT, one.payment_intent)
    if found is None or found.object.status != "requires_payment_method" or found.inner.promise:
        raise Spent
    return found


def _new(session: Session) -> Intent:
    one, name = session.object, ids.new("pi")
    made = intents.PaymentIntent(
        id=name,
        amount=one.amount_total,
        client_secret=f"{name}_secret_{ids.random(24)}",
        created=int(time.time()),
        currency=one.currency,
        customer=one.customer,
        livemode=one.livemode,
        **session.inner.intent,
    )
    return rows.Row(session.tenant, made)


async def expire(world: World, session: Session, call: calls.Call | None = None) -> calls.Answer:
    """Ends an open session and cancels its payment, unless that is being decided right now."""
    if session.inner.promise:
        raise errors.Busy
    writes = [changes.along(kinds.SESSION, session.with_({"nonce": ""}, status="expired", url=None), "expire")]
    if session.object.payment_intent is not None:
        row = await world.store.find(session.tenant, kinds.INTENT, session.object.payment_intent)
        if row is not None:
            writes.append(_canceled(row))
    answer = calls.answer(writes[0].row.object)
    claim = keys.finished(call, answer) if call else None
    cause = changes.Cause(call.request_id, call.key) if call else changes.NOBODY
    await world.store.commit(changes.Change(session.tenant, tuple(writes), cause, claim=claim))
    return answer


def _canceled(row: Intent) -> changes.Write:
    if row.inner.promise or row.object.status not in ("requires_payment_method", "requires_action"):
        raise errors.Busy
    return capturing.cancel(row, "automatic")
