"""The page of a checkout session: what is bought, a form for the card, and what came of it."""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec

from payments.api import store
from payments.api.flows import checking_out
from payments.api.objects import checkouts, rows
from payments.api.pages import html
from payments.api.wire import errors, form
from payments.api.world import World
from payments.common import cards, money

Session = rows.Row[checkouts.Session]
_EXPIRY = re.compile(r"\s*([0-9]{1,2})\s*[/ -]\s*([0-9]{2}|[0-9]{4})\s*")
_MEMBERS = ("nonce", "email", "name", "number", "expiry", "cvc")


async def shown(world: World, name: str) -> html.Page:
    """GET: the form, or where to go instead."""
    session = await world.store.session(name)
    return _gone() if session is None else await _page(world, session)


async def paid(world: World, name: str, raw: bytes) -> html.Page:
    """POST: pay once, and go on."""
    session = await world.store.session(name)
    if session is None:
        return _gone()
    if _over(session):
        return await _page(world, session)
    try:
        given = {member: form.parse(raw).get(member, "") for member in _MEMBERS}
        return await _tried(world, session, given)
    except errors.Error as error:
        return _form(session, error.message, 402 if error.kind == "card_error" else 400)


async def _tried(world: World, session: Session, given: dict[str, Any]) -> html.Page:
    if given["nonce"] != session.inner.nonce or session.inner.promise:
        return await _page(world, session)
    picked = await world.wallet.made(session.tenant, _method(given), "")
    details = {"address": None, "email": given["email"] or None, "name": given["name"] or None, "phone": None}
    try:
        answer = await checking_out.submit(world, session, given["nonce"], picked, details | _UNTAXED)
    except (store.Stale, checking_out.Spent):
        return await _again(world, session)
    if answer.status == 402:
        said = msgspec.json.decode(answer.body)["error"]["message"]
        now = await world.store.session(session.id)
        return _form(now or session, said, 402)
    return await _again(world, session)


_UNTAXED = {"tax_exempt": "none", "tax_ids": []}


async def _again(world: World, session: Session) -> html.Page:
    """Whoever acted: how it stands now. A redirect, so that reloading sends nothing anew."""
    now = await world.store.session(session.id)
    return await _page(world, now or session, after_post=True)


async def _page(world: World, session: Session, *, after_post: bool = False) -> html.Page:
    one = session.object
    if session.state == "complete":
        return html.redirect(one.success_url.replace("{CHECKOUT_SESSION_ID}", one.id))
    if _over(session):
        said = "This page has expired. Nothing was charged. Please go back to the shop and start again."
        return html.message(410, "Expired", said)
    intent = await world.store.intent_of(session)
    if intent is not None and intent.object.status == "requires_action" and intent.object.next_action:
        return html.redirect(intent.object.next_action["redirect_to_url"]["url"])
    if session.inner.promise or (intent is not None and intent.object.status == "processing"):
        return html.render("processing.html", title="One moment", name=one.id)
    if after_post:
        return html.redirect(f"{world.checkout_url}/checkout/pay/{one.id}")
    problem = (intent.object.last_payment_error or {}).get("message", "") if intent is not None else ""
    return _form(session, problem)


def _over(session: Session) -> bool:
    return session.state == "expired" or (session.state == "open" and session.object.expires_at <= time.time())


def _form(session: Session, problem: str = "", status: int = 200) -> html.Page:
    one = session.object
    items = [
        {
            "description": item["description"],
            "quantity": item["quantity"],
            "amount": f"{money.decimal(item['amount_total'], one.currency)} {one.currency.upper()}",
        }
        for item in session.inner.items
    ]
    return html.render(
        "checkout.html",
        status,
        title="Pay",
        items=items,
        total=f"{money.decimal(one.amount_total, one.currency)} {one.currency.upper()}",
        nonce=session.inner.nonce,
        email=one.customer_email or "",
        test=not one.livemode,
        cancel=one.cancel_url,
        problem=problem,
        name=one.id,
    )


def _method(given: dict[str, Any]) -> dict[str, Any]:
    expiry = _EXPIRY.fullmatch(str(given["expiry"]))
    if expiry is None:
        raise errors.invalid("Please write the expiry date as month / year, like 09 / 34.", param="expiry")
    if not isinstance(given["number"], cards.Number) or not given["number"]:
        raise errors.invalid("Please fill in the card number.", param="number")
    card = {"number": given["number"], "exp_month": int(expiry[1]), "exp_year": int(expiry[2])}
    if isinstance(given["cvc"], cards.Cvc) and given["cvc"]:
        card["cvc"] = given["cvc"]
    billing = {"email": given["email"] or None, "name": given["name"] or None}
    return {"type": "card", "card": card, "billing_details": billing}


def _gone() -> html.Page:
    return html.message(404, "Not found", "There is no such page.")
