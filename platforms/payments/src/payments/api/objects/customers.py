"""customer."""

from __future__ import annotations

from typing import Any

import msgspec

from payments.api.objects import defaults


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "customer"
    address: dict[str, Any] | None = None
    balance: int = 0
    created: int
    currency: str | None = None
    default_source: str | None = None
    delinquent: bool = False
    description: str | None = None
    email: str | None = None
    invoice_prefix: str | None = None
    invoice_settings: dict[str, Any] = defaults.always(
        {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    )
    livemode: bool
    metadata: dict[str, str] = {}
    name: str | None = None
    phone: str | None = None
    preferred_locales: list[str] = []
    shipping: dict[str, Any] | None = None
    tax_exempt: str = "none"
    test_clock: None = None
