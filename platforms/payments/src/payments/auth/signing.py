"""Access tokens: JWT signed with EdDSA (RFC 8037), and the public halves of the keys (JWKS, RFC 7517).

The newest key of JWT_SIGNING_KEY signs, all of them verify: a new version is put first, and the old one is taken out
when the last token it signed has expired. The secret is read again when it changes.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from payments.common import tokens


class WrongKeys(ValueError):
    """JWT_SIGNING_KEY does not hold usable keys."""


class _Key(msgspec.Struct, frozen=True):
    kid: str
    private_pem: str
    version: int = 0


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[_Key, ...]


class Signer:
    """Signs and verifies; `read` gives the secret's content now."""

    def __init__(self, read: Callable[[], str], clock: Callable[[], float] = time.time) -> None:
        self._read = read
        self._clock = clock
        self._content = ""
        self._keys: Mapping[str, ed25519.Ed25519PrivateKey] = {}
        self._refresh()

    def sign(self, user_id: str, session_id: str, roles: Sequence[str], methods: Sequence[str]) -> str:
        """An access token that lives `tokens.LIFETIME` seconds."""
        self._refresh()
        kid, key = next(iter(self._keys.items()))
        now = int(self._clock())
        claims = {"iss": tokens.ISSUER, "aud": tokens.AUDIENCE, "sub": user_id, "sid": session_id, "iat": now}
        claims |= {"exp": now + tokens.LIFETIME, "roles": list(roles), "email_verified": True, "amr": list(methods)}
        return jwt.encode(claims, key, "EdDSA", {"kid": kid})

    def verify(self, token: str) -> tokens.Claims:
        """What `token` says; raises `tokens.Invalid`."""
        self._refresh()
        return tokens.verify(token, {kid: key.public_key() for kid, key in self._keys.items()})

    def jwks(self) -> dict[str, Any]:
        """The public keys, newest first."""
        self._refresh()
        return {"keys": [_public(kid, key) for kid, key in self._keys.items()]}

    def _refresh(self) -> None:
        content = self._read()
        if content != self._content:
            self._keys = parse(content)
            self._content = content


def parse(content: str) -> Mapping[str, ed25519.Ed25519PrivateKey]:
    """The keys by id, newest first, from ``{"keys": [{"version": 2, "kid": "…", "private_pem": "…"}, …]}``."""
    try:
        keys = {key.kid: _private(key.private_pem) for key in msgspec.json.decode(content, type=_Keys).keys}
    except (msgspec.MsgspecError, ValueError, TypeError):
        raise WrongKeys(_WANTED) from None
    if not keys:
        raise WrongKeys(_WANTED)
    return keys


_WANTED = (
    'JWT_SIGNING_KEY must be {"keys": [{"version": 2, "kid": "…", "private_pem": "…"}, …]}:'
    " Ed25519 private keys in PEM (PKCS 8), newest first"
)


def _private(pem: str) -> ed25519.Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise WrongKeys(_WANTED)
    return key


def _public(kid: str, key: ed25519.Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x}
