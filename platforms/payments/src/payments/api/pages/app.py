"""The ASGI app of /checkout/*."""

from __future__ import annotations

import logging
import urllib.parse
from typing import Any

from payments.api.flows import returning
from payments.api.objects import rows
from payments.api.pages import checkout, html
from payments.api.wire import app as wire
from payments.api.wire import calls
from payments.api.world import World

_log = logging.getLogger(__name__)


class Pages:
    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            page = await self._page(scope, receive)
        except Exception:
            _log.exception("unexpected error on a page")
            page = html.message(500, "Something went wrong", "Nothing was charged twice. Please try again in a moment.")
        await html.send(page, send)

    async def _page(self, scope: Any, receive: Any) -> html.Page:
        parts = scope["path"].strip("/").split("/")
        query = dict(urllib.parse.parse_qsl(scope["query_string"].decode("latin-1")))
        if parts[1] == "authenticated" and len(parts) == 6 and scope["method"] in ("GET", "HEAD"):
            scope["route_template"] = "/checkout/authenticated/{account}/{mode}/{intent}/{nonce}"
            return await self._authenticated(parts[2:], query)
        if parts[1] == "pay" and len(parts) == 3:
            scope["route_template"] = "/checkout/pay/{session}"
            return await self._pay(parts[2], scope, receive)
        return html.message(404, "Not found", "There is no such page.")

    async def _pay(self, name: str, scope: Any, receive: Any) -> html.Page:
        if scope["method"] in ("GET", "HEAD"):
            return await checkout.shown(self._world, name)
        if scope["method"] == "POST":
            return await checkout.paid(self._world, name, await wire.body(scope, receive))
        return html.message(405, "Not possible", "This page is read or filled in.")

    async def _authenticated(self, parts: list[str], query: dict[str, str]) -> html.Page:
        account, mode, intent, nonce = parts
        tenant = calls.Tenant(account, mode == "live")
        proof, passed = query.get("authentication", ""), query.get("result") == "succeeded"
        row = await returning.returned(self._world, tenant, intent, nonce, proof, passed=passed)
        if row is None:
            return html.message(404, "Not found", "This address is not valid any more.")
        return _onwards(row)


def _onwards(row: rows.Row[Any]) -> html.Page:
    """To the merchant, as Stripe's redirect does it: with the intent, its client secret and how it went."""
    good = row.object.status in ("succeeded", "processing", "requires_capture")
    if not row.inner.return_url:
        said = "Your card is authenticated" if good else "Your bank did not confirm that it is you"
        return html.message(200, said, "You can close this page.")
    noun = row.object.object
    told = urllib.parse.urlencode(
        {
            noun: row.id,
            f"{noun}_client_secret": row.object.client_secret,
            "redirect_status": "succeeded" if good else "failed",
        }
    )
    target = row.inner.return_url
    return html.redirect(f"{target}{'&' if '?' in target else '?'}{told}")
