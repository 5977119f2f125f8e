"""Identifiers as Stripe shapes them: a prefix that says what it is, and 24 base62 characters.

The first eight characters count milliseconds, so ids sort by time where they are compared bytewise
(``COLLATE "C"`` in PostgreSQL); the other sixteen are random (95 bits), so that no id can be guessed.
"""

from __future__ import annotations

import os
import time

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 24
_TIME, _RANDOM = 8, 16
# Two characters at once halve the divisions; this runs several times a request.
_PAIRS = tuple(a + b for a in ALPHABET for b in ALPHABET)
_BASE = 62**2


def new(prefix: str) -> str:
    """A new id: ``new("txn")`` → ``txn_0V2kXz5B…``."""
    return f"{prefix}_{base62(time.time_ns() // 1_000_000, _TIME)}{random(_RANDOM)}"


def random(length: int) -> str:
    """`length` random base62 characters (even; 5.95 bits each)."""
    # Two bytes more than needed make the modulo's bias 2**-16 at most.
    return base62(int.from_bytes(os.urandom(length * 3 // 4 + 2)), length)


def base62(number: int, length: int) -> str:
    """The lowest `length` (even) base62 digits of `number`."""
    pairs = []
    for _ in range(length // 2):
        number, rest = divmod(number, _BASE)
        pairs.append(_PAIRS[rest])
    return "".join(reversed(pairs))
