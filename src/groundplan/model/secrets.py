"""Secrets: what they are made of. Where they are kept is the environment's choice.

A generator is called once for each store and its answer kept; it is never called again for a secret
that the store already holds.
"""

from __future__ import annotations

import abc
import base64
import dataclasses
import json
import secrets as entropy
from typing import TYPE_CHECKING

from groundplan.model import needable
from groundplan.model import origin as origins
from groundplan.shapes import values

if TYPE_CHECKING:
    from groundplan.model import rights


class Generator(abc.ABC):
    """How a secret's first content comes about."""

    @abc.abstractmethod
    def generate(self) -> str:
        """New content, as text."""


@dataclasses.dataclass(frozen=True)
class Random(Generator):
    """Random bytes, as unpadded base64url text."""

    size: int = 32

    def generate(self) -> str:
        return entropy.token_urlsafe(self.size)


@dataclasses.dataclass(frozen=True)
class Keys(Generator):
    """Symmetric keys of 32 bytes: ``{"keys": [{"version": 2, "key": "<base64>"}, …]}``, newest first."""

    versions: int = 1

    def generate(self) -> str:
        keys = [
            {"version": version, "key": base64.b64encode(entropy.token_bytes(32)).decode()}
            for version in range(self.versions, 0, -1)
        ]
        return json.dumps({"keys": keys})


@dataclasses.dataclass(frozen=True)
class Ed25519(Generator):
    """``{"keys": [{"version": 2, "kid": "…", "private_pem": "…"}, …]}``, newest first (RFC 8032, PKCS 8)."""

    versions: int = 1

    def generate(self) -> str:
        return json.dumps({"keys": [_ed25519(version) for version in range(self.versions, 0, -1)]})


@dataclasses.dataclass(frozen=True)
class Supplied(Generator):
    """Given by people, never generated, except for the stand-in on a laptop: `local`, or random text."""

    local: str | None = None

    def generate(self) -> str:
        return self.local if self.local is not None else entropy.token_urlsafe(24)


def _ed25519(version: int) -> dict[str, object]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519 as curve

    key = curve.Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return {"version": version, "kid": f"v{version}-{entropy.token_hex(4)}", "private_pem": pem}


@dataclasses.dataclass(frozen=True)
class Secret(needable.Needable):
    """A secret at a path of the store; a service that needs it gets a file."""

    path: str
    generator: Generator
    origin: origins.Origin

    @property
    def value(self) -> values.SecretText:
        """What it holds, late-bound."""
        return values.SecretText(self.path)

    def as_right(self) -> rights.ReadSecret:
        from groundplan.model import rights

        return rights.ReadSecret(secret=self)


def ed25519(*, versions: int = 1) -> Generator:
    """Signing keys for EdDSA (RFC 8032), newest first; an older version still verifies."""
    return Ed25519(versions)


def keys(*, versions: int = 1) -> Generator:
    """Keys of 256 bits for AES-GCM, newest first; an older version still opens."""
    return Keys(versions)


def random(size: int = 32) -> Generator:
    """`size` random bytes as base64url text."""
    return Random(size)


def supplied(*, local: str | None = None) -> Generator:
    """Content that people bring (an account elsewhere); `local` is used by the stand-in on a laptop."""
    return Supplied(local)
