"""An event as it leaves the outbox: the stored JSON with the one member that changes."""

from __future__ import annotations


def payload(body: str, pending: int) -> bytes:
    """`body` (a JSON object without ``pending_webhooks``) with how many endpoints have not taken it yet."""
    return f'{body[:-1]},"pending_webhooks":{pending}}}'.encode()
