"""Figures of the business: what was committed, once, and nothing that was refused."""

from __future__ import annotations

from platforms.payments.tests.api import conftest

CARD = {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}


async def test_money_is_counted_as_it_is_taken_and_given_back(api: conftest.Api) -> None:
    paid = await api.good("payment_intents", CARD)
    await api.good("refunds", {"payment_intent": paid["id"], "amount": 400})
    assert (await api.post("refunds", {"payment_intent": paid["id"], "amount": 601})).status == 400
    assert api.figure("payments_created_total", currency="usd") == 1
    assert api.figure("payments_captured_minor_units_total", currency="usd") == 1000
    assert api.figure("payments_refunded_minor_units_total", currency="usd") == 400


async def test_parts_of_a_hold_are_counted_as_they_are_taken(api: conftest.Api) -> None:
    held = await api.good("payment_intents", CARD | {"capture_method": "manual"})
    assert api.figure("payments_captured_minor_units_total", currency="usd") == 0
    path = f"payment_intents/{held['id']}/capture"
    await api.good(path, {"amount_to_capture": 300, "final_capture": "false"})
    await api.good(path, {"amount_to_capture": 200})
    assert api.figure("payments_captured_minor_units_total", currency="usd") == 500


async def test_a_decline_is_counted_with_the_banks_reason_and_takes_no_money(api: conftest.Api) -> None:
    for card in ("pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds"):
        assert (await api.post("payment_intents", CARD | {"payment_method": card})).status == 402
    assert api.figure("payments_declined_total", code="generic_decline") == 1
    assert api.figure("payments_declined_total", code="insufficient_funds") == 1
    assert api.figure("payments_captured_minor_units_total", currency="usd") == 0


async def test_the_same_request_again_is_counted_once(api: conftest.Api) -> None:
    for _ in range(3):
        await api.good("payment_intents", CARD, idempotency_key="once")
    assert api.figure("payments_created_total", currency="usd") == 1
    assert api.figure("payments_captured_minor_units_total", currency="usd") == 1000
