"""Ids, money and failures, which all services share."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import grpc
import grpc.aio
import pytest
from hypothesis import given
from hypothesis import strategies as some

from payments.common import cards, failures, ids, money


def test_ids_are_a_prefix_and_24_characters_and_never_repeat() -> None:
    made = [ids.new("txn") for _ in range(5000)]
    assert all(re.fullmatch(r"txn_[0-9A-Za-z]{24}", one) for one in made)
    assert len(set(made)) == len(made)


@given(some.integers(0, 62**8 - 1), some.integers(0, 62**8 - 1))
def test_the_time_in_an_id_sorts_as_time_does(first: int, second: int) -> None:
    assert (ids.base62(first, 8) < ids.base62(second, 8)) == (first < second)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(1050, "usd", "10.50"), (-5, "usd", "-0.05"), (1050, "jpy", "1050"), (1050, "kwd", "1.050"), (0, "kwd", "0.000")],
)
def test_money_is_shown_with_its_currencys_decimals(amount: int, currency: str, shown: str) -> None:
    assert money.decimal(amount, currency) == shown


@pytest.mark.parametrize("currency", ["USD", "xxx", "", "us"])
def test_an_unknown_currency_is_an_error_that_says_what_to_use(currency: str) -> None:
    with pytest.raises(money.UnknownCurrency, match="lower-case ISO 4217"):
        money.exponent(currency)


@pytest.mark.parametrize("secret", [cards.Number("4242424242424242"), cards.Cvc("907")])
def test_a_card_is_neither_printed_nor_pickled_nor_equal_to_text(secret: cards.Number | cards.Cvc) -> None:
    text = secret.reveal()
    assert not [shown for shown in (repr(secret), str(secret), f"{secret:>30}", f"{[secret]}") if text in shown]
    assert secret != text
    for attempt in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            attempt(secret)


async def test_all_causes_of_a_refusal_travel_to_the_caller() -> None:
    found = (failures.Failure("a", "x", "x is bad"), failures.Failure("b", "y", "ÿ is bad"))

    class Service:
        @failures.answered
        async def Do(self, request: bytes) -> bytes:
            raise failures.Refused(grpc.StatusCode.INVALID_ARGUMENT, *found)

    server = grpc.aio.server()
    handler: Any = grpc.unary_unary_rpc_method_handler(Service().Do)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("S", {"Do": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call: Any = channel.unary_unary("/S/Do")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"")
    await server.stop(None)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert failures.of(refused.value) == found
