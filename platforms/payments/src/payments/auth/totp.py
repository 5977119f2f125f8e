"""One-time codes from an authenticator app (RFC 6238 over RFC 4226): SHA-1, six digits, 30 seconds."""

from __future__ import annotations

import base64
import hmac
import os
import urllib.parse

STEP = 30
"""Seconds that one code lives."""
DRIFT = 1
"""Steps by which the clocks may differ."""
DIGITS = 6


def new_secret() -> bytes:
    """160 random bits, the length of the hash (RFC 4226, 4)."""
    return os.urandom(20)


def code(secret: bytes, step: int, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """The code of time step `step` (Unix seconds // `STEP`)."""
    digest = hmac.digest(secret, step.to_bytes(8), algorithm)
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def matching_step(secret: bytes, given: str, now: float, after: int) -> int | None:
    """The step whose code is `given`, near `now` (Unix seconds) and later than step `after`; None if there is none."""
    current = int(now) // STEP
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode()) and step > after:
            return step
    return None


def base32(secret: bytes) -> str:
    """`secret` as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, account: str, issuer: str) -> str:
    """What the QR code says (Google Authenticator's key URI format)."""
    label = urllib.parse.quote(f"{issuer}:{account}")
    query = urllib.parse.urlencode({"secret": base32(secret), "issuer": issuer})
    return f"otpauth://totp/{label}?{query}"
