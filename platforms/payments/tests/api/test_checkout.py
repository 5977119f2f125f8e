"""The hosted page takes one payment, without JavaScript, however often the button is pressed."""

from __future__ import annotations

import asyncio
import html
import html.parser
import re
from typing import Any

from payments.api.flows import checking_out
from platforms.payments.tests import asgi
from platforms.payments.tests.api import conftest

ITEM = {
    "mode": "payment",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": 1250,
    "line_items[0][price_data][product_data][name]": "Tea <b>& more</b>",
    "line_items[0][quantity]": 2,
    "success_url": "https://shop.example/done?s={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://shop.example/cart",
}
CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "email": "jo@example.com", "name": "Jo"}


class Fields(html.parser.HTMLParser):
    """Inputs, labels and what would run or load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inputs: dict[str, dict[str, str | None]] = {}
        self.labels: set[str | None] = set()
        self.suspicious: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input":
            self.inputs[str(given["name"])] = given
        if tag == "label":
            self.labels.add(given["for"])
        if tag in ("script", "iframe", "link", "img") or any(name.startswith("on") for name in given):
            self.suspicious.append(tag)


async def opened(api: conftest.Api, **more: Any) -> tuple[Any, str]:
    """A session and the path of its page."""
    session = await api.good("checkout/sessions", ITEM | more)
    return session, session["url"].removeprefix("https://pay.example.com")


async def nonce(api: conftest.Api, path: str) -> str:
    page = await api.ask("GET", path)
    assert page.status == 200, page.body
    return str(Fields(page.body.decode()).inputs["nonce"]["value"])


async def press(api: conftest.Api, path: str, spent: str, **more: str) -> asgi.Answer:
    return await api.ask("POST", path, CARD | {"nonce": spent} | more)


async def test_a_session_is_paid_on_its_page(api: conftest.Api) -> None:
    session, path = await opened(api)
    assert (session["amount_total"], session["status"], session["payment_status"]) == (2500, "open", "unpaid")
    paid = await press(api, path, await nonce(api, path))
    assert paid.status == 303
    assert paid.headers["location"] == f"https://shop.example/done?s={session['id']}"
    done = (await api.get(f"checkout/sessions/{session['id']}", {"expand[]": "payment_intent"})).json
    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    assert done["customer_details"]["email"] == "jo@example.com"
    assert (done["payment_intent"]["status"], done["payment_intent"]["amount"]) == ("succeeded", 2500)
    assert await api.events(session["id"]) == ["checkout.session.completed"]
    items = (await api.get(f"checkout/sessions/{session['id']}/line_items")).json["data"]
    assert [(item["description"], item["quantity"], item["amount_total"]) for item in items] == [
        ("Tea <b>& more</b>", 2, 2500)
    ]


async def test_pressing_twice_pays_once(api: conftest.Api) -> None:
    session, path = await opened(api)
    api.fakes.transactions.delay = 0.05
    spent = await nonce(api, path)
    answers = await asyncio.gather(*(press(api, path, spent) for _ in range(6)))
    assert api.fakes.charged == 1
    assert {answer.status for answer in answers} <= {200, 303}
    again = await press(api, path, spent)
    assert (again.status, again.headers["location"]) == (303, f"https://shop.example/done?s={session['id']}")
    assert api.fakes.charged == 1


async def test_the_page_is_strict_and_says_what_its_fields_are(api: conftest.Api) -> None:
    _, path = await opened(api)
    page = await api.ask("GET", path)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    fields = Fields(page.body.decode())
    assert fields.suspicious == []
    assert {name for name, given in fields.inputs.items() if given.get("type") != "hidden"} <= fields.labels
    assert fields.inputs["number"]["autocomplete"] == "cc-number"
    assert "<b>" not in page.body.decode()
    assert html.escape("Tea <b>& more</b>") in page.body.decode()


async def test_a_declined_card_can_be_replaced(api: conftest.Api) -> None:
    session, path = await opened(api)
    refused = await press(api, path, await nonce(api, path), number="4000000000000002")
    assert refused.status == 402
    assert re.search(r'role="alert"[^>]*>Your card was declined', refused.body.decode())
    assert "4000000000000002" not in refused.body.decode()
    paid = await press(api, path, str(Fields(refused.body.decode()).inputs["nonce"]["value"]))
    assert paid.status == 303
    done = (await api.get(f"checkout/sessions/{session['id']}")).json
    assert done["status"] == "complete"
    charges = (await api.get("charges", {"payment_intent": done["payment_intent"]})).json["data"]
    assert sorted(charge["status"] for charge in charges) == ["failed", "succeeded"]


async def test_a_mistyped_card_changes_nothing(api: conftest.Api) -> None:
    session, path = await opened(api)
    spent = await nonce(api, path)
    for wrong in ({"number": "4242424242424241"}, {"expiry": "soon"}, {"number": ""}):
        page = await press(api, path, spent, **wrong)
        assert page.status in (400, 402)
        assert 'role="alert"' in page.body.decode()
    assert (await api.get(f"checkout/sessions/{session['id']}")).json["payment_intent"] is None
    assert (await press(api, path, spent)).status == 303


async def test_authentication_leads_to_the_bank_and_back_to_the_shop(api: conftest.Api) -> None:
    session, path = await opened(api)
    away = await press(api, path, await nonce(api, path), number="4000002760003184")
    assert away.headers["location"].startswith("https://bank.example/authenticate/")
    from urllib.parse import unquote, urlsplit

    back = urlsplit(unquote(away.headers["location"].split("return_url=")[1])).path
    home = await api.ask("GET", back, {"authentication": "proof", "result": "succeeded"})
    assert home.headers["location"].startswith(f"https://pay.example.com{path}?")
    done = await api.ask("GET", path)
    assert done.headers["location"] == f"https://shop.example/done?s={session['id']}"


async def test_an_unknown_outcome_waits_on_the_page(api: conftest.Api) -> None:
    session, path = await opened(api)
    api.fakes.transactions.faults.waiting += ["lost"]
    waiting = await press(api, path, await nonce(api, path))
    assert (waiting.status, "being processed" in waiting.body.decode()) == (200, True)
    # In a task of its own: a request's deadline stays in its context.
    path_to_end = f"checkout/sessions/{session['id']}/expire"
    busy = await asyncio.create_task(api.post(path_to_end, x_request_timeout_ms="100"))
    assert busy.status == 429
    await api.overdue()
    assert (await api.ask("GET", path)).status == 303
    assert (await api.get(f"checkout/sessions/{session['id']}")).json["status"] == "complete"


async def test_an_expired_session_takes_nothing(api: conftest.Api) -> None:
    session, path = await opened(api)
    spent = await nonce(api, path)
    ended = await api.good(f"checkout/sessions/{session['id']}/expire")
    assert (ended["status"], ended["url"]) == ("expired", None)
    assert (await press(api, path, spent)).status == 410
    assert await api.events(session["id"]) == ["checkout.session.expired"]
    other, path = await opened(api)
    sql = "UPDATE checkout_session SET body = jsonb_set(body, '{expires_at}', '1') WHERE id = $1"
    await api.pool.execute(sql, other["id"])
    assert (await api.ask("GET", path)).status == 410
    await api.settler.expire()
    assert (await api.get(f"checkout/sessions/{other['id']}")).json["status"] == "expired"


async def test_a_page_takes_a_few_cards_and_no_more(api: conftest.Api) -> None:
    _, path = await opened(api)
    spent = await nonce(api, path)
    for _ in range(checking_out.MAX_ATTEMPTS):
        page = await press(api, path, spent, number="4000000000000002")
        spent = str(Fields(page.body.decode()).inputs["nonce"]["value"])
    last = await press(api, path, spent)
    assert (last.status, api.fakes.charged) == (400, checking_out.MAX_ATTEMPTS)


async def test_a_setup_saves_a_card_for_its_customer(api: conftest.Api) -> None:
    customer = await api.good("customers", {"email": "a@example.com"})
    form = {"customer": customer["id"], "payment_method": "pm_card_visa", "confirm": "true"}
    done = await api.good("setup_intents", form)
    assert done["status"] == "succeeded"
    method = (await api.get(f"payment_methods/{done['payment_method']}")).json
    assert method["customer"] == customer["id"]
    paid = {"amount": 5, "currency": "usd", "customer": customer["id"], "payment_method": method["id"]}
    assert (await api.good("payment_intents", paid | {"confirm": "true", "off_session": "true"}))[
        "status"
    ] == "succeeded"
    refused = await api.post("setup_intents", form | {"payment_method": "pm_card_chargeDeclined"})
    assert (refused.status, refused.json["error"]["setup_intent"]["status"]) == (402, "requires_payment_method")
    asked = await api.good("setup_intents", form | {"payment_method": "pm_card_threeDSecure2Required"})
    assert asked["status"] == "requires_action"
    gone = await api.good(f"setup_intents/{asked['id']}/cancel")
    assert gone["status"] == "canceled"
    again = await api.post(f"setup_intents/{asked['id']}/confirm")
    assert again.json["error"]["code"] == "setup_intent_unexpected_state"
