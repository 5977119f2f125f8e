"""Opaque tokens: random texts that are known here by their hash alone, and keys derived for several uses.

A token carries 190 random bits, so a plain SHA-256 keeps it: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import aead
from cryptography.hazmat.primitives.kdf import hkdf

from payments.common import ids

LENGTH = 32


def new(prefix: str) -> str:
    """A new token: ``new("rt")`` → ``rt_…``."""
    return f"{prefix}_{ids.random(LENGTH)}"


def hashed(token: str) -> bytes:
    """What the database keeps of `token`."""
    return hashlib.sha256(token.encode()).digest()


def derived(secret: str, use: str) -> bytes:
    """A 256-bit key for `use` alone (HKDF, RFC 5869)."""
    return hkdf.HKDF(hashes.SHA256(), 32, None, f"payments.auth {use}".encode()).derive(secret.encode())


def successor(key: bytes, token: str) -> str:
    """The refresh token that follows `token`: computed, so that a repeated request gets the very same one.

    Nobody can compute it without `key`, and the database holds no token in clear for the repeat's sake.
    """
    digest = hmac.new(key, token.encode(), hashlib.sha256).digest()
    return f"rt_{ids.base62(int.from_bytes(digest), LENGTH)}"


class Sealer:
    """Encrypts small secrets at rest (AES-256-GCM), each bound to its owner."""

    def __init__(self, key: bytes) -> None:
        self._cipher = aead.AESGCM(key)

    def seal(self, secret: bytes, owner: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, secret, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        return self._cipher.decrypt(sealed[:12], sealed[12:], owner.encode())
