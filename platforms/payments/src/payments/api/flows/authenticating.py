"""A bank wants its card holder: the address he is sent to, which leads back to us and then to the merchant."""

from __future__ import annotations

import urllib.parse
from typing import Any

from payments.api.objects import rows
from payments.api.world import World
from payments.common import ids
from payments.rpc import transaction_pb2 as pb


def challenge(world: World, row: rows.Row[Any], answer: pb.Transaction) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is kept of the challenge, and next_action."""
    nonce = ids.random(24)
    url = _address(world, row, answer.authentication_url, nonce)
    action = {
        "redirect_to_url": {"return_url": row.inner.return_url or None, "url": url},
        "type": "redirect_to_url",
    }
    inner = {
        "promise": "",
        "transaction": answer.id,
        "nonce": nonce,
        "authentication": "",
        "unanswered": False,
    }
    return inner, action


def _address(world: World, row: rows.Row[Any], page: str, nonce: str) -> str:
    mode = "live" if row.tenant.livemode else "test"
    back = f"{world.checkout_url}/checkout/authenticated/{row.tenant.account_id}/{mode}/{row.id}/{nonce}"
    return f"{page}{'&' if '?' in page else '?'}{urllib.parse.urlencode({'return_url': back})}"
