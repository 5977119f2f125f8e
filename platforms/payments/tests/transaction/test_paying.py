"""What a merchant may do with money, on real services and a real database."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from payments.rpc import transaction_pb2 as pb
from platforms.payments.tests import money


async def test_a_payment_taken_at_once_is_owed_to_the_merchant_less_the_fee(client: money.Client) -> None:
    paid = await client.pay(1000)
    assert (paid.state, paid.authorized, paid.captured, paid.fee) == (pb.CAPTURED, 1000, 1000, 59)
    assert await client.balance() == {"available": {}, "pending": {"usd": 941}, "held": {}}


async def test_a_hold_is_captured_in_parts_and_the_final_one_frees_the_rest(client: money.Client) -> None:
    held = await client.pay(1000, capture=False)
    assert held.state == pb.AUTHORIZED
    assert (await client.balance())["held"] == {"usd": 1000}
    part = await client.capture(held, 300)
    assert (part.state, part.captured) == (pb.CAPTURED, 300)
    assert (await client.balance())["held"] == {"usd": 700}
    last = await client.capture(held, 500, final=True)
    # One payment of 800 costs what two captures of it cost.
    assert (last.captured, last.fee) == (800, 53)
    assert await client.balance() == {"available": {}, "pending": {"usd": 747}, "held": {}}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.capture(held, 1)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_voided_hold_leaves_nothing(client: money.Client) -> None:
    held = await client.pay(500, capture=False)
    assert (await client.void(held)).state == pb.VOIDED
    assert await client.balance() == {"available": {}, "pending": {}, "held": {}}
    assert (await client.void(held)).state == pb.VOIDED


@pytest.mark.parametrize(
    ("number", "error", "decline"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000009987", "card_declined", "lost_card"),
        ("4000000000009979", "card_declined", "stolen_card"),
        ("4000000000000069", "expired_card", "expired_card"),
        ("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
        ("4000000000000119", "processing_error", "processing_error"),
    ],
)
async def test_a_declined_card_moves_no_money(client: money.Client, number: str, error: str, decline: str) -> None:
    declined = await client.pay(900, number)
    assert (declined.state, declined.error_code, declined.decline_code) == (pb.DECLINED, error, decline)
    entries = await client.money.ListEntries(pb.ListEntriesRequest(account_id=client.account_id))
    assert not entries.entries


async def test_a_refund_takes_from_the_merchant_and_never_more_than_was_taken(client: money.Client) -> None:
    paid = await client.pay(1000)
    done = await client.refund(paid, 400, reference="re_1")
    assert (done.state, done.amount, done.reference) == ("succeeded", 400, "re_1")
    with pytest.raises(grpc.aio.AioRpcError, match="600 of"):
        await client.refund(paid, 601)
    assert (await client.get(paid)).refunded == 400
    assert (await client.balance())["available"] == {"usd": -400}


async def test_a_refund_that_the_card_refuses_gives_the_money_back(client: money.Client) -> None:
    paid = await client.pay(1000, "4000000000005126")
    done = await client.refund(paid, 400)
    assert (done.state, done.failure_reason) == ("failed", "declined")
    assert (await client.get(paid)).refunded == 0
    assert (await client.balance())["available"] == {}


async def test_parallel_captures_and_refunds_never_exceed_what_is_there(client: money.Client) -> None:
    held = await client.pay(1000, capture=False)
    tries = await asyncio.gather(*(client.capture(held, 300) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(done, pb.Transaction) for done in tries) == 3
    refunds = await asyncio.gather(*(client.refund(held, 200) for _ in range(9)), return_exceptions=True)
    assert sum(isinstance(done, pb.RefundTransfer) for done in refunds) == 4
    one = await client.get(held)
    assert (one.captured, one.refunded) == (900, 800)


async def test_one_request_id_has_one_effect_and_one_answer(client: money.Client) -> None:
    token = (await client.tokenize()).id
    asked = {"request_id": money.request(), "reference": "pi_once"}
    answers = await asyncio.gather(*(client.authorize(700, token, **asked) for _ in range(6)), return_exceptions=True)
    made = [answer for answer in answers if isinstance(answer, pb.Transaction)]
    late = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert {error.code() for error in late} <= {grpc.StatusCode.ABORTED}
    again = await client.authorize(700, token, **asked)
    assert {one.SerializeToString() for one in made} == {again.SerializeToString()}
    await client.capture(again)
    assert (await client.authorize(700, token, **asked)).SerializeToString() == again.SerializeToString()
    assert (await client.balance())["pending"] == {"usd": 650}
    with pytest.raises(grpc.aio.AioRpcError) as other:
        await client.authorize(701, token, **asked)
    assert other.value.code() is grpc.StatusCode.ALREADY_EXISTS


async def test_another_accounts_transaction_does_not_exist(client: money.Client, house: money.House) -> None:
    paid = await client.pay(1000)
    async with house.client() as stranger:
        for attempt in (stranger.get(paid), stranger.capture(paid), stranger.void(paid), stranger.refund(paid, 1)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await attempt
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_currency_without_decimals_and_one_with_three_are_counted_in_their_own_units(
    client: money.Client,
) -> None:
    assert (await client.pay(1000, currency="jpy")).fee == 59
    assert (await client.pay(1000, currency="kwd")).fee == 119
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.pay(1000, currency="xyz")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
