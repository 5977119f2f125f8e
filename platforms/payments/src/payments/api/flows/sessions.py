"""What becomes of a checkout session when its payment moves."""

from __future__ import annotations

from payments.api import changes, kinds
from payments.api.objects import intents, rows
from payments.api.world import World


async def ended(world: World, intent: rows.Row[intents.PaymentIntent]) -> tuple[changes.Write, ...]:
    """What becomes of the session of `intent` (as it will be), if it has one; for the change that moves the intent."""
    if not intent.inner.session:
        return ()
    session = await world.store.find(intent.tenant, kinds.SESSION, intent.inner.session)
    if session is None or session.state != "open":
        return ()
    free = {"promise": ""}
    status = intent.object.status
    if status not in ("succeeded", "requires_capture"):
        return (changes.along(kinds.SESSION, session.with_(free), "update"),)
    paid = "paid" if status == "succeeded" else "unpaid"
    after = session.with_(free | {"nonce": ""}, status="complete", payment_status=paid, url=None)
    return (changes.along(kinds.SESSION, after, "complete"),)
