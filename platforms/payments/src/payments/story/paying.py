"""A shop's server: Stripe's official client with another base address, and nothing else."""

from __future__ import annotations

import json
import secrets
from typing import Any

import stripe

from payments.story import world

CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
PATH = f"/hooks/{secrets.token_hex(4)}"
EXPECTED = ("payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded")


class Shop:
    """Takes payments with an API key."""

    def __init__(self, outside: world.World, key: str) -> None:
        self._outside = outside
        self._client = stripe.StripeClient(key, base_addresses={"api": outside.public}, max_network_retries=0)

    def listen(self) -> Any:
        wanted: Any = {"url": self._outside.webhooks + PATH, "enabled_events": ["*"]}
        return self._client.v1.webhook_endpoints.create(wanted)

    def card(self) -> Any:
        wanted: Any = {"type": "card", "card": CARD}
        return self._client.v1.payment_methods.create(wanted)

    def create(self, amount: int, order: str) -> Any:
        """A payment of `amount` cents; `order` is the idempotency key."""
        wanted: Any = {
            "amount": amount,
            "currency": "eur",
            "capture_method": "manual",
            "payment_method_types": ["card"],
            "metadata": {"order": order},
        }
        return self._client.v1.payment_intents.create(wanted, {"idempotency_key": order})

    def confirm(self, intent: str, method: str) -> Any:
        return self._client.v1.payment_intents.confirm(intent, {"payment_method": method})

    def capture(self, intent: str) -> Any:
        return self._client.v1.payment_intents.capture(intent)

    def refund(self, intent: str, amount: int) -> Any:
        return self._client.v1.refunds.create({"payment_intent": intent, "amount": amount})

    def declined(self, amount: int) -> str:
        """What a card without money is told."""
        wanted: Any = {
            "amount": amount,
            "currency": "eur",
            "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
            "payment_method_types": ["card"],
            "confirm": True,
        }
        try:
            self._client.v1.payment_intents.create(wanted)
        except stripe.CardError as error:
            return f"{error.code}: {getattr(error.error, 'decline_code', '')}"
        raise world.Refused("a card that must be declined was charged")

    def verified_events(self, secret: str, intent: str) -> list[str]:
        """The kinds of events about `intent` that were delivered, each verified by Stripe's own code."""

        def wanted(came: list[dict[str, Any]]) -> list[str] | None:
            about = [each for each in came if intent in each["body"]]
            kinds = [_verified(each, secret) for each in about]
            return kinds if set(EXPECTED) <= set(kinds) and "charge.refunded" in kinds else None

        return self._outside.deliveries(PATH, wanted, f"webhooks about {intent}")

    def tampered(self, secret: str) -> None:
        delivery = self._outside.deliveries(PATH, lambda came: came[0] if came else None, "a webhook")
        try:
            _verified({**delivery, "body": delivery["body"].replace("evt_", "evt_x")}, secret)
        except stripe.SignatureVerificationError:
            return
        raise world.Refused("a tampered webhook was accepted")

    def trial_balance(self, outside: world.World) -> str:
        """Sums per currency; raises Refused where one is not zero."""
        said = outside.operator("transaction-service", "python", "-m", "payments.transaction.trial_balance", "--json")
        sums = json.loads(said)["sums"]
        if not sums or any(total != 0 for total in sums.values()):
            raise world.Refused(f"the ledger does not sum to zero: {sums}")
        return ", ".join(f"{currency} {total}" for currency, total in sums.items())


def _verified(delivery: dict[str, Any], secret: str) -> str:
    event = stripe.Webhook.construct_event(delivery["body"], delivery["headers"]["stripe-signature"], secret)
    return str(event["type"])


def same(first: Any, second: Any) -> None:
    """Raises Refused when two answers to one key are not one payment."""
    if first.id != second.id:
        raise world.Refused(f"one idempotency key made {first.id} and {second.id}")
