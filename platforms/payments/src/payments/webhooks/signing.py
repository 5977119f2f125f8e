"""Two signatures on one delivery, so that both official verifiers accept it.

Stripe-Signature (https://docs.stripe.com/webhooks/signature): ``t=…,v1=…``, one v1 a secret; the key is the whole
text of the secret. Standard Webhooks (https://www.standardwebhooks.com): webhook-id, webhook-timestamp,
webhook-signature; the key is what the secret says in base64 behind ``whsec_``.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def headers(event: str, body: bytes, secrets: Sequence[str], at: int) -> list[tuple[str, str]]:
    """The signature headers of `body`; `at` in Unix seconds. Several secrets sign while one is rolled."""
    stripe = ",".join((f"t={at}", *(f"v1={_stripe(secret, at, body)}" for secret in secrets)))
    standard = " ".join(f"v1,{_standard(secret, event, at, body)}" for secret in secrets)
    return [
        ("stripe-signature", stripe),
        ("webhook-id", event),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", standard),
    ]


def _stripe(secret: str, at: int, body: bytes) -> str:
    return hmac.digest(secret.encode(), b"%d.%s" % (at, body), "sha256").hex()


def _standard(secret: str, event: str, at: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, b"%s.%d.%s" % (event.encode(), at, body), "sha256")
    return base64.b64encode(signed).decode()
