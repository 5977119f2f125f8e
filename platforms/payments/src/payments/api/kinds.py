"""The kinds of objects: where each is kept, how its ids begin, what its state is, how errors call it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec

from payments.api.objects import charges, checkouts, customers, events, intents, methods, setups


@dataclasses.dataclass(frozen=True)
class Kind:
    """`table` is also the kind's name in the graph."""

    table: str
    prefix: str
    type: type[Any]
    state: Callable[[Any], str]
    noun: str
    """As in "No such noun"."""
    param: str = "id"
    """What errors about the id in the path name as parameter."""
    path: str = ""
    """Its collection under /v1, for lists."""

    def decode(self, body: str) -> Any:
        return _decoder(self.type).decode(body)


_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    found = _decoders.get(kind)
    if found is None:
        found = _decoders[kind] = msgspec.json.Decoder(kind)
    return found


def _status(one: Any) -> str:
    return str(one.status)


def _charge(one: charges.Charge) -> str:
    if one.status == "failed":
        return "failed"
    if one.captured:
        return "refunded" if one.refunded else "captured"
    return "released" if one.refunded else "authorized"


def _method(one: methods.PaymentMethod) -> str:
    return "attached" if one.customer else "loose"


INTENT = Kind("payment_intent", "pi", intents.PaymentIntent, _status, "payment_intent", "intent", "payment_intents")
CHARGE = Kind("charge", "ch", charges.Charge, _charge, "charge", "charge", "charges")
REFUND = Kind("refund", "re", charges.Refund, _status, "refund", "refund", "refunds")
CUSTOMER = Kind("customer", "cus", customers.Customer, lambda one: "active", "customer", "id", "customers")
METHOD = Kind(
    "payment_method", "pm", methods.PaymentMethod, _method, "PaymentMethod", "payment_method", "payment_methods"
)
TOKEN = Kind("token", "tok", methods.Token, lambda one: "used" if one.used else "unused", "token", "token", "tokens")
SETUP = Kind("setup_intent", "seti", setups.SetupIntent, _status, "setupintent", "intent", "setup_intents")
SESSION = Kind("checkout_session", "cs", checkouts.Session, _status, "checkout.session", "session", "checkout/sessions")
ENDPOINT = Kind(
    "webhook_endpoint", "we", events.WebhookEndpoint, _status, "webhook endpoint", "id", "webhook_endpoints"
)
BALANCE = Kind(
    "balance_transaction", "txn", charges.BalanceTransaction, lambda one: "recorded", "balance transaction", "id",
    "balance_transactions",
)  # fmt: skip
KINDS = (INTENT, CHARGE, REFUND, CUSTOMER, METHOD, TOKEN, SETUP, SESSION, ENDPOINT, BALANCE)
_BY_PREFIX = {kind.prefix: kind for kind in KINDS}
_BY_TABLE = {kind.table: kind for kind in KINDS}


def of_id(given: str) -> Kind | None:
    """The kind whose ids look like `given`."""
    return _BY_PREFIX.get(given.split("_", 1)[0])


def of_table(table: str) -> Kind:
    return _BY_TABLE[table]
