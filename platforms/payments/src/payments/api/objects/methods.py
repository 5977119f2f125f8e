"""payment_method and token: a card that is safe to pass around."""

from __future__ import annotations

from typing import Any

import msgspec

from payments.api.objects import defaults

ADDRESS: dict[str, Any] = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
BILLING: dict[str, Any] = {"address": ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a card."""

    brand: str
    checks: dict[str, Any]
    country: str | None
    display_brand: str
    exp_month: int
    exp_year: int
    fingerprint: str
    funding: str
    generated_from: None = None
    last4: str
    networks: dict[str, Any]
    regulated_status: str = "unregulated"
    three_d_secure_usage: dict[str, bool] = defaults.always({"supported": True})
    wallet: None = None


class PaymentMethod(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "payment_method"
    allow_redisplay: str = "unspecified"
    billing_details: dict[str, Any] = defaults.always(BILLING)
    card: Card
    created: int
    customer: str | None = None
    livemode: bool
    metadata: dict[str, str] = {}
    type: str = "card"


class TokenCard(msgspec.Struct, frozen=True, kw_only=True):
    """The card in a token: the older shape."""

    id: str
    object: str = "card"
    address_city: str | None = None
    address_country: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_state: str | None = None
    address_zip: str | None = None
    brand: str
    country: str | None
    cvc_check: str | None
    exp_month: int
    exp_year: int
    fingerprint: str
    funding: str
    last4: str
    metadata: dict[str, str] = {}
    name: str | None = None


class Token(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "token"
    card: TokenCard
    client_ip: None = None
    created: int
    livemode: bool
    type: str = "card"
    used: bool = False
