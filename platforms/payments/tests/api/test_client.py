"""The official client works unchanged with another address."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import stripe

from platforms.payments.tests.api import conftest


async def test_a_shop_s_day_with_the_official_client(api: conftest.Api, client: Any) -> None:
    def day() -> None:
        customer = client.v1.customers.create({"email": "jo@example.com", "metadata": {"tier": "gold"}})
        method = client.v1.payment_methods.create(
            {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "314"}}
        )
        client.v1.payment_methods.attach(method.id, {"customer": customer.id})
        intent = client.v1.payment_intents.create(
            {"amount": 2000, "currency": "eur", "customer": customer.id, "payment_method": method.id}
        )
        paid = client.v1.payment_intents.confirm(intent.id, {"expand": ["latest_charge", "customer"]})
        assert paid.status == "succeeded"
        charge: Any = paid.latest_charge
        assert charge.object == "charge"
        assert charge.payment_method_details.card.last4 == "4242"
        assert paid.customer.metadata["tier"] == "gold"
        refund = client.v1.refunds.create({"charge": charge.id, "amount": 500})
        assert refund.status == "succeeded"
        for _ in range(3):
            client.v1.payment_intents.create({"amount": 100, "currency": "usd"})
        listed = client.v1.payment_intents.list({"limit": 2})
        assert len(list(listed.auto_paging_iter())) == 4
        events = [event.type for event in client.v1.events.list({"limit": 100}).auto_paging_iter()]
        assert events.count("payment_intent.created") == 4
        client.v1.customers.delete(customer.id)
        assert client.v1.customers.retrieve(customer.id).deleted

    await asyncio.to_thread(day)


async def test_errors_are_the_client_s_own(api: conftest.Api, client: Any) -> None:
    def mistakes() -> None:
        with pytest.raises(stripe.CardError) as declined:
            client.v1.payment_intents.create(
                {"amount": 5, "currency": "usd", "confirm": True, "payment_method": "pm_card_chargeDeclinedExpiredCard"}
            )
        assert (declined.value.code, declined.value.http_status) == ("expired_card", 402)
        error: Any = declined.value.error
        assert error.payment_intent.status == "requires_payment_method"
        with pytest.raises(stripe.InvalidRequestError) as missing:
            client.v1.payment_intents.retrieve("pi_nobody")
        assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
        with pytest.raises(stripe.InvalidRequestError) as unknown:
            client.v1.customers.create({"nonsense": "1"})
        assert unknown.value.param == "nonsense"
        options = {"idempotency_key": "once"}
        client.v1.customers.create({"name": "a"}, options)
        with pytest.raises(stripe.IdempotencyError):
            client.v1.customers.create({"name": "b"}, options)
        with pytest.raises(stripe.CardError) as wrong:
            card = {"number": "4242424242424241", "exp_month": 12, "exp_year": 2034}
            client.v1.payment_methods.create({"type": "card", "card": card})
        assert (wrong.value.code, wrong.value.param) == ("incorrect_number", "card[number]")

    await asyncio.to_thread(mistakes)


async def test_webhook_endpoints_by_the_official_client(api: conftest.Api, client: Any) -> None:
    def endpoints() -> None:
        made = client.v1.webhook_endpoints.create(
            {"url": "https://shop.example/hooks", "enabled_events": ["charge.refunded"]}
        )
        assert made.secret.startswith("whsec_")
        assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id).to_dict()
        updated = client.v1.webhook_endpoints.update(made.id, {"enabled_events": ["*"], "disabled": True})
        assert (updated.status, updated.enabled_events) == ("disabled", ["*"])
        assert client.v1.webhook_endpoints.delete(made.id).deleted
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.webhook_endpoints.retrieve(made.id)
        assert client.v1.webhook_endpoints.list().data == []

    await asyncio.to_thread(endpoints)


async def test_balance_and_its_transactions(api: conftest.Api, client: Any) -> None:
    def money() -> None:
        wanted = {"amount": 2000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
        paid = client.v1.payment_intents.create(wanted)
        client.v1.refunds.create({"payment_intent": paid.id, "amount": 300})
        entries = client.v1.balance_transactions.list().data
        assert sorted((entry.type, entry.amount, entry.fee) for entry in entries) == [
            ("charge", 2000, 88),
            ("refund", -300, 0),
        ]
        assert client.v1.balance.retrieve().pending[0].amount == 2000 - 300 - 88

    await asyncio.to_thread(money)
