"""Envelope encryption: a data key for each card, wrapped by a key-encryption key that lives in the secret store.

Everything is AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces; a data key seals a handful of small texts, a
key-encryption key far fewer than the 2**32 wraps that random nonces allow. Associated data says what a ciphertext is
and whose, so that bytes moved to another row, account or purpose do not open.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping

import msgspec
from cryptography import exceptions
from cryptography.hazmat.primitives.ciphers import aead

from payments.common import cards, ids

FORMAT = "v1"
"""Version of the layout, part of all associated data."""
_NONCE = 12


class Unreadable(Exception):
    """A ciphertext does not open: tampered with, moved, or wrapped by a key we do not have."""


class WrongKeys(ValueError):
    """CARD_KEY_ENCRYPTION_KEYS does not hold usable keys."""


@dataclasses.dataclass(frozen=True)
class Wrapped:
    """A data key as the database keeps it."""

    version: int
    key: bytes


class DataKey:
    """Seals and opens the texts of one card."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = aead.AESGCM(key)

    def seal(self, text: str, *binding: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), _associated(*binding))

    def open(self, sealed: bytes, *binding: str) -> str:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _associated(*binding)).decode()
        except (exceptions.InvalidTag, ValueError):
            raise Unreadable(f"{binding[0]} does not open: it was changed, or moved from another row") from None


class Keyring:
    """The key-encryption keys as they are now: the newest wraps, all open.

    `read` gives the secret's content; when it changes (a key was added) the ring follows without a restart.
    """

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._content = ""
        self._keys: Mapping[int, aead.AESGCM] = {}
        self._active = 0
        self._refresh()

    @property
    def active(self) -> int:
        """Version of the key that wraps now."""
        self._refresh()
        return self._active

    def new_data_key(self, card_id: str, account_id: str) -> tuple[DataKey, Wrapped]:
        key = aead.AESGCM.generate_key(256)
        return DataKey(key), self._wrap(key, card_id, account_id)

    def unwrap(self, wrapped: Wrapped, card_id: str, account_id: str) -> DataKey:
        return DataKey(self._unwrap(wrapped, card_id, account_id))

    def rewrap(self, wrapped: Wrapped, card_id: str, account_id: str) -> Wrapped:
        """The same data key under the newest key."""
        return self._wrap(self._unwrap(wrapped, card_id, account_id), card_id, account_id)

    def _wrap(self, key: bytes, card_id: str, account_id: str) -> Wrapped:
        version, nonce = self.active, os.urandom(_NONCE)
        binding = _associated("key", card_id, account_id, str(version))
        return Wrapped(version, nonce + self._keys[version].encrypt(nonce, key, binding))

    def _unwrap(self, wrapped: Wrapped, card_id: str, account_id: str) -> bytes:
        self._refresh()
        if wrapped.version not in self._keys:
            raise Unreadable(f"key-encryption key version {wrapped.version} is not in CARD_KEY_ENCRYPTION_KEYS")
        binding = _associated("key", card_id, account_id, str(wrapped.version))
        try:
            return self._keys[wrapped.version].decrypt(wrapped.key[:_NONCE], wrapped.key[_NONCE:], binding)
        except (exceptions.InvalidTag, ValueError):
            raise Unreadable("the data key does not open: its row was changed") from None

    def _refresh(self) -> None:
        content = self._read()
        if content != self._content:
            self._keys, self._active = parse(content)
            self._content = content


class _Key(msgspec.Struct, frozen=True):
    version: int
    key: str


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[_Key, ...]


def parse(content: str) -> tuple[Mapping[int, aead.AESGCM], int]:
    """The ciphers by version and the newest version, from ``{"keys": [{"version": 2, "key": "base64"}, …]}``."""
    try:
        keys = msgspec.json.decode(content, type=_Keys).keys
        raw = [(key.version, base64.b64decode(key.key, validate=True)) for key in keys]
    except (msgspec.MsgspecError, binascii.Error):
        raise WrongKeys(_WANTED) from None
    versions = [version for version, _ in raw]
    if not raw or any(len(key) != 32 for _, key in raw) or versions != sorted(set(versions), reverse=True):
        raise WrongKeys(_WANTED)
    return {version: aead.AESGCM(key) for version, key in raw}, versions[0]


_WANTED = (
    'CARD_KEY_ENCRYPTION_KEYS must be {"keys": [{"version": 2, "key": "…"}, {"version": 1, "key": "…"}]}:'
    " 32 bytes each in base64, newest version first, no version twice"
)


def fingerprint(key: bytes, account_id: str, number: cards.Number) -> str:
    """Sixteen base62 characters (95 bits) of a keyed hash: equal for equal numbers in one account, telling nothing."""
    digest = hmac.new(key, _associated("fingerprint", account_id, number.reveal()), hashlib.sha256).digest()
    return ids.base62(int.from_bytes(digest), 16)


def _associated(*parts: str) -> bytes:
    # Lengths make the encoding injective: ("a", "bc") and ("ab", "c") differ.
    return b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in (FORMAT, *parts))
