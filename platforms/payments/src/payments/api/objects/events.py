"""event, and the webhook_endpoint it is sent to."""

from __future__ import annotations

from typing import Any

import msgspec

API_VERSION = "2026-10-28.endive"
"""The version of Stripe's API that these shapes follow; other versions in Stripe-Version are answered the same."""


class Request(msgspec.Struct, frozen=True):
    """Which request caused an event; nulls when a background task did."""

    id: str | None = None
    idempotency_key: str | None = None


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    object: msgspec.Raw
    previous_attributes: dict[str, Any] | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Without `pending_webhooks`, which changes: the reader adds it (`payments.common.outbox`)."""

    id: str
    object: str = "event"
    api_version: str = API_VERSION
    created: int
    data: Data
    livemode: bool
    request: Request
    type: str


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "webhook_endpoint"
    api_version: str | None = None
    application: None = None
    created: int
    description: str | None = None
    enabled_events: list[str]
    livemode: bool
    metadata: dict[str, str] = {}
    status: str = "enabled"
    url: str
