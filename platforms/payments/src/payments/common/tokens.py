"""Access tokens as auth-service signs them and everybody else verifies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt
import msgspec

ISSUER, AUDIENCE = "auth-service", "payments"
LIFETIME = 900
"""Seconds that an access token lives."""
LEEWAY = 5
"""Seconds by which clocks may differ."""


class Claims(msgspec.Struct, frozen=True):
    """What a valid token says."""

    sub: str
    sid: str
    exp: int
    roles: tuple[str, ...] = ()
    email_verified: bool = False
    amr: tuple[str, ...] = ()


class Invalid(Exception):
    """A token is not accepted; the message is the reason in a word or two: "expired", "malformed", "unknown key"."""


class UnknownKey(Invalid):
    """It was signed with a key that we do not have (yet)."""


def verify(token: str, keys: Mapping[str, Any]) -> Claims:
    """The claims of `token`, signed by one of `keys` (by kid); raises `Invalid`."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        raise Invalid("malformed") from None
    key = keys.get(kid or "")
    if key is None:
        raise UnknownKey("unknown key")
    return _claims(token, key)


def _claims(token: str, key: Any) -> Claims:
    required: Any = {"require": ["sub", "sid", "exp", "iat", "iss", "aud"]}
    try:
        # The algorithm is ours to say, never the token's (RFC 8725, 3.1).
        found = jwt.decode(token, key, ["EdDSA"], options=required, audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY)
        return msgspec.convert(found, Claims)
    except jwt.ExpiredSignatureError:
        raise Invalid("expired") from None
    except (jwt.InvalidTokenError, msgspec.ValidationError):
        raise Invalid("malformed") from None
