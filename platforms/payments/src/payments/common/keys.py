"""API keys as Stripe shapes them: ``sk_test_…``, ``pk_live_…``, ``rk_test_…``, with a check of their own.

The 24 random characters (142 bits) are followed by six that are computed from all before, so that a mistyped or
made-up key is told from a real one without asking anybody, and scanners can find leaked keys (as GitHub's can).
"""

from __future__ import annotations

import re
import zlib

from payments.common import ids

PREFIXES = {"secret": "sk", "publishable": "pk", "restricted": "rk"}
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}
RANDOM, CHECK = 24, 6
_SHAPE = re.compile(rf"(sk|pk|rk)_(test|live)_[0-9A-Za-z]{{{RANDOM + CHECK}}}")


def new(kind: str, livemode: bool) -> str:
    """A new key of `kind` ("secret", "publishable" or "restricted")."""
    head = f"{PREFIXES[kind]}_{'live' if livemode else 'test'}_{ids.random(RANDOM)}"
    return head + _check(head)


def well_formed(key: str) -> bool:
    """Whether `key` can have been issued by anybody."""
    return _SHAPE.fullmatch(key) is not None and _check(key[:-CHECK]) == key[-CHECK:]


def kind(key: str) -> str:
    """The kind of a well-formed `key`."""
    return _KINDS[key[:2]]


def hint(key: str) -> str:
    """Enough of `key` for people to know it by: ``sk_test_…a1B2``."""
    return f"{key[:8]}…{key[-4:]}"


def _check(head: str) -> str:
    return ids.base62(zlib.crc32(head.encode()), CHECK)
