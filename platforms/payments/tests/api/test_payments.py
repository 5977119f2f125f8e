"""Payment intents, charges and refunds behave as Stripe's do."""

from __future__ import annotations

import urllib.parse

from platforms.payments.tests.api import conftest

CARD = {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa"}


async def test_a_confirmed_payment_succeeds_and_tells_each_thing_once(api: conftest.Api) -> None:
    made = await api.good("payment_intents", {"amount": 1000, "currency": "usd"})
    assert made["status"] == "requires_payment_method"
    paid = await api.good(f"payment_intents/{made['id']}/confirm", {"payment_method": "pm_card_visa"})
    assert (paid["status"], paid["amount_received"], paid["next_action"]) == ("succeeded", 1000, None)
    charge = (await api.get(f"charges/{paid['latest_charge']}")).json
    assert (charge["captured"], charge["paid"], charge["payment_intent"]) == (True, True, made["id"])
    assert await api.events(made["id"]) == ["payment_intent.created", "payment_intent.succeeded"]
    assert await api.events(charge["id"]) == ["charge.succeeded"]
    assert [edge for edge, _, _ in await api.history(made["id"])] == ["create", "submit", "pay"]


async def test_a_declined_card_gives_the_intent_back(api: conftest.Api) -> None:
    answer = await api.post("payment_intents", CARD | {"confirm": "true", "payment_method": "pm_card_chargeDeclined"})
    error = answer.json["error"]
    assert answer.status == 402
    assert (error["type"], error["code"], error["decline_code"]) == ("card_error", "card_declined", "generic_decline")
    intent = error["payment_intent"]
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_payment_error"]["charge"] == error["charge"] == intent["latest_charge"]
    assert await api.events(intent["id"]) == ["payment_intent.created", "payment_intent.payment_failed"]
    again = await api.good(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
    assert (again["status"], again["last_payment_error"]) == ("succeeded", None)


async def test_held_money_is_taken_in_parts_and_the_rest_let_go(api: conftest.Api) -> None:
    held = await api.good("payment_intents", CARD | {"confirm": "true", "capture_method": "manual"})
    assert (held["status"], held["amount_capturable"]) == ("requires_capture", 1000)
    path = f"payment_intents/{held['id']}/capture"
    part = await api.good(path, {"amount_to_capture": 300, "final_capture": "false"})
    assert (part["status"], part["amount_received"], part["amount_capturable"]) == ("requires_capture", 300, 700)
    too_much = await api.post(path, {"amount_to_capture": 701})
    assert too_much.json["error"]["code"] == "amount_too_large"
    done = await api.good(path, {"amount_to_capture": 200})
    assert (done["status"], done["amount_received"], done["amount_capturable"]) == ("succeeded", 500, 0)
    refused = await api.post(path)
    assert refused.json["error"]["code"] == "payment_intent_unexpected_state"


async def test_a_canceled_hold_is_voided(api: conftest.Api) -> None:
    held = await api.good("payment_intents", CARD | {"confirm": "true", "capture_method": "manual"})
    gone = await api.good(f"payment_intents/{held['id']}/cancel", {"cancellation_reason": "duplicate"})
    assert (gone["status"], gone["cancellation_reason"], gone["amount_capturable"]) == ("canceled", "duplicate", 0)
    assert any(call.startswith("Void") for call in api.fakes.transactions.calls)
    charge = (await api.get(f"charges/{held['latest_charge']}")).json
    assert (charge["refunded"], charge["captured"]) == (True, False)


async def test_refunds_never_exceed_what_was_taken(api: conftest.Api) -> None:
    paid = await api.good("payment_intents", CARD | {"confirm": "true"})
    part = await api.good("refunds", {"payment_intent": paid["id"], "amount": 400})
    assert (part["status"], part["amount"], part["charge"]) == ("succeeded", 400, paid["latest_charge"])
    over = await api.post("refunds", {"charge": paid["latest_charge"], "amount": 601})
    assert (over.status, "greater than unrefunded" in over.json["error"]["message"]) == (400, True)
    rest = await api.good("refunds", {"charge": paid["latest_charge"]})
    assert rest["amount"] == 600
    none = await api.post("refunds", {"charge": paid["latest_charge"]})
    assert none.json["error"]["code"] == "charge_already_refunded"
    charge = (await api.get(f"charges/{paid['latest_charge']}")).json
    assert (charge["amount_refunded"], charge["refunded"]) == (1000, True)
    assert await api.events(charge["id"]) == ["charge.succeeded", "charge.refunded", "charge.refunded"]


async def test_authentication_sends_the_holder_round_and_then_pays(api: conftest.Api) -> None:
    wanted = {
        "confirm": "true",
        "payment_method": "pm_card_authenticationRequired",
        "return_url": "https://shop.example/done?a=1",
    }
    asked = await api.good("payment_intents", CARD | wanted)
    action = asked["next_action"]["redirect_to_url"]
    assert (asked["status"], action["return_url"]) == ("requires_action", wanted["return_url"])
    back = action["url"].split("return_url=")[1]
    path = urllib.parse.urlsplit(urllib.parse.unquote(back)).path
    answer = await api.ask("GET", path, {"authentication": "proof", "result": "succeeded"})
    assert answer.status == 303
    told = answer.headers["location"]
    assert told.startswith(f"https://shop.example/done?a=1&payment_intent={asked['id']}&")
    assert told.endswith("redirect_status=succeeded")
    paid = (await api.get(f"payment_intents/{asked['id']}")).json
    assert paid["status"] == "succeeded"
    assert [edge for edge, _, _ in await api.history(asked["id"])] == [
        "create_ready", "submit", "challenge", "submit", "pay",
    ]  # fmt: skip


async def test_a_hold_that_the_bank_let_go_cannot_be_taken(api: conftest.Api) -> None:
    held = await api.good("payment_intents", CARD | {"confirm": "true", "capture_method": "manual"})
    (one,) = api.fakes.transactions.transactions.values()
    api.fakes.transactions.expire(one)
    late = await api.post(f"payment_intents/{held['id']}/capture")
    assert (late.status, late.json["error"]["code"]) == (400, "charge_expired_for_capture")
    intent = (await api.get(f"payment_intents/{held['id']}")).json
    assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "automatic")


async def test_another_card_replaces_an_open_challenge(api: conftest.Api) -> None:
    wanted = {"confirm": "true", "payment_method": "pm_card_authenticationRequired"}
    asked = await api.good("payment_intents", CARD | wanted)
    changed = await api.good(f"payment_intents/{asked['id']}", {"payment_method": "pm_card_visa"})
    assert (changed["status"], changed["next_action"]) == ("requires_confirmation", None)
    paid = await api.good(f"payment_intents/{asked['id']}/confirm")
    assert paid["status"] == "succeeded"
