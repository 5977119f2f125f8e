"""checkout.session: a hosted page that takes one payment."""

from __future__ import annotations

from typing import Any

import msgspec

from payments.api.objects import defaults


class Session(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "checkout.session"
    allow_promotion_codes: None = None
    amount_subtotal: int
    amount_total: int
    billing_address_collection: None = None
    cancel_url: str | None = None
    client_reference_id: str | None = None
    client_secret: None = None
    created: int
    currency: str
    customer: str | None = None
    customer_creation: str | None = "if_required"
    customer_details: dict[str, Any] | None = None
    customer_email: str | None = None
    expires_at: int
    livemode: bool
    locale: str | None = None
    metadata: dict[str, str] = {}
    mode: str = "payment"
    payment_intent: str | None = None
    payment_method_types: list[str] = defaults.always(["card"])
    payment_status: str = "unpaid"
    status: str = "open"
    submit_type: str | None = None
    success_url: str
    total_details: dict[str, int] = defaults.always({"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0})
    ui_mode: str = "hosted_page"
    url: str | None = None


class LineItem(msgspec.Struct, frozen=True, kw_only=True):
    """Kept beside its session, listed under /line_items."""

    id: str
    object: str = "item"
    amount_discount: int = 0
    amount_subtotal: int
    amount_tax: int = 0
    amount_total: int
    currency: str
    description: str
    price: dict[str, Any]
    quantity: int
