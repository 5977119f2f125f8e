"""What payment-api is told from outside."""

from __future__ import annotations

import msgspec

from groundplan_runtime import settings


class Settings(msgspec.Struct, frozen=True):
    database_dsn: settings.Secret
    checkout_url: str = "http://127.0.0.1:8080"
    """Public base of the hosted pages: https://pay.example.com."""
    database_connections: int = 16
    database_timeout: float = 10.0
