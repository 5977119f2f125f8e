"""setup_intent: a card saved for later, verified with an amount of nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from payments.api.objects import defaults


class SetupIntent(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "setup_intent"
    application: None = None
    automatic_payment_methods: dict[str, Any] | None = None
    cancellation_reason: str | None = None
    client_secret: str
    created: int
    customer: str | None = None
    description: str | None = None
    flow_directions: None = None
    last_setup_error: dict[str, Any] | None = None
    latest_attempt: None = None
    livemode: bool
    mandate: None = None
    metadata: dict[str, str] = {}
    next_action: dict[str, Any] | None = None
    on_behalf_of: None = None
    payment_method: str | None = None
    payment_method_options: dict[str, Any] = defaults.always(
        {"card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}}
    )
    payment_method_types: list[str] = defaults.always(["card"])
    single_use_mandate: None = None
    status: str = "requires_payment_method"
    usage: str = "off_session"
