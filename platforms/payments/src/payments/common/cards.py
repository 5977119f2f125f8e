"""Payment cards: numbers that never show themselves, the Luhn digit, brands and their lengths.

Brand ranges are the issuers' own, as published in ISO/IEC 7812 summaries; where ranges overlap the longer
prefix decides (Discover's co-branded 622126–622925 inside UnionPay's 62).
"""

from __future__ import annotations

import dataclasses
from typing import final


class _Hidden:
    """A secret text: no repr, str, format, pickle or comparison with plain text lets it out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"{type(self).__name__}(****)"

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError(f"{type(self).__name__} is not serialised: reveal() it where it is encrypted")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._text == other._text

    def __hash__(self) -> int:
        return hash((type(self), self._text))

    def __bool__(self) -> bool:
        return bool(self._text)


@final
class Number(_Hidden):
    """A card number (PAN); `last4` and `bin` (its first six digits) may be shown."""

    __slots__ = ()

    @property
    def last4(self) -> str:
        return self._text[-4:]

    @property
    def bin(self) -> str:
        return self._text[:6]

    def __len__(self) -> int:
        return len(self._text)

    def __repr__(self) -> str:
        # Shorter than a card number: even four digits would be most of it.
        return f"Number(****{self.last4})" if len(self._text) > 11 else "Number(****)"

    __str__ = __repr__


@final
class Cvc(_Hidden):
    """The verification code: used for one authorization, then forgotten."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True)
class Brand:
    """A card network: its name on the wire, the lengths of its numbers and of its CVC."""

    name: str
    lengths: tuple[int, ...]
    cvc: int
    ranges: tuple[tuple[int, int], ...]
    """First and last prefix, both with the same number of digits."""


VISA = Brand("visa", (13, 16, 19), 3, ((4, 4),))
MASTERCARD = Brand("mastercard", (16,), 3, ((51, 55), (222100, 272099)))
AMEX = Brand("amex", (15,), 4, ((34, 34), (37, 37)))
DISCOVER = Brand("discover", (16, 17, 18, 19), 3, ((6011, 6011), (622126, 622925), (644, 649), (65, 65)))
DINERS = Brand("diners", (14, 15, 16, 17, 18, 19), 3, ((300, 305), (3095, 3095), (36, 36), (38, 39)))
JCB = Brand("jcb", (16, 17, 18, 19), 3, ((3528, 3589),))
UNIONPAY = Brand("unionpay", (16, 17, 18, 19), 3, ((62, 62), (81, 81)))
UNKNOWN = Brand("unknown", tuple(range(12, 20)), 3, ())
BRANDS = (VISA, MASTERCARD, AMEX, DISCOVER, DINERS, JCB, UNIONPAY)


def brand(number: Number) -> Brand:
    """The network of `number` by its longest matching prefix; UNKNOWN where none matches."""
    matches = [(len(str(first)), one) for one in BRANDS for first, last in one.ranges if _within(number, first, last)]
    return max(matches, key=lambda match: match[0])[1] if matches else UNKNOWN


def _within(number: Number, first: int, last: int) -> bool:
    digits = number.bin[: len(str(first))]
    return len(digits) == len(str(first)) and digits.isascii() and digits.isdigit() and first <= int(digits) <= last


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(number: Number) -> bool:
    """Whether the last digit of `number` checks the others (ISO/IEC 7812-1 annex B)."""
    digits = [int(digit) for digit in number.reveal()]
    return (sum(digits[-1::-2]) + sum(_DOUBLED[digit] for digit in digits[-2::-2])) % 10 == 0


# The issuers' licensed tables say which account pays; these are the ranges of Stripe's documented test cards.
_FUNDING = (("400005", "debit"), ("520082", "debit"), ("510510", "prepaid"), ("601198", "debit"),
            ("424242", "credit"), ("555555", "credit"), ("222300", "credit"), ("378282", "credit"),
            ("371449", "credit"), ("601111", "credit"), ("3056", "credit"), ("3622", "credit"),
            ("356600", "credit"), ("620000", "credit"), ("4000", "credit"))  # fmt: skip


def funding(number: Number) -> str:
    """Who pays: "credit", "debit", "prepaid" or "unknown"."""
    return next((kind for prefix, kind in _FUNDING if number.bin.startswith(prefix)), "unknown")
