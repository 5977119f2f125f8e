"""What makes a card acceptable: pure rules, every violation at once, each with its field and Stripe's word for it."""

from __future__ import annotations

import dataclasses
import datetime
import re

from payments.common import cards, failures

MAX_HOLDER = 200
"""The longest holder's name, in characters."""
_YEARS_AHEAD = 50
"""Stripe refuses expiry years further away than this."""
_SEPARATORS = re.compile(r"[ \-]")
_DIGITS = re.compile(r"[0-9]+")


@dataclasses.dataclass(frozen=True)
class Card:
    """A card that passed the checks."""

    number: cards.Number
    brand: cards.Brand
    exp_month: int
    exp_year: int
    cvc: cards.Cvc
    holder_name: str


def check(
    number: str, exp_month: int, exp_year: int, cvc: str, holder_name: str, today: datetime.date
) -> Card | tuple[failures.Failure, ...]:
    """The card, or everything that is wrong with it; no message repeats the number or the CVC."""
    pan = cards.Number(_SEPARATORS.sub("", number))
    found = (*_number(pan), *_expiry(exp_month, exp_year, today), *_cvc(pan, cvc), *_holder(holder_name))
    if found:
        return found
    return Card(pan, cards.brand(pan), exp_month, exp_year, cards.Cvc(cvc), holder_name)


def _number(number: cards.Number) -> tuple[failures.Failure, ...]:
    if not _DIGITS.fullmatch(number.reveal()):
        return (failures.Failure("invalid_number", "number", "The card number is not a valid credit card number."),)
    if len(number) not in cards.brand(number).lengths or not cards.luhn(number):
        return (failures.Failure("incorrect_number", "number", "Your card number is incorrect."),)
    return ()


def _expiry(month: int, year: int, today: datetime.date) -> tuple[failures.Failure, ...]:
    if not 1 <= month <= 12:
        return (_wrong_expiry("month"),)
    if not today.year <= year <= today.year + _YEARS_AHEAD:
        return (_wrong_expiry("year"),)
    # A card is good to the end of its month, wherever on Earth that ends last (UTC-12).
    return () if (year, month) >= (today.year, today.month) else (_wrong_expiry("month"),)


def _wrong_expiry(part: str) -> failures.Failure:
    return failures.Failure(f"invalid_expiry_{part}", f"exp_{part}", f"Your card's expiration {part} is invalid.")


def _cvc(number: cards.Number, cvc: str) -> tuple[failures.Failure, ...]:
    brand = cards.brand(number)
    lengths = (3, 4) if brand in (cards.UNKNOWN, cards.AMEX) else (brand.cvc,)
    if not cvc or (_DIGITS.fullmatch(cvc) and len(cvc) in lengths):
        return ()
    return (failures.Failure("invalid_cvc", "cvc", "Your card's security code is invalid."),)


def _holder(name: str) -> tuple[failures.Failure, ...]:
    if len(name) <= MAX_HOLDER and name.isprintable() and not _looks_like_number(name):
        return ()
    message = f"The card holder's name must be printable text of at most {MAX_HOLDER} characters, without card numbers."
    return (failures.Failure("invalid_holder_name", "holder_name", message),)


def _looks_like_number(name: str) -> bool:
    """People paste the number into the wrong field; the name is shown to merchants."""
    digits = re.findall(r"[0-9]{12,19}", _SEPARATORS.sub("", name))
    return any(cards.luhn(cards.Number(found)) for found in digits)
