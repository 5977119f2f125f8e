"""Which cards are accepted, and in which words the others are refused."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from payments.common import cards, failures
from payments.tokenization import checks

TODAY = datetime.date(2026, 11, 20)
GOOD = ("4242424242424242", 11, 2026, "123", "Ada Lovelace")


def refused(number: str = GOOD[0], month: int = 11, year: int = 2026, cvc: str = "123", holder: str = "") -> set[str]:
    found = checks.check(number, month, year, cvc, holder, TODAY)
    return {one.code for one in found} if isinstance(found, tuple) else set()


def test_a_good_card_passes_with_spaces_and_dashes_in_its_last_month() -> None:
    card = checks.check("4242 4242-4242 4242", *GOOD[1:], TODAY)
    assert isinstance(card, checks.Card)
    assert (card.number.reveal(), card.brand.name) == (GOOD[0], "visa")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"number": "424242424242"}, "incorrect_number"),
        ({"number": "4242x"}, "invalid_number"),
        ({"number": ""}, "invalid_number"),
        ({"number": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"}, "invalid_number"),
        ({"month": 13}, "invalid_expiry_month"),
        ({"month": 0}, "invalid_expiry_month"),
        ({"month": 10}, "invalid_expiry_month"),
        ({"year": 2025}, "invalid_expiry_year"),
        ({"year": 26}, "invalid_expiry_year"),
        ({"year": 2077}, "invalid_expiry_year"),
        ({"cvc": "12"}, "invalid_cvc"),
        ({"cvc": "1234"}, "invalid_cvc"),
        ({"cvc": "12a"}, "invalid_cvc"),
        ({"holder": "4242 4242 4242 4242"}, "invalid_holder_name"),
    ],
)
def test_a_bad_card_is_refused_in_stripes_word(wrong: dict[str, object], code: str) -> None:
    assert refused(**wrong) == {code}  # type: ignore[arg-type]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = checks.check("1", 13, 1, "x", "", TODAY)
    assert isinstance(found, tuple)
    assert {one.field for one in found} == {"number", "exp_month", "cvc"}


@pytest.mark.parametrize(
    ("number", "brand"),
    [
        ("4000056655665556", "visa"), ("2223003122003222", "mastercard"), ("5200828282828210", "mastercard"),
        ("378282246310005", "amex"), ("6011000990139424", "discover"), ("6221260000000000", "discover"),
        ("3056930009020004", "diners"), ("36227206271667", "diners"), ("3566002020360505", "jcb"),
        ("6200000000000005", "unionpay"), ("9999999999999995", "unknown"),
    ],
)  # fmt: skip
def test_the_brand_is_the_longest_range_that_matches(number: str, brand: str) -> None:
    assert cards.brand(cards.Number(number)).name == brand


@given(some.integers(min_value=10**14, max_value=10**15 - 1), some.integers(0, 14), some.integers(1, 9))
def test_one_wrong_digit_never_passes(body: int, place: int, change: int) -> None:
    checked = next(f"{body}{digit}" for digit in range(10) if cards.luhn(cards.Number(f"{body}{digit}")))
    digits = list(checked)
    digits[place] = str((int(digits[place]) + change) % 10)
    assert not cards.luhn(cards.Number("".join(digits)))


@given(
    some.text(alphabet="0123456789", min_size=12, max_size=19), some.text(alphabet="0123456789", min_size=3, max_size=4)
)
def test_no_message_and_no_repr_shows_a_number_or_a_cvc(number: str, cvc: str) -> None:
    found = checks.check(number, 13, 1, cvc, "", TODAY)
    shown = repr(found) + repr(cards.Number(number)) + f"{cards.Cvc(cvc)}"
    assert number not in shown
    assert f"({cvc}" not in shown
    assert all(isinstance(one, failures.Failure) for one in found)  # type: ignore[union-attr]
